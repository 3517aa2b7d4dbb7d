//! A view over SELECT *.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem, column_list};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "view-select-star",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("view_select_star.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateView(view) = context.command else { return };
    if !view.star || view.nested {
        return;
    }
    let columns = match view.reads.as_slice() {
        [only] => context.schema.relation(only).filter(|relation| relation.columns_known).map(|relation| {
            column_list(&relation.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>())
        }),
        _ => None,
    };
    let source = view.reads.first().map_or_else(|| "…".to_owned(), plimsoll_sql::name::quote_name);
    problems.push(Problem::new(
        format!("{} keeps the columns that there are now: a later one isn't in it, and none of these can be dropped or retyped", view.name),
        format!("Name the columns that its readers need:\nSELECT {} FROM {source};", columns.filter(|list| !list.is_empty()).unwrap_or_else(|| "…".into())),
        Claim::Nothing,
    ));
}
