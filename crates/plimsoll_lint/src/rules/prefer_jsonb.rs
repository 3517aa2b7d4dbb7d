//! A json column.

use plimsoll_core::Severity;
use plimsoll_sql::name::quote_identifier;

use super::new_columns;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "prefer-jsonb",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[
        ("eugene", "E3"),
        ("strong_migrations", "add_column_json"),
        ("postgres-language-server", "preferJsonb"),
        ("pgsafe", "prefer-jsonb"),
    ],
    severity: Severity::Note,
    page: include_str!("prefer_jsonb.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for column in new_columns::of(context) {
        if !column.is_a(&["json"]) {
            continue;
        }
        let message = format!(
            "{} can't be compared, so SELECT DISTINCT, GROUP BY and UNION of code that takes all columns fail",
            column.shown()
        );
        let remedy = format!(
            "Use jsonb, which is also indexed and faster to read:\n{} jsonb",
            quote_identifier(column.name)
        );
        let mut problem = column.problem(message, remedy);
        if let Some(edit) = column.retyped("jsonb") {
            problem = problem.fix("Make it jsonb", vec![edit]);
        }
        problems.push(problem);
    }
}
