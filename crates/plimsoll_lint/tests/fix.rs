//! Rewriting survives every kind of statement, and leaves alone what it doesn't rewrite.

use plimsoll_core::{ChangeScope, SourceFile};
use plimsoll_lint::fix::arrange::{Terms, arrange};
use plimsoll_lint::fix::{Rewrite, propose};
use plimsoll_lint::{Policy, Settings, lint};
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Migration, Schema, TransactionHabit};
use table::{SCHEMA, read_table};

#[path = "../../plimsoll_pg/tests/ddl/table.rs"]
#[expect(dead_code, reason = "writing the table is for the test that makes it")]
mod table;

const HABITS: [TransactionHabit; 3] =
    [TransactionHabit::File, TransactionHabit::Batch, TransactionHabit::Statement];

#[test]
fn every_kind_of_statement_is_survived() {
    let mut before = Schema::default();
    before.apply_script(&parse_script(SCHEMA).0);
    let mut rewritten = 0;
    for kind in read_table().expect("a table of kinds") {
        for (habit, server_major) in HABITS.into_iter().zip([None, Some(15), Some(18)]) {
            let source = SourceFile::new("kind.sql", kind.sql.as_str());
            let migration = Migration::new(source, 0..kind.sql.len(), habit);
            let settings = Settings { server_major, policy: Policy::everything(), ..Settings::default() };
            let findings = lint(&mut before.clone(), &[&migration], ChangeScope::Together, &settings);
            let mut schema = before.clone();
            schema.begin_change();
            let proposal = propose(&mut schema, &migration, &findings, &settings);
            let terms = Terms {
                turned_off: Some(TransactionHabit::Batch),
                lock_timeout: None,
                written: &|sql| sql.to_owned(),
            };
            let untouched = arrange(&migration, &[], terms).expect("an arrangement of nothing");
            assert_eq!(
                untouched[0].section.trim_end_matches(';'),
                kind.sql.trim_end_matches(';'),
                "{}",
                kind.name
            );
            let rewrites: Vec<&Rewrite> = proposal.rewrites.iter().collect();
            let Ok(parts) = arrange(&migration, &rewrites, terms) else { continue };
            for part in parts {
                let invalid =
                    parse_script(&part.section).0.iter().filter(|one| one.command().is_none()).count();
                let was = migration.statements.iter().filter(|one| one.command().is_none()).count();
                assert!(invalid <= was, "{}:\n{}", kind.name, part.section);
            }
            rewritten += rewrites.len();
        }
    }
    assert!(rewritten > 200, "{rewritten} are rewritten");
}
