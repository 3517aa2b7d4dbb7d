//! A schema and a change to findings, under every habit: no panic, and findings lie in the file.
//! The input is the schema's script, a line of `=== `, and the change's.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::{ChangeScope, SourceFile};
use plimsoll_fuzz::assert_location_lies_in;
use plimsoll_lint::{Settings, lint};
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Migration, Schema, TransactionHabit};

fuzz_target!(|text: &str| {
    let (before, change) = text.split_once("=== \n").unwrap_or(("", text));
    let mut schema = Schema::default();
    schema.apply_script(&parse_script(before).0);
    let source = SourceFile::new("change.sql", change);
    let mut migration = Migration::new(source, 0..change.len(), TransactionHabit::File);
    for (_, habit) in TransactionHabit::NAMES {
        migration.habit = habit;
        let findings = lint(&mut schema.clone(), &[&migration], ChangeScope::Together, &Settings::default());
        for finding in findings {
            assert_location_lies_in(&migration.source, &finding.location);
            assert!(finding.statement.is_none_or(|index| index < migration.statements.len()));
        }
    }
});
