//! `plimsoll regress suggest`: indexes that would serve the corpus, each built and measured; and those that are there for nothing.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::Suggestions;
use plimsoll_core::report::Tool;
use plimsoll_core::suggestions::{
    DuplicateIndex, SUGGESTIONS_VERSION, SuggestedIndex, UnusedIndex, WriteProbe, Written,
};
use plimsoll_pg::queries::{Indexed, MeasuringSession, Probe};
use plimsoll_regress::candidates::{Ground, Planned, candidates};
use plimsoll_regress::indexes::{Index, Taken, duplicates, replaced};
use plimsoll_report::render_suggestions;

use super::{Asked, skipped};
use crate::args::ColorChoice;
use crate::exit::{CLEAN, Failure, unless_stopped};
use crate::measuring::{Bed, MeasuredQuery};
use crate::output::{print, terminal};
use crate::progress::Progress;
use crate::regress_args::{SuggestArguments, SuggestFormat};

mod trials;

use trials::{Chosen, Trials};

/// Candidates that are built and measured at most, each once or twice: what takes the time.
const MOST_CANDIDATES: usize = 40;

/// `plimsoll regress suggest`.
pub(super) async fn run(
    arguments: &SuggestArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let asked = Asked::of(&arguments.selection, &arguments.place, config)?;
    let most = usize::try_from(arguments.most).unwrap_or(usize::MAX);
    let suggestions = unless_stopped(suggested(&asked, most, arguments.selection.is_whole())).await?;
    let format = match arguments.format {
        SuggestFormat::Terminal => {
            let (colour, width) = terminal(color);
            plimsoll_report::SuggestionsFormat::Terminal(colour, width)
        }
        SuggestFormat::Json => plimsoll_report::SuggestionsFormat::Json,
        SuggestFormat::Markdown => plimsoll_report::SuggestionsFormat::Markdown,
    };
    print(&render_suggestions(&suggestions, format))?;
    Ok(CLEAN)
}

async fn suggested(asked: &Asked, most: usize, is_whole: bool) -> Result<Suggestions, Failure> {
    let progress = Progress::new();
    let bed = asked.bed(&progress).await?;
    // What a branch has may not be vacuumed, and an index-only scan is one of pages that are.
    bed.analyze(&progress).await?;
    let indexed = {
        let session = open(&bed).await?;
        session.indexes().await.map_err(Failure::environment)?
    };
    let mut trials = Trials::begin(asked, &bed, &indexed, &progress).await?;
    let base = trials.measured().to_vec();
    let wanted = wanted(asked, &base, &indexed);
    let chosen = trials.choose(wanted, most).await?;
    let mut indexes = Vec::new();
    let mut probes = Probes { bed: &bed, without: BTreeMap::new() };
    for one in chosen {
        indexes.push(probes.weighed(one, &indexed, &progress).await?);
    }
    let mut notes = bed.notes.clone();
    notes.extend(skipped(&asked.corpus));
    notes.extend(failed(asked, &base));
    if asked.corpus.iter().any(|query| !query.fixtures.is_empty()) {
        notes.push("Sizes, builds and write costs are those without the rows of fixtures.".to_owned());
    }
    if indexes.iter().any(|index| !index.ddl.contains(" CONCURRENTLY ")) {
        notes.push(
            "CREATE INDEX CONCURRENTLY can't be used on a partitioned table: create the index ON ONLY it, then on each partition \
             concurrently, and attach those."
                .to_owned(),
        );
    }
    if !is_whole {
        notes.push(
            "Which indexes no query takes is told of the whole corpus alone: leave out names and tags."
                .to_owned(),
        );
    }
    Ok(Suggestions {
        format_version: SUGGESTIONS_VERSION,
        tool: Tool { name: "plimsoll", version: env!("CARGO_PKG_VERSION") },
        server: bed.server.server_version().text.clone(),
        queries: asked.corpus.iter().filter(|query| query.skip.is_none()).count(),
        tried: trials.tried(),
        indexes,
        unused: if is_whole { unused(&base, &indexed) } else { Vec::new() },
        duplicates: duplicates(&indexed.indexes)
            .into_iter()
            .map(|one| DuplicateIndex {
                name: qualified(one.index),
                table: one.index.relation.clone(),
                bytes: one.index.bytes,
                by: qualified(one.by),
                is_prefix: one.is_prefix,
                keeps: keeps(one.index),
                definition: one.index.definition.clone(),
            })
            .collect(),
        notes,
    })
}

/// What might serve the plans that were seen.
fn wanted(
    asked: &Asked,
    base: &[MeasuredQuery],
    indexed: &Indexed,
) -> Vec<plimsoll_regress::candidates::Candidate> {
    let Some(first) = base.first() else { return Vec::new() };
    let ground = Ground { facts: &first.state.facts, tables: &indexed.tables, indexes: &indexed.indexes };
    let plans: Vec<Planned> = asked
        .corpus
        .iter()
        .zip(base)
        .flat_map(|(query, seen)| {
            let plan = |taken| Planned { sql: &query.query.sql, plan: plan_of(taken) };
            seen.sets.iter().flatten().map(plan)
        })
        .collect();
    candidates(&plans, &ground, MOST_CANDIDATES)
}

fn plan_of(taken: &plimsoll_pg::queries::Taken) -> &plimsoll_core::PlanNode {
    &taken.plan.root
}

async fn open(bed: &Bed) -> Result<MeasuringSession<'_>, Failure> {
    MeasuringSession::open(&bed.server, &bed.database).await.map_err(Failure::environment)
}

/// Notes of queries that gave no plan.
fn failed(asked: &Asked, base: &[MeasuredQuery]) -> Vec<String> {
    let mut notes = Vec::new();
    for (query, seen) in asked.corpus.iter().zip(base) {
        for (set, outcome) in query.sets.iter().zip(&seen.sets) {
            if let Err(why) = outcome {
                notes.push(format!(
                    "Query {} failed, so nothing is proposed for it and what it takes counts as unused: {why}.",
                    query.name_with(set)
                ));
            }
        }
    }
    notes
}

/// The indexes that no plan took, the largest first.
fn unused(base: &[MeasuredQuery], indexed: &Indexed) -> Vec<UnusedIndex> {
    let mut taken = Taken::default();
    for seen in base.iter().flat_map(|query| query.sets.iter().flatten()) {
        taken.add(plan_of(seen));
    }
    let told = |(index, table_is_used): (&Index, bool)| UnusedIndex {
        name: qualified(index),
        table: index.relation.clone(),
        bytes: index.bytes,
        table_is_used,
        keeps: keeps(index),
        definition: index.definition.clone(),
    };
    let mut unused: Vec<UnusedIndex> =
        taken.unused(&indexed.indexes, &indexed.roots).into_iter().map(told).collect();
    unused.sort_by_key(|one| (one.keeps.is_some(), std::cmp::Reverse(one.bytes), one.name.clone()));
    unused
}

fn qualified(index: &Index) -> String {
    format!("{}.{}", index.schema, index.name)
}

/// What an index is for beside finding rows for queries.
fn keeps(index: &Index) -> Option<String> {
    let own = match index.constraint.as_deref() {
        Some("PRIMARY KEY") => Some("the primary key"),
        Some("UNIQUE") => Some("a unique constraint"),
        Some(_) => Some("an exclusion constraint"),
        None if index.unique => Some("uniqueness"),
        None => None,
    };
    let foreign = index.foreign_key.as_ref().map(|name| format!("foreign key {name}"));
    match (own, foreign) {
        (Some(own), Some(foreign)) => Some(format!("{own} and {foreign}")),
        (own, foreign) => own.map(str::to_owned).or(foreign),
    }
}

/// What writing takes, table by table.
struct Probes<'a> {
    bed: &'a Bed,
    /// Without a new index, by the table and what it is probed with.
    without: BTreeMap<(String, String), Result<Probe, String>>,
}

impl Probes<'_> {
    /// The index with what writing to its table takes beside it. None of the chosen is on the server when this begins or ends.
    async fn weighed(
        &mut self,
        chosen: Chosen,
        indexed: &Indexed,
        progress: &Progress,
    ) -> Result<SuggestedIndex, Failure> {
        let Chosen { candidate, built, saved, gained, lost, writers } = chosen;
        let table = &indexed.tables[&candidate.relation];
        progress.step(format!("writing to {}", table.sql));
        let session = open(self.bed).await?;
        let column = candidate.keys[0].sql.clone();
        let asked = (table.sql.clone(), column.clone());
        let column = (!table.partitioned).then_some(column);
        let before = match self.without.get(&asked) {
            Some(known) => known.clone(),
            None => {
                let probe = session.probe_writes(&table.sql, column.as_deref());
                let probe = probe.await.map_err(Failure::environment)?;
                self.without.insert(asked, probe.clone());
                probe
            }
        };
        let mut after = Err("the index could not be built once more".to_owned());
        let again = trials::build(&session, &table.sql, &candidate).await?;
        if let Ok(again) = again {
            let probe = session.probe_writes(&table.sql, column.as_deref());
            after = probe.await.map_err(Failure::environment)?;
            trials::drop(&session, &again).await?;
        }
        let written = |probe: &Probe| Written { wal_bytes: probe.wal_bytes, buffers: probe.buffers };
        let (probe, no_probe) = match (before, after) {
            (Ok(before), Ok(after)) if before.inserts == after.inserts => {
                let probe = WriteProbe {
                    command: if after.inserts { "insert" } else { "update" },
                    rows: after.rows,
                    before: written(&before),
                    after: written(&after),
                };
                (Some(probe), None)
            }
            (Err(why), _) | (_, Err(why)) => (None, Some(why)),
            _ => (None, Some("the probes aren't of the same kind".to_owned())),
        };
        let concurrently = if table.partitioned { "" } else { "CONCURRENTLY " };
        // A partial index doesn't do what a whole one does.
        let replaces = match candidate.predicate {
            Some(_) => Vec::new(),
            None => replaced(&candidate, &indexed.indexes).into_iter().map(qualified).collect(),
        };
        Ok(SuggestedIndex {
            ddl: format!(
                "CREATE INDEX {concurrently}{} ON {} {};",
                built.quoted,
                table.sql,
                candidate.columns()
            ),
            name: built.name,
            table: candidate.relation,
            saved_blocks: saved,
            bytes: built.bytes,
            build_ms: built.build_ms,
            build_wal_bytes: built.build_wal_bytes,
            gained,
            lost,
            writers,
            probe,
            no_probe,
            replaces,
        })
    }
}
