//! A char(n), which is padded with spaces.

use plimsoll_core::Severity;
use plimsoll_sql::name::quote_identifier;

use super::new_columns;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-char-field",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[("squawk", "ban-char-field"), ("postgres-language-server", "banCharField")],
    severity: Severity::Note,
    page: include_str!("ban_char_field.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for column in new_columns::of(context) {
        let [length] = column.data_type.modifiers.as_slice() else { continue };
        if !column.is_a(&["character"]) {
            continue;
        }
        let name = quote_identifier(column.name);
        let message = format!(
            "{} is padded with spaces to {length} characters, and compares by other rules than text",
            column.shown()
        );
        let remedy = format!(
            "Use text, with a check where the length matters:\n{name} text CHECK (char_length({name}) = {length})"
        );
        let mut problem = column.problem(message, remedy);
        if let Some(edit) = column.retyped("text") {
            problem = problem.fix("Make it text", vec![edit]);
        }
        problems.push(problem);
    }
}
