//! A varchar with a length.

use plimsoll_core::Severity;
use plimsoll_sql::name::quote_identifier;

use super::new_columns;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "prefer-text-field",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[
        ("squawk", "prefer-text-field"),
        ("postgres-language-server", "preferTextField"),
        ("pgfence", "prefer-text-field"),
    ],
    severity: Severity::Note,
    page: include_str!("prefer_text_field.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for column in new_columns::of(context) {
        let [length] = column.data_type.modifiers.as_slice() else { continue };
        if !column.is_a(&["character varying"]) {
            continue;
        }
        let name = quote_identifier(column.name);
        let check = format!("CHECK (char_length({name}) <= {length})");
        let message = format!(
            "the length of {} can only be made shorter by reading the whole table while nobody can use it",
            column.shown()
        );
        let remedy = match column.created {
            Some(_) => format!(
                "Say the limit in a check, which NOT VALID and VALIDATE change without blocking anyone:\n{name} text {check}"
            ),
            None => format!(
                "Say the limit in a check, added NOT VALID and validated in a later transaction:\n{name} text; ADD {check} NOT VALID"
            ),
        };
        let mut problem = column.problem(message, remedy);
        if let (Some(edit), Some(_)) = (column.retyped("text"), column.created) {
            let end = column.range.end;
            let edits = match edit.0.end == end {
                true => vec![(edit.0, format!("text {check}"))],
                false => vec![edit, (end..end, format!(" {check}"))],
            };
            problem = problem.fix("Make it text with a check", edits);
        }
        problems.push(problem);
    }
}
