//! A believable report for tests: a migration of two transactions, a failed statement, a
//! finding of every severity and evidence, a query of every verdict.
//!
//! Shared by path with the browser test and the example, so it names only the core's types.

use plimsoll_core::blocked::{Queued, TakenLock, Traffic, blocked};
use plimsoll_core::facts::{
    FurtherFacts, RowsWritten, SequenceMove, ServerMessage, TempFiles, TriggersFired, ValidatedForeignKey,
    WaitEvent,
};
use plimsoll_core::hold::holds;
use plimsoll_core::load::{
    ChangeFailure, ChangeUnderLoad, Failure, LoadRun, Sample, Wanted, most_outstanding, summarized, timeline,
};
use plimsoll_core::plan::{Actual, Buffers, Condition};
use plimsoll_core::rehearsal::StatementError;
use plimsoll_core::scale::{ScaleReport, Size, Timings, scaled};
use plimsoll_core::{
    Claim, Edit, Evidence, EvidenceKind, Finding, Fix, Growth, HeldLock, IndexBuild, Location, LockMode,
    Measurement, Outcome, PlanNode, QueryReport, QueryVerdict, Rehearsal, Report, Scan, Severity, SourceFile,
    StatementRecord, Work,
};

const SHIPS: &str = "\
-- Ships get a draught and a faster search.
CREATE INDEX ships_name_idx ON ships (name);

BEGIN;
ALTER TABLE ships ALTER COLUMN imo TYPE bigint;
ALTER TABLE voyages
    ADD CONSTRAINT voyages_draught_sane
    CHECK (
        draught > 0
        AND draught < 30
    );
CREATE TABLE load_lines (id bigint PRIMARY KEY, ship_id bigint NOT NULL);
COMMIT;
";

const PORTS: &str = "\
ALTER TABLE ports ADD COLUMN tide numeric;
UPDATE ports SET tide = 0 WHERE tide IS NULL;
ALTER TABLE ports ALTER COLUMN harbour SET NOT NULL;
DROP INDEX CONCURRENTLY ports_code_idx;
";

/// Path of the first migration.
const SHIPS_FILE: &str = "migrations/0007_draught.sql";
/// Path of the second migration.
const PORTS_FILE: &str = "migrations/0008_tides.sql";

/// The texts that [`report`] points into.
pub(crate) fn sources() -> Vec<SourceFile> {
    vec![SourceFile::new(SHIPS_FILE, SHIPS), SourceFile::new(PORTS_FILE, PORTS)]
}

/// The whole report.
pub(crate) fn report() -> Report {
    let report = Report::new(findings(), Some(rehearsal()), Some(queries()), notes());
    let rehearsal = rehearsal();
    let report = Report { blocked: Some(blocked(&rehearsal, &holds(&rehearsal), traffic())), ..report };
    Report { load: load(), scale: Some(scale(&rehearsal)), ..report }
}

fn traffic() -> Vec<Traffic> {
    let statement = |name: &str, rate_per_s, relation: &str, mode| Traffic {
        name: name.to_owned(),
        sql: "select 1".to_owned(),
        rate_per_s,
        usual_ms: 0.31,
        locks: vec![TakenLock { relation: relation.to_owned(), mode }],
    };
    vec![
        statement("ship_by_imo", 120.0, "public.ships", LockMode::AccessShare),
        statement("log_call", 1.5, "public.ships", LockMode::RowExclusive),
        statement("pilots", 4.0, "public.pilots", LockMode::AccessShare),
    ]
}

/// The change as it is, and behind a transaction with a timeout that it doesn't survive.
fn load() -> Vec<LoadRun> {
    let wanted = traffic().into_iter().map(|one| Wanted { name: one.name, rate_per_s: one.rate_per_s });
    let wanted: Vec<Wanted> = wanted.collect();
    let samples: Vec<Sample> = (0..600_u32)
        .map(|number| {
            let arrived_ms = f64::from(number) * 10.0;
            let waits = (2000.0..4000.0).contains(&arrived_ms) && number % 3 != 2;
            let failure = (number == 300)
                .then(|| Failure { sqlstate: "40P01".to_owned(), message: "deadlock detected".to_owned() });
            let latency_ms = if waits { 4000.0 - arrived_ms } else { 0.3 + f64::from(number % 7) / 10.0 };
            Sample { statement: number as usize % 3, arrived_ms, latency_ms, failure }
        })
        .collect();
    let run = |error: Option<ChangeFailure>, conditions: Option<(f64, f64)>| {
        let change = ChangeUnderLoad { started_ms: 2000.0, ended_ms: 4000.0, error };
        let mut statements = summarized(&wanted, &samples, &change);
        statements[0].predicted = Some(Queued {
            name: "ship_by_imo".into(),
            requests: 236.0,
            mean_wait_ms: 985.0,
            longest_wait_ms: 1970.0,
        });
        LoadRun {
            long_transaction_ms: conditions.map(|(long_ms, _)| long_ms),
            lock_timeout_ms: conditions.map(|(_, lock_timeout_ms)| lock_timeout_ms),
            connections: 20,
            longest_stall_ms: statements.iter().map(|one| one.longest_stall_ms).fold(0.0, f64::max),
            most_outstanding: most_outstanding(&samples),
            statements,
            timeline: timeline(wanted.len(), &samples),
            change,
        }
    };
    let given_up = ChangeFailure {
        file: SHIPS_FILE.to_owned(),
        line: 2,
        sqlstate: "55P03".to_owned(),
        message: "canceling statement due to lock timeout".to_owned(),
    };
    vec![run(None, None), run(Some(given_up), Some((30_000.0, 2000.0)))]
}

fn scale(rehearsal: &Rehearsal) -> ScaleReport {
    let here = [
        ("public.ships".to_owned(), Size { pages: 1200, rows: 100_000 }),
        ("public.voyages".to_owned(), Size { pages: 9000, rows: 1_204_332 }),
        ("public.ports".to_owned(), Size { pages: 12, rows: 48_211 }),
    ];
    let there = [
        ("public.ships".to_owned(), Size { pages: 120_000, rows: 9_000_000 }),
        ("public.ports".to_owned(), Size { pages: 200, rows: 900_000 }),
    ];
    let times = |factor: f64| rehearsal.statements.iter().map(|record| record.duration_ms * factor).collect();
    let timings = Timings { here: vec![times(1.0), times(1.1)], empty: vec![times(0.01)] };
    let source = "harbour.plimsoll of 2026-11-01".to_owned();
    scaled(rehearsal, &timings, &here.into(), &there.into(), source, &traffic())
}

fn notes() -> Vec<String> {
    vec!["migrations/0009_seed.py was not checked: it is no SQL; rehearse it with its own tool.".to_owned()]
}

fn place(file: &str, text: &str, statement: &str) -> Location {
    let start = text.find(statement).expect("the sample holds the statement");
    SourceFile::new(file, text).location(start..start + statement.len())
}

/// A finding that no reader cares about, to be changed by the caller.
pub(crate) fn finding(rule: &str, location: Location) -> Finding {
    Finding {
        fix: None,
        rule: rule.to_owned(),
        severity: Severity::Warning,
        message: String::new(),
        remedy: String::new(),
        location,
        statement: None,
        evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
        claim: Claim::Nothing,
    }
}

fn evidence(kind: EvidenceKind, facts: &[&str]) -> Evidence {
    Evidence { kind, facts: facts.iter().map(|fact| (*fact).to_owned()).collect() }
}

fn findings() -> Vec<Finding> {
    let index = place(SHIPS_FILE, SHIPS, "CREATE INDEX ships_name_idx ON ships (name)");
    let type_change = place(SHIPS_FILE, SHIPS, "ALTER TABLE ships ALTER COLUMN imo TYPE bigint");
    let check_end = SHIPS.find(");\nCREATE TABLE").expect("the sample holds the statement") + 1;
    let check_start = SHIPS.find("ALTER TABLE voyages").expect("the sample holds the statement");
    let check = SourceFile::new(SHIPS_FILE, SHIPS).location(check_start..check_end);
    let add = place(PORTS_FILE, PORTS, "ALTER TABLE ports ADD COLUMN tide numeric");
    let not_null = place(PORTS_FILE, PORTS, "ALTER TABLE ports ALTER COLUMN harbour SET NOT NULL");
    let update = place(PORTS_FILE, PORTS, "UPDATE ports SET tide = 0 WHERE tide IS NULL");
    vec![
        Finding {
            fix: Some(Fix {
                title: "Add CONCURRENTLY".to_owned(),
                edits: vec![Edit {
                    location: place(SHIPS_FILE, SHIPS, "INDEX ships_name_idx"),
                    text: "INDEX CONCURRENTLY ships_name_idx".to_owned(),
                }],
            }),
            severity: Severity::Error,
            message: "Creating an index blocks writes to public.ships until it is built.".to_owned(),
            remedy: "Build it beside the traffic, outside a transaction:\n\
                     CREATE INDEX CONCURRENTLY ships_name_idx ON ships (name);"
                .to_owned(),
            statement: Some(0),
            evidence: evidence(
                EvidenceKind::Confirmed,
                &["ShareLock on public.ships", "built index public.ships_name_idx"],
            ),
            claim: Claim::Lock {
                relation: "public.ships".to_owned(),
                mode: LockMode::Share,
                work: Some(Work::IndexBuild),
            },
            ..finding("require-concurrent-index-creation", index)
        },
        Finding {
            fix: None,
            severity: Severity::Error,
            message:
                "Changing the type of public.ships.imo rewrites the table while nobody can read or write it."
                    .to_owned(),
            remedy: "Add a new column, fill it in batches, and switch over:\n\
                     ALTER TABLE ships ADD COLUMN imo_new bigint;\n\
                     -- a trigger keeps it up to date, batches fill the past\n\
                     ALTER TABLE ships RENAME COLUMN imo_new TO imo;"
                .to_owned(),
            statement: Some(2),
            evidence: evidence(
                EvidenceKind::Confirmed,
                &["AccessExclusiveLock on public.ships", "rewrote public.ships"],
            ),
            claim: Claim::Lock {
                relation: "public.ships".to_owned(),
                mode: LockMode::AccessExclusive,
                work: Some(Work::Rewrite),
            },
            ..finding("changing-column-type", type_change)
        },
        Finding {
            fix: None,
            message: "A new CHECK is tested on every row of public.voyages while nobody can use it."
                .to_owned(),
            remedy: "Add it NOT VALID, then VALIDATE CONSTRAINT in a second transaction.".to_owned(),
            statement: Some(3),
            ..finding("constraint-missing-not-valid", check)
        },
        Finding {
            fix: None,
            severity: Severity::Note,
            message: "Adding a column takes a brief but strong lock without lock_timeout.".to_owned(),
            remedy: "SET lock_timeout = '2s' before it, and try again if it runs out.".to_owned(),
            statement: Some(0),
            evidence: evidence(EvidenceKind::Refuted, &["no lock was waited for"]),
            ..finding("require-timeout-settings", add)
        },
        Finding {
            fix: None,
            message: "UPDATE reads the whole of public.ports and locks each row until the end.".to_owned(),
            remedy: "Fill the column in batches, each in its own transaction.".to_owned(),
            statement: Some(1),
            evidence: evidence(EvidenceKind::Observed, &["read all 48,211 rows of public.ports"]),
            ..finding("observed-scan", update)
        },
        Finding {
            fix: None,
            severity: Severity::Error,
            message: "The statement fails: column \"harbour\" of relation \"ports\" contains null values."
                .to_owned(),
            remedy: "Fill the rows first.".to_owned(),
            statement: Some(2),
            evidence: evidence(EvidenceKind::Observed, &["23502: column \"harbour\" contains null values"]),
            claim: Claim::Fails,
            ..finding("statement-fails", not_null)
        },
    ]
}

fn lock(relation: &str, mode: LockMode) -> HeldLock {
    HeldLock { relation: relation.to_owned(), mode, existing: true, partition_of: None, index_of: None }
}

/// A statement that succeeded and did nothing worth telling.
pub(crate) fn record(file: &str, statement: usize, line: usize, sql: &str) -> StatementRecord {
    StatementRecord {
        file: file.to_owned(),
        statement,
        line,
        sql: sql.to_owned(),
        outcome: Outcome::Ok,
        error: None,
        duration_ms: 0.4,
        started_ms: 0.0,
        in_transaction: false,
        transaction: 0,
        locks: Vec::new(),
        rewrites: Vec::new(),
        scans: Vec::new(),
        index_builds: Vec::new(),
        works_concurrently: false,
        wal_bytes: 180,
        lock_timeout_ms: 0,
        renames: Vec::new(),
        lock_spans: Vec::new(),
        undone_by: None,
        further: FurtherFacts::default(),
    }
}

/// Every further fact, as no one statement has them.
fn further() -> FurtherFacts {
    let name = || "public.ports".to_owned();
    FurtherFacts {
        truncated: vec![name()],
        validated_foreign_keys: vec![ValidatedForeignKey { relation: name(), constraint: "a_key".into() }],
        toast_rewrites: vec![name()],
        index_rewrites: vec!["public.ports_pkey".to_owned()],
        refreshed: vec!["public.tides".to_owned()],
        rows_written: vec![RowsWritten { relation: name(), inserted: 0, updated: 48_211, deleted: 3 }],
        catalog_rows: 7,
        catalog_only: true,
        sequences: vec![SequenceMove { sequence: "public.ports_id_seq".into(), from: None, to: Some(12) }],
        triggers: vec![TriggersFired {
            function: "public.stamp".to_owned(),
            calls: 48_211,
            triggers: vec!["ports_stamp on public.ports".to_owned()],
        }],
        temp_files: Some(TempFiles { files: 2, bytes: 12_582_912 }),
        waits: vec![
            WaitEvent { event: "CPU".to_owned(), samples: 21 },
            WaitEvent { event: "IO:DataFileRead".to_owned(), samples: 9 },
        ],
        server_messages: vec![ServerMessage { severity: "NOTICE".into(), message: "high water".into() }],
    }
}

fn rehearsal() -> Rehearsal {
    let within = |started_ms: f64, record: StatementRecord| StatementRecord {
        started_ms,
        in_transaction: true,
        transaction: 1,
        ..record
    };
    let ships = vec![
        StatementRecord {
            duration_ms: 412.7,
            locks: vec![lock("public.ships", LockMode::Share)],
            index_builds: vec![IndexBuild {
                index: "public.ships_name_idx".to_owned(),
                relation: "public.ships".to_owned(),
                existing: true,
            }],
            wal_bytes: 9_437_184,
            ..record(SHIPS_FILE, 0, 2, "CREATE INDEX ships_name_idx ON ships (name)")
        },
        within(
            413.2,
            StatementRecord { duration_ms: 0.05, wal_bytes: 0, ..record(SHIPS_FILE, 1, 4, "BEGIN") },
        ),
        within(
            413.4,
            StatementRecord {
                duration_ms: 1284.0,
                locks: vec![lock("public.ships", LockMode::AccessExclusive)],
                rewrites: vec!["public.ships".to_owned()],
                wal_bytes: 88_080_384,
                ..record(SHIPS_FILE, 2, 5, "ALTER TABLE ships ALTER COLUMN imo TYPE bigint")
            },
        ),
        within(
            1698.0,
            StatementRecord {
                duration_ms: 266.0,
                locks: vec![
                    lock("public.voyages", LockMode::ShareRowExclusive),
                    lock("public.voyages", LockMode::AccessExclusive),
                ],
                scans: vec![Scan { relation: "public.voyages".to_owned(), rows: 1_204_332 }],
                ..record(
                    SHIPS_FILE,
                    3,
                    6,
                    "ALTER TABLE voyages\n    ADD CONSTRAINT voyages_draught_sane\n    CHECK (\n        \
                     draught > 0\n        AND draught < 30\n    )",
                )
            },
        ),
        within(
            1964.5,
            StatementRecord {
                duration_ms: 2.1,
                locks: vec![HeldLock {
                    existing: false,
                    ..lock("public.load_lines", LockMode::AccessExclusive)
                }],
                index_builds: vec![IndexBuild {
                    index: "public.load_lines_pkey".to_owned(),
                    relation: "public.load_lines".to_owned(),
                    existing: false,
                }],
                ..record(
                    SHIPS_FILE,
                    4,
                    12,
                    "CREATE TABLE load_lines (id bigint PRIMARY KEY, ship_id bigint NOT NULL)",
                )
            },
        ),
        within(1967.0, StatementRecord { duration_ms: 1.2, ..record(SHIPS_FILE, 5, 13, "COMMIT") }),
    ];
    let ports = vec![
        StatementRecord {
            started_ms: 1969.0,
            duration_ms: 1.1,
            transaction: 2,
            locks: vec![lock("public.ports", LockMode::AccessExclusive)],
            ..record(PORTS_FILE, 0, 1, "ALTER TABLE ports ADD COLUMN tide numeric")
        },
        StatementRecord {
            started_ms: 1971.0,
            duration_ms: 301.0,
            transaction: 3,
            locks: vec![lock("public.ports", LockMode::RowExclusive)],
            scans: vec![Scan { relation: "public.ports".to_owned(), rows: 48_211 }],
            wal_bytes: 12_582_912,
            further: further(),
            ..record(PORTS_FILE, 1, 2, "UPDATE ports SET tide = 0 WHERE tide IS NULL")
        },
        StatementRecord {
            started_ms: 2273.0,
            duration_ms: 6.0,
            transaction: 4,
            outcome: Outcome::Error,
            error: Some(StatementError {
                sqlstate: "23502".to_owned(),
                message: "column \"harbour\" of relation \"ports\" contains null values".to_owned(),
                detail: None,
                hint: Some("Fill or delete the rows first.".to_owned()),
                line: 3,
                column: 32,
            }),
            ..record(PORTS_FILE, 2, 3, "ALTER TABLE ports ALTER COLUMN harbour SET NOT NULL")
        },
    ];
    Rehearsal {
        server_version: "15.18 (Debian 15.18-0+deb12u1)".to_owned(),
        seeded: true,
        statements: ships.into_iter().chain(ports).collect(),
        notes: vec![
            "1 statement of migrations/0008_tides.sql was not run: the one before it failed.".to_owned(),
        ],
    }
}

fn node(
    label: &str,
    rows: (f64, f64),
    shared_buffers: u64,
    time_ms: f64,
    children: Vec<PlanNode>,
) -> PlanNode {
    let (node_type, on) = label.split_once(" on ").unwrap_or((label, ""));
    let (node_type, index) = node_type.split_once(" using ").unwrap_or((node_type, ""));
    let (schema, relation) = on.split_once('.').unwrap_or_default();
    let (relation, alias) = relation.split_once(' ').unwrap_or((relation, relation));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    PlanNode {
        node_type: node_type.to_owned(),
        index: some(index),
        schema: some(schema),
        relation: some(relation),
        alias: some(alias),
        total_cost: Some(shared_buffers as f64 * 1.07 + 0.42),
        plan_rows: Some(rows.0),
        actual: Some(Actual { startup_ms: Some(0.0), total_ms: Some(time_ms), rows: rows.1, loops: 1 }),
        buffers: Buffers { shared_hit: shared_buffers, ..Buffers::default() },
        children,
        ..PlanNode::default()
    }
}

fn detailed(detail: &str, node: PlanNode) -> PlanNode {
    let (kind, text) = detail.split_once(": ").expect("a condition with its kind");
    let condition = Condition { kind: kind.to_owned(), text: text.to_owned() };
    PlanNode { conditions: vec![condition], ..node }
}

/// The node as part of a loop: what it showed in all stays.
fn looped(loops: u64, node: PlanNode) -> PlanNode {
    let actual = node.actual.map(|actual| Actual {
        loops,
        total_ms: actual.total_ms.map(|total| total / loops as f64),
        ..actual
    });
    PlanNode { actual, ..node }
}

fn measured(rows: u64, plan: PlanNode) -> Measurement {
    Measurement {
        shared_buffers: plan.buffers.shared(),
        temp_blocks: 0,
        rows,
        cost: plan.total_cost.unwrap_or_default(),
        time_ms: plan.total_ms(),
        runs: 5,
        plan,
    }
}

fn query(name: &str, verdict: QueryVerdict, reasons: &[&str], line: usize, sql: &str) -> QueryReport {
    QueryReport {
        name: name.to_owned(),
        verdict,
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        causes: Vec::new(),
        sql: sql.to_owned(),
        location: Location {
            file: "queries/ships.sql".to_owned(),
            line,
            column: 1,
            end_line: line,
            end_column: sql.chars().count() + 1,
        },
        before: None,
        after: None,
        growth: None,
        history: Vec::new(),
    }
}

fn queries() -> Vec<QueryReport> {
    let by_pkey = |buffers, time| {
        node("Index Scan using ships_pkey on public.ships s", (1.0, 1.0), buffers, time, Vec::new())
    };
    let port_lookup = |buffers, time| {
        detailed(
            "Index Cond: (p.id = v.port_id)",
            node("Index Scan using ports_pkey on public.ports p", (1.0, 1.0), buffers, time, Vec::new()),
        )
    };
    let by_index = node(
        "Nested Loop",
        (12.0, 14.0),
        61,
        0.21,
        vec![
            detailed(
                "Index Cond: (v.ship_id = 7)",
                node(
                    "Index Scan using voyages_ship_idx on public.voyages v",
                    (12.0, 14.0),
                    19,
                    0.11,
                    Vec::new(),
                ),
            ),
            looped(14, port_lookup(42, 0.09)),
        ],
    );
    let by_scan = node(
        "Nested Loop",
        (12.0, 14.0),
        8_214,
        96.4,
        vec![
            detailed(
                "Filter: ((v.ship_id)::bigint = 7)",
                node("Seq Scan on public.voyages v", (6_021.0, 14.0), 8_172, 96.1, Vec::new()),
            ),
            looped(14, port_lookup(42, 0.09)),
        ],
    );
    vec![
        QueryReport {
            before: Some(measured(1, by_pkey(4, 0.02))),
            after: Some(measured(1, by_pkey(4, 0.02))),
            ..query("ship_by_id", QueryVerdict::Same, &[], 2, "select * from ships s where id = 7")
        },
        QueryReport {
            growth: Some(Growth { ratio: 134.65, threshold: 1.25, id: Some("k3f9t20c".to_owned()) }),
            before: Some(measured(14, by_index)),
            after: Some(measured(14, by_scan)),
            ..query(
                "voyages_of_ship",
                QueryVerdict::Worse,
                &[
                    "touches 8,214 pages instead of 61",
                    "Seq Scan on public.voyages v replaces Index Scan using voyages_ship_idx",
                ],
                5,
                "select v.*, p.name\nfrom voyages v join ports p on p.id = v.port_id\nwhere v.ship_id = 7",
            )
        },
        QueryReport {
            before: Some(measured(
                3,
                node("Seq Scan on public.ships s", (3.0, 3.0), 2_204, 31.0, Vec::new()),
            )),
            after: Some(measured(
                3,
                node("Index Scan using ships_name_idx on public.ships s", (3.0, 3.0), 7, 0.04, Vec::new()),
            )),
            ..query(
                "ships_by_name",
                QueryVerdict::Better,
                &["touches 7 pages instead of 2,204"],
                9,
                "select * from ships s where name = 'Vasa'",
            )
        },
        QueryReport {
            before: Some(measured(1, node("Seq Scan on public.ports p", (5.0, 1.0), 12, 0.3, Vec::new()))),
            ..query(
                "port_by_code",
                QueryVerdict::Failed,
                &["42703: column \"code\" does not exist"],
                12,
                "select * from ports p where code = 'SE'",
            )
        },
        QueryReport {
            after: Some(measured(
                0,
                node("Seq Scan on public.load_lines l", (1.0, 0.0), 0, 0.01, Vec::new()),
            )),
            ..query(
                "load_lines",
                QueryVerdict::New,
                &["public.load_lines did not exist before the change"],
                15,
                "select * from load_lines l",
            )
        },
    ]
}

/// What a program ran: a query that feeds a burst, the burst, and a write.
pub(crate) fn watched() -> Report {
    use plimsoll_core::traffic::{Burst, BurstKind, Feeder, QueryTraffic, Traffic};
    let query =
        |fingerprint: &str, query: &str, calls: u64, total_ms: f64, hits: Vec<(u32, u32)>| QueryTraffic {
            fingerprint: fingerprint.into(),
            query: query.into(),
            calls,
            failures: 0,
            rows: calls * 3,
            total_ms,
            max_ms: total_ms / 2.0,
            p50_ms: total_ms / calls as f64,
            p99_ms: total_ms / 2.0,
            bytes: calls * 120,
            applications: vec!["web <1>".into()],
            routes: vec!["/ships".into()],
            hits,
        };
    let bursts = vec![Burst {
        kind: BurstKind::NPlusOne,
        fingerprint: "00000000000000b2".into(),
        session: 0,
        application: "web <1>".into(),
        tags: vec![("route".into(), "/ships".into())],
        statements: 40,
        distinct: 40,
        started_ms: 12.0,
        ended_ms: 62.0,
        waited_ms: 41.5,
        fed_by: Some(Feeder {
            fingerprint: "00000000000000a1".into(),
            query: "select id, name from ships".into(),
            column: "id".into(),
            statements: 40,
        }),
        spared: 39,
    }];
    let traffic = Traffic {
        statements: 42,
        sessions: 2,
        lasted_ms: 100.0,
        step_ms: 1.0,
        queries: vec![
            query(
                "00000000000000b2",
                "select * from calls where ship_id = $1",
                40,
                41.5,
                vec![(12, 10), (30, 30)],
            ),
            query("00000000000000a1", "select id, name from ships", 1, 9.0, vec![(1, 1)]),
            query("00000000000000c3", "insert into \"Log|s\" values ($1)", 1, 0.5, vec![(99, 1)]),
        ],
        unlisted: 0,
        bursts,
        unlisted_bursts: 0,
    };
    let place = Location { file: "pytest".into(), line: 1, column: 1, end_line: 1, end_column: 1 };
    let n_plus_one = Finding {
        severity: Severity::Warning,
        message: "`select * from calls where ship_id = $1` ran 40 times in a row".into(),
        ..finding("n-plus-one", place)
    };
    Report::new(vec![n_plus_one], None, None, vec!["`pytest` ended with exit status: 1.".into()])
        .with_traffic(traffic)
}
