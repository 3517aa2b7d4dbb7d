//! What one reader counts. Readers work side by side, and their tallies become one summary.

use plimsoll_core::traffic::BurstKind;
use plimsoll_sql::sqlcommenter;
use plimsoll_traffic::burst::{ends_transaction, is_equated, is_traffic};
use plimsoll_traffic::hashed::ByNumber;
use plimsoll_traffic::texts::{Query as Numbered, Texts};
use twox_hash::XxHash3_64;

use crate::counts::Counts;
use crate::happened;
use crate::message::lock_wait::WaitState;
use crate::message::{self, Deadlock, Event, LoggedPlan, Phase, Statement, understand};
use crate::record::Record;
use crate::severity::Severity;
use crate::slow_plan::slow_plan;
use crate::steps::{Blocked, Happening, MOST_VALUES, Origin, Ran, Shape, Step, Values};
use crate::summary::{Burst, DeadlockEdge, Figures, LockWait, Query, SlowPlan, Stream, Summary, Trend, Who};

/// After so many different queries what was counted is put aside, where there is bounded room.
const MOST_QUERIES: usize = 2500;
/// After so many streams, too.
const MOST_STREAMS: usize = 5000;
/// More applications and addresses, or routes, count as unknown ones.
const MOST_NAMES: usize = 20_000;

/// See the module.
pub(crate) struct Tally {
    texts: Texts,
    queries: Vec<Known>,
    whos: Numbers<Who>,
    /// By their hash.
    routes: ByNumber<u64, String>,
    waits: Numbers<LockWait>,
    streams: ByNumber<u64, u32>,
    stream_list: Vec<StreamFigures>,
    rest: Summary,
    /// What the last block tells of sessions.
    pub(crate) steps: Vec<Step>,
}

struct Known {
    fingerprint: u64,
    text: String,
    shape: Shape,
    trend: Trend,
    plan: Option<SlowPlan>,
}

struct StreamFigures {
    origin: Origin,
    figures: Figures,
}

/// Things by number.
struct Numbers<T> {
    by_hash: ByNumber<u64, u32>,
    list: Vec<T>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { by_hash: ByNumber::default(), list: Vec::new() }
    }
}

impl<T> Numbers<T> {
    fn number(&mut self, hash: u64, make: impl FnOnce() -> T) -> u32 {
        if let Some(number) = self.by_hash.get(&hash) {
            return *number;
        }
        if self.list.len() >= MOST_NAMES {
            return u32::MAX;
        }
        self.list.push(make());
        let number = self.list.len() as u32 - 1;
        self.by_hash.insert(hash, number);
        number
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.list.get(number as usize)
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            texts: Texts::new(MOST_QUERIES),
            queries: Vec::new(),
            whos: Numbers::default(),
            routes: ByNumber::default(),
            waits: Numbers::default(),
            streams: ByNumber::default(),
            stream_list: Vec::new(),
            rest: Summary::default(),
            steps: Vec::new(),
        }
    }
}

impl Tally {
    /// Where what was read is counted.
    pub(crate) fn counts(&mut self) -> &mut Counts {
        &mut self.rest.counts
    }

    /// Takes a record.
    pub(crate) fn take(&mut self, record: &Record<'_>) {
        if let Some(time_us) = record.time_us {
            self.rest.reach(time_us);
        }
        match understand(record) {
            Event::Statement(statement) => self.statement(record, &statement),
            event => self.other(record, &event),
        }
    }

    fn other(&mut self, record: &Record<'_>, event: &Event<'_>) {
        let query = match event {
            Event::Plan(plan) => plan.query().map_or(0, |text| self.fingerprint(&text)),
            _ if record.statement.is_empty() => 0,
            Event::LockWait(_) | Event::TemporaryFile(_) => self.fingerprint(record.statement),
            _ if record.severity >= Severity::Error => self.fingerprint(record.statement),
            _ => 0,
        };
        match event {
            Event::Plan(plan) => self.plan(record, plan, query),
            Event::LockWait(wait) => self.lock_wait(record, wait, query),
            Event::Deadlock(deadlock) => self.deadlock(record, deadlock),
            _ if happened::ends_session(event) => self.step(record, 0, Happening::Ended),
            _ => {}
        }
        happened::count(&mut self.rest, record, event, query);
    }

    /// Keeps the slowest plan of a query.
    fn plan(&mut self, record: &Record<'_>, plan: &LoggedPlan<'_>, fingerprint: u64) {
        let known = self.queries.iter_mut().find(|known| known.fingerprint == fingerprint);
        if let Some(known) = known
            && known.plan.as_ref().is_none_or(|slowest| slowest.duration_us <= plan.duration_us)
        {
            known.plan = known.plan.take().max(slow_plan(record.message, plan.duration_us));
        }
    }

    fn lock_wait(&mut self, record: &Record<'_>, wait: &message::LockWait<'_>, query: u64) {
        let is_over = !matches!(wait.state, WaitState::Waiting);
        let key = happened::lock_wait(wait, query);
        let hash = [key.mode.as_bytes(), key.object.as_bytes(), &query.to_le_bytes()]
            .iter()
            .fold(0, |hash, bytes| XxHash3_64::oneshot_with_seed(hash, bytes));
        let blocked = Blocked {
            wait: self.waits.number(hash, || key),
            process: wait.process,
            holders: if is_over { Vec::new() } else { wait.holders.iter().collect() },
            waited_us: wait.waited_us.unwrap_or(0),
            is_over,
        };
        self.step(record, 0, Happening::Blocked(Box::new(blocked)));
    }

    fn deadlock(&mut self, record: &Record<'_>, deadlock: &Deadlock<'_>) {
        let queries: Vec<(u32, u64)> =
            deadlock.queries().map(|(process, text)| (process, self.fingerprint(text))).collect();
        let of = |process: u32| queries.iter().find(|one| one.0 == process).map_or(0, |one| one.1);
        let mut edges: Vec<DeadlockEdge> = deadlock
            .edges()
            .map(|edge| DeadlockEdge {
                waiting: of(edge.process),
                mode: edge.mode.to_owned(),
                object: happened::object(&edge.object),
                holder: of(edge.blocked_by),
            })
            .collect();
        // The server begins with whoever noticed; the same circle is the same deadlock.
        edges.sort();
        self.rest.deadlocks.entry(edges).or_default().add(record.time_us);
    }

    fn statement(&mut self, record: &Record<'_>, statement: &Statement<'_>) {
        match (statement.phase, statement.duration_us) {
            (Phase::Untold, Some(duration_us)) => self.step(record, 0, Happening::Lasted { duration_us }),
            (Phase::Simple | Phase::Execute | Phase::FastPath, duration_us) => {
                self.ran(record, statement, duration_us);
            }
            (phase, _) => {
                self.rest.events.entry(happened::phase(phase).to_owned()).or_default().add(record.time_us)
            }
        }
    }

    fn ran(&mut self, record: &Record<'_>, statement: &Statement<'_>, duration_us: Option<u64>) {
        let (text, comment) = without_comment(statement.text);
        let query = self.query(text);
        let (route, trace) = self.tags(comment, statement.text);
        let known = &mut self.queries[query as usize];
        let origin = Origin { query: known.fingerprint, who: 0, route };
        let shape = known.shape;
        if let Some(time_us) = record.time_us {
            known.trend.add(time_us, 1, duration_us.unwrap_or(0));
            self.rest.activity.add(time_us, 1, duration_us.unwrap_or(0));
        }
        let origin = Origin { who: self.who(record), ..origin };
        self.stream(origin).add(duration_us);
        let happening = match duration_us {
            Some(duration_us) => {
                let values = if shape.is_traffic { self.values(text, statement) } else { Values::default() };
                Happening::Ran(Ran { origin, duration_us, shape, values })
            }
            None => Happening::Began { origin },
        };
        self.step(record, trace, happening);
    }

    fn step(&mut self, record: &Record<'_>, trace: u64, happening: Happening) {
        let session = match (trace, record.session) {
            (0, "") => u64::from(record.process),
            (0, session) => XxHash3_64::oneshot(session.as_bytes()),
            (trace, _) => trace,
        };
        self.steps.push(Step {
            session,
            is_traced: trace != 0,
            process: record.process,
            ended_us: record.time_us.unwrap_or(0),
            happening,
        });
    }

    /// The number of a text's query.
    fn query(&mut self, text: &str) -> u32 {
        loop {
            match self.texts.query(text) {
                Numbered::Known(query) => return query as u32,
                Numbered::New(fingerprint) => {
                    let form = self.texts.form().text();
                    let shape = shape(form, self.texts.places().iter().map(|place| place.number));
                    let (fingerprint, text) = (fingerprint.0, form.to_owned());
                    self.queries.push(Known {
                        fingerprint,
                        text,
                        shape,
                        trend: Trend::default(),
                        plan: None,
                    });
                    return self.queries.len() as u32 - 1;
                }
                Numbered::Unlisted => self.put_aside(),
            }
        }
    }

    /// The fingerprint of a statement's query, which is then among the queries.
    pub(crate) fn fingerprint(&mut self, text: &str) -> u64 {
        let query = self.query(without_comment(text).0);
        self.queries[query as usize].fingerprint
    }

    /// Makes room: what was counted by query goes where there is bounded room for it.
    fn put_aside(&mut self) {
        let mut parts = Summary::default();
        for StreamFigures { origin, figures } in std::mem::take(&mut self.stream_list) {
            parts.streams.entry(self.stream_key(&origin)).or_default().merge(&figures);
        }
        for Known { fingerprint, text, trend, plan, .. } in std::mem::take(&mut self.queries) {
            parts.queries.insert(fingerprint, Query { text, trend, plan });
        }
        self.streams.clear();
        self.texts = Texts::new(MOST_QUERIES);
        self.rest.merge(parts);
    }

    /// Hashes of the route and of the trace, 0 where the statement's comment doesn't tell them.
    fn tags(&mut self, comment: &str, statement: &str) -> (u64, u64) {
        if comment.is_empty() {
            return (0, 0);
        }
        let tags = sqlcommenter::tags(statement);
        let tag = |name: &str| tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let mut route = tag("route").map_or_else(String::new, ToOwned::to_owned);
        if route.is_empty()
            && let (Some(controller), Some(action)) = (tag("controller"), tag("action"))
        {
            route = format!("{controller}#{action}");
        }
        let trace = tag("traceparent")
            .and_then(|trace| trace.split('-').nth(1))
            .map_or(0, |trace| XxHash3_64::oneshot(trace.as_bytes()));
        if route.is_empty() {
            return (0, trace);
        }
        let hash = XxHash3_64::oneshot(route.as_bytes());
        if self.routes.len() < MOST_NAMES {
            self.routes.entry(hash).or_insert(route);
        }
        (hash, trace)
    }

    /// The figures of an origin.
    fn stream(&mut self, origin: Origin) -> &mut Figures {
        let key = [u64::from(origin.who), origin.route].iter().fold(origin.query, |hash, part| {
            (hash ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        });
        if self.stream_list.len() >= MOST_STREAMS && !self.streams.contains_key(&key) {
            self.put_streams_aside();
        }
        let next = self.stream_list.len() as u32;
        let number = *self.streams.entry(key).or_insert(next);
        if number == next {
            self.stream_list.push(StreamFigures { origin, figures: Figures::default() });
        }
        &mut self.stream_list[number as usize].figures
    }

    fn put_streams_aside(&mut self) {
        let mut parts = Summary::default();
        for StreamFigures { origin, figures } in std::mem::take(&mut self.stream_list) {
            parts.streams.entry(self.stream_key(&origin)).or_default().merge(&figures);
        }
        self.streams.clear();
        self.rest.merge(parts);
    }

    fn who(&mut self, record: &Record<'_>) -> u32 {
        let hash = if record.who == 0 { record.names_hash() } else { record.who };
        self.whos.number(hash, || happened::who(record))
    }

    /// Hashes of the first values, whether literal or bound.
    fn values(&mut self, text: &str, statement: &Statement<'_>) -> Values {
        let mut bound = [0_u32; 2 * MOST_VALUES];
        for parameter in statement.parameters.iter() {
            let number = (parameter.number as usize).wrapping_sub(1);
            if let (Some(place), Some(value)) = (bound.get_mut(number), parameter.quoted) {
                *place = XxHash3_64::oneshot(value.as_bytes()) as u32;
            }
        }
        let mut values = Values::default();
        for (place, hash) in self.texts.places().iter().zip(&mut values.hashes) {
            let value = &text[place.range.clone()];
            let number = value.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
            *hash = match number {
                Some(number) => bound.get(number.wrapping_sub(1)).copied().unwrap_or(0),
                None => XxHash3_64::oneshot(value.as_bytes()) as u32,
            };
            values.count += 1;
        }
        values
    }

    /// Who and where an origin is.
    pub(crate) fn stream_key(&self, origin: &Origin) -> Stream {
        Stream {
            query: origin.query,
            who: self.whos.get(origin.who).cloned().unwrap_or_default(),
            route: self.routes.get(&origin.route).cloned().unwrap_or_default(),
        }
    }

    /// The key of a burst from an origin.
    pub(crate) fn burst_key(&self, origin: &Origin, before: u64, kind: BurstKind) -> Burst {
        let Stream { query, who, route } = self.stream_key(origin);
        Burst { kind, query, before, application: who.application, route }
    }

    /// A query's normal form.
    pub(crate) fn text(&self, fingerprint: u64) -> Option<&str> {
        let known = self.queries.iter().find(|known| known.fingerprint == fingerprint);
        let aside = || self.rest.queries.get(&fingerprint).map(|query| query.text.as_str());
        known.map(|known| known.text.as_str()).or_else(aside)
    }

    /// A route, by its hash.
    pub(crate) fn route(&self, hash: u64) -> Option<&str> {
        self.routes.get(&hash).map(String::as_str)
    }

    /// A wait, by its number.
    pub(crate) fn wait(&self, number: u32) -> Option<&LockWait> {
        self.waits.get(number)
    }

    /// What was counted.
    pub(crate) fn summary(mut self) -> Summary {
        self.put_aside();
        self.rest
    }
}

/// A statement without the comment at its end, which differs from call to call, and that comment.
fn without_comment(text: &str) -> (&str, &str) {
    let trimmed = text.trim_end_matches([' ', '\n', '\t', '\r', ';']);
    if !trimmed.ends_with("*/") {
        return (text, "");
    }
    match trimmed.rfind("/*") {
        // A quote before it might be one that the comment is part of.
        Some(at) if at > 0 => (trimmed[..at].trim_end(), &trimmed[at..]),
        _ => (text, ""),
    }
}

fn shape(form: &str, numbers: impl Iterator<Item = usize>) -> Shape {
    let first = form.split([' ', '(']).next().unwrap_or_default();
    let mut equated = 0;
    for (position, number) in numbers.take(MOST_VALUES).enumerate() {
        equated |= u8::from(is_equated(form, number)) << position;
    }
    Shape {
        is_traffic: is_traffic(form),
        ends_transaction: ends_transaction(form),
        inserts: first == "insert",
        writes: matches!(first, "update" | "delete" | "merge"),
        pages: [" limit $", " offset $", " fetch first ", " fetch next "]
            .iter()
            .any(|words| form.contains(words)),
        equated,
    }
}
