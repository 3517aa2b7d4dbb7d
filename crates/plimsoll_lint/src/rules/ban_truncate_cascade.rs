//! A TRUNCATE that empties tables which it doesn't name.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::ResolvedName;

use super::dependents;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-truncate-cascade",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[
        ("squawk", "ban-truncate-cascade"),
        ("postgres-language-server", "banTruncateCascade"),
        ("pgfence", "truncate-cascade"),
    ],
    severity: Severity::Error,
    page: include_str!("ban_truncate_cascade.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Truncate { names, cascade: true, .. } = context.command else { return };
    if !names.iter().any(|name| context.existing(name).is_some()) {
        return;
    }
    let named = dependents::with_descendants(context, names);
    let mut unnamed: Vec<ResolvedName> = Vec::new();
    for effect in context.effects.iter().filter(|effect| effect.cause == Cause::Truncate) {
        if !named.contains(&effect.relation) && !unnamed.contains(&effect.relation) {
            unnamed.push(effect.relation.clone());
        }
    }
    let spelled: Vec<String> = names.iter().map(quote_name).collect();
    if !context.schema.is_known() {
        let message =
            format!("this also empties every table that references {}, at any distance", spelled.join(", "));
        let remedy =
            format!("Name the tables that are meant, without CASCADE:\nTRUNCATE {}, …;", spelled.join(", "));
        problems.push(Problem::new(message, remedy, Claim::Nothing).severity(Severity::Warning));
        return;
    }
    let [first, ..] = unnamed.as_slice() else { return };
    let claim = Claim::Lock { relation: first.to_string(), mode: LockMode::AccessExclusive, work: None };
    let lost: Vec<String> = unnamed.iter().map(|name| context.sized(name)).collect();
    let all: Vec<String> = spelled.into_iter().chain(unnamed.iter().map(quote_name)).collect();
    problems.push(Problem::new(
        format!("this also empties {}", dependents::listed(&lost)),
        format!("Name the tables that are meant, so that the statement fails when another one references them:\nTRUNCATE {};", all.join(", ")),
        claim,
    ));
}
