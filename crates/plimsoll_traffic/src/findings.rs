//! What of the traffic is worth a word: N+1 bursts, one finding a query and its feeder, and a budget that is overrun.

use std::collections::BTreeMap;

use plimsoll_core::traffic::{Burst, BurstKind, Traffic};
use plimsoll_core::units::{count, duration_ms, plural};
use plimsoll_core::{Claim, Evidence, EvidenceKind, Finding, Location, Severity};

/// The rule of an N+1 burst.
pub const N_PLUS_ONE: &str = "n-plus-one";
/// The rule of a budget of statements.
pub const TOO_MANY_QUERIES: &str = "too-many-queries";

/// Characters of a query in a message.
const LONGEST_QUERY: usize = 160;

/// Findings about the traffic of a program; `place` is where they stand, since statements have no place in a file.
#[must_use]
pub fn findings(traffic: &Traffic, place: &str, most_queries: Option<u64>) -> Vec<Finding> {
    let location = Location { file: place.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
    let mut groups: BTreeMap<(&str, Option<&str>), Vec<&Burst>> = BTreeMap::new();
    for burst in traffic.bursts.iter().filter(|burst| burst.kind == BurstKind::NPlusOne) {
        let feeder = burst.fed_by.as_ref().map(|feeder| feeder.fingerprint.as_str());
        groups.entry((&burst.fingerprint, feeder)).or_default().push(burst);
    }
    let mut groups: Vec<Vec<&Burst>> = groups.into_values().collect();
    // Where most can be gained first.
    groups.sort_by_key(|bursts| std::cmp::Reverse(bursts.iter().map(|burst| burst.spared).sum::<u64>()));
    let mut findings: Vec<Finding> =
        groups.iter().map(|bursts| n_plus_one(traffic, bursts, location.clone())).collect();
    findings.extend(most_queries.filter(|most| traffic.statements > *most).map(|most| {
        observed(
            TOO_MANY_QUERIES,
            Severity::Error,
            format!("{} ran; {} are allowed", plural(traffic.statements as usize, "statement"), count(most)),
            "Look for the queries that run most often, or raise the budget.".into(),
            vec![format!(
                "{} on {}",
                plural(traffic.statements as usize, "statement"),
                plural(traffic.sessions as usize, "connection")
            )],
            location.clone(),
        )
    }));
    findings
}

fn observed(
    rule: &str,
    severity: Severity,
    message: String,
    remedy: String,
    facts: Vec<String>,
    location: Location,
) -> Finding {
    Finding {
        rule: rule.into(),
        severity,
        message,
        remedy,
        fix: None,
        location,
        statement: None,
        evidence: Evidence { kind: EvidenceKind::Observed, facts },
        claim: Claim::Nothing,
    }
}

fn n_plus_one(traffic: &Traffic, bursts: &[&Burst], location: Location) -> Finding {
    let first = bursts[0];
    let query = traffic.queries.iter().find(|query| query.fingerprint == first.fingerprint);
    let text = shortened(query.map_or("?", |query| &query.query));
    let most = bursts.iter().map(|burst| burst.statements).max().unwrap_or(0);
    let spared: u64 = bursts.iter().map(|burst| burst.spared).sum();
    let times = match bursts.len() {
        1 => format!("{} times in a row", count(most)),
        several => format!("up to {} times in a row, in {}", count(most), plural(several, "burst")),
    };
    let (message, remedy) = match &first.fed_by {
        Some(feeder) => (
            format!(
                "`{text}` ran {times}: once for each value of `{}` from `{}`",
                feeder.column,
                shortened(&feeder.query)
            ),
            "Fetch both with a join, or all at once by `= ANY` with the list of values (in Django select_related or \
             prefetch_related, in SQLAlchemy joinedload or selectinload)."
                .to_owned(),
        ),
        None => (
            format!("`{text}` ran {times}, with another value each time"),
            "Fetch them at once, by `= ANY` with the list of values.".to_owned(),
        ),
    };
    let waited: f64 = bursts.iter().map(|burst| burst.waited_ms).sum();
    let mut facts = vec![
        format!("{} would be spared", plural(spared as usize, "round trip")),
        format!("waited {} for the answers", duration_ms(waited)),
    ];
    if let Some(feeder) = &first.fed_by {
        facts.push(format!("{} of {} values were in that column", feeder.statements, first.statements));
    }
    if first.distinct * 2 < first.statements {
        facts.push(format!("{} different ones among them", count(first.distinct)));
    }
    if !first.application.is_empty() {
        facts.push(format!("application {}", first.application));
    }
    facts.extend(first.tags.iter().map(|(key, value)| format!("{key} {value}")));
    observed(N_PLUS_ONE, Severity::Warning, message, remedy, facts, location)
}

/// A query that fits a sentence.
fn shortened(query: &str) -> String {
    match query.char_indices().nth(LONGEST_QUERY) {
        Some((end, _)) => format!("{}…", &query[..end]),
        None => query.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::traffic::Feeder;

    use super::*;

    fn burst(statements: u64, fed: bool) -> Burst {
        let feeder = Feeder {
            fingerprint: "b".into(),
            query: "select id from authors".into(),
            column: "id".into(),
            statements,
        };
        Burst {
            kind: BurstKind::NPlusOne,
            fingerprint: "a".into(),
            session: 0,
            application: "web".into(),
            tags: vec![("route".into(), "/books".into())],
            statements,
            distinct: statements,
            started_ms: 0.0,
            ended_ms: 5.0,
            waited_ms: 4.0,
            fed_by: fed.then_some(feeder),
            spared: statements - 1,
        }
    }

    #[test]
    fn bursts_of_one_query_are_one_finding() {
        let bursts = vec![burst(6, true), burst(9, true), burst(5, false)];
        let traffic = Traffic { statements: 20, sessions: 1, bursts, ..Traffic::default() };
        let findings = findings(&traffic, "pytest", Some(19));
        let told: Vec<String> =
            findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect();
        assert_eq!(
            told,
            [
                "n-plus-one: `?` ran up to 9 times in a row, in 2 bursts: once for each value of `id` from `select id from authors`",
                "n-plus-one: `?` ran 5 times in a row, with another value each time",
                "too-many-queries: 20 statements ran; 19 are allowed",
            ]
        );
        assert_eq!(
            findings[0].evidence.facts,
            [
                "13 round trips would be spared",
                "waited 8.00 ms for the answers",
                "6 of 6 values were in that column",
                "application web",
                "route /books",
            ]
        );
    }
}
