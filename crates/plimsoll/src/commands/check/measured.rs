//! The queries of a check: measured before and after the change, judged, and reported.

use std::collections::BTreeSet;

use plimsoll_core::units::count;
use plimsoll_core::{
    Claim, Evidence, EvidenceKind, Finding, Measurement, PlanNode, QueryReport, QueryVerdict, Severity,
};
use plimsoll_pg::queries::{Culprit, PreparedQuery, QueryFailure, compare, find_culprit, measure};
use plimsoll_pg::rehearse::analyze;
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::Migration;

use super::copies::{EMPTY, keep};
use super::ground::Ground;
use crate::exit::Failure;
use crate::private_database::{Rows, bring_to_state_before, in_script};
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;

/// Id of the finding about a query that the change makes dearer.
const QUERY_WORSE: &str = "query-worse";
/// Id of the finding about a query that fails.
const QUERY_FAILS: &str = "query-fails";
/// Ratio of shared buffers from which a worse query is an error.
const ERROR_RATIO: u64 = 10;

/// Database in which the statement that broke a query is looked for.
const CULPRIT_DATABASE: &str = "plimsoll_culprit";

/// Where the state before the change, without rows, comes from.
#[derive(Clone, Copy)]
pub(super) enum WithoutRows<'a> {
    /// The earlier migrations are replayed, or the dump is loaded.
    Replayed,
    /// A program made it; a copy was kept as [`EMPTY`].
    Kept,
    /// Another branch of what the change is rehearsed on has it, with its rows.
    Branch(&'a Ground),
}

type Outcome = Result<Measurement, QueryFailure>;

/// Queries with their measurements so far.
pub(super) struct Measured {
    queries: Vec<PreparedQuery>,
    before: Vec<Outcome>,
    after: Vec<Outcome>,
    culprits: Vec<Option<Culprit>>,
}

impl Measured {
    pub(super) async fn before(
        server: &PrivateServer,
        settings: &Settings,
        queries: Vec<PreparedQuery>,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let before = measure_all(server, settings, &queries, "before", progress).await?;
        if before.iter().flatten().any(|measurement| writes(&measurement.plan)) {
            // Writes that were rolled back leave dead rows, which the change would read.
            analyze(server, &settings.database, None)
                .await
                .map_err(|error| in_script(error, "VACUUM (ANALYZE)"))?;
        }
        let culprits = vec![None; queries.len()];
        Ok(Self { queries, before, after: Vec::new(), culprits })
    }

    pub(super) async fn after(
        &mut self,
        server: &PrivateServer,
        settings: &Settings,
        project: &Project,
        without_rows: WithoutRows<'_>,
        touched: &BTreeSet<String>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        if self.queries.is_empty() {
            return Ok(());
        }
        progress.step("vacuuming and analyzing what the change touched");
        analyze(server, &settings.database, Some(touched))
            .await
            .map_err(|error| in_script(error, "VACUUM (ANALYZE)"))?;
        self.after = measure_all(server, settings, &self.queries, "after", progress).await?;
        self.find_culprits(server, settings, project, without_rows, progress).await
    }

    async fn find_culprits(
        &mut self,
        server: &PrivateServer,
        settings: &Settings,
        project: &Project,
        without_rows: WithoutRows<'_>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let broken: Vec<usize> = (0..self.queries.len())
            .filter(|at| self.before[*at].is_ok() && self.after[*at].is_err())
            .collect();
        if broken.is_empty() {
            return Ok(());
        }
        progress.step("finding the statement that broke a query");
        let other_side;
        let (server, database) = match without_rows {
            WithoutRows::Replayed => {
                bring_to_state_before(server, CULPRIT_DATABASE, project, settings, Rows::None, progress)
                    .await
                    .map(drop)?;
                (server, CULPRIT_DATABASE)
            }
            WithoutRows::Kept => {
                keep(server, EMPTY, CULPRIT_DATABASE).await?;
                (server, CULPRIT_DATABASE)
            }
            WithoutRows::Branch(ground) => {
                (other_side, _) = ground.start("culprit", settings, 0).await?;
                (&other_side, &*settings.database)
            }
        };
        let queries: Vec<&PreparedQuery> = broken.iter().map(|at| &self.queries[*at]).collect();
        let new: Vec<&Migration> = project.new.iter().map(Migration::as_sent).collect();
        let culprits = find_culprit(server, database, &new, &queries).await.map_err(Failure::environment)?;
        for (at, culprit) in broken.into_iter().zip(culprits) {
            self.culprits[at] = culprit;
        }
        Ok(())
    }

    /// Findings about the queries, and their reports; none if there is no query.
    pub(super) fn judged(self, project: &Project) -> (Vec<Finding>, Option<Vec<QueryReport>>) {
        if self.queries.is_empty() {
            return (Vec::new(), None);
        }
        let mut findings = Vec::new();
        let mut reports = Vec::new();
        let measured = self.queries.into_iter().zip(self.before).zip(self.after).zip(self.culprits);
        for (((query, before), after), culprit) in measured {
            let blamed = culprit.map(|culprit| blame(&culprit, project));
            let (report, severity) = judge(query, before, after, blamed);
            findings.extend(severity.map(|severity| finding(&report, severity)));
            reports.push(report);
        }
        (findings, Some(reports))
    }
}

async fn measure_all(
    server: &PrivateServer,
    settings: &Settings,
    queries: &[PreparedQuery],
    when: &str,
    progress: &Progress,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    for query in queries {
        progress.step(format!("measuring {} {when} the change", query.query.name));
        let outcome = measure(server, &settings.database, query, settings.measure).await;
        outcomes.push(outcome.map_err(Failure::environment)?);
    }
    Ok(outcomes)
}

/// Whether a plan inserts, updates, deletes or merges.
fn writes(plan: &PlanNode) -> bool {
    let verb = plan.label.split(" on ").next().unwrap_or_default();
    ["Insert", "Update", "Delete", "Merge"].contains(&verb) || plan.children.iter().any(writes)
}

/// `db/0013.sql:7 (alter table …)`.
fn blame(culprit: &Culprit, project: &Project) -> String {
    let migration = &project.new[culprit.migration];
    let statement = &migration.statements[culprit.statement];
    let line = migration.source.line_column(statement.range.start).0;
    let sql = migration.sql(statement).split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = sql.chars().take(80).collect();
    let more = if short.len() < sql.len() { " …" } else { "" };
    format!("{}:{line} (`{short}{more}`)", migration.source.name())
}

fn judge(
    query: PreparedQuery,
    before: Outcome,
    after: Outcome,
    blamed: Option<String>,
) -> (QueryReport, Option<Severity>) {
    let (verdict, reasons, severity) = match (&before, &after) {
        (Ok(before), Ok(after)) => {
            let (verdict, reasons) = compare(before, after);
            (verdict, reasons, (verdict == QueryVerdict::Worse).then(|| worse_severity(before, after)))
        }
        (Ok(_), Err(failure)) => {
            let mut reasons = vec![described(failure)];
            reasons.extend(blamed.map(|blamed| format!("broken by {blamed}")));
            (QueryVerdict::Failed, reasons, Some(Severity::Error))
        }
        (Err(_), Err(failure)) => {
            let reasons = vec![described(failure), "it fails before the change too".to_owned()];
            (QueryVerdict::Failed, reasons, Some(Severity::Warning))
        }
        (Err(failure), Ok(_)) => {
            (QueryVerdict::New, vec![format!("before the change it fails: {}", described(failure))], None)
        }
    };
    let report = QueryReport {
        location: query.source.location(query.query.range.clone()),
        sql: query.source.text()[query.query.range.clone()].to_owned(),
        name: query.query.name,
        verdict,
        reasons,
        before: before.ok(),
        after: after.ok(),
    };
    (report, severity)
}

fn described(failure: &QueryFailure) -> String {
    format!("{} (SQLSTATE {})", failure.message, failure.sqlstate)
}

fn worse_severity(before: &Measurement, after: &Measurement) -> Severity {
    let tenfold = after.shared_buffers >= before.shared_buffers.max(1) * ERROR_RATIO;
    if tenfold { Severity::Error } else { Severity::Warning }
}

fn finding(report: &QueryReport, severity: Severity) -> Finding {
    let (rule, message, remedy) = match (report.verdict, &report.before, &report.after) {
        (QueryVerdict::Worse, Some(before), Some(after)) => (
            QUERY_WORSE,
            format!(
                "query {} gets worse: {} → {} shared buffers",
                report.name,
                count(before.shared_buffers),
                count(after.shared_buffers)
            ),
            "Compare its plans before and after, and give it back the index or the type that it used.",
        ),
        _ => (
            QUERY_FAILS,
            format!("query {} fails: {}", report.name, report.reasons.join("; ")),
            "Keep what the query names until no running code sends it, or mend the query.",
        ),
    };
    Finding {
        fix: None,
        rule: rule.to_owned(),
        severity,
        message,
        remedy: remedy.to_owned(),
        location: report.location.clone(),
        statement: None,
        evidence: Evidence { kind: EvidenceKind::Observed, facts: report.reasons.clone() },
        claim: Claim::Nothing,
    }
}
