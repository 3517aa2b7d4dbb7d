//! Foreign keys to several tables in one transaction.

use plimsoll_core::{Claim, LockMode, Severity};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

const ID: &str = "multiple-foreign-keys";

pub(super) const RULE: Rule = Rule {
    id: ID,
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("online_migrations", "multiple_foreign_keys")],
    severity: Severity::Warning,
    page: include_str!("multiple_foreign_keys.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    // A lock_timeout bounds the wait for the second table, under the first one's lock.
    if !context.session.waits_forever() || context.session.told_in_transaction(ID) {
        return;
    }
    let own = context.foreign_key_parents();
    let mut shown: Vec<String> = Vec::new();
    for (parent, statement) in context.session.parents() {
        if !own.contains(parent) {
            shown.push(format!("{parent} (since line {})", context.line_of_statement(*statement)));
        }
    }
    let Some(last) = own.last() else { return };
    shown.extend(own.iter().map(ToString::to_string));
    shown.dedup();
    if shown.len() < 2 {
        return;
    }
    let message = format!(
        "foreign keys of one transaction lock the writers of several tables out together: {}; while it waits for one it holds the \
         others",
        shown.join(", ")
    );
    let remedy =
        format!("Add each foreign key {}, with a lock_timeout:\nSET lock_timeout = '2s';", context.apart());
    let claim = Claim::Lock { relation: last.to_string(), mode: LockMode::ShareRowExclusive, work: None };
    problems.push(Problem::new(message, remedy, claim));
}
