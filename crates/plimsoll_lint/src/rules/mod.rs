//! The rules. [`RULES`] is what registry, help, config, pages and reports read.

mod add_enum_value_before_readers;
mod adding_field_with_default;
mod adding_foreign_key_constraint;
mod adding_not_nullable_field;
mod adding_primary_key_constraint;
mod alter_type_still_referenced;
mod ban_add_column;
mod ban_add_composite_attribute;
mod ban_add_enum_value;
mod ban_alter_database_options;
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
mod ban_concurrent_in_transaction;
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
mod ban_drop_type;
mod ban_drop_view;
mod ban_duplicate_column_assignments;
mod ban_new_write_restriction;
mod ban_replace_view_function;
mod ban_replica_identity;
mod ban_revoke;
mod ban_set_default;
mod ban_set_schema;
mod ban_truncate_cascade;
mod ban_update_without_where;
mod changing_column_type;
mod changing_default_with_partial_inserts;
mod concurrent_in_implicit_transaction;
mod constraint_missing_not_valid;
mod create_table_as_select;
mod create_table_force;
mod creating_enum;
mod dependents;
mod destructive_cascade;
mod disallowed_unique_constraint;
mod drop_column_in_publication;
mod drop_column_still_referenced;
mod drop_table_still_referenced;
mod dropped;
mod forbid_nullable_fk;
mod forbidden_column_type;
mod foreign_key_without_index;
mod foreign_keys;
mod function_volatility_change;
mod identifier_too_long;
mod key_constraint;
mod key_width;
mod mismatched_fk_type;
mod multiple_alter_table;
mod new_columns;
mod not_null_default_dropped;
mod opaque_dynamic_sql;
mod overbroad_grant;
mod partition_bound_overlap;
mod prefer_bigint_over_int;
mod prefer_bigint_over_smallint;
mod prefer_identity;
mod prefer_jsonb;
mod prefer_robust_stmts;
mod prefer_text_field;
mod prefer_timestamptz;
mod renaming_column;
mod renaming_enum_value;
mod renaming_object;
mod renaming_schema;
mod renaming_table;
mod replace_index_drop_first;
mod require_comment;
mod require_concurrent_index_creation;
mod require_enum_value_ordering;
mod require_lock_timeout;
mod require_not_null;
mod require_primary_key;
mod require_table_schema;
mod restrictive_policy;
mod table_action;
mod unchecked_do_block;
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
    add_enum_value_before_readers::RULE,
    adding_field_with_default::RULE,
    adding_foreign_key_constraint::RULE,
    adding_not_nullable_field::RULE,
    adding_primary_key_constraint::RULE,
    alter_type_still_referenced::RULE,
    ban_add_column::RULE,
    ban_add_composite_attribute::RULE,
    ban_add_enum_value::RULE,
    ban_alter_database_options::RULE,
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
    ban_concurrent_in_transaction::RULE,
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
    ban_drop_type::RULE,
    ban_drop_view::RULE,
    ban_duplicate_column_assignments::RULE,
    ban_new_write_restriction::RULE,
    ban_replace_view_function::RULE,
    ban_replica_identity::RULE,
    ban_revoke::RULE,
    ban_set_default::RULE,
    ban_set_schema::RULE,
    ban_truncate_cascade::RULE,
    ban_update_without_where::RULE,
    changing_column_type::RULE,
    changing_default_with_partial_inserts::RULE,
    concurrent_in_implicit_transaction::RULE,
    constraint_missing_not_valid::RULE,
    create_table_as_select::RULE,
    create_table_force::RULE,
    creating_enum::RULE,
    destructive_cascade::RULE,
    disallowed_unique_constraint::RULE,
    drop_column_in_publication::RULE,
    drop_column_still_referenced::RULE,
    drop_table_still_referenced::RULE,
    forbid_nullable_fk::RULE,
    forbidden_column_type::RULE,
    foreign_key_without_index::RULE,
    function_volatility_change::RULE,
    identifier_too_long::RULE,
    mismatched_fk_type::RULE,
    multiple_alter_table::RULE,
    not_null_default_dropped::RULE,
    opaque_dynamic_sql::RULE,
    overbroad_grant::RULE,
    partition_bound_overlap::RULE,
    prefer_bigint_over_int::RULE,
    prefer_bigint_over_smallint::RULE,
    prefer_identity::RULE,
    prefer_jsonb::RULE,
    prefer_robust_stmts::RULE,
    prefer_text_field::RULE,
    prefer_timestamptz::RULE,
    renaming_column::RULE,
    renaming_enum_value::RULE,
    renaming_object::RULE,
    renaming_schema::RULE,
    renaming_table::RULE,
    replace_index_drop_first::RULE,
    require_comment::RULE,
    require_concurrent_index_creation::RULE,
    require_enum_value_ordering::RULE,
    require_lock_timeout::RULE,
    require_not_null::RULE,
    require_primary_key::RULE,
    require_table_schema::RULE,
    restrictive_policy::RULE,
    unchecked_do_block::RULE,
    view_select_star::RULE,
    wide_index::RULE,
];

#[cfg(test)]
mod tests;
