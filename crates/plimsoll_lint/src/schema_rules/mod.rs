//! Rules about a schema as it stands, not about a change: `lint --schema`.
//!
//! A rule is one file with its page beside it, as in `rules`. It sees the schema after a replay and, where a
//! server told them, its counters. Deliberately absent: how a schema comes to be known.

mod duplicate_index;
mod dynamic_sql_concatenation;
mod extension_in_public;
mod fk_type_mismatch;
mod foreign_table_exposed;
mod grants_to_public;
mod invalid_index;
mod judge;
mod materialized_view_over_rls;
mod multiple_permissive_policies;
mod no_primary_key;
mod not_valid_constraint_left;
mod origins;
mod outdated_extension;
mod policy_clauses;
mod policy_exists_rls_disabled;
mod rls_disabled;
mod rls_enabled_no_policy;
mod rls_initplan;
mod rls_policy_always_true;
mod row_security;
mod schema_rule;
mod security_definer_view;
mod security_definer_without_search_path;
mod sequence_near_end;
mod table_bloat;
mod trigger_disabled_left;
mod unindexed_foreign_keys;
mod unlogged_table;
mod unsupported_reg_types;
mod unused_index;

pub use judge::{SchemaJudgement, SchemaPart, judge_schema};
pub(crate) use policy_clauses::PolicyClauses;
pub use schema_rule::{Needs, SchemaContext, SchemaExample, SchemaProblem, SchemaRule, Subject};

/// Every rule, by id.
pub static SCHEMA_RULES: &[SchemaRule] = &[
    duplicate_index::RULE,
    dynamic_sql_concatenation::RULE,
    extension_in_public::RULE,
    fk_type_mismatch::RULE,
    foreign_table_exposed::RULE,
    grants_to_public::RULE,
    invalid_index::RULE,
    materialized_view_over_rls::RULE,
    multiple_permissive_policies::RULE,
    no_primary_key::RULE,
    not_valid_constraint_left::RULE,
    outdated_extension::RULE,
    policy_exists_rls_disabled::RULE,
    rls_disabled::RULE,
    rls_enabled_no_policy::RULE,
    rls_initplan::RULE,
    rls_policy_always_true::RULE,
    security_definer_view::RULE,
    security_definer_without_search_path::RULE,
    sequence_near_end::RULE,
    table_bloat::RULE,
    trigger_disabled_left::RULE,
    unindexed_foreign_keys::RULE,
    unlogged_table::RULE,
    unsupported_reg_types::RULE,
    unused_index::RULE,
];

/// The rule of this id.
#[must_use]
pub fn schema_rule(id: &str) -> Option<&'static SchemaRule> {
    SCHEMA_RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests;
