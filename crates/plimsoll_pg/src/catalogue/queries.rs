//! The queries, in the order in which a snapshot has their answers.

use std::fmt::Write as _;

use plimsoll_sql::snapshot::LAST_LINE;

/// Whether functions' bodies are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// They are: DDL in them is judged, and functions that inline are known.
    #[default]
    Read,
    /// They are left out.
    LeftOut,
}

/// One part of a snapshot.
pub(super) struct Section {
    /// What it holds, in the plural; its heading.
    pub(super) title: &'static str,
    /// A query whose rows are lines; none for what has no heading.
    pub(super) sql: &'static str,
    /// What its rows are.
    pub(super) rows: Rows,
}

/// What the rows of a query are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// The snapshot's lines.
    Lines,
    /// Queries whose rows are lines.
    Queries,
}

const fn section(title: &'static str, sql: &'static str) -> Section {
    Section { title, sql, rows: Rows::Lines }
}

/// What the first lines come from.
pub(super) const HEAD: &str = include_str!("sql/head.sql");

/// The sections in order.
pub(super) fn sections(bodies: Bodies) -> Vec<Section> {
    let functions = match bodies {
        Bodies::Read => include_str!("sql/functions.sql"),
        Bodies::LeftOut => include_str!("sql/functions_without_bodies.sql"),
    };
    vec![
        section("memberships of roles", include_str!("sql/roles.sql")),
        section("extensions", include_str!("sql/extensions.sql")),
        section("schemas", include_str!("sql/schemas.sql")),
        section("types", include_str!("sql/types.sql")),
        section("functions", functions),
        section("sequences", include_str!("sql/sequences.sql")),
        section("tables", include_str!("sql/tables.sql")),
        section("partitions and children", include_str!("sql/parents.sql")),
        section("constraints", include_str!("sql/constraints.sql")),
        section("views", include_str!("sql/views.sql")),
        section("indexes", include_str!("sql/indexes.sql")),
        section("triggers and rules", include_str!("sql/triggers.sql")),
        section("row-level security", include_str!("sql/policies.sql")),
        section("privileges", include_str!("sql/privileges.sql")),
        section("default privileges", include_str!("sql/default_privileges.sql")),
        section("publications", include_str!("sql/publications.sql")),
        section("sizes of tables", include_str!("sql/sizes.sql")),
        section("sizes of indexes", include_str!("sql/index_sizes.sql")),
        Section {
            title: "positions of sequences",
            sql: include_str!("sql/sequence_values.sql"),
            rows: Rows::Queries,
        },
        section("what this role may not see", include_str!("sql/unseen.sql")),
    ]
}

/// Begins the transaction. Every setting is local to it, as a pooler in transaction mode needs.
///
/// `search_path` is empty so that every name outside `pg_catalog` is written with its schema.
pub(super) fn preamble(lock_timeout_ms: u128, statement_timeout_ms: u128) -> String {
    format!(
        "begin isolation level repeatable read read only;\n\
         set local lock_timeout = {lock_timeout_ms};\n\
         set local statement_timeout = {statement_timeout_ms};\n\
         set local idle_in_transaction_session_timeout = {};\n\
         set local search_path = '';\n\
         set local datestyle = 'ISO, YMD';\n\
         set local intervalstyle = 'postgres';\n\
         set local standard_conforming_strings = on;\n\
         set local quote_all_identifiers = off;\n\
         set local jit = off;\n",
        2 * statement_timeout_ms
    )
}

/// A section's heading, as a line of the snapshot.
pub(super) fn heading(title: &str) -> String {
    format!("\n-- {title}\n")
}

/// The same queries as a script whose output, by `psql -XAtq`, is a snapshot.
#[must_use]
pub fn script(bodies: Bodies, lock_timeout_ms: u128, statement_timeout_ms: u128) -> String {
    let mut text = String::from(
        "-- Run by: psql -XAtq -f FILE DATABASE > schema.plimsoll\n\\set ON_ERROR_STOP on\n\\encoding UTF8\n",
    );
    text.push_str(&preamble(lock_timeout_ms, statement_timeout_ms));
    writeln!(text, "{};", HEAD.trim_end()).unwrap_or_default();
    for section in sections(bodies) {
        let end = match section.rows {
            Rows::Lines => ";",
            Rows::Queries => "\n\\gexec",
        };
        // psql trims what \qecho prints, but for what stands in quotes.
        writeln!(text, "\\qecho '\\n-- {}'\n{}{end}", section.title, section.sql.trim_end())
            .unwrap_or_default();
    }
    writeln!(text, "commit;\n\\qecho '\\n{LAST_LINE}'").unwrap_or_default();
    text
}
