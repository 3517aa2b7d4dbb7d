//! Candidates on trial: each is built alone and the queries of its table are measured; then the best are taken one by one, each beside
//! those that were taken before it.

use plimsoll_core::suggestions::{ChangedQuery, ChangedWriter, Written};
use plimsoll_core::{QueryVerdict, Thresholds};
use plimsoll_pg::queries::{
    BuiltIndex, Indexed, MeasuringSession, NewStatistics, Repeats, Taken, Thoroughness,
};
use plimsoll_regress::candidates::Candidate;
use plimsoll_regress::{Failed, compare};

use super::super::Asked;
use super::open;
use crate::corpus::CorpusQuery;
use crate::exit::Failure;
use crate::measuring::{Bed, MeasuredQuery, Way, measure_corpus};
use crate::progress::Progress;
use crate::query_report::{fingerprint, outcome};

/// A partial index is tried where its condition holds for this share of the rows at most.
const SELECTIVE: f64 = 0.25;

/// Of candidates that save as much but for this share, the simplest is taken.
const ABOUT_AS_MUCH: f64 = 0.95;

/// A candidate that was taken.
pub(super) struct Chosen {
    pub(super) candidate: Candidate,
    pub(super) built: BuiltIndex,
    /// Blocks over all queries and sets.
    pub(super) saved: i64,
    pub(super) gained: Vec<ChangedQuery>,
    pub(super) lost: Vec<ChangedQuery>,
    pub(super) writers: Vec<ChangedWriter>,
}

impl Chosen {
    fn new(candidate: Candidate, built: BuiltIndex) -> Self {
        Self { candidate, built, saved: 0, gained: Vec::new(), lost: Vec::new(), writers: Vec::new() }
    }
}

/// A candidate that was taken and is on the server.
struct Standing {
    of: Chosen,
    built: BuiltIndex,
}

/// A candidate that was built and measured.
struct Tried {
    of: Chosen,
    /// The queries of its table, by their places in the corpus, as they fare with it.
    measured: Vec<(usize, MeasuredQuery)>,
    /// Whether the queries' plans have changed since.
    is_stale: bool,
}

/// The server on which candidates are tried, and how the queries fare with those that were taken.
pub(super) struct Trials<'a> {
    asked: &'a Asked,
    bed: &'a Bed,
    indexed: &'a Indexed,
    progress: &'a Progress,
    current: Vec<MeasuredQuery>,
    tried: usize,
}

impl<'a> Trials<'a> {
    /// Measures all queries without any candidate.
    pub(super) async fn begin(
        asked: &'a Asked,
        bed: &'a Bed,
        indexed: &'a Indexed,
        progress: &'a Progress,
    ) -> Result<Self, Failure> {
        let current = measure(bed, &asked.corpus, asked, progress).await?;
        Ok(Self { asked, bed, indexed, progress, current, tried: 0 })
    }

    pub(super) fn measured(&self) -> &[MeasuredQuery] {
        &self.current
    }

    /// How many candidates were built.
    pub(super) fn tried(&self) -> usize {
        self.tried
    }

    /// Takes at most `most` of the candidates. They aren't on the server any more when this ends.
    pub(super) async fn choose(
        &mut self,
        candidates: Vec<Candidate>,
        most: usize,
    ) -> Result<Vec<Chosen>, Failure> {
        let mut pool = Vec::new();
        for candidate in candidates {
            if !self.is_selective(&candidate).await? {
                continue;
            }
            if let Some(tried) = self.try_out(candidate).await? {
                self.tried += 1;
                pool.extend(tried.helps().then_some(tried));
            }
        }
        let base = self.current.clone();
        let mut standing: Vec<Standing> = Vec::new();
        while standing.len() < most
            && let Some(at) = best(&pool)
        {
            let tried = pool.swap_remove(at);
            if tried.is_stale {
                let again = self.try_out(tried.of.candidate).await?;
                pool.extend(again.filter(Tried::helps));
                continue;
            }
            let is_beside = |other: &Tried| {
                !other.of.candidate.serves(&tried.of.candidate)
                    && !tried.of.candidate.serves(&other.of.candidate)
            };
            pool.retain(is_beside);
            for other in &mut pool {
                let shares = |(query, _): &(usize, MeasuredQuery)| {
                    tried.measured.iter().any(|(changed, _)| changed == query)
                };
                other.is_stale |= other.measured.iter().any(shares);
            }
            standing.extend(self.stand(tried).await?);
        }
        if self.leave_out_spare(&mut standing).await? {
            // What each saves hangs on those before it.
            self.drop_all(&standing).await?;
            self.current = base;
            for one in std::mem::take(&mut standing) {
                if let Some(tried) = self.try_out(one.of.candidate).await?.filter(Tried::helps) {
                    standing.extend(self.stand(tried).await?);
                }
            }
        }
        self.drop_all(&standing).await?;
        Ok(standing.into_iter().map(|one| one.of).collect())
    }

    /// Builds what was tried, to stay.
    async fn stand(&mut self, tried: Tried) -> Result<Option<Standing>, Failure> {
        let table = &self.indexed.tables[&tried.of.candidate.relation];
        let built = build(&open(self.bed).await?, &table.sql, &tried.of.candidate).await?;
        for (query, seen) in tried.measured {
            self.current[query] = seen;
        }
        // What was built a moment ago can be built again.
        Ok(built.ok().map(|built| Standing { of: tried.of, built }))
    }

    /// Drops those that save nothing beside those that were taken after them; says whether there were any.
    async fn leave_out_spare(&mut self, standing: &mut Vec<Standing>) -> Result<bool, Failure> {
        let mut at = 0;
        let all = standing.len();
        while at + 1 < standing.len() {
            let one = &standing[at];
            drop(&open(self.bed).await?, &one.built).await?;
            let with = self.current.clone();
            for (query, seen) in self.measure_touching(&one.of.candidate.relation).await? {
                self.current[query] = seen;
            }
            let mut gives = Chosen::new(one.of.candidate.clone(), one.built.clone());
            for (query, seen) in with.iter().enumerate() {
                self.judge(query, seen, &mut gives);
            }
            if gives.gained.is_empty() || gives.saved <= 0 {
                standing.remove(at);
                continue;
            }
            self.current = with;
            let table = &self.indexed.tables[&one.of.candidate.relation];
            if let Ok(built) = build(&open(self.bed).await?, &table.sql, &one.of.candidate).await? {
                standing[at].built = built;
            }
            at += 1;
        }
        Ok(standing.len() < all)
    }

    async fn drop_all(&self, standing: &[Standing]) -> Result<(), Failure> {
        let session = open(self.bed).await?;
        for one in standing {
            drop(&session, &one.built).await?;
        }
        Ok(())
    }

    /// Whether a partial index would leave most rows out.
    async fn is_selective(&self, candidate: &Candidate) -> Result<bool, Failure> {
        let Some(predicate) = &candidate.predicate else { return Ok(true) };
        let table = &self.indexed.tables[&candidate.relation];
        let share = open(self.bed).await?.share(&table.sql, predicate).await.map_err(Failure::environment)?;
        Ok(share.is_ok_and(|(some, all)| some as f64 <= all as f64 * SELECTIVE))
    }

    /// Builds a candidate, measures the queries of its table and drops it; nothing where PostgreSQL doesn't build it, as an index on an
    /// expression that isn't immutable.
    async fn try_out(&self, candidate: Candidate) -> Result<Option<Tried>, Failure> {
        let table = &self.indexed.tables[&candidate.relation];
        self.progress.step(format!("building an index on {} {}", table.sql, candidate.columns()));
        let built = {
            let session = open(self.bed).await?;
            match build(&session, &table.sql, &candidate).await? {
                Ok(built) => built,
                Err(_) => return Ok(None),
            }
        };
        let measured = self.measure_touching(&candidate.relation).await?;
        drop(&open(self.bed).await?, &built).await?;
        let mut of = Chosen::new(candidate, built);
        for (at, after) in &measured {
            self.judge(*at, after, &mut of);
        }
        Ok(Some(Tried { of, measured, is_stale: false }))
    }

    /// Measures the queries of a relation, by their places in the corpus.
    async fn measure_touching(&self, relation: &str) -> Result<Vec<(usize, MeasuredQuery)>, Failure> {
        let touching: Vec<usize> =
            (0..self.asked.corpus.len()).filter(|at| self.touches(*at, relation)).collect();
        let corpus: Vec<CorpusQuery> = touching.iter().map(|at| self.asked.corpus[*at].clone()).collect();
        let seen = measure(self.bed, &corpus, self.asked, self.progress).await?;
        Ok(touching.into_iter().zip(seen).collect())
    }

    /// Whether a plan of the query is about the relation, or about a part of it. What failed isn't run again for each candidate.
    fn touches(&self, query: usize, relation: &str) -> bool {
        self.current[query].sets.iter().flatten().any(|taken| self.finds(taken, relation, |_| true))
    }

    fn finds(
        &self,
        taken: &Taken,
        relation: &str,
        is_wanted: impl Fn(&plimsoll_core::PlanNode) -> bool,
    ) -> bool {
        let mut found = false;
        taken.plan.root.walk(&mut |node| {
            let its = node.qualified().unwrap_or_default();
            let root = self.indexed.roots.get(&its).unwrap_or(&its);
            found |= root == relation && is_wanted(node);
        });
        found
    }

    /// Holds a query's sets against how they fare without the candidate.
    fn judge(&self, at: usize, after: &MeasuredQuery, of: &mut Chosen) {
        let query = &self.asked.corpus[at];
        let before = &self.current[at];
        let text = fingerprint(&query.query);
        // What is measured is the plan: a query whose result never repeats is as good as any.
        let thresholds = Thresholds { compares_result: false, ..query.thresholds };
        for (set, (old, new)) in query.sets.iter().zip(before.sets.iter().zip(&after.sets)) {
            let name = query.name_with(set);
            let (was, is) = (outcome(old), outcome(new));
            let verdict =
                compare((&was, before.context(&text)), (&is, after.context(&text)), &thresholds).verdict;
            let changed = || ChangedQuery { query: name.clone(), before: blocks(old), after: blocks(new) };
            let writes = |seen: &Result<Taken, Failed>| {
                seen.as_ref().is_ok_and(|taken| {
                    let relation = &of.candidate.relation;
                    self.finds(taken, relation, |node| node.node_type == "ModifyTable")
                })
            };
            let is_writer = writes(new);
            if let (Some(old), Some(new)) = (blocks(old), blocks(new))
                && verdict != QueryVerdict::Same
            {
                of.saved += i64::try_from(old).unwrap_or(i64::MAX) - i64::try_from(new).unwrap_or(i64::MAX);
            }
            match verdict {
                QueryVerdict::Better | QueryVerdict::New => of.gained.push(changed()),
                QueryVerdict::Worse if !is_writer => of.lost.push(changed()),
                QueryVerdict::Failed => of.lost.push(changed()),
                _ => {}
            }
            if let (Ok(old), Ok(new), true) = (old, new, is_writer) {
                let (before, after) = (written(old), written(new));
                if before != after {
                    of.writers.push(ChangedWriter { query: name, before, after });
                }
            }
        }
    }
}

impl Tried {
    fn helps(&self) -> bool {
        !self.of.gained.is_empty() && self.of.saved > 0
    }
}

/// The place of the candidate that saves most; of those that save about as much, of the simplest.
fn best(pool: &[Tried]) -> Option<usize> {
    let most = pool.iter().map(|one| one.of.saved).max()?;
    let enough = most as f64 * ABOUT_AS_MUCH;
    (0..pool.len())
        .filter(|at| pool[*at].of.saved as f64 >= enough)
        .min_by_key(|at| (pool[*at].of.candidate.weight(), pool[*at].of.built.bytes, *at))
}

async fn measure(
    bed: &Bed,
    corpus: &[CorpusQuery],
    asked: &Asked,
    progress: &Progress,
) -> Result<Vec<MeasuredQuery>, Failure> {
    let known = |_| Thoroughness::Known(Repeats::Not);
    measure_corpus(bed, corpus, &asked.settings, 1, Way::Measured(&known), progress).await
}

/// Builds a candidate; what PostgreSQL says where it doesn't.
pub(super) async fn build(
    session: &MeasuringSession<'_>,
    table: &str,
    candidate: &Candidate,
) -> Result<Result<BuiltIndex, String>, Failure> {
    let is_name = |sql: &str| !sql.contains('(');
    let statistics = match candidate.keys.iter().all(|key| is_name(&key.sql)) {
        true => NewStatistics::Kept,
        false => NewStatistics::Taken,
    };
    session.build_index(table, &candidate.columns(), statistics).await.map_err(Failure::environment)
}

/// Drops what was built.
pub(super) async fn drop(session: &MeasuringSession<'_>, built: &BuiltIndex) -> Result<(), Failure> {
    let dropped = session.drop_index(built).await.map_err(Failure::environment)?;
    dropped.map_err(|why| Failure::environment(format!("drop index {} after its trial: {why}", built.name)))
}

fn blocks(seen: &Result<Taken, Failed>) -> Option<u64> {
    seen.as_ref().ok().map(|taken| taken.run.shared() + taken.run.temp())
}

fn written(taken: &Taken) -> Written {
    Written { wal_bytes: taken.run.wal.bytes, buffers: taken.run.shared() }
}
