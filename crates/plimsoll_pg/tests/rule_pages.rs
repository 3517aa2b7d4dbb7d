//! Every rule's page is true: on real servers its bad example does what the page claims, and its
//! good example does no work under a lock that blocks.

use plimsoll_core::proof::{UNCLAIMED_HAZARD, prove};
use plimsoll_core::{
    ChangeScope, Claim, EvidenceKind, Finding, Fix, Outcome, Rehearsal, Severity, SourceFile,
};
use plimsoll_lint::{Policy, RULES, Rule, Script, Settings, lint};
use plimsoll_pg::rehearse::{rehearse, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::{Migration, Schema};
use support::start;

mod support;

/// What lint and rehearsal say of a change to the page's schema.
async fn examine(
    server: &PrivateServer,
    rule: &Rule,
    name: &str,
    script: &Script,
) -> (Vec<Finding>, Rehearsal) {
    // A database's name is cut at 63 bytes.
    let database: String = format!("{name}_{}", rule.id.replace('-', "_")).chars().take(63).collect();
    let schema_sql = rule.example().schema;
    server.create_database(&database).await.expect("a database");
    run_script(server, &database, &SourceFile::new("schema.sql", schema_sql.as_str()))
        .await
        .expect("the schema");
    let sql = script.sql.as_str();
    let migration = Migration::new(SourceFile::new("change.sql", sql), 0..sql.len(), script.habit);
    let mut schema = Schema::default();
    schema.apply_script(&plimsoll_sql::parse::parse_script(&schema_sql).0);
    let settings =
        Settings { server_major: script.only, policy: Policy::everything(), ..Settings::default() };
    let findings = lint(&mut schema, &[&migration], ChangeScope::Together, &settings);
    let rehearsal = rehearse(server, &database, &[&migration], ChangeScope::Together, &|_, _, _| {})
        .await
        .expect("a rehearsal");
    let whole = migration.source.location(0..sql.len());
    (prove(findings, &rehearsal, |_| whole.clone()), rehearsal)
}

/// What is wrong with a page on a server; all pages are tried before any is complained of.
async fn complaints(server: &PrivateServer, rule: &Rule, major: u32) -> Vec<String> {
    let example = rule.example();
    let mut complaints = Vec::new();
    if example.bad.runs_on(major) {
        let (findings, rehearsal) = examine(server, rule, "bad", &example.bad).await;
        let own: Vec<&Finding> = findings.iter().filter(|finding| finding.rule == rule.id).collect();
        if own.is_empty() {
            complaints.push(format!("{} is silent on its bad example", rule.id));
        }
        if let Some(fix) = own.iter().find_map(|finding| finding.fix.as_ref()) {
            let mended = Script { sql: apply(&example.bad.sql, fix), ..example.bad.clone() };
            complaints.extend(faults(server, rule, "mended", &mended, major).await);
        }
        for finding in own {
            // What no server can show stays a claim.
            // What claims nothing can still have been seen: what was put together at run time.
            let is_borne_out = match finding.claim {
                Claim::Nothing => {
                    matches!(finding.evidence.kind, EvidenceKind::Claimed | EvidenceKind::Observed)
                }
                _ => finding.evidence.kind == EvidenceKind::Confirmed,
            };
            if !is_borne_out {
                complaints.push(format!("{} on {major}: {finding:#?}\n{rehearsal:#?}", rule.id));
            }
        }
    }
    if example.good.runs_on(major) {
        complaints.extend(faults(server, rule, "good", &example.good, major).await);
    }
    complaints
}

/// What is wrong with a script that is to be right: it fails, the rule speaks of it, or it works
/// under a lock that blocks.
async fn faults(server: &PrivateServer, rule: &Rule, name: &str, script: &Script, major: u32) -> Vec<String> {
    let (findings, rehearsal) = examine(server, rule, name, script).await;
    let failed = rehearsal.statements.iter().filter(|record| record.outcome != Outcome::Ok);
    let unclaimed =
        |finding: &&Finding| finding.rule == UNCLAIMED_HAZARD && finding.severity == Severity::Error;
    let spoken = findings.iter().filter(|finding| finding.rule == rule.id || unclaimed(finding));
    let head = format!("{} on {major}, {name}:\n{}", rule.id, script.sql);
    failed
        .map(|record| format!("{head}{record:#?}"))
        .chain(spoken.map(|finding| format!("{head}{finding:#?}")))
        .collect()
}

/// The text after a fix.
fn apply(text: &str, fix: &Fix) -> String {
    let lines: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
    let mut edits: Vec<_> = fix
        .edits
        .iter()
        .map(|edit| {
            let place = &edit.location;
            let start = lines[place.line - 1] + place.column - 1;
            (start..lines[place.end_line - 1] + place.end_column - 1, &edit.text)
        })
        .collect();
    edits.sort_by_key(|(range, _)| range.start);
    let mut mended = text.to_owned();
    for (range, new) in edits.into_iter().rev() {
        mended.replace_range(range, new);
    }
    mended
}

async fn check_pages(major: u32) {
    let server = start(major);
    let tablespace = "SET allow_in_place_tablespaces = on;\nCREATE TABLESPACE archive LOCATION '';";
    run_script(&server, "postgres", &SourceFile::new("tablespace.sql", tablespace))
        .await
        .expect("a second tablespace");
    let mut all = Vec::new();
    for rule in RULES {
        all.extend(complaints(&server, rule, major).await);
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
