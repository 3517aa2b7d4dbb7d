use plimsoll_core::SourceFile;
use proptest::prelude::*;

use super::*;

const WHOLE: &str = "\
-- plimsoll snapshot 1
--: {\"server\": {\"version\": 180004, \"database\": \"harbour\", \"taken\": \"2026-11-20\", \"settings\": {\"TimeZone\": \"UTC\"}}}
create table app.ships (
  id bigint not null,
  note text default '
--: {\"table\": [\"app\", \"not_a_fact\"], \"bytes\": 1}
'
);
create table app.calls (id bigint, at date) partition by RANGE (at);
create table app.calls_1 (id bigint, at date);
alter table only app.calls attach partition app.calls_1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE INDEX calls_at_idx ON ONLY app.calls USING btree (at);
CREATE INDEX broken ON app.ships USING btree (note);
--: {\"index\": [\"app\", \"broken\"], \"valid\": false}
--: {\"table\": [\"app\", \"ships\"], \"bytes\": 90194313216, \"rows\": 1000, \"new_in_a_later_version\": {}}
--: {\"table\": [\"app\", \"calls_1\"], \"bytes\": 8192, \"rows\": -1}
--: {\"sequence\": [\"app\", \"s\"], \"last\": 7, \"most\": 9223372036854775807, \"column\": [\"app\", \"ships\", \"id\"]}
--: {\"something\": \"of a later version\"}
-- end of snapshot
";

fn read(text: &str) -> Result<Snapshot, SnapshotError> {
    Snapshot::read(SourceFile::new("schema.plimsoll", text))
}

/// Where and why a text is refused.
fn check(text: &str, line: usize, column: usize, says: &str) {
    let error = read(text).expect_err("it is wrong");
    assert_eq!((error.location.line, error.location.column), (line, column), "{}", error.why);
    assert!(error.why.contains(says), "{}", error.why);
}

#[test]
fn ddl_and_facts_make_a_schema() {
    let snapshot = read(WHOLE).expect("a snapshot");
    assert_eq!(snapshot.unreadable_statements(), 0);
    let mut schema = Schema::default();
    snapshot.replay_into(&mut schema);
    let size = |name: &str| {
        let relation = schema.relation(&ObjectName::qualified("app", name)).expect("a relation");
        (relation.size_bytes, relation.rows)
    };
    assert_eq!(size("ships"), (Some(90_194_313_216), Some(1000)));
    assert_eq!(size("calls_1"), (Some(8192), Some(0)));
    assert_eq!(size("calls"), (Some(8192), Some(0)));
    let valid = |table: &str, index: &str| {
        schema
            .relation(&ObjectName::qualified("app", table))
            .and_then(|table| table.index(index))
            .map(|index| index.valid)
    };
    assert_eq!(valid("ships", "broken"), Some(false));
    assert_eq!(valid("calls", "calls_at_idx"), Some(true));
    let server = snapshot.facts.server.expect("a server");
    assert_eq!((server.version, server.settings["TimeZone"].as_str()), (180_004, "UTC"));
    assert_eq!(snapshot.facts.sequences.len(), 1);
}

#[test]
fn what_looks_like_a_fact_in_a_literal_is_none() {
    assert_eq!(read(WHOLE).expect("a snapshot").facts.tables.len(), 2);
}

#[test]
fn what_is_no_whole_snapshot_is_refused_with_its_place() {
    check("", 1, 1, "no snapshot");
    check("create table t ();", 1, 1, "no snapshot");
    check("-- plimsoll snapshot 2\n-- end of snapshot\n", 1, 1, "update the program");
    check("-- plimsoll snapshot x\n-- end of snapshot\n", 1, 22, "no version");
    check("-- plimsoll snapshot 1\ncreate table a", 2, 1, "was cut");
    check("-- plimsoll snapshot 1", 1, 1, "was cut");
    check("-- plimsoll snapshot 1\n--: {\"table\": \n-- end of snapshot\n", 2, 13, "no JSON");
    check("-- plimsoll snapshot 1\n--: {\"table\": 3}\n-- end of snapshot\n", 2, 4, "can't be understood");
}

proptest! {
    #[test]
    fn a_cut_snapshot_is_refused(at in 0..WHOLE.len() - 2) {
        prop_assert!(read(&WHOLE[..at]).is_err());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(-- plimsoll snapshot 1\n)?([ -~é\n]|--: |\n--: \\{\"table\": )*(\n-- end of snapshot\n)?") {
        if let Ok(snapshot) = read(&text) {
            snapshot.replay_into(&mut Schema::default());
        }
    }
}
