//! The rules. [`RULES`] is what registry, help, config, pages and reports read.

mod add_column_constrained_domain;
mod add_column_references;
mod add_column_unique;
mod add_column_with_check;
mod add_enum_value_before_readers;
mod add_exclusion_constraint;
mod add_serial_column;
mod add_stored_generated_column;
mod adding_field_with_default;
mod adding_foreign_key_constraint;
mod adding_not_nullable_field;
mod adding_primary_key_constraint;
mod adding_required_field;
mod alter_enum_in_transaction;
mod alter_type_still_referenced;
mod attach_partition_without_check;
mod avoid_create_trigger;
mod avoid_disable_trigger;
mod avoid_wide_lock_window;
mod backfill_with_ddl;
mod ban_add_column;
mod ban_add_composite_attribute;
mod ban_add_enum_value;
mod ban_alter_database_options;
mod ban_alter_domain_add_constraint;
mod ban_alter_extension;
mod ban_alter_function_options;
mod ban_alter_identity;
mod ban_alter_policy;
mod ban_alter_role_options;
mod ban_alter_row_level_security;
mod ban_alter_sequence_values;
mod ban_alter_system_options;
mod ban_alter_view_options;
mod ban_char_field;
mod ban_cluster;
mod ban_concurrent_in_transaction;
mod ban_create_domain_with_constraint;
mod ban_create_policy;
mod ban_delete_without_where;
mod ban_detach_inheritance;
mod ban_drop_column;
mod ban_drop_constraint;
mod ban_drop_database;
mod ban_drop_default;
mod ban_drop_domain;
mod ban_drop_extension;
mod ban_drop_function;
mod ban_drop_generated_expression;
mod ban_drop_index;
mod ban_drop_not_null;
mod ban_drop_policy;
mod ban_drop_schema;
mod ban_drop_sequence;
mod ban_drop_table;
mod ban_drop_trigger;
mod ban_drop_type;
mod ban_drop_view;
mod ban_duplicate_column_assignments;
mod ban_new_write_restriction;
mod ban_replace_view_function;
mod ban_replica_identity;
mod ban_revoke;
mod ban_set_default;
mod ban_set_schema;
mod ban_truncate;
mod ban_truncate_cascade;
mod ban_uncommitted_transaction;
mod ban_update_without_where;
mod ban_vacuum_full;
mod brief_lock;
mod changing_column_type;
mod changing_default_with_partial_inserts;
mod concurrent_in_implicit_transaction;
mod concurrent_index_corruption;
mod concurrently_if_not_exists;
mod constraint_missing_not_valid;
mod create_partition_of;
mod create_table_as_select;
mod create_table_force;
mod create_table_references;
mod creating_enum;
mod dependents;
mod destructive_cascade;
mod disallowed_unique_constraint;
mod drop_column_in_publication;
mod drop_column_still_referenced;
mod drop_foreign_key;
mod drop_object_still_referenced;
mod drop_table_still_referenced;
mod drop_table_with_foreign_keys;
mod dropped;
mod enum_value_used_in_transaction;
mod explicit_lock_table;
mod forbid_nullable_fk;
mod forbidden_column_type;
mod foreign_key_without_index;
mod foreign_keys;
mod function_volatility_change;
mod identifier_too_long;
mod index_on_partitioned_parent;
mod key_constraint;
mod key_width;
mod lock_timeout_ineffective;
mod migration_not_rerunnable;
mod mismatched_fk_type;
mod missing_timeout;
mod multiple_alter_table;
mod multiple_foreign_keys;
mod new_columns;
mod not_null_constraint_not_valid;
mod not_null_default_dropped;
mod opaque_dynamic_sql;
mod overbroad_grant;
pub(crate) mod partition_bound;
mod partition_bound_overlap;
mod partition_scans_default;
mod pk_using_nullable_index;
mod prefer_bigint_over_int;
mod prefer_bigint_over_smallint;
mod prefer_identity;
mod prefer_jsonb;
mod prefer_robust_stmts;
mod prefer_text_field;
mod prefer_timestamptz;
pub(crate) mod privilege_difference;
mod renaming_column;
mod renaming_enum_value;
mod renaming_object;
mod renaming_schema;
mod renaming_table;
mod repack;
mod replace_index_drop_first;
mod require_comment;
mod require_concurrent_index_creation;
mod require_concurrent_index_deletion;
mod require_concurrent_partition_detach;
mod require_concurrent_refresh_matview;
mod require_concurrent_reindex;
mod require_enum_value_ordering;
mod require_idle_in_transaction_timeout;
mod require_lock_timeout;
mod require_not_null;
mod require_primary_key;
mod require_statement_timeout;
mod require_table_schema;
mod require_transaction_timeout;
mod restrictive_policy;
mod set_access_method;
mod set_generated_expression;
mod set_local_outside_transaction;
mod set_logged_unlogged;
mod set_tablespace;
mod statement_while_holding_access_exclusive;
mod table_action;
mod timeout_kills_concurrent_build;
mod transaction_nesting;
mod type_change;
mod type_change_rebuilds_index;
mod type_change_rechecks_constraint;
mod unchecked_do_block;
mod unnamed_concurrent_index;
mod validate_in_same_transaction;
mod view_select_star;
mod wide_index;

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
    add_enum_value_before_readers::RULE,
    add_exclusion_constraint::RULE,
    add_serial_column::RULE,
    add_stored_generated_column::RULE,
    adding_field_with_default::RULE,
    adding_foreign_key_constraint::RULE,
    adding_not_nullable_field::RULE,
    adding_primary_key_constraint::RULE,
    adding_required_field::RULE,
    alter_enum_in_transaction::RULE,
    alter_type_still_referenced::RULE,
    attach_partition_without_check::RULE,
    avoid_create_trigger::RULE,
    avoid_disable_trigger::RULE,
    avoid_wide_lock_window::RULE,
    backfill_with_ddl::RULE,
    ban_add_column::RULE,
    ban_add_composite_attribute::RULE,
    ban_add_enum_value::RULE,
    ban_alter_database_options::RULE,
    ban_alter_domain_add_constraint::RULE,
    ban_alter_extension::RULE,
    ban_alter_function_options::RULE,
    ban_alter_identity::RULE,
    ban_alter_policy::RULE,
    ban_alter_role_options::RULE,
    ban_alter_row_level_security::RULE,
    ban_alter_sequence_values::RULE,
    ban_alter_system_options::RULE,
    ban_alter_view_options::RULE,
    ban_char_field::RULE,
    ban_cluster::RULE,
    ban_concurrent_in_transaction::RULE,
    ban_create_domain_with_constraint::RULE,
    ban_create_policy::RULE,
    ban_delete_without_where::RULE,
    ban_detach_inheritance::RULE,
    ban_drop_column::RULE,
    ban_drop_constraint::RULE,
    ban_drop_database::RULE,
    ban_drop_default::RULE,
    ban_drop_domain::RULE,
    ban_drop_extension::RULE,
    ban_drop_function::RULE,
    ban_drop_generated_expression::RULE,
    ban_drop_index::RULE,
    ban_drop_not_null::RULE,
    ban_drop_policy::RULE,
    ban_drop_schema::RULE,
    ban_drop_sequence::RULE,
    ban_drop_table::RULE,
    ban_drop_trigger::RULE,
    ban_drop_type::RULE,
    ban_drop_view::RULE,
    ban_duplicate_column_assignments::RULE,
    ban_new_write_restriction::RULE,
    ban_replace_view_function::RULE,
    ban_replica_identity::RULE,
    ban_revoke::RULE,
    ban_set_default::RULE,
    ban_set_schema::RULE,
    ban_truncate::RULE,
    ban_truncate_cascade::RULE,
    ban_uncommitted_transaction::RULE,
    ban_update_without_where::RULE,
    ban_vacuum_full::RULE,
    changing_column_type::RULE,
    changing_default_with_partial_inserts::RULE,
    concurrent_in_implicit_transaction::RULE,
    concurrent_index_corruption::RULE,
    concurrently_if_not_exists::RULE,
    constraint_missing_not_valid::RULE,
    create_partition_of::RULE,
    create_table_as_select::RULE,
    create_table_force::RULE,
    create_table_references::RULE,
    creating_enum::RULE,
    destructive_cascade::RULE,
    disallowed_unique_constraint::RULE,
    drop_column_in_publication::RULE,
    drop_column_still_referenced::RULE,
    drop_foreign_key::RULE,
    drop_object_still_referenced::RULE,
    drop_table_still_referenced::RULE,
    drop_table_with_foreign_keys::RULE,
    enum_value_used_in_transaction::RULE,
    explicit_lock_table::RULE,
    forbid_nullable_fk::RULE,
    forbidden_column_type::RULE,
    foreign_key_without_index::RULE,
    function_volatility_change::RULE,
    identifier_too_long::RULE,
    index_on_partitioned_parent::RULE,
    lock_timeout_ineffective::RULE,
    migration_not_rerunnable::RULE,
    mismatched_fk_type::RULE,
    multiple_alter_table::RULE,
    multiple_foreign_keys::RULE,
    not_null_constraint_not_valid::RULE,
    not_null_default_dropped::RULE,
    opaque_dynamic_sql::RULE,
    overbroad_grant::RULE,
    partition_bound_overlap::RULE,
    partition_scans_default::RULE,
    pk_using_nullable_index::RULE,
    prefer_bigint_over_int::RULE,
    prefer_bigint_over_smallint::RULE,
    prefer_identity::RULE,
    prefer_jsonb::RULE,
    prefer_robust_stmts::RULE,
    prefer_text_field::RULE,
    prefer_timestamptz::RULE,
    privilege_difference::RULE,
    renaming_column::RULE,
    renaming_enum_value::RULE,
    renaming_object::RULE,
    renaming_schema::RULE,
    renaming_table::RULE,
    replace_index_drop_first::RULE,
    require_comment::RULE,
    require_concurrent_index_creation::RULE,
    require_concurrent_index_deletion::RULE,
    require_concurrent_partition_detach::RULE,
    require_concurrent_refresh_matview::RULE,
    require_concurrent_reindex::RULE,
    require_enum_value_ordering::RULE,
    require_idle_in_transaction_timeout::RULE,
    require_lock_timeout::RULE,
    require_not_null::RULE,
    require_primary_key::RULE,
    require_statement_timeout::RULE,
    require_table_schema::RULE,
    require_transaction_timeout::RULE,
    restrictive_policy::RULE,
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
    unchecked_do_block::RULE,
    unnamed_concurrent_index::RULE,
    validate_in_same_transaction::RULE,
    view_select_star::RULE,
    wide_index::RULE,
];

#[cfg(test)]
mod tests;
