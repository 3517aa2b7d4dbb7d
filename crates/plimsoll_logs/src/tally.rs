//! What one reader counts. Readers work side by side, and their tallies become one summary.

use plimsoll_sql::sqlcommenter;
use plimsoll_traffic::burst::{ends_transaction, is_equated, is_traffic};
use plimsoll_traffic::hashed::ByNumber;
use plimsoll_traffic::texts::{Query as Numbered, Texts};
use twox_hash::XxHash3_64;

use crate::counts::Counts;
use crate::happened;
use crate::message::{Event, Phase, Statement, understand};
use crate::record::Record;
use crate::steps::{Happening, MOST_VALUES, Ran, Shape, Step, Values};
use crate::summary::{Burst, Bursts, Figures, Query, Stream, Summary, Trend, Who};

/// More different queries aren't told apart, so that memory stays flat whatever comes.
pub(crate) const MOST_QUERIES: usize = 5000;
/// More streams aren't told apart either: their queries then count without who ran them.
const MOST_STREAMS: usize = 20_000;

/// See the module.
pub(crate) struct Tally {
    texts: Texts,
    queries: Vec<Known>,
    whos: Numbers<Who>,
    routes: Numbers<String>,
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
}

struct StreamFigures {
    query: u32,
    who: u32,
    route: u32,
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
        *self.by_hash.entry(hash).or_insert_with(|| {
            self.list.push(make());
            self.list.len() as u32 - 1
        })
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            texts: Texts::new(MOST_QUERIES),
            queries: Vec::new(),
            whos: Numbers::default(),
            routes: Numbers::default(),
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
            event => {
                let fingerprint = self.fingerprint_of(&event, record);
                if happened::ends_session(&event) {
                    self.step(record, 0, Happening::Ended);
                }
                happened::count(&mut self.rest, record, &event, fingerprint);
            }
        }
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
        let Some(query) = self.query(text) else {
            self.rest.unlisted.add(duration_us);
            return;
        };
        let (route, trace) = self.tags(comment, statement.text);
        let stream = self.stream(record, query, route);
        self.stream_list[stream as usize].figures.add(duration_us);
        let known = &mut self.queries[query as usize];
        if let Some(time_us) = record.time_us {
            known.trend.add(time_us, 1, duration_us.unwrap_or(0));
        }
        let happening = match duration_us {
            Some(duration_us) => {
                let (query, shape) = (known.fingerprint, known.shape);
                let values = if shape.is_traffic { self.values(text, statement) } else { Values::default() };
                Happening::Ran(Ran { stream, query, duration_us, shape, values })
            }
            None => Happening::Began { stream },
        };
        self.step(record, trace, happening);
    }

    fn step(&mut self, record: &Record<'_>, trace: u64, happening: Happening) {
        let session = match (trace, record.session) {
            (0, "") => u64::from(record.process),
            (0, session) => XxHash3_64::oneshot(session.as_bytes()),
            (trace, _) => trace,
        };
        self.steps.push(Step { session, ended_us: record.time_us.unwrap_or(0), happening });
    }

    /// The number of a text's query; none if there are too many.
    fn query(&mut self, text: &str) -> Option<u32> {
        match self.texts.query(text) {
            Numbered::Known(query) => Some(query as u32),
            Numbered::New(fingerprint) => {
                let form = self.texts.form().text();
                let shape = shape(form, self.texts.places().iter().map(|place| place.number));
                let (fingerprint, text) = (fingerprint.0, form.to_owned());
                self.queries.push(Known { fingerprint, text, shape, trend: Trend::default() });
                Some(self.queries.len() as u32 - 1)
            }
            Numbered::Unlisted => None,
        }
    }

    /// The route's number and a hash of the trace, if the statement's comment tells them.
    fn tags(&mut self, comment: &str, statement: &str) -> (u32, u64) {
        let mut route = String::new();
        let mut trace = 0;
        if !comment.is_empty() {
            let tags = sqlcommenter::tags(statement);
            let tag = |name: &str| tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            route = tag("route").map_or_else(String::new, ToOwned::to_owned);
            if route.is_empty()
                && let (Some(controller), Some(action)) = (tag("controller"), tag("action"))
            {
                route = format!("{controller}#{action}");
            }
            trace = tag("traceparent")
                .and_then(|trace| trace.split('-').nth(1))
                .map_or(0, |trace| XxHash3_64::oneshot(trace.as_bytes()));
        }
        (self.routes.number(XxHash3_64::oneshot(route.as_bytes()), || route), trace)
    }

    fn stream(&mut self, record: &Record<'_>, query: u32, route: u32) -> u32 {
        let who = self.who(record);
        let key = u64::from(query) << 40 | u64::from(route) << 20 | u64::from(who);
        if let Some(stream) = self.streams.get(&key) {
            return *stream;
        }
        // The last number of each is for what has no room.
        let (who, route) =
            if self.stream_list.len() < MOST_STREAMS { (who, route) } else { (u32::MAX, u32::MAX) };
        let key = if who == u32::MAX { u64::from(query) << 40 | 0xff_ffff_ffff } else { key };
        let next = self.stream_list.len() as u32;
        let stream = *self.streams.entry(key).or_insert(next);
        if stream == next {
            self.stream_list.push(StreamFigures { query, who, route, figures: Figures::default() });
        }
        stream
    }

    fn who(&mut self, record: &Record<'_>) -> u32 {
        let hash = if record.who == 0 { record.names_hash() } else { record.who };
        self.whos.number(hash, || happened::who(record))
    }

    /// The query that an event is of: the one in its record's STATEMENT.
    fn fingerprint_of(&mut self, event: &Event<'_>, record: &Record<'_>) -> u64 {
        let wanted = matches!(event, Event::LockWait(_) | Event::TemporaryFile(_));
        if !wanted || record.statement.is_empty() {
            return 0;
        }
        let (text, _) = without_comment(record.statement);
        self.query(text).map_or(0, |query| self.queries[query as usize].fingerprint)
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

    /// The place of a stream, for what else is told of it.
    pub(crate) fn stream_key(&self, stream: u32) -> Stream {
        let StreamFigures { query, who, route, .. } = &self.stream_list[stream as usize];
        Stream {
            query: self.queries[*query as usize].fingerprint,
            who: self.whos.list.get(*who as usize).cloned().unwrap_or_default(),
            route: self.routes.list.get(*route as usize).cloned().unwrap_or_default(),
        }
    }

    /// The key of a burst of a stream.
    pub(crate) fn burst_key(
        &self,
        stream: u32,
        before: u64,
        kind: plimsoll_core::traffic::BurstKind,
    ) -> Burst {
        let Stream { query, who, route } = self.stream_key(stream);
        Burst { kind, query, before, application: who.application, route }
    }

    /// What was counted, with what came late.
    pub(crate) fn summary(
        self,
        late: impl Iterator<Item = (Stream, Figures)>,
        bursts: impl Iterator<Item = (Burst, Bursts)>,
    ) -> Summary {
        let mut parts = Summary::default();
        for (number, stream) in (0..).zip(&self.stream_list) {
            parts.streams.entry(self.stream_key(number)).or_default().merge(&stream.figures);
        }
        for (stream, figures) in late {
            parts.streams.entry(stream).or_default().merge(&figures);
        }
        let mut summary = self.rest;
        for known in self.queries {
            parts.queries.insert(known.fingerprint, Query { text: known.text, trend: known.trend });
        }
        summary.merge(parts);
        for (burst, bursts) in bursts {
            let part = Summary { bursts: [(burst, bursts)].into(), ..Summary::default() };
            summary.merge(part);
        }
        summary
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
