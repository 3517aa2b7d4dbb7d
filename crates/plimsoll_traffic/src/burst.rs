//! Bursts: runs of one query on one connection, and what they are.
//!
//! A run is at least [`LEAST`] statements of one fingerprint with at most [`MOST_BETWEEN`] others between two of them, and
//! ends with its transaction, or when nothing comes for [`GAP`]. On traffic whose N+1 were known, this rule found all of
//! them, and 995 of 1,000 that it found were some.

use std::time::Duration;

use plimsoll_core::traffic::{Burst, BurstKind, Feeder};
use plimsoll_sql::normal_form::ValuePlace;

use crate::hashed::Hashes;
use crate::observed::{Ending, Observed};
use crate::query::{SeenQuery, ms};
use crate::rows::{Answers, MOST_FOLLOWED, Walk, feeder};

/// Fewer statements are no burst.
pub const LEAST: u64 = 5;
/// More statements of other queries between two of a burst end it.
pub const MOST_BETWEEN: usize = 3;
/// A longer pause ends a burst.
pub const GAP: Duration = Duration::from_millis(100);

/// As many runs of one session are open at once.
pub const MOST_RUNS: usize = 16;
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
    answers: Answers,
    last_end: Duration,
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
    /// Values of the first [`LEAST`] statements, [`Self::followed`] of each.
    opening: Vec<u64>,
    /// Where its values came from, row by row.
    walks: Vec<Walk>,
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
        if ends_transaction(text) || observed.started.saturating_sub(self.last_end) > GAP {
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
        self.answers.remember(step.query, observed);
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

/// Whether a normal form ends a transaction.
#[must_use]
pub fn ends_transaction(text: &str) -> bool {
    text == "commit" || (text.starts_with("rollback") && !text.starts_with("rollback to"))
}

/// Statements that read or write rows; others don't count, not even between those that do.
#[must_use]
pub fn is_traffic(text: &str) -> bool {
    let first = text.split([' ', '(']).next().unwrap_or_default();
    matches!(
        first,
        "select" | "with" | "insert" | "update" | "delete" | "merge" | "values" | "table" | "call"
    )
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
            opening: Vec::new(),
            walks: Vec::new(),
            votes: Vec::new(),
            numbers: step.places.iter().map(|place| place.number).collect(),
        }
    }

    fn add(&mut self, step: &Step<'_>, unwaited: bool, answers: &mut Answers) {
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
            self.open(&first);
        }
        self.vote(step.values, answers);
        if self.statements < LEAST {
            self.open(step.values);
        } else if self.statements == LEAST {
            self.open(step.values);
            self.walks = answers.walks(self.query, &self.opening, self.followed());
        } else {
            self.walks.iter_mut().for_each(|walk| walk.step(step.values, answers));
        }
    }

    fn open(&mut self, values: &[u64]) {
        let none = std::iter::repeat(0);
        self.opening.extend(values.iter().copied().chain(none).take(self.followed()));
    }

    /// How many of a statement's values are followed.
    fn followed(&self) -> usize {
        self.first.len().min(MOST_FOLLOWED)
    }

    /// The walk that most statements went with.
    fn walk(&self) -> Option<&Walk> {
        let changing = self.walks.iter().rev().filter(|walk| self.changed[walk.position]);
        changing.filter(|walk| walk.followed().is_some()).max_by_key(|walk| walk.followed())
    }

    /// Looks for the values that change in the last answers, the latest first.
    fn vote(&mut self, values: &[u64], answers: &mut Answers) {
        let changing = values.iter().zip(&self.changed).filter(|(value, changed)| **changed && **value != 0);
        let changing: Vec<u64> = changing.map(|(value, _)| *value).collect();
        for rows in answers.others(self.query) {
            let Some(column) = changing.iter().find_map(|value| rows.column_of(*value)) else { continue };
            match self.votes.iter_mut().find(|vote| (vote.query, vote.column) == (rows.query, column)) {
                Some(vote) => vote.statements += 1,
                None => {
                    let name = rows.name(column);
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
        let fed_by = (kind == BurstKind::NPlusOne).then(|| self.feeder(queries)).flatten();
        ended.add(Burst {
            kind,
            fingerprint: queries[self.query].fingerprint.to_string(),
            session: self.session,
            statements: self.statements,
            distinct: self.distinct.len() as u64,
            started_ms: since(self.started),
            ended_ms: since(self.ended),
            waited_ms: ms(self.waited),
            fed_by,
            spared,
            application: self.application,
            tags: self.tags,
        });
    }

    /// Where its values came from, if at least half of them did.
    fn feeder(&self, queries: &[SeenQuery]) -> Option<Feeder> {
        if let Some(walk) = self.walk() {
            return Some(walk.feeder(queries));
        }
        // Of several that fed as many the latest counts, which stands first.
        let vote = self.votes.iter().rev().max_by_key(|vote| vote.statements)?;
        let of_vote = || feeder(&queries[vote.query], vote.name.as_ref(), vote.column, vote.statements);
        (vote.statements * 2 >= self.statements).then(of_vote)
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
        // Rows that share a foreign key are gone through all the same.
        let walks = || self.walk().is_some_and(|walk| is_equated(text, self.numbers[walk.position]));
        // No more are told apart, so no more can be asked for.
        if distinct * 2 < self.statements.min(MOST_DISTINCT as u64) && !walks() {
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

/// Whether `$number` is compared for equality in a normal form: it stands behind an equals sign, or, with its casts, before one,
/// as in what SQLAlchemy loads lazily (`$1::integer = books.author_id`).
#[must_use]
pub fn is_equated(text: &str, number: usize) -> bool {
    let place = format!("${number}");
    let whole = |at: usize| !text[at + place.len()..].starts_with(|letter: char| letter.is_ascii_digit());
    let mut places = text.match_indices(&place).filter(|(at, _)| number > 0 && whole(*at));
    places.any(|(at, _)| {
        let before = text[..at].trim_end_matches([' ', '(']);
        let sign = before.strip_suffix("any").unwrap_or(before).trim_end();
        let behind = without_casts(&text[at + place.len()..]).trim_start_matches([' ', ')']);
        sign.strip_suffix('=').is_some_and(|rest| !rest.ends_with(['<', '>', '!']))
            || behind.strip_prefix('=').is_some_and(|rest| !rest.starts_with('>'))
    })
}

/// What follows the casts at a text's begin.
fn without_casts(mut text: &str) -> &str {
    while let Some(cast) = text.strip_prefix("::") {
        text = cast.trim_start_matches(|letter: char| {
            letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '"')
        });
    }
    text
}

#[cfg(test)]
mod equality_tests {
    use super::*;

    #[test]
    fn equality_is_seen_on_either_side_of_the_sign() {
        for (text, expected) in [
            ("select * from t where a = $1", true),
            ("select * from t where a = any ($1)", true),
            ("select * from t where $1 = a", true),
            ("select * from t where $1::integer = a", true),
            ("select * from t where ($1::public.\"Kind\"::text) = a", true),
            ("select * from t where a = $12", false),
            ("select * from t where a > $1", false),
            ("select * from t where a <= $1 and b", false),
            ("select * from t where $1::integer <> a", false),
            ("select f(a => $1)", false),
            ("select f($1 => a)", false),
            ("select * from t limit $1", false),
        ] {
            assert_eq!(is_equated(text, 1), expected, "{text}");
        }
    }
}
