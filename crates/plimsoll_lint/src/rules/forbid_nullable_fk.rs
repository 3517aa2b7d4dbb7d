//! A foreign key on a column that takes nulls.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::name::quote_identifier;

use super::foreign_keys::{self, Nulls};
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "forbid-nullable-fk",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("forbid_nullable_fk.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for key in foreign_keys::of(context) {
        let nullable = |column: &&String| matches!(key.column(context, column), Some((_, Nulls::Allowed)));
        let Some(column) = key.columns.iter().find(nullable) else { continue };
        let message = format!(
            "a row of {} with a null in {column} references nothing, and the foreign key lets it",
            key.table
        );
        let remedy = format!(
            "Forbid the null, or keep the optional reference in a table of its own:\n{} … NOT NULL",
            quote_identifier(column)
        );
        problems.push(Problem::new(message, remedy, Claim::Nothing).at(key.range));
    }
}
