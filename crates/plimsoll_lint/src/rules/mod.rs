//! The rules. [`RULES`] is what registry, help, config, pages and reports read.

mod adding_field_with_default;
mod adding_foreign_key_constraint;
mod adding_not_nullable_field;
mod adding_primary_key_constraint;
mod ban_concurrent_in_transaction;
mod ban_drop_column;
mod ban_drop_table;
mod changing_column_type;
mod concurrent_in_implicit_transaction;
mod constraint_missing_not_valid;
mod disallowed_unique_constraint;
mod key_constraint;
mod renaming_column;
mod renaming_table;
mod require_concurrent_index_creation;
mod require_lock_timeout;

use crate::rule::Rule;

/// Rules about the first lock of a file that waits without end: one finding tells the file.
pub(crate) const TOLD_ONCE_A_FILE: [&str; 9] = [
    "add-column-references",
    "avoid-create-trigger",
    "avoid-disable-trigger",
    "ban-drop-trigger",
    "create-table-references",
    "drop-foreign-key",
    "drop-table-with-foreign-keys",
    "explicit-lock-table",
    "require-lock-timeout",
];

/// Every rule, by id.
pub static RULES: &[Rule] = &[
    adding_field_with_default::RULE,
    adding_foreign_key_constraint::RULE,
    adding_not_nullable_field::RULE,
    adding_primary_key_constraint::RULE,
    ban_concurrent_in_transaction::RULE,
    ban_drop_column::RULE,
    ban_drop_table::RULE,
    changing_column_type::RULE,
    concurrent_in_implicit_transaction::RULE,
    constraint_missing_not_valid::RULE,
    disallowed_unique_constraint::RULE,
    renaming_column::RULE,
    renaming_table::RULE,
    require_concurrent_index_creation::RULE,
    require_lock_timeout::RULE,
];

#[cfg(test)]
mod tests;
