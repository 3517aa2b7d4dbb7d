use std::collections::BTreeMap;
use std::io::{Seek as _, Write as _};

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use plimsoll_logs::Severity;

use super::*;

/// A file in memory that can be read again.
fn written(records: &[Record<'_>]) -> Vec<BTreeMap<String, String>> {
    let mut bytes = Vec::new();
    let mut writer = EventWriter::new(&mut bytes).unwrap();
    records.iter().for_each(|record| writer.add(record).unwrap());
    assert_eq!(writer.end().unwrap(), records.len() as u64);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.rewind().unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| {
        let told = row.get_column_iter().filter(|(_, field)| !matches!(field, Field::Null));
        told.map(|(name, field)| (name.clone(), field.to_string().trim_matches('"').to_owned())).collect()
    })
    .collect()
}

#[test]
fn a_statement_becomes_a_row_without_its_literals() {
    let record = Record {
        time_us: Some(1_795_435_200_123_000),
        process: 77,
        user: "ann",
        application: "web",
        ..Record::new(Severity::Log, "duration: 1.500 ms  statement: select 'secret' /*route='/a'*/")
    };
    let rows = written(&[record]);
    let row = |name: &str| rows[0].get(name).map(String::as_str);
    assert_eq!(row("kind"), Some("statement"));
    assert_eq!((row("user"), row("application"), row("process")), (Some("ann"), Some("web"), Some("77")));
    assert_eq!((row("duration_us"), row("route")), (Some("1500"), Some("/a")));
    assert_eq!(row("query"), Some("select $1"));
    assert_eq!(row("fingerprint").map(str::len), Some(16));
    assert_eq!((row("message"), row("bytes"), row("lock_mode")), (None, None, None));
    assert!(row("time").is_some_and(|time| time.starts_with("2026-11-23 12:00:00")), "{:?}", row("time"));
    assert!(!format!("{rows:?}").contains("secret"));
}

#[test]
fn failures_and_waits_tell_their_own() {
    let failure = Record {
        sqlstate: "23505",
        statement: "insert into t values ('secret')",
        ..Record::new(Severity::Error, "duplicate key value violates unique constraint \"t_pkey\"")
    };
    let wait = Record {
        detail: "Process holding the lock: 12. Wait queue: 14.",
        ..Record::new(
            Severity::Log,
            "process 14 still waiting for ShareLock on transaction 742 after 1000.123 ms",
        )
    };
    let file = Record::new(Severity::Log, "temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 4096");
    let rows = written(&[failure, wait, file]);
    assert_eq!(
        (&*rows[0]["kind"], &*rows[0]["severity"], &*rows[0]["sqlstate"]),
        ("failure", "ERROR", "23505")
    );
    assert!(rows[0]["message"].starts_with("duplicate key value"));
    assert!(rows[0]["query"].starts_with("insert into t"));
    assert_eq!((&*rows[1]["lock_mode"], &*rows[1]["lock_object"]), ("ShareLock", "transaction"));
    assert_eq!(rows[1]["duration_us"], "1000123");
    assert_eq!(rows[2]["bytes"], "4096");
}

#[test]
fn more_rows_than_a_group_are_all_there() {
    let record = Record::new(Severity::Log, "duration: 1.500 ms  statement: select 1");
    assert_eq!(written(&vec![record; GROUP + 7]).len(), GROUP + 7);
    assert_eq!(written(&[]).len(), 0);
}
