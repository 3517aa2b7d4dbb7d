//! A column of a type that the team forbids.

use plimsoll_core::Severity;

use super::new_columns;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "forbidden-column-type",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("forbidden_column_type.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for column in new_columns::of(context) {
        let plain =
            plimsoll_sql::DataType { modifiers: Vec::new(), array: false, ..column.data_type.stored() };
        let plain = plain.to_string();
        if context.settings.forbidden_types.contains(&plain) {
            let message = format!("{} is of type {plain}, which this project forbids", column.shown());
            problems.push(column.problem(
                message,
                "Take another type, or take this one off the list of forbidden types.".into(),
            ));
        }
    }
}
