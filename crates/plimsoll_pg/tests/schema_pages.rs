//! Every page about a schema is true on real servers: what its bad example makes is told from a snapshot as from
//! the statements themselves, and nothing is told of its good example.

use plimsoll_core::SourceFile;
use plimsoll_lint::schema_rules::{Needs, SchemaRule};
use plimsoll_lint::{SCHEMA_RULES, SchemaPart, Settings, judge_schema};
use plimsoll_pg::catalogue::{Bodies, Limits, Target, Variables, take_snapshot};
use plimsoll_pg::rehearse::run_script;
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Snapshot, StatementKind};
use support::start;

mod support;

/// Extensions that not every installation brings.
const OPTIONAL: [&str; 2] = ["pg_trgm", "postgres_fdw"];

async fn snapshot(server: &PrivateServer, database: &str) -> Snapshot {
    let target = Target::resolve(Some(&server.url(database)), &Variables::default()).expect("a target");
    let taken = take_snapshot(&target, Limits::default(), Bodies::Read).await.expect("a snapshot");
    let snapshot = Snapshot::read(SourceFile::new("schema.plimsoll", taken.text)).expect("it is read");
    let invalid: Vec<&str> = snapshot
        .statements
        .iter()
        .filter(|statement| matches!(statement.kind, StatementKind::Invalid(_)))
        .map(|statement| &snapshot.source.text()[statement.range.clone()])
        .collect();
    assert_eq!(invalid, [""; 0], "{database}: {}", snapshot.source.text());
    snapshot
}

/// What is wrong with an example.
async fn faults(
    server: &PrivateServer,
    rule: &SchemaRule,
    name: &str,
    sql: &str,
    major: u32,
) -> Option<String> {
    let database: String = format!("{name}_{}", rule.id.replace('-', "_")).chars().take(63).collect();
    server.create_database(&database).await.expect("a database");
    let script = SourceFile::new("schema.sql", sql);
    if let Err(error) = run_script(server, &database, &script).await {
        return Some(format!("{} on {major}, {name}: {error}", rule.id));
    }
    let snapshot = snapshot(server, &database).await;
    // Nothing is too small to be told of.
    let settings = Settings { small_bytes: 0, server_major: Some(major), ..Settings::default() };
    let messages = |part: SchemaPart| -> Vec<String> {
        let findings = judge_schema(&[part], &settings).findings.into_iter();
        let mut messages: Vec<String> = findings
            .filter(|finding| finding.rule == rule.id)
            .map(|finding| finding.message.split(" (").next().unwrap_or_default().to_owned())
            .collect();
        messages.sort();
        messages
    };
    let live = messages(SchemaPart::Snapshot(&snapshot));
    let statements = parse_script(sql).0;
    let replayed = messages(SchemaPart::Dump(&script, &statements));
    let head = format!("{} on {major}, {name}:", rule.id);
    if (name == "bad") == live.is_empty() {
        return Some(format!("{head} a server says {live:?}\n{}", snapshot.source.text()));
    }
    let alike = rule.needs == Needs::Counters || live.len() == replayed.len();
    (!alike)
        .then(|| format!("{head} a server says {live:?}, a replay {replayed:?}\n{}", snapshot.source.text()))
}

async fn check_pages(major: u32) {
    let server = start(major);
    let lacks_extensions = {
        server.create_database("extensions").await.expect("a database");
        let sql: String = OPTIONAL.iter().map(|name| format!("create extension {name};")).collect();
        run_script(&server, "extensions", &SourceFile::new("extensions.sql", sql)).await.is_err()
    };
    let mut all = Vec::new();
    for rule in SCHEMA_RULES {
        let example = rule.example();
        if lacks_extensions && example.bad.contains("create extension") {
            continue;
        }
        all.extend(faults(&server, rule, "bad", &example.bad, major).await);
        all.extend(faults(&server, rule, "good", &example.good, major).await);
    }
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}

#[tokio::test]
async fn pages_hold_on_15() {
    check_pages(15).await;
}

#[tokio::test]
async fn pages_hold_on_18() {
    check_pages(18).await;
}
