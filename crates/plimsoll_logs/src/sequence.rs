//! Sessions in the order of the log: bursts of one query, requests, who blocked whom, and durations that come on a line of
//! their own.
//!
//! The rule of bursts is that of [`plimsoll_traffic::burst`]; a log has no answers, so what fed a burst is told by the query
//! before it.

use std::collections::BTreeMap;

use plimsoll_core::traffic::BurstKind;
use plimsoll_traffic::burst::{GAP, LEAST, MOST_BETWEEN, MOST_RUNS};
use plimsoll_traffic::hashed::{ByNumber, Hashes};

use crate::blocking::Blocking;
use crate::steps::{Happening, Origin, Ran, Step, Values};
use crate::summary::{Bursts, Figures, Requests};

/// More sessions than that, and those that have been silent are forgotten.
const MOST_SESSIONS: usize = 50_000;
/// How long a session has been silent then, in microseconds.
const SILENCE_US: i64 = 60_000_000;
/// Values that differ are told apart up to this number.
const MOST_DISTINCT: usize = 10_000;

/// An origin, and the reader that has numbered it.
pub(crate) type OriginOf = (usize, Origin);

/// Bursts from one origin, of one kind, behind one query.
pub(crate) type BurstOf = (OriginOf, u64, BurstKind);

/// Follows sessions.
#[derive(Default)]
pub(crate) struct Sequence {
    sessions: ByNumber<u64, Session>,
    /// The session that a process has, or had last.
    by_process: ByNumber<u32, u64>,
    pub(crate) blocking: Blocking,
    pub(crate) told: Told,
}

/// What sessions have told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) bursts: BTreeMap<BurstOf, Bursts>,
    /// Requests by the hash of their route.
    pub(crate) requests: BTreeMap<u64, Requests>,
    /// Durations that came on lines of their own.
    pub(crate) late: BTreeMap<OriginOf, Figures>,
    /// Durations whose statement isn't in the log.
    pub(crate) untold: Figures,
}

#[derive(Default)]
struct Session {
    runs: Vec<Run>,
    /// The last query that reads or writes rows.
    last_query: u64,
    /// The last query of any kind.
    last_of_all: u64,
    last_end_us: i64,
    begun: Option<OriginOf>,
    is_traced: bool,
    request: Option<Request>,
}

/// Statements of one route that belong together: those of a trace, or of one session without a gap or a transaction's end.
struct Request {
    /// A hash.
    route: u64,
    statements: u64,
}

struct Run {
    of: OriginOf,
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
    /// Takes what a block tells, in the order of the log. `reader` has numbered its origins.
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

    /// Ends the bursts of sessions that are silent since then: their next statement would.
    pub(crate) fn close_silent(&mut self, before_us: i64) {
        for session in self.sessions.values_mut().filter(|session| session.last_end_us < before_us) {
            session.close_all(&mut self.told);
        }
    }

    /// The log is over.
    pub(crate) fn end(&mut self) {
        self.forget_silent(i64::MAX);
        self.blocking.end();
    }

    fn step(&mut self, reader: usize, step: &Step) {
        if let Happening::Blocked(blocked) = &step.happening {
            let (sessions, by_process) = (&self.sessions, &self.by_process);
            let last = |process: u32| {
                let session = by_process.get(&process).and_then(|session| sessions.get(session));
                session.map_or(0, |session| session.last_of_all)
            };
            return self.blocking.take(reader, step.ended_us, blocked, last);
        }
        let by_process = &mut self.by_process;
        let session = self.sessions.entry(step.session).or_insert_with(|| {
            by_process.insert(step.process, step.session);
            Session { is_traced: step.is_traced, ..Session::default() }
        });
        match &step.happening {
            Happening::Ran(ran) => {
                if !self.blocking.is_idle() {
                    let started_us = step.ended_us.saturating_sub_unsigned(ran.duration_us);
                    self.blocking.ran(step.process, ran.origin.query, started_us);
                }
                session.run(reader, step.ended_us, ran, &mut self.told);
            }
            Happening::Began { origin } => {
                session.begun = Some((reader, *origin));
                session.last_of_all = origin.query;
            }
            Happening::Lasted { duration_us } => match session.begun.take() {
                Some(origin) => self.told.late.entry(origin).or_default().time(*duration_us),
                None => self.told.untold.add(Some(*duration_us)),
            },
            Happening::Ended => {
                session.close_all(&mut self.told);
                session.close_request(&mut self.told);
                self.sessions.remove(&step.session);
                self.by_process.remove(&step.process);
                self.blocking.ended(step.process);
            }
            Happening::Blocked(_) => {}
        }
    }

    fn forget_silent(&mut self, before_us: i64) {
        let told = &mut self.told;
        self.sessions.retain(|_, session| {
            let stays = session.last_end_us >= before_us;
            if !stays {
                session.close_all(told);
                session.close_request(told);
            }
            stays
        });
        let sessions = &self.sessions;
        self.by_process.retain(|_, session| sessions.contains_key(session));
    }
}

impl Session {
    fn run(&mut self, reader: usize, ended_us: i64, ran: &Ran, told: &mut Told) {
        let started_us = ended_us.saturating_sub_unsigned(ran.duration_us);
        let gap_us = started_us.saturating_sub(self.last_end_us);
        let is_cut = ran.shape.ends_transaction || gap_us > GAP.as_micros() as i64;
        if is_cut {
            self.close_all(told);
        }
        self.last_end_us = ended_us;
        self.last_of_all = ran.origin.query;
        self.request(ran, is_cut, told);
        if !ran.shape.is_traffic {
            return;
        }
        let mut own = None;
        let mut at = 0;
        while at < self.runs.len() {
            let run = &mut self.runs[at];
            if run.ran.origin.query == ran.origin.query {
                own = Some(at);
            } else {
                run.between += 1;
                if run.between > MOST_BETWEEN {
                    self.runs.remove(at).close(&mut told.bursts);
                    continue;
                }
            }
            at += 1;
        }
        match own {
            Some(at) => self.runs[at].add(ended_us, ran),
            None if self.runs.len() < MOST_RUNS && ran.values.count > 0 => {
                self.runs.push(Run::new((reader, ran.origin), started_us, ended_us, *ran, self.last_query));
            }
            None => {}
        }
        self.last_query = ran.origin.query;
    }

    /// Counts a statement for its request; only a route makes one.
    fn request(&mut self, ran: &Ran, is_cut: bool, told: &mut Told) {
        let route = ran.origin.route;
        let goes_on =
            self.is_traced || !is_cut && self.request.as_ref().is_some_and(|request| request.route == route);
        if !goes_on {
            self.close_request(told);
        }
        if route != 0 && ran.shape.is_traffic {
            self.request.get_or_insert(Request { route, statements: 0 }).statements += 1;
        }
    }

    fn close_all(&mut self, told: &mut Told) {
        self.runs.drain(..).for_each(|run| run.close(&mut told.bursts));
        self.last_query = 0;
    }

    fn close_request(&mut self, told: &mut Told) {
        if let Some(Request { route, statements }) = self.request.take() {
            told.requests.entry(route).or_default().add(statements, self.is_traced);
        }
    }
}

impl Run {
    fn new(of: OriginOf, started_us: i64, ended_us: i64, ran: Ran, before: u64) -> Self {
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
        let origin = Origin { query, ..Origin::default() };
        Happening::Ran(Ran { origin, duration_us: 100, shape, values })
    }

    fn step(ended_us: i64, happening: Happening) -> Step {
        Step { session: 1, is_traced: false, process: 1, ended_us, happening }
    }

    /// Statements of one session, a millisecond apart but for pauses.
    fn bursts(happenings: &[Happening]) -> Vec<(u64, BurstKind, u64, u64)> {
        let mut sequence = Sequence::default();
        let steps: Vec<Step> =
            (0..).zip(happenings).map(|(number, happening)| step(number * 1000, happening.clone())).collect();
        sequence.take(0, &steps);
        sequence.end();
        let told = |((of, before, kind), bursts): (&BurstOf, &Bursts)| {
            (of.1.query, *kind, *before, bursts.statements)
        };
        sequence.told.bursts.iter().map(told).collect()
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
        let origin = Origin { query: 5, ..Origin::default() };
        let both = [Happening::Began { origin }, Happening::Lasted { duration_us: 70 }];
        sequence.take(2, &both.map(|happening| step(0, happening)));
        sequence.take(2, &[step(0, Happening::Lasted { duration_us: 80 })]);
        assert_eq!(sequence.told.late[&(2, origin)].total_us, 70);
        assert_eq!(sequence.told.untold.total_us, 80);
    }

    #[test]
    fn requests_are_those_of_a_route_up_to_a_gap_a_commit_or_another_route() {
        let of = |route: u64, shape| {
            let origin = Origin { query: 8, who: 0, route };
            Happening::Ran(Ran { origin, duration_us: 100, shape, values: Values::default() })
        };
        let commit = Shape { ends_transaction: true, ..Shape::default() };
        let happenings = [
            of(1, lookup()),
            of(1, lookup()),
            of(1, commit),
            of(1, lookup()),
            of(2, lookup()),
            of(0, lookup()),
        ];
        let mut steps: Vec<Step> =
            (0..).zip(happenings).map(|(number, one)| step(number * 1000, one)).collect();
        steps.push(step(500_000, of(1, lookup())));
        let sizes = |steps: &[Step]| {
            let mut sequence = Sequence::default();
            sequence.take(0, steps);
            sequence.end();
            let told = |(route, one): (&u64, &Requests)| (*route, one.requests, one.statements, one.most);
            sequence.told.requests.iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&steps), [(1, 3, 4, 2), (2, 1, 1, 1)]);
        // A trace tells what belongs together.
        steps.iter_mut().for_each(|step| step.is_traced = true);
        assert_eq!(sizes(&steps), [(1, 1, 5, 5)]);
    }
}
