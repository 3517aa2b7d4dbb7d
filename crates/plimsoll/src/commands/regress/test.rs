//! `plimsoll regress test`: what is measured now against what was recorded.

use std::path::Path;

use plimsoll_core::{QueryReport, QueryVerdict, Report};
use plimsoll_pg::queries::{Repeats, Thoroughness};
use plimsoll_regress::compare::Context;
use plimsoll_regress::record::ResultHash;
use plimsoll_regress::{Comparison, Outcome, compare};

use super::record::side_effects;
use super::sides::{self, Sides};
use super::{Asked, Baselines, Unreadable, skipped, sources};
use crate::alarm_threshold;
use crate::args::ColorChoice;
use crate::commands::trunk::now;
use crate::corpus::CorpusQuery;
use crate::exit::{Failure, unless_stopped};
use crate::kept_run;
use crate::measuring::{Bed, MeasuredQuery, Task, Way, measure_corpus};
use crate::output::{exit_code, write_reports};
use crate::progress::Progress;
use crate::query_report;
use crate::regress_args::TestArguments;
use crate::settings::Settings;

/// `plimsoll regress test`.
pub(super) async fn run(
    arguments: &TestArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let choose = |settings: &mut Settings| alarm_threshold::choose(settings, arguments.alarm_from);
    let asked = Asked::with(&arguments.selection, &arguments.place, config, choose)?;
    let report = match (arguments.from, arguments.to, arguments.time) {
        (Some(from), Some(to), _) => {
            unless_stopped(sides::test(&asked, Sides::versions(config, from, to)?, arguments.time)).await?
        }
        (_, _, true) => unless_stopped(sides::test(&asked, Sides::Change, true)).await?,
        _ => against_baselines(&asked).await?,
    };
    write_reports(&report, &sources(&asked.corpus), &arguments.output, color)?;
    Ok(exit_code(&report, arguments.fail_on))
}

async fn against_baselines(asked: &Asked) -> Result<Report, Failure> {
    let baselines = Baselines::read(&asked.corpus, &asked.settings, Unreadable::Refused)?;
    let (measured, reports, server, mut notes) = unless_stopped(async {
        let progress = Progress::new();
        let bed = asked.bed(&progress).await?;
        let known = |task: Task| thoroughness(&baselines, &asked.corpus[task.query], task.set);
        let measured =
            measure_corpus(&bed, &asked.corpus, &asked.settings, 1, Way::Measured(&known), &progress).await?;
        let mut reports: Vec<Vec<QueryReport>> = asked
            .corpus
            .iter()
            .zip(&measured)
            .map(|(query, measured)| judged(&baselines, query, measured))
            .collect();
        look_again(asked, &bed, &baselines, &mut reports, &progress).await?;
        Ok((measured, reports, bed.server.server_version().text.clone(), bed.notes))
    })
    .await?;
    let mut reports: Vec<QueryReport> = reports.into_iter().flatten().collect();
    notes.extend(skipped(&asked.corpus));
    notes.extend(side_effects(&asked.corpus, &measured));
    notes.extend(other_ground(&baselines, &measured));
    notes.extend(vanished(asked, &baselines));
    if let Some(history) = &asked.settings.regress.history {
        crate::history::keep(history, &mut reports, now().0)?;
    }
    notes.extend(asked.alarm_notes.clone());
    notes.extend(kept_run::keep_test(&asked.settings, &mut reports, &server, &server));
    Ok(concluded(reports, notes))
}

/// Findings and reports in one.
pub(super) fn concluded(reports: Vec<QueryReport>, notes: Vec<String>) -> Report {
    let findings = reports.iter().filter_map(query_report::finding).collect();
    Report::new(findings, None, Some(reports), notes)
}

/// Looks that a query gets which seems to fare otherwise.
const FURTHER_LOOKS: usize = 3;

/// Measures queries again that seem to fare otherwise, each time with statistics taken anew: ANALYZE looks at a sample, and a plan
/// that stands on the edge falls to either side by chance. Who fares as recorded in one look does so.
async fn look_again(
    asked: &Asked,
    bed: &Bed,
    baselines: &Baselines,
    reports: &mut [Vec<QueryReport>],
    progress: &Progress,
) -> Result<(), Failure> {
    let seems_otherwise =
        |report: &QueryReport| matches!(report.verdict, QueryVerdict::Worse | QueryVerdict::Better);
    for _ in 0..FURTHER_LOOKS {
        let doubtful: Vec<usize> =
            (0..reports.len()).filter(|at| reports[*at].iter().any(seems_otherwise)).collect();
        if doubtful.is_empty() {
            return Ok(());
        }
        let corpus: Vec<CorpusQuery> = doubtful.iter().map(|at| asked.corpus[*at].clone()).collect();
        bed.analyze(progress).await?;
        let known = |task: Task| thoroughness(baselines, &corpus[task.query], task.set);
        let measured =
            measure_corpus(bed, &corpus, &asked.settings, 1, Way::Measured(&known), progress).await?;
        for ((at, query), measured) in doubtful.into_iter().zip(&corpus).zip(&measured) {
            for (report, again) in reports[at].iter_mut().zip(judged(baselines, query, measured)) {
                if seems_otherwise(report) && again.verdict == QueryVerdict::Same {
                    *report = again;
                    report.reasons.push("by another sample of ANALYZE its plan is another one".to_owned());
                }
            }
        }
    }
    Ok(())
}

/// What the baseline says of how far the result repeats.
fn thoroughness(baselines: &Baselines, query: &CorpusQuery, set: usize) -> Thoroughness {
    let recorded = baselines.of(query).and_then(|baseline| baseline.queries.get(&query.query.name));
    match recorded.and_then(|recorded| recorded.sets.get(&query.sets[set].name)) {
        Some(Outcome::Ran(run)) => Thoroughness::Known(match &run.result.hash {
            Some(ResultHash::Ordered { .. }) => Repeats::InOrder,
            Some(ResultHash::Unordered(_)) => Repeats::AsASet,
            None => Repeats::Not,
        }),
        _ => Thoroughness::Known(Repeats::Not),
    }
}

/// The reports of a query, one a set.
fn judged(baselines: &Baselines, query: &CorpusQuery, measured: &MeasuredQuery) -> Vec<QueryReport> {
    let baseline = baselines.of(query);
    let recorded = baseline.and_then(|baseline| Some((baseline, baseline.queries.get(&query.query.name)?)));
    let text = query_report::fingerprint(&query.query);
    let mut reports = Vec::new();
    for (set, taken) in query.sets.iter().zip(&measured.sets) {
        let prepared = query.prepared_with(set);
        let after = query_report::measurement(taken);
        let before = recorded
            .and_then(|(baseline, of_query)| Some((baseline, of_query, of_query.sets.get(&set.name)?)));
        let Some((baseline, of_query, before)) = before else {
            reports.push(query_report::report(&prepared, unrecorded(taken.as_ref().err()), None, after));
            continue;
        };
        let old = Context {
            facts: &of_query.facts,
            server: baseline.server,
            settings: &baseline.settings,
            text: &of_query.text,
        };
        let new = measured.context(&text);
        let now = query_report::outcome(taken);
        let compared = compare((before, old), (&now, new), &query.thresholds);
        reports.push(query_report::report(&prepared, compared, query_report::kept(before), after));
    }
    reports
}

fn unrecorded(failed: Option<&plimsoll_regress::Failed>) -> Comparison {
    let (verdict, reason) = match failed {
        Some(failed) => (QueryVerdict::Failed, failed.to_string()),
        None => {
            (QueryVerdict::New, "it has no baseline yet: `plimsoll regress record` writes one".to_owned())
        }
    };
    Comparison { verdict, reasons: vec![reason], causes: Vec::new(), growth: None }
}

/// A note where baselines come from another server version.
fn other_ground(baselines: &Baselines, measured: &[MeasuredQuery]) -> Option<String> {
    let now = measured.first()?.state.server;
    let mut others: Vec<u32> =
        baselines.files.values().filter_map(|file| Some(file.baseline.as_ref()?.server)).collect();
    others.retain(|server| *server != now);
    others.sort_unstable();
    others.dedup();
    let told = others.iter().map(u32::to_string).collect::<Vec<_>>().join(" and ");
    (!others.is_empty()).then(|| {
        format!(
            "Baselines of PostgreSQL {told} are compared with a run on {now}: what differs may be the version's doing. --postgres \
             {} compares like with like.",
            others[0]
        )
    })
}

/// Notes of what baselines hold of queries and sets that there aren't any more.
fn vanished(asked: &Asked, baselines: &Baselines) -> Vec<String> {
    let mut notes = Vec::new();
    for (queries, file) in &baselines.files {
        let Some(baseline) = &file.baseline else { continue };
        let known = |name: &String| asked.files.get(name) == Some(queries);
        let gone: Vec<&str> =
            baseline.queries.keys().filter(|name| !known(name)).map(String::as_str).collect();
        if !gone.is_empty() {
            notes.push(format!(
                "{} holds what {} no longer does: {}. `plimsoll regress record` leaves it out.",
                plimsoll_core::paths::seen_from(&file.path, &asked.settings.current).display(),
                queries.display(),
                gone.join(", ")
            ));
        }
    }
    notes
}
