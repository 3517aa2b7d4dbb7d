//! A script with placeholders to statements: ranges lead back into the script, and what can't be a
//! placeholder stays. The input is a value for `a`, a line of `=== `, and the script.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::SourceFile;
use plimsoll_fuzz::slice;
use plimsoll_sql::placeholder::{Values, expand};
use plimsoll_sql::{Migration, TransactionHabit};

fuzz_target!(|text: &str| {
    let (value, script) = text.split_once("=== \n").unwrap_or(("x", text));
    let values = Values([("a".to_owned(), value.to_owned())].into());
    let source = SourceFile::new("m.sql", script);
    let migration = Migration::with_values(source, 0..script.len(), TransactionHabit::File, &values);
    let mut end = 0;
    for placeholder in migration.placeholders() {
        assert!(placeholder.range.start >= end, "placeholders overlap");
        assert!(slice(script, &placeholder.range).starts_with(['$', '{', ':', '%']));
        end = placeholder.range.end;
    }
    let mut start = 0;
    for (index, statement) in migration.statements.iter().enumerate() {
        slice(script, &statement.range);
        assert!(statement.range.start >= start, "statements are out of order");
        start = statement.range.start;
        let sql = migration.sql(statement);
        assert!(!sql.trim().is_empty());
        let middle = (0..=sql.len() / 2).rev().find(|at| sql.is_char_boundary(*at)).unwrap_or(0);
        slice(script, &migration.in_file(index, 0..middle));
        slice(script, &migration.in_file(index, middle..sql.len()));
    }
    assert_eq!(migration.as_sent().statements.len(), migration.statements.len());
    if let Some(expanded) = expand(script, &values) {
        assert_eq!(expanded.origin(0..expanded.text.len()).end, script.len());
    }
});
