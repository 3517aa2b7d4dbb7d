//! A primary key that builds its index while the table is locked.

use plimsoll_core::Severity;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::effects::Cause;

use super::key_constraint::{self, Key};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "adding-primary-key-constraint",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "adding-serial-primary-key-field"), ("eugene", "E7")],
    severity: Severity::Error,
    page: include_str!("adding_primary_key_constraint.md"),
    check: |context, problems| key_constraint::check(&PRIMARY_KEY, context, problems),
};

const PRIMARY_KEY: Key = Key {
    words: "PRIMARY KEY",
    cause: Cause::PrimaryKey,
    name_tail: "pkey",
    of: |kind| match kind {
        ConstraintKind::PrimaryKey(key) => Some(key),
        _ => None,
    },
};
