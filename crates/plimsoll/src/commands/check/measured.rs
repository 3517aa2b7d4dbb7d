//! The queries of a check: measured before and after the change, judged, and reported.

use std::collections::BTreeSet;

use plimsoll_core::{QueryReport, QueryVerdict, Thresholds};
use plimsoll_pg::queries::{
    Culprit, MeasureSettings, MeasuringSession, PreparedQuery, Repeats, State, Taken, Thoroughness,
    find_culprit,
};
use plimsoll_pg::rehearse::analyze;
use plimsoll_pg::server::PrivateServer;
use plimsoll_regress::{Comparison, Failed, compare};
use plimsoll_sql::Migration;

use super::copies::{EMPTY, keep};
use super::ground::Ground;
use crate::corpus::CorpusQuery;
use crate::exit::Failure;
use crate::private_database::{Rows, bring_to_state_before, in_script};
use crate::progress::Progress;
use crate::project::Project;
use crate::query_report::{self, fingerprint, measurement};
use crate::settings::Settings;

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

type Outcome = Result<Taken, Failed>;

/// Queries with their measurements so far.
#[derive(Default)]
pub(super) struct Measured {
    queries: Vec<PreparedQuery>,
    /// From where on each counts as worse.
    thresholds: Vec<Thresholds>,
    before: (State, Vec<Outcome>),
    after: (State, Vec<Outcome>),
    culprits: Vec<Option<Culprit>>,
}

impl Measured {
    pub(super) async fn before(
        server: &PrivateServer,
        settings: &Settings,
        corpus: Vec<CorpusQuery>,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let (mut queries, mut thresholds) = (Vec::new(), Vec::new());
        for query in corpus {
            queries.extend(query.prepared());
            thresholds.resize(queries.len(), query.thresholds);
        }
        if queries.is_empty() {
            return Ok(Self::default());
        }
        let way = |at: usize| {
            let of_query: &Thresholds = &thresholds[at];
            let thoroughness = if of_query.compares_result { Thoroughness::FindOut } else { UNCOMPARED };
            (limited(settings.measure, of_query), thoroughness)
        };
        let before = measure_all(server, settings, &queries, way, "before", progress).await?;
        if before.1.iter().flatten().any(Taken::writes) {
            // Writes that were rolled back leave dead rows, which the change would read.
            analyze(server, &settings.database, None)
                .await
                .map_err(|error| in_script(error, "VACUUM (ANALYZE)"))?;
        }
        let culprits = vec![None; queries.len()];
        Ok(Self { queries, thresholds, before, culprits, ..Self::default() })
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
        let way = |at: usize| {
            let repeats = self.before.1[at].as_ref().map_or(Repeats::Not, |taken| taken.repeats);
            (limited(settings.measure, &self.thresholds[at]), Thoroughness::Known(repeats))
        };
        self.after = measure_all(server, settings, &self.queries, way, "after", progress).await?;
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
            .filter(|at| self.before.1[*at].is_ok() && self.after.1[*at].is_err())
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

    /// The queries' reports; none if there is no query.
    pub(super) fn judged(self, project: &Project) -> Option<Vec<QueryReport>> {
        if self.queries.is_empty() {
            return None;
        }
        let mut reports = Vec::new();
        let outcomes = self.before.1.into_iter().zip(self.after.1);
        let measured = self.queries.into_iter().zip(outcomes).zip(self.thresholds).zip(self.culprits);
        for (((query, (before, after)), thresholds), culprit) in measured {
            let blamed = culprit.map(|culprit| blame(&culprit, project));
            let sides = ((&before, &self.before.0), (&after, &self.after.0));
            reports.push(judge(&query, sides.0, sides.1, &thresholds, blamed));
        }
        Some(reports)
    }
}

/// A result that nobody wants compared.
const UNCOMPARED: Thoroughness = Thoroughness::Known(Repeats::Not);

/// How a query is measured that may have a timeout of its own.
fn limited(settings: MeasureSettings, thresholds: &Thresholds) -> MeasureSettings {
    MeasureSettings { timeout: thresholds.timeout.unwrap_or(settings.timeout), ..settings }
}

async fn measure_all(
    server: &PrivateServer,
    settings: &Settings,
    queries: &[PreparedQuery],
    way: impl Fn(usize) -> (MeasureSettings, Thoroughness),
    when: &str,
    progress: &Progress,
) -> Result<(State, Vec<Outcome>), Failure> {
    let database = &settings.database;
    let session = MeasuringSession::open(server, database).await.map_err(Failure::environment)?;
    let state = session.state(database).await.map_err(Failure::environment)?;
    let mut outcomes = Vec::new();
    for (at, query) in queries.iter().enumerate() {
        progress.step(format!("measuring {} {when} the change", query.query.name));
        let (settings, thoroughness) = way(at);
        let outcome = session.measure(query, settings, thoroughness).await;
        outcomes.push(outcome.map_err(Failure::environment)?);
    }
    Ok((state, outcomes))
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
    query: &PreparedQuery,
    (before, state_before): (&Outcome, &State),
    (after, state_after): (&Outcome, &State),
    thresholds: &Thresholds,
    blamed: Option<String>,
) -> QueryReport {
    let text = fingerprint(&query.query);
    let mut compared = match (before, after) {
        (Err(_), Err(failed)) => Comparison {
            verdict: QueryVerdict::Failed,
            reasons: vec![failed.to_string(), "it fails before the change too".to_owned()],
            causes: Vec::new(),
            growth: None,
        },
        _ => {
            let (old, new) = (query_report::outcome(before), query_report::outcome(after));
            let sides = ((&old, state_before.context(&text)), (&new, state_after.context(&text)));
            let mut compared =
                compare(sides.0, sides.1, &Thresholds { compares_result: false, ..*thresholds });
            // A change may be about what queries return: that is told, and decides nothing.
            let with_result = compare(sides.0, sides.1, thresholds);
            if with_result.verdict == QueryVerdict::ChangedResult {
                compared.reasons.extend(with_result.reasons.into_iter().next());
            }
            compared
        }
    };
    compared.reasons.extend(blamed.map(|blamed| format!("broken by {blamed}")));
    query_report::report(query, compared, measurement(before), measurement(after))
}
