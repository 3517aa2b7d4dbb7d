//! A sequence that gives other numbers.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::ObjectKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-sequence-values",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-sequence-values")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_sequence_values.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some((alter, sequence)) = context.altered().filter(|(alter, _)| alter.kind == ObjectKind::Sequence)
    else {
        return;
    };
    let words = context.words();
    let values = ["restart", "increment", "minvalue", "maxvalue", "start", "cycle", "cache", "as"];
    let Some(value) =
        words.split(' ').skip(3).map(|word| word.trim_end_matches(';')).find(|word| values.contains(word))
    else {
        return;
    };
    let message = match value {
        "restart" => format!("running code may draw numbers from {} that rows already have", sequence.name),
        "cache" => return,
        _ => format!(
            "running code draws other numbers from {} than before, or none when it ends",
            sequence.name
        ),
    };
    let remedy = format!(
        "Set it above every number that is used, in the statement itself:\n\
         SELECT setval('{}', (SELECT max(…) FROM …), true);",
        alter.name
    );
    problems.push(Problem::new(message, remedy, Claim::Nothing));
}
