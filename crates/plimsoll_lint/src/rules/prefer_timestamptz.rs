//! A timestamp without a time zone.

use plimsoll_core::Severity;
use plimsoll_sql::name::quote_identifier;

use super::new_columns;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "prefer-timestamptz",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[
        ("squawk", "prefer-timestamp-tz"),
        ("squawk", "prefer-timestamptz"),
        ("postgres-language-server", "preferTimestamptz"),
        ("pgfence", "prefer-timestamptz"),
    ],
    severity: Severity::Note,
    page: include_str!("prefer_timestamptz.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for column in new_columns::of(context) {
        if !column.is_a(&["timestamp without time zone"]) {
            continue;
        }
        let to = match column.data_type.modifiers.as_slice() {
            [precision] => format!("timestamptz({precision})"),
            _ => "timestamptz".to_owned(),
        };
        let message = format!(
            "{} holds a reading of some clock, and nothing says of which: sessions with different time zones mean different moments",
            column.shown()
        );
        let remedy =
            format!("Store the moment; it takes as many bytes:\n{} {to}", quote_identifier(column.name));
        let mut problem = column.problem(message, remedy);
        if let Some(edit) = column.retyped(&to) {
            problem = problem.fix(&format!("Make it {to}"), vec![edit]);
        }
        problems.push(problem);
    }
}
