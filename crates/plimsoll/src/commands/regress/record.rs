//! `plimsoll regress record` and `accept`: what is measured now becomes the baseline.
//!
//! What fares as before keeps its lines, so that a review sees what changed alone.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::QueryVerdict;
use plimsoll_core::units::plural;
use plimsoll_pg::queries::{State, Thoroughness};
use plimsoll_regress::compare::Context;
use plimsoll_regress::{Baseline, Outcome, RecordedQuery, baseline, compare};

use super::{Asked, Baselines, Unreadable, skipped};
use crate::corpus::CorpusQuery;
use crate::exit::{CLEAN, FINDINGS, Failure, unless_stopped};
use crate::measuring::{MeasuredQuery, Way, measure_corpus};
use crate::output::{tell, write_file};
use crate::progress::Progress;
use crate::query_report::{fingerprint, outcome};
use crate::regress_args::{AcceptArguments, RecordArguments, Selection};

/// `plimsoll regress record`.
pub(super) async fn run(arguments: &RecordArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let RecordArguments { selection, place } = arguments;
    let reach = if selection.is_whole() { Reach::Files } else { Reach::Named };
    record(Asked::of(selection, place, config)?, reach).await
}

/// `plimsoll regress accept`.
pub(super) async fn accept(arguments: &AcceptArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let selection = Selection { names: arguments.names.clone(), tags: Vec::new() };
    record(Asked::of(&selection, &arguments.place, config)?, Reach::Accepted).await
}

/// What of a file's baseline is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// All of it.
    Files,
    /// Some queries, where they fare otherwise than before.
    Named,
    /// Some queries, whatever they did.
    Accepted,
}

async fn record(asked: Asked, reach: Reach) -> Result<u8, Failure> {
    let unreadable = if reach == Reach::Files { Unreadable::Replaced } else { Unreadable::Refused };
    let baselines = Baselines::read(&asked.corpus, &asked.settings, unreadable)?;
    let (measured, notes) = unless_stopped(async {
        let progress = Progress::new();
        let bed = asked.bed(&progress).await?;
        let thoroughness =
            if asked.ground.is_some() { Thoroughness::FindOut } else { Thoroughness::FindOutOfSeed };
        let find_out = |_| thoroughness;
        let way = Way::Measured(&find_out);
        let measured = measure_corpus(&bed, &asked.corpus, &asked.settings, 1, way, &progress).await?;
        Ok((measured, bed.notes))
    })
    .await?;
    for note in notes.into_iter().chain(skipped(&asked.corpus)) {
        tell(&format!("note: {note}"));
    }
    for note in side_effects(&asked.corpus, &measured) {
        tell(&format!("note: {note}"));
    }
    let mut written = Written::default();
    let mut texts = Vec::new();
    for (queries, file) in &baselines.files {
        let members: Vec<(&CorpusQuery, &MeasuredQuery)> = asked
            .corpus
            .iter()
            .zip(&measured)
            .filter(|(query, _)| query.source.path() == queries && query.skip.is_none())
            .collect();
        let Some((_, first)) = members.first() else { continue };
        let new = renewed(file.baseline.as_ref(), &members, &first.state, reach, &mut written)
            .map_err(|why| Failure::input(format!("write {}: {why}", file.path.display())))?;
        if file.baseline.as_ref() != Some(&new) {
            texts.push((&file.path, baseline::write(&new)));
        }
    }
    for (path, text) in &texts {
        write_file(path, text)?;
    }
    tell(&format!(
        "{} recorded, {} kept as before, in {}",
        plural(written.recorded, "query"),
        written.kept,
        match texts.len() {
            0 => "no file: every one is as it was".to_owned(),
            files => plural(files, "file"),
        }
    ));
    for (name, why) in &written.failed {
        tell(&format!("query {name} fails: {why}"));
    }
    Ok(if written.failed.is_empty() { CLEAN } else { FINDINGS })
}

/// What became of the queries.
#[derive(Default)]
struct Written {
    recorded: usize,
    kept: usize,
    failed: Vec<(String, String)>,
}

/// What writing queries do that a rollback doesn't take back.
pub(super) fn side_effects(corpus: &[CorpusQuery], measured: &[MeasuredQuery]) -> Vec<String> {
    let mut told = Vec::new();
    for (query, seen) in corpus.iter().zip(measured) {
        let effects = seen.sets.iter().flatten().flat_map(|taken| &taken.side_effects);
        let mut effects: Vec<&String> = effects.collect();
        effects.sort();
        effects.dedup();
        told.extend(effects.iter().map(|effect| format!("Query {} {effect}.", query.query.name)));
    }
    told
}

/// The baseline of a file with what was measured now.
fn renewed(
    old: Option<&Baseline>,
    members: &[(&CorpusQuery, &MeasuredQuery)],
    state: &State,
    reach: Reach,
    written: &mut Written,
) -> Result<Baseline, String> {
    let same_ground = old.is_some_and(|old| old.server == state.server && old.settings == state.settings);
    let keeps_others = reach != Reach::Files;
    if let Some(old) = old.filter(|_| keeps_others && !same_ground) {
        return Err(format!(
            "it was recorded on PostgreSQL {} with {}, this is {} with {}; `plimsoll regress record` without names records the \
             whole file",
            old.server,
            told(&old.settings),
            state.server,
            told(&state.settings)
        ));
    }
    let mut queries = match old {
        Some(old) if keeps_others => old.queries.clone(),
        _ => BTreeMap::new(),
    };
    for (query, measured) in members {
        let name = &query.query.name;
        let recorded = recorded(query, measured);
        for (set, outcome) in &recorded.sets {
            if let Outcome::Failed(failed) = outcome {
                written.failed.push((format!("{name} [{set}]"), failed.to_string()));
            }
        }
        let before =
            old.filter(|_| same_ground && reach != Reach::Accepted).and_then(|old| old.queries.get(name));
        match before.filter(|before| is_as_before(query, before, &recorded, state)) {
            Some(before) => {
                written.kept += 1;
                queries.insert(name.clone(), before.clone());
            }
            None => {
                written.recorded += 1;
                queries.insert(name.clone(), recorded);
            }
        }
    }
    Ok(Baseline { server: state.server, settings: state.settings.clone(), queries })
}

fn told(settings: &BTreeMap<String, String>) -> String {
    let each: Vec<String> = settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if each.is_empty() { "default settings".to_owned() } else { each.join(", ") }
}

/// Whether nothing that a review should see has changed.
fn is_as_before(query: &CorpusQuery, before: &RecordedQuery, now: &RecordedQuery, state: &State) -> bool {
    if before.text != now.text
        || before.facts.indexes != now.facts.indexes
        || !before.sets.keys().eq(now.sets.keys())
    {
        return false;
    }
    let context = |facts| Context { facts, ..state.context(&now.text) };
    before.sets.values().zip(now.sets.values()).all(|(old, new)| {
        let compared = compare((old, context(&before.facts)), (new, context(&now.facts)), &query.thresholds);
        let has_same_hash = match (old, new) {
            (Outcome::Ran(old), Outcome::Ran(new)) => old.result == new.result && old.plan.is_like(&new.plan),
            _ => true,
        };
        compared.verdict == QueryVerdict::Same && has_same_hash
    })
}

/// What is recorded of a query.
pub(super) fn recorded(query: &CorpusQuery, measured: &MeasuredQuery) -> RecordedQuery {
    let plans = measured.sets.iter().flatten().map(|taken| &taken.run.plan);
    let names = query.sets.iter().map(|set| set.name.clone());
    RecordedQuery {
        text: fingerprint(&query.query),
        facts: measured.state.facts.used_by(plans),
        sets: names.zip(measured.sets.iter().map(outcome)).collect(),
    }
}
