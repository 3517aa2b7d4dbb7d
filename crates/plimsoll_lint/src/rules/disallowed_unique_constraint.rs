//! A unique constraint that builds its index while the table is locked.

use plimsoll_core::Severity;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::effects::Cause;

use super::key_constraint::{self, Key};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "disallowed-unique-constraint",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "disallowed-unique-constraint"),
        ("eugene", "E7"),
        ("strong_migrations", "add_unique_constraint"),
    ],
    severity: Severity::Error,
    page: include_str!("disallowed_unique_constraint.md"),
    check: |context, problems| key_constraint::check(&UNIQUE, context, problems),
};

const UNIQUE: Key = Key {
    words: "UNIQUE",
    cause: Cause::Unique,
    name_tail: "key",
    of: |kind| match kind {
        ConstraintKind::Unique(key) => Some(key),
        _ => None,
    },
};
