//! A foreign key between columns of different types.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::DataType;
use plimsoll_sql::name::quote_identifier;

use super::foreign_keys;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mismatched-fk-type",
    group: Group::Style,
    on_by_default: true,
    other_tools: &[("online_migrations", "mismatched_foreign_key_type")],
    severity: Severity::Warning,
    page: include_str!("mismatched_fk_type.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for key in foreign_keys::of(context) {
        let [column] = key.columns else { continue };
        let (Some((own, _)), Some((referenced, name))) =
            (key.column(context, column), key.referenced(context))
        else {
            continue;
        };
        if !own.is_builtin() || !referenced.is_builtin() || family(&own) == family(&referenced) {
            continue;
        }
        let message = format!(
            "{}.{column} is {own} and references {}.{name}, which is {referenced}: one holds values that the other can't, and \
             joins convert every row",
            key.table, key.references
        );
        let remedy =
            format!("Give it the type of what it references:\n{} {referenced}", quote_identifier(column));
        problems.push(Problem::new(message, remedy, Claim::Nothing).at(key.range));
    }
}

/// Types that hold the same values and compare without conversion count as one.
fn family(data_type: &DataType) -> (&str, bool) {
    let name = match data_type.name.name.as_str() {
        "character varying" | "character" => "text",
        name => name,
    };
    (name, data_type.array)
}
