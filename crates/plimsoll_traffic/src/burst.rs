//! Bursts: runs of one query on one connection, and what they are.
//!
//! A run is at least [`LEAST`] statements of one fingerprint with at most [`MOST_BETWEEN`] others between two of them, and
//! ends with its transaction, or when nothing comes for [`GAP`]. On traffic whose N+1 were known, this rule found all of
//! them, and 995 of 1,000 that it found were some.

use std::collections::VecDeque;
use std::time::Duration;

use plimsoll_core::traffic::{Burst, BurstKind, Feeder};
use plimsoll_sql::normal_form::ValuePlace;

use crate::hashed::{ByNumber, Hashes};
use crate::observed::{Ending, Observed};
use crate::query::{SeenQuery, ms};

const LEAST: u64 = 5;
const MOST_BETWEEN: usize = 3;
const GAP: Duration = Duration::from_millis(100);

/// As many runs of one session are open at once.
const MOST_RUNS: usize = 16;
/// As many answers are looked into for where values came from.
const MOST_ANSWERS: usize = 8;
/// As many bursts are told one by one.
const MOST_BURSTS: usize = 1000;
/// Values that differ are told apart up to this number.
const MOST_DISTINCT: usize = 10_000;

/// A statement, with what the collector knows of it.
pub(crate) struct Step<'a> {
    /// Its query.
    pub(crate) query: usize,
    /// Hashes of its values in the order of its normal form.
    pub(crate) values: &'a [u64],
    pub(crate) all_values: u64,
    /// Where those values stand, and their numbers in the normal form.
    pub(crate) places: &'a [ValuePlace],
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) observed: &'a Observed<'a>,
    /// When the first statement of all began.
    pub(crate) began: Duration,
}

/// Bursts that have ended.
#[derive(Default)]
pub(crate) struct Ended {
    bursts: Vec<Burst>,
    unlisted: u64,
}

impl Ended {
    /// The bursts in the order in which they began, and how many others there were.
    pub(crate) fn told(mut self) -> (Vec<Burst>, u64) {
        self.bursts.sort_by(|a, b| a.started_ms.total_cmp(&b.started_ms).then(a.session.cmp(&b.session)));
        (self.bursts, self.unlisted)
    }

    fn add(&mut self, burst: Burst) {
        if self.bursts.len() < MOST_BURSTS {
            self.bursts.push(burst);
        } else {
            self.unlisted += 1;
        }
    }
}

/// One session's open runs.
#[derive(Default)]
pub(crate) struct Bursts {
    runs: Vec<Run>,
    answers: VecDeque<Rows>,
    last_end: Duration,
}

/// The rows of an answer, to be found in later statements' values.
struct Rows {
    query: usize,
    columns: usize,
    values: Vec<u64>,
    names: Vec<Option<String>>,
    /// Column by value, made when the first value is looked for.
    by_value: Option<ByNumber<u64, usize>>,
}

struct Run {
    query: usize,
    session: usize,
    application: String,
    tags: Vec<(String, String)>,
    began: Duration,
    /// The first statement's values.
    first: Vec<u64>,
    /// Which values have changed, by position.
    changed: Vec<bool>,
    distinct: Hashes,
    statements: u64,
    failures: u64,
    /// Statements sent before the one before them was answered.
    unwaited: u64,
    /// Statements of other queries since the last of this one.
    between: usize,
    started: Duration,
    ended: Duration,
    waited: Duration,
    /// Where its values came from.
    votes: Vec<Vote>,
    /// Position by number of `$n`.
    numbers: Vec<usize>,
}

/// So many statements had a value from this column of this query's rows.
struct Vote {
    query: usize,
    column: usize,
    name: Option<String>,
    statements: u64,
}

impl Bursts {
    pub(crate) fn step(&mut self, step: Step<'_>, queries: &[SeenQuery], ended: &mut Ended) {
        let observed = step.observed;
        let text = &*queries[step.query].text;
        let ends_transaction =
            text == "commit" || (text.starts_with("rollback") && !text.starts_with("rollback to"));
        if ends_transaction || observed.started.saturating_sub(self.last_end) > GAP {
            self.close_all(queries, ended);
        }
        let unwaited = observed.started == self.last_end && self.last_end > Duration::ZERO;
        self.last_end = observed.ended;
        if !is_traffic(text) || observed.resumed {
            return;
        }
        let mut at = 0;
        let mut own = None;
        while at < self.runs.len() {
            let run = &mut self.runs[at];
            if run.query == step.query {
                own = Some(at);
            } else {
                run.between += 1;
                if run.between > MOST_BETWEEN {
                    self.runs.swap_remove(at).close(queries, ended);
                    // What was swapped to its place comes next.
                    continue;
                }
            }
            at += 1;
        }
        // A removal may have moved it.
        let own = own.and_then(|_| self.runs.iter().position(|run| run.query == step.query));
        match own {
            Some(at) => self.runs[at].add(&step, unwaited, &mut self.answers),
            None if self.runs.len() < MOST_RUNS && !step.values.is_empty() => self.runs.push(Run::new(&step)),
            None => {}
        }
        self.remember_answer(&step);
    }

    /// Of one row's values nobody can tell that they were gone through.
    fn remember_answer(&mut self, step: &Step<'_>) {
        let (columns, values) = (step.observed.answer.columns(), step.observed.answer.values());
        if columns == 0 || values.len() < 2 * columns {
            return;
        }
        // The last answer of each query: a burst's own answers must not push out the one that feeds it.
        self.answers.retain(|rows| rows.query != step.query);
        if self.answers.len() >= MOST_ANSWERS {
            self.answers.pop_front();
        }
        let names = (0..columns).map(|column| step.observed.answer.name(column)).collect();
        self.answers.push_back(Rows {
            query: step.query,
            columns,
            values: values.to_vec(),
            names,
            by_value: None,
        });
    }

    /// The session has ended.
    pub(crate) fn end(mut self, queries: &[SeenQuery], ended: &mut Ended) {
        self.close_all(queries, ended);
    }

    fn close_all(&mut self, queries: &[SeenQuery], ended: &mut Ended) {
        for run in self.runs.drain(..) {
            run.close(queries, ended);
        }
        self.answers.clear();
    }
}

/// Statements that read or write rows; others don't count, not even between those that do.
fn is_traffic(text: &str) -> bool {
    let first = text.split([' ', '(']).next().unwrap_or_default();
    matches!(
        first,
        "select" | "with" | "insert" | "update" | "delete" | "merge" | "values" | "table" | "call"
    )
}

impl Rows {
    fn column_of(&mut self, value: u64) -> Option<usize> {
        let by_value = self.by_value.get_or_insert_with(|| {
            // Of equal values in several columns the first column counts.
            let values = self.values.iter().enumerate().rev();
            values.map(|(at, value)| (*value, at % self.columns)).collect()
        });
        by_value.get(&value).copied()
    }
}

impl Run {
    fn new(step: &Step<'_>) -> Self {
        let observed = step.observed;
        Self {
            query: step.query,
            session: observed.session,
            application: observed.application.to_owned(),
            tags: step.tags.clone(),
            began: step.began,
            first: step.values.to_vec(),
            changed: vec![false; step.values.len()],
            distinct: Hashes::from_iter([step.all_values]),
            statements: 1,
            failures: u64::from(observed.ending == Ending::Failed),
            unwaited: 0,
            between: 0,
            started: observed.started,
            ended: observed.ended,
            waited: observed.ended.saturating_sub(observed.started),
            votes: Vec::new(),
            numbers: step.places.iter().map(|place| place.number).collect(),
        }
    }

    fn add(&mut self, step: &Step<'_>, unwaited: bool, answers: &mut VecDeque<Rows>) {
        let observed = step.observed;
        self.statements += 1;
        self.failures += u64::from(observed.ending == Ending::Failed);
        self.unwaited += u64::from(unwaited);
        self.between = 0;
        self.ended = observed.ended;
        self.waited += observed.ended.saturating_sub(observed.started);
        if self.distinct.len() < MOST_DISTINCT {
            self.distinct.insert(step.all_values);
        }
        for (changed, (first, value)) in self.changed.iter_mut().zip(self.first.iter().zip(step.values)) {
            *changed |= first != value;
        }
        if self.statements == 2 {
            let first = self.first.clone();
            self.vote(&first, answers);
        }
        self.vote(step.values, answers);
    }

    /// Looks for the values that change in the last answers, the latest first.
    fn vote(&mut self, values: &[u64], answers: &mut VecDeque<Rows>) {
        let changing = values.iter().zip(&self.changed).filter(|(value, changed)| **changed && **value != 0);
        let changing: Vec<u64> = changing.map(|(value, _)| *value).collect();
        for rows in answers.iter_mut().rev().filter(|rows| rows.query != self.query) {
            let Some(column) = changing.iter().find_map(|value| rows.column_of(*value)) else { continue };
            match self.votes.iter_mut().find(|vote| (vote.query, vote.column) == (rows.query, column)) {
                Some(vote) => vote.statements += 1,
                None => {
                    let name = rows.names.get(column).cloned().flatten();
                    self.votes.push(Vote { query: rows.query, column, name, statements: 1 });
                }
            }
        }
    }

    fn close(self, queries: &[SeenQuery], ended: &mut Ended) {
        if self.statements < LEAST {
            return;
        }
        let Some(kind) = self.kind(&queries[self.query].text) else { return };
        // More than one statement for all would still have been needed once.
        let spared =
            if matches!(kind, BurstKind::NPlusOne | BurstKind::WriteLoop) { self.statements - 1 } else { 0 };
        let since = |moment: Duration| ms(moment.saturating_sub(self.began));
        // Of several that fed as many the latest counts, which stands first.
        let feeder = self.votes.iter().rev().max_by_key(|vote| vote.statements);
        let feeder =
            feeder.filter(|vote| vote.statements * 2 >= self.statements && kind == BurstKind::NPlusOne);
        ended.add(Burst {
            kind,
            fingerprint: queries[self.query].fingerprint.to_string(),
            session: self.session,
            statements: self.statements,
            distinct: self.distinct.len() as u64,
            started_ms: since(self.started),
            ended_ms: since(self.ended),
            waited_ms: ms(self.waited),
            fed_by: feeder.map(|vote| Feeder {
                fingerprint: queries[vote.query].fingerprint.to_string(),
                query: queries[vote.query].text.clone(),
                column: vote.name.clone().unwrap_or_else(|| (vote.column + 1).to_string()),
                statements: vote.statements,
            }),
            spared,
            application: self.application,
            tags: self.tags,
        });
    }

    /// What the run is; nothing for what is no burst of one query for each item.
    fn kind(&self, text: &str) -> Option<BurstKind> {
        let distinct = self.distinct.len() as u64;
        if self.failures * 4 >= self.statements {
            return Some(BurstKind::Retry);
        }
        if self.unwaited * 2 >= self.statements {
            return Some(BurstKind::Batch);
        }
        if distinct * 2 < self.statements {
            return Some(BurstKind::Repetition);
        }
        let first = text.split(' ').next().unwrap_or_default();
        if first == "insert" {
            return Some(BurstKind::WriteLoop);
        }
        let mut changed = self.numbers.iter().zip(&self.changed).filter(|(_, changed)| **changed);
        if changed.any(|(number, _)| is_equated(text, *number)) {
            let writes = matches!(first, "update" | "delete" | "merge");
            return Some(if writes { BurstKind::WriteLoop } else { BurstKind::NPlusOne });
        }
        let pages = [" limit $", " offset $", " fetch first ", " fetch next "]
            .iter()
            .any(|words| text.contains(words));
        pages.then_some(BurstKind::Paging)
    }
}

/// Whether `$number` stands behind an equals sign.
fn is_equated(text: &str, number: usize) -> bool {
    let place = format!("${number}");
    let whole = |at: usize| !text[at + place.len()..].starts_with(|letter: char| letter.is_ascii_digit());
    let mut places = text.match_indices(&place).filter(|(at, _)| number > 0 && whole(*at));
    places.any(|(at, _)| {
        let before = text[..at].trim_end_matches([' ', '(']);
        let sign = before.strip_suffix("any").unwrap_or(before).trim_end();
        sign.strip_suffix('=').is_some_and(|rest| !rest.ends_with(['<', '>', '!']))
    })
}
