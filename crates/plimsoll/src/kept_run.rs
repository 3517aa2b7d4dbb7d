//! What a run leaves in the history: its claims with what the rehearsal found, and its measured queries with how far they grew.
//!
//! A history is a record beside the verdict. One that can't be written is told of, and changes neither findings nor exit code.

use plimsoll_core::proof::{Missed, Proven};
use plimsoll_core::{EvidenceKind, Finding, PlanNode, QueryReport, QueryVerdict};
use plimsoll_history::{Claim, History, HistoryError, Measured, Run, RunKind, Verdict, digest};
use plimsoll_lint::rules_that_name;
use plimsoll_sql::{Migration, NormalForm, Statement};

use crate::commands::trunk::now;
use crate::output::tell;
use crate::project::Project;
use crate::settings::Settings;

/// What rules said of a change, and what they should have said.
pub(crate) fn claims(project: &Project, proven: &Proven) -> Vec<Claim> {
    let said = proven.findings.iter().chain(&proven.accepted);
    let said = said.filter(|finding| finding.evidence.kind != EvidenceKind::Observed);
    let said = said.map(|finding| claim(project, finding));
    said.chain(proven.missed.iter().flat_map(|missed| claims_missed(project, missed))).collect()
}

fn claim(project: &Project, finding: &Finding) -> Claim {
    let file = &finding.location.file;
    Claim {
        file: file.clone(),
        rule: finding.rule.clone(),
        statement: name_of(statement(project, file, finding.statement), file),
        relation: relation(&finding.claim),
        verdict: match finding.evidence.kind {
            EvidenceKind::Confirmed => Verdict::Confirmed,
            EvidenceKind::Refuted => Verdict::Refuted,
            EvidenceKind::Claimed | EvidenceKind::Observed => Verdict::Untested,
        },
    }
}

/// One for each rule that names such a hazard; where none does, one for the finding that told of it.
fn claims_missed(project: &Project, missed: &Missed) -> Vec<Claim> {
    let found = statement(project, &missed.file, Some(missed.statement));
    let command = found.and_then(|(_, statement)| statement.command());
    let mut rules = command.map_or_else(Vec::new, |command| rules_that_name(command, &missed.claim));
    if rules.is_empty() {
        rules.push(missed.finding);
    }
    let claim = |rule: &str| Claim {
        file: missed.file.clone(),
        rule: rule.to_owned(),
        statement: name_of(found, &missed.file),
        relation: relation(&missed.claim),
        verdict: Verdict::Missed,
    };
    rules.into_iter().map(claim).collect()
}

fn relation(claim: &plimsoll_core::Claim) -> Option<String> {
    match claim {
        plimsoll_core::Claim::Lock { relation, .. } => Some(relation.clone()),
        plimsoll_core::Claim::Fails | plimsoll_core::Claim::Nothing => None,
    }
}

fn statement<'a>(
    project: &'a Project,
    file: &str,
    index: Option<usize>,
) -> Option<(&'a Migration, &'a Statement)> {
    let migration = project.new.iter().find(|migration| migration.source.name() == file)?;
    Some((migration, migration.statements.get(index?)?))
}

fn name_of(statement: Option<(&Migration, &Statement)>, file: &str) -> String {
    statement.map_or_else(|| file.to_owned(), |(migration, statement)| fingerprint(migration.sql(statement)))
}

fn fingerprint(sql: &str) -> String {
    NormalForm::default().of(sql).to_string()
}

/// Appends a run of `check`, and gives the queries their ids. Returns a note where it can't.
pub(crate) fn keep_check(
    settings: &Settings,
    project: &Project,
    claims: Vec<Claim>,
    queries: &mut [QueryReport],
    server: &str,
) -> Option<String> {
    let statements = project.new.iter().flat_map(|migration| {
        migration.statements.iter().map(|statement| fingerprint(migration.sql(statement)))
    });
    let change: Vec<String> =
        ["check".to_owned(), major(server).to_owned()].into_iter().chain(statements).collect();
    let comparison = |_: &QueryReport| change.clone();
    keep(settings, RunKind::Check, claims, queries, server, comparison)
}

/// Appends a run of `regress test`, as [`keep_check`]. What is compared there is what the query took in a recorded run, or on another
/// side, with how it runs now: without the figures of now, which differ a little from run to run where rows are made by chance.
pub(crate) fn keep_test(
    settings: &Settings,
    queries: &mut [QueryReport],
    server_before: &str,
    server: &str,
) -> Option<String> {
    let comparison = |query: &QueryReport| {
        let before = query.before.as_ref();
        let buffers = before.map_or_else(String::new, |before| before.shared_buffers.to_string());
        let plan = |side: &Option<plimsoll_core::Measurement>| {
            side.as_ref().map_or_else(String::new, |side| outline(&side.plan))
        };
        let servers = [major(server_before), major(server)].map(str::to_owned);
        ["regress".to_owned()]
            .into_iter()
            .chain(servers)
            .chain([buffers, plan(&query.before), plan(&query.after)])
            .collect()
    };
    keep(settings, RunKind::Regress, Vec::new(), queries, server, comparison)
}

fn keep(
    settings: &Settings,
    kind: RunKind,
    claims: Vec<Claim>,
    queries: &mut [QueryReport],
    server: &str,
    comparison: impl Fn(&QueryReport) -> Vec<String>,
) -> Option<String> {
    let path = settings.history.as_ref()?;
    let measured = queries.iter().filter_map(|query| measured(query, comparison(query))).collect();
    let run = Run {
        at_s: now().0,
        kind,
        plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
        server: server.to_owned(),
        claims,
        measured,
    };
    match History::create(path).and_then(|mut history| history.append(&run)) {
        Ok(appended) => {
            let growths = queries.iter_mut().filter_map(|query| query.growth.as_mut());
            growths.zip(appended.ids).for_each(|(growth, id)| growth.id = Some(id));
            None
        }
        Err(why) => Some(not_kept(&why)),
    }
}

fn not_kept(why: &HistoryError) -> String {
    let note = format!("This run isn't in the history, and its verdict stands without it: failed to {why}.");
    tell(&note);
    note
}

/// None where something else than growth decides.
fn measured(query: &QueryReport, comparison: Vec<String>) -> Option<Measured> {
    let growth = query.growth.as_ref()?;
    let fingerprint = fingerprint(&query.sql);
    let parts = [&query.name, &fingerprint].into_iter().chain(&comparison);
    Some(Measured {
        comparison: digest(&parts.map(String::as_str).collect::<Vec<_>>()),
        query: query.name.clone(),
        fingerprint,
        score: growth.ratio,
        threshold: growth.threshold,
        alarmed: query.verdict == QueryVerdict::Worse,
    })
}

/// The digits that a version begins with: `18` of `18.4 (Debian 18.4-1)`.
fn major(server: &str) -> &str {
    server.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default()
}

/// A plan's nodes, relations and indexes, without figures.
fn outline(node: &PlanNode) -> String {
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let below: Vec<String> = node.children.iter().map(outline).collect();
    format!("{} {} {} ({})", node.node_type, name(&node.relation), name(&node.index), below.join(", "))
}
