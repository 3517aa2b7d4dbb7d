//! Which rule speaks where several find the same thing: the one that says most.

use std::ops::Range;

use crate::context::Problem;
use crate::policy::Standing;
use crate::rule::Rule;

/// A rule, and those whose findings about the same thing it makes needless.
pub(crate) static PRECEDENCE: &[(&str, &[&str])] = &[
    ("adding-required-field", &["ban-add-column"]),
    (
        "alter-type-still-referenced",
        &["changing-column-type", "type-change-rebuilds-index", "type-change-rechecks-constraint"],
    ),
    ("ban-delete-without-where", &["backfill-with-ddl"]),
    ("ban-truncate-cascade", &["ban-truncate"]),
    ("ban-update-without-where", &["backfill-with-ddl"]),
    ("changing-default-with-partial-inserts", &["ban-set-default"]),
    ("create-table-force", &["ban-drop-table"]),
    (
        "destructive-cascade",
        &[
            "ban-drop-column",
            "ban-drop-constraint",
            "ban-drop-domain",
            "ban-drop-extension",
            "ban-drop-function",
            "ban-drop-schema",
            "ban-drop-sequence",
            "ban-drop-table",
            "ban-drop-type",
            "ban-drop-view",
            "create-table-force",
        ],
    ),
    ("drop-column-still-referenced", &["ban-drop-column", "drop-column-in-publication"]),
    (
        "drop-object-still-referenced",
        &["ban-drop-constraint", "ban-drop-domain", "ban-drop-schema", "ban-drop-table", "ban-drop-type"],
    ),
    (
        "drop-table-still-referenced",
        &["ban-drop-table", "ban-drop-view", "create-table-force", "drop-table-with-foreign-keys"],
    ),
    ("enum-value-used-in-transaction", &["add-enum-value-before-readers"]),
    ("function-volatility-change", &["ban-alter-function-options", "ban-replace-view-function"]),
    ("migration-not-rerunnable", &["prefer-robust-stmts"]),
    ("not-null-default-dropped", &["ban-drop-default"]),
    (
        "partition-bound-overlap",
        &["attach-partition-without-check", "create-partition-of", "partition-scans-default"],
    ),
    ("replace-index-drop-first", &["ban-drop-index"]),
    ("restrictive-policy", &["ban-create-policy"]),
];

/// The subject of a problem that is about all rows of a table being written at once.
pub(crate) const ALL_ROWS: &str = "all rows";

/// A rule's problem on its way to a report.
pub(crate) struct Told {
    pub(crate) rule: &'static Rule,
    pub(crate) standing: Standing,
    pub(crate) problem: Problem,
}

/// Parts the problems of one command into those that are told, and those that another rule's
/// finding tells better.
pub(crate) fn settle(told: Vec<Told>) -> (Vec<Told>, Vec<Told>) {
    let winners: Vec<Winner> = told
        .iter()
        .filter(|one| matches!(one.standing, Standing::Reported | Standing::ReportedAt(_)))
        .filter_map(|one| {
            let (_, losers) = PRECEDENCE.iter().find(|(winner, _)| *winner == one.rule.id)?;
            let Problem { range, subject, .. } = &one.problem;
            Some(Winner { losers, range: range.clone(), subject: subject.clone() })
        })
        .collect();
    if winners.is_empty() {
        return (told, Vec::new());
    }
    told.into_iter().partition(|one| !winners.iter().any(|winner| winner.beats(one)))
}

/// A problem of a rule that takes precedence.
struct Winner {
    losers: &'static [&'static str],
    range: Option<Range<usize>>,
    subject: Option<String>,
}

impl Winner {
    /// Whether it says better what the other says: of the same part of the statement and the same
    /// object, where it is about a part or an object.
    fn beats(&self, other: &Told) -> bool {
        self.losers.contains(&other.rule.id)
            && (self.range.is_none() || self.range == other.problem.range)
            && (self.subject.is_none() || self.subject == other.problem.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RULES;

    #[test]
    fn every_rule_named_exists_and_the_order_is_fixed() {
        assert!(PRECEDENCE.is_sorted());
        for (winner, losers) in PRECEDENCE {
            assert!(losers.is_sorted(), "{winner}");
            for id in losers.iter().chain([winner]) {
                assert!(RULES.iter().any(|rule| rule.id == *id), "{id}");
            }
        }
    }
}
