//! Sessions in the order of the log: bursts of one query, and durations that come on a line of their own.
//!
//! The rule is that of [`plimsoll_traffic::burst`]; a log has no answers, so what fed a burst is told by the query before it.

use std::collections::BTreeMap;

use plimsoll_core::traffic::BurstKind;
use plimsoll_traffic::burst::{GAP, LEAST, MOST_BETWEEN, MOST_RUNS};
use plimsoll_traffic::hashed::{ByNumber, Hashes};

use crate::steps::{Happening, Ran, Step, Values};
use crate::summary::{Bursts, Figures};

/// More sessions than that, and those that have been silent are forgotten.
const MOST_SESSIONS: usize = 50_000;
/// How long a session has been silent then, in microseconds.
const SILENCE_US: i64 = 60_000_000;
/// Values that differ are told apart up to this number.
const MOST_DISTINCT: usize = 10_000;

/// A stream's number, and the reader that gave it.
pub(crate) type StreamOf = (usize, u32);

/// Bursts of one stream, of one kind, behind one query.
pub(crate) type BurstOf = (StreamOf, u64, BurstKind);

/// Follows sessions.
#[derive(Default)]
pub(crate) struct Sequence {
    sessions: ByNumber<u64, Session>,
    pub(crate) bursts: BTreeMap<BurstOf, Bursts>,
    /// Durations that came on lines of their own.
    pub(crate) late: BTreeMap<StreamOf, Figures>,
    /// Durations whose statement isn't in the log.
    pub(crate) untold: Figures,
}

#[derive(Default)]
struct Session {
    runs: Vec<Run>,
    /// The last query that reads or writes rows.
    last_query: u64,
    last_end_us: i64,
    begun: Option<StreamOf>,
}

struct Run {
    of: StreamOf,
    ran: Ran,
    before: u64,
    statements: u64,
    /// A bit for each value: whether it has changed.
    changed: u8,
    distinct: Hashes,
    between: usize,
    started_us: i64,
    ended_us: i64,
    in_database_us: u64,
}

impl Sequence {
    /// Takes what a block tells, in the order of the log. `reader` has numbered its streams.
    pub(crate) fn take(&mut self, reader: usize, steps: &[Step]) {
        for step in steps {
            self.step(reader, step);
        }
        if self.sessions.len() > MOST_SESSIONS
            && let Some(last) = steps.last()
        {
            self.forget_silent(last.ended_us - SILENCE_US);
        }
    }

    /// The log is over.
    pub(crate) fn end(&mut self) {
        self.forget_silent(i64::MAX);
    }

    fn step(&mut self, reader: usize, step: &Step) {
        let session = self.sessions.entry(step.session).or_default();
        match step.happening {
            Happening::Ran(ran) => session.run(reader, step.ended_us, ran, &mut self.bursts),
            Happening::Began { stream } => session.begun = Some((reader, stream)),
            Happening::Lasted { duration_us } => match session.begun.take() {
                Some(stream) => self.late.entry(stream).or_default().time(duration_us),
                None => self.untold.add(Some(duration_us)),
            },
            Happening::Ended => {
                session.close_all(&mut self.bursts);
                self.sessions.remove(&step.session);
            }
        }
    }

    fn forget_silent(&mut self, before_us: i64) {
        let bursts = &mut self.bursts;
        self.sessions.retain(|_, session| {
            let stays = session.last_end_us >= before_us;
            if !stays {
                session.close_all(bursts);
            }
            stays
        });
    }
}

impl Session {
    fn run(&mut self, reader: usize, ended_us: i64, ran: Ran, bursts: &mut BTreeMap<BurstOf, Bursts>) {
        let started_us = ended_us.saturating_sub_unsigned(ran.duration_us);
        let gap_us = started_us.saturating_sub(self.last_end_us);
        if ran.shape.ends_transaction || gap_us > GAP.as_micros() as i64 {
            self.close_all(bursts);
        }
        self.last_end_us = ended_us;
        if !ran.shape.is_traffic {
            return;
        }
        let mut own = None;
        let mut at = 0;
        while at < self.runs.len() {
            let run = &mut self.runs[at];
            if run.ran.query == ran.query {
                own = Some(at);
            } else {
                run.between += 1;
                if run.between > MOST_BETWEEN {
                    self.runs.remove(at).close(bursts);
                    continue;
                }
            }
            at += 1;
        }
        match own {
            Some(at) => self.runs[at].add(ended_us, &ran),
            None if self.runs.len() < MOST_RUNS && ran.values.count > 0 => {
                self.runs.push(Run::new((reader, ran.stream), started_us, ended_us, ran, self.last_query));
            }
            None => {}
        }
        self.last_query = ran.query;
    }

    fn close_all(&mut self, bursts: &mut BTreeMap<BurstOf, Bursts>) {
        self.runs.drain(..).for_each(|run| run.close(bursts));
        self.last_query = 0;
    }
}

impl Run {
    fn new(of: StreamOf, started_us: i64, ended_us: i64, ran: Ran, before: u64) -> Self {
        Self {
            of,
            ran,
            before,
            statements: 1,
            changed: 0,
            distinct: Hashes::default(),
            between: 0,
            started_us,
            ended_us,
            in_database_us: ran.duration_us,
        }
    }

    fn add(&mut self, ended_us: i64, ran: &Ran) {
        if self.statements == 1 {
            self.distinct.insert(self.ran.values.together());
        }
        self.statements += 1;
        self.between = 0;
        self.ended_us = ended_us;
        self.in_database_us += ran.duration_us;
        if self.distinct.len() < MOST_DISTINCT {
            self.distinct.insert(ran.values.together());
        }
        for (position, (first, value)) in self.ran.values.hashes.iter().zip(&ran.values.hashes).enumerate() {
            self.changed |= u8::from(first != value) << position;
        }
    }

    fn close(self, bursts: &mut BTreeMap<BurstOf, Bursts>) {
        if self.statements < LEAST {
            return;
        }
        let Some(kind) = self.kind() else { return };
        let figures = bursts.entry((self.of, self.before, kind)).or_default();
        let lasted_us = self.ended_us.saturating_sub(self.started_us).max(0) as u64;
        figures.bursts += 1;
        figures.statements += self.statements;
        figures.most = figures.most.max(self.statements);
        figures.in_database_us += self.in_database_us;
        figures.between_us += lasted_us.saturating_sub(self.in_database_us);
        figures.trend.add(self.started_us, self.statements, lasted_us);
    }

    fn kind(&self) -> Option<BurstKind> {
        let shape = self.ran.shape;
        // No more are told apart, so no more can be asked for.
        if self.distinct.len() * 2 < (self.statements as usize).min(MOST_DISTINCT) {
            return Some(BurstKind::Repetition);
        }
        if shape.inserts {
            return Some(BurstKind::WriteLoop);
        }
        if self.changed & shape.equated != 0 {
            return Some(if shape.writes { BurstKind::WriteLoop } else { BurstKind::NPlusOne });
        }
        shape.pages.then_some(BurstKind::Paging)
    }
}

impl Values {
    /// One hash of all.
    fn together(&self) -> u64 {
        // The multiplier is that of FNV-1a.
        self.hashes.iter().fold(u64::from(self.count), |hash, value| {
            (hash ^ u64::from(*value)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Shape;

    fn lookup() -> Shape {
        Shape { is_traffic: true, equated: 1, ..Shape::default() }
    }

    fn ran(query: u64, value: u64, shape: Shape) -> Happening {
        let mut values = Values { count: 1, ..Values::default() };
        values.hashes[0] = value as u32;
        Happening::Ran(Ran { stream: query as u32, query, duration_us: 100, shape, values })
    }

    /// Statements of one session, a millisecond apart but for pauses.
    fn bursts(happenings: &[Happening]) -> Vec<(u64, BurstKind, u64, u64)> {
        let mut sequence = Sequence::default();
        let steps: Vec<Step> = (0..)
            .zip(happenings)
            .map(|(number, happening)| Step { session: 1, ended_us: number * 1000, happening: *happening })
            .collect();
        sequence.take(0, &steps);
        sequence.end();
        sequence
            .bursts
            .iter()
            .map(|((of, before, kind), bursts)| (u64::from(of.1), *kind, *before, bursts.statements))
            .collect()
    }

    #[test]
    fn a_lookup_for_each_row_is_told_with_the_query_before() {
        let all = Shape { is_traffic: true, ..Shape::default() };
        let mut steps = vec![ran(7, 1, all)];
        steps.extend((0..9).map(|value| ran(8, value, lookup())));
        assert_eq!(bursts(&steps), [(8, BurstKind::NPlusOne, 7, 9)]);
    }

    #[test]
    fn four_are_no_burst_and_a_commit_ends_one() {
        let commit = ran(1, 0, Shape { ends_transaction: true, ..Shape::default() });
        let mut steps: Vec<Happening> = (0..4).map(|value| ran(8, value, lookup())).collect();
        steps.push(commit);
        steps.extend((0..4).map(|value| ran(8, value, lookup())));
        assert_eq!(bursts(&steps), []);
    }

    #[test]
    fn the_same_value_is_a_repetition_and_writes_are_loops() {
        let same: Vec<Happening> = (0..6).map(|_| ran(8, 5, lookup())).collect();
        assert_eq!(bursts(&same), [(8, BurstKind::Repetition, 0, 6)]);
        let insert = Shape { inserts: true, ..lookup() };
        let inserts: Vec<Happening> = (0..6).map(|value| ran(8, value, insert)).collect();
        assert_eq!(bursts(&inserts), [(8, BurstKind::WriteLoop, 0, 6)]);
        let page = Shape { equated: 0, pages: true, ..lookup() };
        let pages: Vec<Happening> = (0..6).map(|value| ran(8, value, page)).collect();
        assert_eq!(bursts(&pages), [(8, BurstKind::Paging, 0, 6)]);
    }

    #[test]
    fn others_between_end_a_burst_from_the_fourth_on() {
        let with = |others: u64| -> Vec<Happening> {
            (0..6)
                .flat_map(|value| {
                    let between = (0..others).map(|other| ran(100 + other, 0, lookup()));
                    std::iter::once(ran(8, value, lookup())).chain(between).collect::<Vec<_>>()
                })
                .collect()
        };
        assert!(bursts(&with(3)).iter().any(|burst| burst.0 == 8));
        assert!(bursts(&with(4)).iter().all(|burst| burst.0 != 8));
    }

    #[test]
    fn a_duration_on_its_own_line_finds_its_statement() {
        let mut sequence = Sequence::default();
        let step = |happening| Step { session: 1, ended_us: 0, happening };
        sequence
            .take(2, &[step(Happening::Began { stream: 5 }), step(Happening::Lasted { duration_us: 70 })]);
        sequence.take(2, &[step(Happening::Lasted { duration_us: 80 })]);
        assert_eq!(sequence.late[&(2, 5)].total_us, 70);
        assert_eq!(sequence.untold.total_us, 80);
    }
}
