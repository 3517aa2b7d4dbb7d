//! Which rule speaks where several find the same thing: the one that says most.

use std::ops::Range;

use crate::context::Problem;
use crate::policy::Standing;
use crate::rule::Rule;

/// A rule, and those whose findings about the same thing it makes needless.
pub(crate) static PRECEDENCE: &[(&str, &[&str])] = &[
    ("alter-type-still-referenced", &["changing-column-type"]),
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
    ("drop-table-still-referenced", &["ban-drop-table", "ban-drop-view", "create-table-force"]),
    ("function-volatility-change", &["ban-alter-function-options", "ban-replace-view-function"]),
    ("not-null-default-dropped", &["ban-drop-default"]),
    ("replace-index-drop-first", &["ban-drop-index"]),
    ("restrictive-policy", &["ban-create-policy"]),
];

/// A rule's problem on its way to a report.
pub(crate) struct Told {
    pub(crate) rule: &'static Rule,
    pub(crate) standing: Standing,
    pub(crate) problem: Problem,
}

/// Parts the problems of one command into those that are told, and those that another rule's
/// finding tells better.
pub(crate) fn settle(told: Vec<Told>) -> (Vec<Told>, Vec<Told>) {
    let winners: Vec<(&[&str], Option<Range<usize>>, Option<String>)> = told
        .iter()
        .filter(|one| matches!(one.standing, Standing::Reported | Standing::ReportedAt(_)))
        .filter_map(|one| {
            let (_, losers) = PRECEDENCE.iter().find(|(winner, _)| *winner == one.rule.id)?;
            Some((*losers, one.problem.range.clone(), one.problem.subject.clone()))
        })
        .collect();
    if winners.is_empty() {
        return (told, Vec::new());
    }
    told.into_iter().partition(|one| {
        !winners.iter().any(|(losers, range, subject)| {
            losers.contains(&one.rule.id)
                && (range.is_none() || *range == one.problem.range)
                && (subject.is_none() || *subject == one.problem.subject)
        })
    })
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
