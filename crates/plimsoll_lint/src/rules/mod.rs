//! The rules. [`RULES`] is what registry, help, config, pages and reports read.

mod add_column_constrained_domain;
mod add_column_references;
mod add_column_unique;
mod add_column_with_check;
mod add_exclusion_constraint;
mod add_serial_column;
mod add_stored_generated_column;
mod adding_field_with_default;
mod adding_foreign_key_constraint;
mod adding_not_nullable_field;
mod adding_primary_key_constraint;
mod adding_required_field;
mod alter_enum_in_transaction;
mod attach_partition_without_check;
mod avoid_create_trigger;
mod avoid_disable_trigger;
mod avoid_wide_lock_window;
mod backfill_with_ddl;
mod ban_alter_domain_add_constraint;
mod ban_cluster;
mod ban_concurrent_in_transaction;
mod ban_create_domain_with_constraint;
mod ban_drop_column;
mod ban_drop_table;
mod ban_drop_trigger;
mod ban_truncate;
mod ban_uncommitted_transaction;
mod ban_vacuum_full;
mod brief_lock;
mod changing_column_type;
mod concurrent_in_implicit_transaction;
mod concurrent_index_corruption;
mod concurrently_if_not_exists;
mod constraint_missing_not_valid;
mod create_partition_of;
mod create_table_references;
mod disallowed_unique_constraint;
mod drop_foreign_key;
mod drop_table_with_foreign_keys;
mod enum_value_used_in_transaction;
mod explicit_lock_table;
mod index_on_partitioned_parent;
mod key_constraint;
mod lock_timeout_ineffective;
mod migration_not_rerunnable;
mod missing_timeout;
mod multiple_foreign_keys;
mod not_null_constraint_not_valid;
mod partition_bound;
mod partition_scans_default;
mod pk_using_nullable_index;
mod renaming_column;
mod renaming_table;
mod repack;
mod require_concurrent_index_creation;
mod require_concurrent_index_deletion;
mod require_concurrent_partition_detach;
mod require_concurrent_refresh_matview;
mod require_concurrent_reindex;
mod require_idle_in_transaction_timeout;
mod require_lock_timeout;
mod require_statement_timeout;
mod require_transaction_timeout;
mod set_access_method;
mod set_generated_expression;
mod set_local_outside_transaction;
mod set_logged_unlogged;
mod set_tablespace;
mod statement_while_holding_access_exclusive;
mod timeout_kills_concurrent_build;
mod transaction_nesting;
mod type_change;
mod type_change_rebuilds_index;
mod type_change_rechecks_constraint;
mod unnamed_concurrent_index;
mod validate_in_same_transaction;

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
    add_column_constrained_domain::RULE,
    add_column_references::RULE,
    add_column_unique::RULE,
    add_column_with_check::RULE,
    add_exclusion_constraint::RULE,
    add_serial_column::RULE,
    add_stored_generated_column::RULE,
    adding_field_with_default::RULE,
    adding_foreign_key_constraint::RULE,
    adding_not_nullable_field::RULE,
    adding_primary_key_constraint::RULE,
    adding_required_field::RULE,
    alter_enum_in_transaction::RULE,
    attach_partition_without_check::RULE,
    avoid_create_trigger::RULE,
    avoid_disable_trigger::RULE,
    avoid_wide_lock_window::RULE,
    backfill_with_ddl::RULE,
    ban_alter_domain_add_constraint::RULE,
    ban_cluster::RULE,
    ban_concurrent_in_transaction::RULE,
    ban_create_domain_with_constraint::RULE,
    ban_drop_column::RULE,
    ban_drop_table::RULE,
    ban_drop_trigger::RULE,
    ban_truncate::RULE,
    ban_uncommitted_transaction::RULE,
    ban_vacuum_full::RULE,
    changing_column_type::RULE,
    concurrent_in_implicit_transaction::RULE,
    concurrent_index_corruption::RULE,
    concurrently_if_not_exists::RULE,
    constraint_missing_not_valid::RULE,
    create_partition_of::RULE,
    create_table_references::RULE,
    disallowed_unique_constraint::RULE,
    drop_foreign_key::RULE,
    drop_table_with_foreign_keys::RULE,
    enum_value_used_in_transaction::RULE,
    explicit_lock_table::RULE,
    index_on_partitioned_parent::RULE,
    lock_timeout_ineffective::RULE,
    migration_not_rerunnable::RULE,
    multiple_foreign_keys::RULE,
    not_null_constraint_not_valid::RULE,
    partition_scans_default::RULE,
    pk_using_nullable_index::RULE,
    renaming_column::RULE,
    renaming_table::RULE,
    require_concurrent_index_creation::RULE,
    require_concurrent_index_deletion::RULE,
    require_concurrent_partition_detach::RULE,
    require_concurrent_refresh_matview::RULE,
    require_concurrent_reindex::RULE,
    require_idle_in_transaction_timeout::RULE,
    require_lock_timeout::RULE,
    require_statement_timeout::RULE,
    require_transaction_timeout::RULE,
    set_access_method::RULE,
    set_generated_expression::RULE,
    set_local_outside_transaction::RULE,
    set_logged_unlogged::RULE,
    set_tablespace::RULE,
    statement_while_holding_access_exclusive::RULE,
    timeout_kills_concurrent_build::RULE,
    transaction_nesting::RULE,
    type_change_rebuilds_index::RULE,
    type_change_rechecks_constraint::RULE,
    unnamed_concurrent_index::RULE,
    validate_in_same_transaction::RULE,
];

#[cfg(test)]
mod tests;
