//! Every rule's page is true: on real servers its bad example does what the page claims, and its
//! good example does no work under a lock that blocks.

use plimsoll_core::proof::{UNCLAIMED_HAZARD, prove};
use plimsoll_core::{ChangeScope, EvidenceKind, Finding, Outcome, Rehearsal, Severity, SourceFile};
use plimsoll_lint::{RULES, Rule, Settings, lint};
use plimsoll_pg::rehearse::{rehearse, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::{Migration, Schema, TransactionHabit};
use support::start;

mod support;

/// What lint and rehearsal say of a change to the page's schema.
async fn examine(server: &PrivateServer, rule: &Rule, name: &str, sql: &str) -> (Vec<Finding>, Rehearsal) {
    let database = format!("{}_{name}", rule.id.replace('-', "_"));
    let schema_sql = rule.example().schema;
    server.create_database(&database).await.expect("a database");
    run_script(server, &database, &SourceFile::new("schema.sql", schema_sql.as_str()))
        .await
        .expect("the schema");
    let habit = match rule.id {
        "concurrent-in-implicit-transaction" => TransactionHabit::Batch,
        _ => TransactionHabit::Statement,
    };
    let migration = Migration::new(SourceFile::new("change.sql", sql), 0..sql.len(), habit);
    let mut schema = Schema::default();
    schema.apply_script(&plimsoll_sql::parse::parse_script(&schema_sql).0);
    let findings = lint(&mut schema, &[&migration], ChangeScope::Together, &Settings::default());
    let rehearsal = rehearse(server, &database, &[&migration], ChangeScope::Together, &|_, _, _| {})
        .await
        .expect("a rehearsal");
    let whole = migration.source.location(0..sql.len());
    (prove(findings, &rehearsal, |_| whole.clone()), rehearsal)
}

async fn check_pages(major: u32) {
    let server = start(major);
    for rule in RULES {
        let example = rule.example();
        let (findings, rehearsal) = examine(&server, rule, "bad", &example.bad).await;
        let own: Vec<&Finding> = findings.iter().filter(|finding| finding.rule == rule.id).collect();
        assert!(!own.is_empty(), "{} is silent on its bad example", rule.id);
        for finding in own {
            let kind = finding.evidence.kind;
            assert_eq!(kind, EvidenceKind::Confirmed, "{} on {major}: {finding:#?}\n{rehearsal:#?}", rule.id);
        }
        let (findings, rehearsal) = examine(&server, rule, "good", &example.good).await;
        for record in &rehearsal.statements {
            assert_eq!(record.outcome, Outcome::Ok, "{} on {major}: {record:#?}", rule.id);
        }
        let hazards = findings
            .iter()
            .filter(|finding| finding.rule == UNCLAIMED_HAZARD && finding.severity == Severity::Error);
        assert_eq!(hazards.count(), 0, "{} on {major}: {findings:#?}", rule.id);
        assert!(
            findings.iter().all(|finding| finding.rule != rule.id),
            "{} on {major}: {findings:#?}",
            rule.id
        );
    }
}

#[tokio::test]
async fn pages_hold_on_15() {
    check_pages(15).await;
}

#[tokio::test]
async fn pages_hold_on_18() {
    check_pages(18).await;
}
