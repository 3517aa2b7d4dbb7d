//! The sentences that several formats share, so that a terminal, a page and a comment say the
//! same about one report.
//!
//! Deliberately absent: markup and escaping; every sentence may hold hostile text.

use plimsoll_core::traffic::Traffic;
use plimsoll_core::units::{bytes, count, duration_ms, plural};
use plimsoll_core::{
    EvidenceKind, Finding, HeldLock, Measurement, Outcome, QueryCause, QueryReport, QueryVerdict, Rehearsal,
    Report, Severity, StatementRecord, Verdict,
};

use crate::fixed::Fixed;
use crate::{Rendering, further};

/// The answer as a headline. What was only read is never called safe.
pub(crate) fn headline(report: &Report) -> &'static str {
    if report.traffic.is_some() {
        return match report.findings.is_empty() {
            true => "nothing found",
            false if report.verdict == Verdict::Danger => "too much",
            false => "found something",
        };
    }
    if is_of_queries(report) {
        return match report.verdict {
            Verdict::Safe => "nothing got worse",
            Verdict::Caution => "something got worse",
            Verdict::Danger => "much got worse",
        };
    }
    match (report.verdict, &report.rehearsal) {
        (Verdict::Safe, Some(_)) => "safe",
        (Verdict::Safe, None) if report.findings.is_empty() => "nothing found (not rehearsed)",
        (Verdict::Safe, None) => "only notes (not rehearsed)",
        (Verdict::Caution, _) => "caution",
        (Verdict::Danger, _) => "danger",
    }
}

/// Whether queries were measured, and no change was rehearsed.
fn is_of_queries(report: &Report) -> bool {
    report.rehearsal.is_none() && report.queries.is_some()
}

/// The answer as an advice.
pub(crate) fn advice(report: &Report) -> &'static str {
    if report.traffic.is_some() {
        return match report.findings.is_empty() {
            true => "No query ran once for each row of another one.",
            false => "See what can be fetched at once.",
        };
    }
    if is_of_queries(report) {
        return match report.verdict {
            Verdict::Safe => "The queries fare as they did.",
            _ => "See which queries fare otherwise, and why; `plimsoll regress accept` takes what is right.",
        };
    }
    match report.verdict {
        Verdict::Safe if report.rehearsal.is_none() => {
            "The files were only read: `plimsoll check` tries the change."
        }
        Verdict::Safe => "Nothing found speaks against deploying.",
        Verdict::Caution => "Deploy with care.",
        Verdict::Danger => "Don’t deploy this as it is.",
    }
}

/// `PostgreSQL 15.18`, without the packager's addition.
pub(crate) fn server(rehearsal: &Rehearsal) -> String {
    let number = rehearsal.server_version.split_whitespace().next().unwrap_or("of unknown version");
    format!("PostgreSQL {number}")
}

/// `2 errors, 1 warning and 1 note`; nothing for severities that don't occur.
pub(crate) fn severities(report: &Report) -> String {
    let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (report.count(severity), severity.word()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| plural(number, word))
        .collect();
    if parts.is_empty() { "no findings".to_owned() } else { joined(&parts) }
}

/// How far the findings are proven: `3 confirmed, 1 refuted`, claims counted as unproven.
pub(crate) fn proofs(report: &Report) -> String {
    let words = [
        (EvidenceKind::Confirmed, "confirmed"),
        (EvidenceKind::Observed, "observed"),
        (EvidenceKind::Refuted, "refuted"),
        (EvidenceKind::Claimed, "unproven"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .map(|(kind, word)| (report.count_evidence(kind), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", count(number as u64)))
        .collect();
    joined(&parts)
}

/// Why the verdict is what it is: counts of findings, statements and queries, as sentences.
pub(crate) fn reasons(report: &Report) -> Vec<String> {
    let mut sentences = vec![finding_sentence(report)];
    match &report.rehearsal {
        Some(rehearsal) => sentences.push(rehearsal_sentence(rehearsal)),
        None if report.traffic.is_some() || is_of_queries(report) => {}
        None => sentences.push("No statement was rehearsed on a server.".to_owned()),
    }
    if let Some(traffic) = &report.traffic {
        sentences.push(traffic_sentence(traffic));
    }
    if let Some(queries) = &report.queries {
        sentences.push(format!("{}.", query_summary(queries)));
    }
    sentences
}

fn finding_sentence(report: &Report) -> String {
    let severities = severities(report);
    let Some(rehearsal) = report.rehearsal.as_ref().filter(|_| !report.findings.is_empty()) else {
        return format!("{}.", capitalised(&severities));
    };
    format!("{}: {} on {}.", capitalised(&severities), proofs(report), server(rehearsal))
}

fn traffic_sentence(traffic: &Traffic) -> String {
    format!(
        "{} of {} on {} in {}.",
        plural(traffic.statements as usize, "statement"),
        plural(traffic.queries.len(), "query"),
        plural(traffic.sessions as usize, "connection"),
        duration_ms(traffic.lasted_ms)
    )
}

fn rehearsal_sentence(rehearsal: &Rehearsal) -> String {
    let statements = plural(rehearsal.statements.len(), "statement");
    let failed = rehearsal.statements.iter().filter(|record| record.outcome == Outcome::Error).count();
    let rows = if rehearsal.seeded { "" } else { " without rows, so durations and row counts mean little" };
    match failed {
        0 => format!("{statements} rehearsed{rows}; none failed."),
        _ => format!("{statements} rehearsed{rows}; {} failed.", count(failed as u64)),
    }
}

/// `5 queries measured: 1 failed, 1 worse, 3 same`.
pub(crate) fn query_summary(queries: &[QueryReport]) -> String {
    let measured = match queries.len() {
        1 => "1 query measured".to_owned(),
        number => format!("{} queries measured", count(number as u64)),
    };
    let parts: Vec<String> = VERDICTS_WORST_FIRST
        .into_iter()
        .map(|verdict| (queries.iter().filter(|query| query.verdict == verdict).count(), verdict.word()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", count(number as u64)))
        .collect();
    if parts.is_empty() { measured } else { format!("{measured}: {}", joined(&parts)) }
}

/// Query verdicts in the order in which a reader wants them.
pub(crate) const VERDICTS_WORST_FIRST: [QueryVerdict; 6] = [
    QueryVerdict::Failed,
    QueryVerdict::ChangedResult,
    QueryVerdict::Worse,
    QueryVerdict::New,
    QueryVerdict::Better,
    QueryVerdict::Same,
];

/// The queries, worst verdict first, otherwise in the report's order.
pub(crate) fn worst_first(queries: &[QueryReport]) -> Vec<&QueryReport> {
    VERDICTS_WORST_FIRST
        .into_iter()
        .flat_map(|verdict| queries.iter().filter(move |query| query.verdict == verdict))
        .collect()
}

/// `confirmed on PostgreSQL 15.18`: how far a finding is proven, without its facts.
pub(crate) fn proof(report: &Report, finding: &Finding) -> String {
    let server = report.rehearsal.as_ref().map(|rehearsal| format!(" on {}", server(rehearsal)));
    match (finding.evidence.kind, server) {
        (EvidenceKind::Claimed, None) => "claimed, not tried on a server".to_owned(),
        (EvidenceKind::Claimed, Some(server)) => format!("claimed, not settled by the rehearsal{server}"),
        (kind, server) => format!("{}{}", kind.word(), server.unwrap_or_default()),
    }
}

/// [`proof`] and the facts in one line.
pub(crate) fn evidence(report: &Report, finding: &Finding) -> String {
    let proof = proof(report, finding);
    if finding.evidence.facts.is_empty() {
        return proof;
    }
    format!("{proof}: {}", finding.evidence.facts.join("; "))
}

/// What a fix does, and the lines that it leaves unless the remedy shows them; none where there
/// is no fix.
pub(crate) fn fix(rendering: &Rendering, finding: &Finding) -> Option<(String, Option<String>)> {
    let fix = finding.fix.as_ref()?;
    let source = rendering.source(finding)?;
    let lines = Fixed::new(source, fix)?.lines(source);
    let is_shown = finding.remedy.contains(lines.trim());
    Some((fix.title.clone(), (!is_shown).then_some(lines)))
}

/// `AccessExclusiveLock on public.ships`, marked if the change itself made the relation.
pub(crate) fn lock(lock: &HeldLock) -> String {
    let new = if lock.existing { "" } else { " (made by this change)" };
    format!("{} on {}{new}", lock.mode.pg_locks(), lock.relation)
}

/// The work that a statement did, a phrase each: `rewrote public.ships`.
pub(crate) fn work(rehearsal: &Rehearsal, record: &StatementRecord) -> Vec<String> {
    let rewrites = record.rewrites.iter().map(|relation| format!("rewrote {relation}"));
    let scans = record.scans.iter().map(|scan| match rehearsal.seeded {
        true => format!("read all {} rows of {}", count(scan.rows), scan.relation),
        false => format!("read {} in full", scan.relation),
    });
    let builds = record.index_builds.iter().map(|build| {
        let new = if build.existing { "" } else { " (made by this change)" };
        let verb = if record.further.index_rewrites.contains(&build.index) { "rebuilt" } else { "built" };
        format!("{verb} index {} on {}{new}", build.index, build.relation)
    });
    rewrites.chain(scans).chain(builds).chain(further::work(rehearsal, record)).collect()
}

/// Whether a reader can skip a statement: it succeeded, blocked nobody and did no work that
/// grows with a relation that existed before.
pub(crate) fn is_quiet(record: &StatementRecord) -> bool {
    record.outcome == Outcome::Ok
        && record.blocking_locks().is_empty()
        && record.rewrites.is_empty()
        && record.scans.is_empty()
        && !record.index_builds.iter().any(|build| build.existing)
}

/// One number of a query, before and after.
pub(crate) struct Number {
    /// What is counted: `shared buffers`.
    pub(crate) name: &'static str,
    /// Before the change, with its unit.
    pub(crate) before: Option<String>,
    /// After the change, with its unit.
    pub(crate) after: Option<String>,
    /// By how much it changed, if both are known: `×12`, `−7 %`.
    pub(crate) change: Option<String>,
}

/// `missing index: orders_i is gone`.
pub(crate) fn cause(cause: &QueryCause) -> String {
    format!("{}: {}", cause.kind, cause.evidence)
}

/// `id k3f9t20c: grew ×16.5, an alarm from ×1.25 on`; none where nobody can judge it.
pub(crate) fn growth(query: &QueryReport) -> Option<String> {
    let growth = query.growth.as_ref()?;
    let id = growth.id.as_ref()?;
    let grew = if growth.ratio > 1.0 {
        format!("grew ×{}", ratio(growth.ratio))
    } else {
        "didn’t grow".to_owned()
    };
    Some(format!("id {id}: {grew}, an alarm from ×{} on", ratio(growth.threshold)))
}

/// Three digits, or more before the point.
fn ratio(ratio: f64) -> String {
    match ratio {
        _ if ratio >= 99.5 => count(ratio.round() as u64),
        _ if ratio >= 9.95 => format!("{ratio:.1}"),
        _ => format!("{ratio:.2}"),
    }
}

/// The numbers of a query in the order of their weight.
pub(crate) fn numbers(query: &QueryReport) -> Vec<Number> {
    type Read = fn(&Measurement) -> Option<f64>;
    type Show = fn(f64) -> String;
    let whole: Show = |value| count(value as u64);
    let table: [(&'static str, Read, Show); 5] = [
        ("shared buffers", |m| Some(m.shared_buffers as f64), whole),
        ("temporary blocks", |m| Some(m.temp_blocks as f64), whole),
        ("rows", |m| Some(m.rows as f64), whole),
        ("cost", |m| Some(m.cost), |value| format!("{value:.2}")),
        ("time", |m| m.time_ms, duration_ms),
    ];
    table
        .into_iter()
        .filter_map(|(name, read, show)| {
            let (before, after) = (query.before.as_ref().and_then(read), query.after.as_ref().and_then(read));
            // A time says something beside another one alone.
            if name == "time" && (before.is_none() && query.before.is_some() || after.is_none()) {
                return None;
            }
            let change = before.zip(after).map(|(before, after)| change(before, after));
            Some(Number { name, before: before.map(show), after: after.map(show), change })
        })
        .collect()
}

/// A ratio for a person: per cent up to a doubling or halving, a factor beyond.
fn change(before: f64, after: f64) -> String {
    if before == after {
        return "=".to_owned();
    }
    if before <= 0.0 {
        return "from 0".to_owned();
    }
    if after <= 0.0 {
        return "to 0".to_owned();
    }
    let per_cent = (after / before - 1.0) * 100.0;
    match per_cent {
        _ if after >= before * 2.0 => format!("×{}", factor(after / before)),
        _ if after <= before / 2.0 => format!("÷{}", factor(before / after)),
        _ if per_cent > 0.0 => format!("+{per_cent:.0} %"),
        _ => format!("−{:.0} %", -per_cent),
    }
}

fn factor(ratio: f64) -> String {
    if ratio >= 9.95 { count(ratio.round() as u64) } else { format!("{ratio:.1}") }
}

/// Write-ahead log for a person.
pub(crate) fn wal(record: &StatementRecord) -> String {
    format!("{} of WAL", bytes(record.wal_bytes))
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_per_cent_up_to_a_factor_of_two() {
        let shown = [
            (10.0, 10.0),
            (10.0, 5.0),
            (10.0, 12.0),
            (10.0, 25.0),
            (1.0, 1200.0),
            (0.0, 3.0),
            (100.0, 93.0),
            (3.0, 0.0),
        ]
        .map(|(before, after)| change(before, after));
        assert_eq!(shown, ["=", "÷2.0", "+20 %", "×2.5", "×1,200", "from 0", "−7 %", "to 0"]);
    }

    #[test]
    fn parts_are_joined_as_a_sentence() {
        let parts: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(
            [joined(&parts), joined(&parts[..2]), joined(&parts[..1])],
            ["a, b and c", "a and b", "a"]
        );
    }
}
