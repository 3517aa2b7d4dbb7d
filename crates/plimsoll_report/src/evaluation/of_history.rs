//! What a history says of Plimsoll's own verdicts, part by part.

use plimsoll_core::evaluation::Share;
use plimsoll_core::evaluation::history::{AlarmFigures, HistoryEvaluation, RuleFigures, ThresholdProposal};
use plimsoll_core::units::{count, figure, plural};

use super::parts::{Body, Part, figures, part, percent, share};

/// In the order of reading.
pub(super) fn parts(history: &HistoryEvaluation) -> Vec<Part> {
    let mut parts = vec![part("What was judged", Body::Sentences(head(history)))];
    parts.push(part("Lint's rules against what rehearsals found", rules(&history.rules)));
    parts.push(part("The alarm of queries that got worse", alarm(&history.alarm)));
    parts.extend(history.alarm.evaluation.iter().flat_map(figures));
    parts
}

/// What the history has.
pub(super) fn head(history: &HistoryEvaluation) -> Vec<String> {
    let rules = history.rules.len();
    let first = format!(
        "{}: {}, {} of lint, {} of queries, {} of them alarmed, {} confirmed or dismissed.",
        history.source,
        plural(history.runs as usize, "run"),
        plural(rules, "rule"),
        plural(history.alarm.measured as usize, "comparison"),
        count(history.alarm.alarmed),
        count(history.alarm.judged),
    );
    let confidence = percent(history.confidence);
    let second = format!(
        "The same finding or comparison of several runs counts once. Intervals have {confidence} % confidence."
    );
    vec![first, second]
}

fn rules(rules: &[RuleFigures]) -> Body {
    if rules.is_empty() {
        let none = "No run has claimed anything yet: `plimsoll check` appends to the history.";
        return Body::Sentences(vec![none.to_owned()]);
    }
    let columns = ["rule", "confirmed", "refuted", "missed", "untested", "precision", "recall"];
    let row = |rule: &RuleFigures| {
        let counts = [rule.confirmed, rule.refuted, rule.missed, rule.untested].map(count);
        let shares = [told(rule.precision.as_ref()), told(rule.recall.as_ref())];
        [rule.rule.clone()].into_iter().chain(counts).chain(shares).collect()
    };
    Body::Table { columns: columns.map(str::to_owned).into(), rows: rules.iter().map(row).collect() }
}

/// Without the exact interval: a table has little room.
fn told(of: Option<&Share>) -> String {
    of.map_or_else(|| "unknown".to_owned(), |of| share(&Share { exact: None, ..*of }))
}

fn alarm(alarm: &AlarmFigures) -> Body {
    if alarm.judged == 0 {
        let none = "Nobody has judged an alarm yet: `plimsoll confirm ID` says that a query did get worse, `plimsoll dismiss ID` \
                    that it didn't; reports tell the IDs.";
        return Body::Sentences(vec![none.to_owned()]);
    }
    let mut facts = vec![
        ("right alarms".to_owned(), count(alarm.right)),
        ("false alarms".to_owned(), count(alarm.false_alarms)),
        ("missed".to_owned(), count(alarm.missed)),
        ("precision".to_owned(), alarm.precision.as_ref().map_or_else(|| "unknown".to_owned(), share)),
        ("recall among judged".to_owned(), alarm.recall.as_ref().map_or_else(|| "unknown".to_owned(), share)),
    ];
    facts.extend(alarm.proposal.iter().map(|proposal| ("proposed threshold".to_owned(), proposed(proposal))));
    Body::Facts(facts)
}

fn proposed(proposal: &ThresholdProposal) -> String {
    let target = figure(proposal.target);
    match (proposal.threshold, proposal.more_needed) {
        (Some(threshold), _) => {
            let precision = proposal.precision.as_ref().map(share).unwrap_or_default();
            format!("{threshold} times as much, for a precision of {target}: {precision}")
        }
        (None, Some(more)) => format!(
            "none yet for a precision of {target}: it takes at least {} that {} confirmed, with none dismissed",
            plural(more as usize, "more alarm"),
            if more == 1 { "is" } else { "are" },
        ),
        (None, None) => format!("none for a precision of {target}"),
    }
}
