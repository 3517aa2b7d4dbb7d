//! Every rewrite is true: on real servers it comes to the same schema and rows as the statement in whose place it stands,
//! lint says the hazard no more, and no work is done under a lock that blocks.

use plimsoll_core::hold::{blocked_ms, holds};
use plimsoll_core::lock::Blocks;
use plimsoll_core::{ChangeScope, Finding, Rehearsal, Severity, SourceFile};
use plimsoll_lint::fix::arrange::{Terms, arrange};
use plimsoll_lint::fix::{Answer, Rewrite, propose};
use plimsoll_lint::{Settings, lint};
use plimsoll_pg::equality::Original;
use plimsoll_pg::rehearse::run_script;
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Migration, Schema, TransactionHabit};
use support::start;
use tokio_postgres::SimpleQueryMessage;

mod support;

const BEFORE: &str = include_str!("rewrites/before.sql");
/// The changes, each behind a line `-- name`; `[from 18]` at its end says on which versions it runs.
const CHANGES: &str = include_str!("rewrites/changes.sql");

struct Change {
    name: String,
    from: u32,
    sql: String,
}

fn changes() -> Vec<Change> {
    CHANGES
        .split("\n-- ")
        .skip(1)
        .map(|change| {
            let (name, sql) = change.split_once('\n').expect("a name and a change");
            let from = if name.ends_with("[from 18]") { 18 } else { 15 };
            Change { name: name.to_owned(), from, sql: sql.to_owned() }
        })
        .collect()
}

fn migration(sql: &str) -> Migration {
    Migration::new(SourceFile::new("change.sql", sql), 0..sql.len(), TransactionHabit::Statement)
}

fn schema_before() -> Schema {
    let mut schema = Schema::default();
    schema.apply_script(&parse_script(BEFORE).0);
    schema
}

fn judged(migration: &Migration, settings: &Settings) -> Vec<Finding> {
    lint(&mut schema_before(), &[migration], ChangeScope::Together, settings)
}

/// For how long readers or writers of what was there were kept out by a statement that worked.
fn works_under_lock(rehearsal: &Rehearsal) -> Vec<String> {
    let works = |at: usize| {
        let record = &rehearsal.statements[at];
        let idle = record.scans.is_empty() && record.rewrites.is_empty() && record.index_builds.is_empty();
        !record.works_concurrently && !idle
    };
    holds(rehearsal)
        .into_iter()
        .filter(|hold| hold.existing && hold.mode.blocks() != Blocks::Nothing && works(hold.statement))
        .map(|hold| {
            format!("{:?} on {}: {}", hold.mode, hold.relation, rehearsal.statements[hold.statement].sql)
        })
        .collect()
}

/// What is wrong with the rewrites of a change, which may differ where the server's version is known.
async fn complaints(server: &PrivateServer, change: &Change, major: u32) -> Option<String> {
    let migration = migration(&change.sql);
    let run = [&migration];
    let original = Original::run(server, "state", &run, &|_, _, _| {}).await.expect("a run");
    if let Some(failure) = original.failure() {
        return Some(format!("{}: {failure}", change.name));
    }
    let mut proven = None;
    for server_major in [None, Some(major)] {
        let settings = Settings { server_major, ..Settings::default() };
        if let Some(complaint) = complaint(change, &migration, &original, &settings, &mut proven).await {
            return Some(complaint);
        }
    }
    None
}

/// What is wrong with the rewrite under these settings, unless it is the one that is proven.
async fn complaint(
    change: &Change,
    original: &Migration,
    ran: &Original<'_>,
    settings: &Settings,
    proven: &mut Option<String>,
) -> Option<String> {
    let findings = judged(original, settings);
    let mut schema = schema_before();
    schema.begin_change();
    let proposal = propose(&mut schema, original, &findings, settings);
    let rewrites: Vec<&Rewrite> = proposal.rewrites.iter().collect();
    if rewrites.is_empty() {
        return Some(format!("{}: nothing is rewritten: {:#?}", change.name, proposal.answers));
    }
    let terms = Terms { turned_off: None, lock_timeout: Some("2s"), written: &|sql| sql.to_owned() };
    let parts = arrange(original, &rewrites, terms).expect("an arrangement");
    let rewritten = migration(&parts[0].section);
    let shown = format!("{}:\n{}", change.name, parts[0].section);
    let mended: Vec<&String> = rewrites.iter().flat_map(|rewrite| &rewrite.rules).collect();
    let left: Vec<Finding> = judged(&rewritten, settings)
        .into_iter()
        .filter(|finding| {
            let new_error =
                finding.severity == Severity::Error && !findings.iter().any(|old| old.rule == finding.rule);
            new_error || mended.contains(&&finding.rule)
        })
        .collect();
    if !left.is_empty() {
        return Some(format!("{shown}{left:#?}"));
    }
    let section = &parts[0].section;
    if proven.replace(section.clone()).as_ref() == Some(section) {
        return None;
    }
    let compared = ran.compare(&[&rewritten], &|_, _, _| {}).await.expect("a comparison");
    if !compared.differences.is_empty() {
        return Some(format!("{shown}{:#?}", compared.differences));
    }
    let works = works_under_lock(&compared.rewritten);
    if !works.is_empty() {
        return Some(format!("{shown}{works:#?}"));
    }
    let before = holds(&compared.original);
    let blocked = blocked_ms(before.iter().filter(|hold| hold.existing), Blocks::Writes);
    let is_backfill =
        proposal.rewrites.iter().all(|rewrite| rewrite.steps.iter().all(|step| step.sql.starts_with("DO")));
    (blocked <= 0.0 && !is_backfill).then(|| format!("{shown}the change blocked nobody as it was"))
}

async fn check_changes(major: u32) {
    let server = start(major);
    server.create_database("state").await.expect("a database");
    run_script(&server, "state", &SourceFile::new("before.sql", BEFORE)).await.expect("the state before");
    let mut all = Vec::new();
    for change in changes().iter().filter(|change| change.from <= major) {
        all.extend(complaints(&server, change, major).await);
    }
    assert!(all.is_empty(), "on {major}:\n{}", all.join("\n\n"));
}

#[tokio::test]
async fn rewrites_come_to_the_same_on_15() {
    check_changes(15).await;
}

#[tokio::test]
async fn rewrites_come_to_the_same_on_18() {
    check_changes(18).await;
}

/// Every kind of difference is seen: each of these is another schema or other rows.
#[tokio::test]
async fn whatever_differs_is_told() {
    let server = start(18);
    server.create_database("state").await.expect("a database");
    run_script(&server, "state", &SourceFile::new("before.sql", BEFORE)).await.expect("the state before");
    let nothing = migration("select 1;");
    let run = [&nothing];
    let original = Original::run(&server, "state", &run, &|_, _, _| {}).await.expect("a run");
    let mut unseen = Vec::new();
    for statement in include_str!("rewrites/differences.sql").lines().filter(|line| !line.is_empty()) {
        let other = migration(statement);
        let compared = original.compare(&[&other], &|_, _, _| {}).await.expect("a comparison");
        let failed = compared.differences.iter().any(|what| what.contains("fails"));
        if compared.differences.is_empty() || failed {
            unseen.push(format!("{statement}: {:?}", compared.differences));
        }
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
    let random = migration("update ships set note = random()::text;");
    let run = [&random];
    let original = Original::run(&server, "state", &run, &|_, _, _| {}).await.expect("a run");
    let compared = original.compare(&run, &|_, _, _| {}).await.expect("a comparison");
    assert_eq!((compared.differences, compared.unsteady), (Vec::new(), vec!["public.ships.note".to_owned()]));
}

/// A change that takes several deploys, and what must be the same after its plan.
const PLANNED: [(&str, &str); 4] = [
    ("alter table ships rename to boats;", "select count(*), min(id), max(name) from boats"),
    ("alter table ships rename column built to year;", "select sum(year), count(year) from ships"),
    (
        "alter table ships alter column built type bigint;",
        "select pg_typeof(max(built)), sum(built) from ships",
    ),
    (
        "alter table ships alter column note type int using length(note) + built;",
        "select pg_typeof(max(note)), sum(note) from ships",
    ),
];

#[tokio::test]
async fn plans_run_and_end_where_their_change_does() {
    let server = start(15);
    for (at, (change, question)) in PLANNED.iter().enumerate() {
        let original = migration(change);
        let settings = Settings::default();
        let mut schema = schema_before();
        schema.begin_change();
        let proposal = propose(&mut schema, &original, &judged(&original, &settings), &settings);
        let plan = proposal.answers.into_iter().find_map(|(_, answer)| match answer {
            Answer::Planned(plan) => Some(plan),
            _ => None,
        });
        let plan = plan.unwrap_or_else(|| panic!("{change} has no plan"));
        let mut answers = Vec::new();
        for (which, sql) in [("change", (*change).to_owned()), ("plan", plan.clone())] {
            let database = format!("{which}_{at}");
            server.create_database(&database).await.expect("a database");
            for script in [BEFORE, "drop materialized view fleet", &sql] {
                let source = SourceFile::new(which, script);
                run_script(&server, &database, &source).await.unwrap_or_else(|why| panic!("{why}\n{plan}"));
            }
            let client = server.connect(&database).await.expect("a connection");
            let rows = client.simple_query(question).await.expect("an answer");
            let row = rows.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            });
            let row = row.expect("a row");
            answers.push((0..row.len()).map(|at| row.get(at).map(ToOwned::to_owned)).collect::<Vec<_>>());
        }
        assert_eq!(answers[0], answers[1], "{plan}");
    }
}
