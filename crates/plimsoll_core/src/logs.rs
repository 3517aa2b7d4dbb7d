//! What a server's log tells, for a person or a program to read. Times in milliseconds; moments as RFC 3339 in UTC.

use serde::Serialize;

/// The version of the JSON contract.
pub const LOG_FORMAT_VERSION: u32 = 1;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogReport {
    /// [`LOG_FORMAT_VERSION`].
    pub format_version: u32,
    /// What was read, and how.
    pub sources: Vec<LogSource>,
    /// What was read, counted.
    pub read: LogRead,
    /// The first record's moment.
    pub first: Option<String>,
    /// The last record's moment.
    pub last: Option<String>,
    /// From the first to the last, in seconds.
    pub lasted_s: f64,
    /// All statements.
    pub statements: LogFigures,
    /// By time in total, the longest first.
    pub queries: Vec<LogQuery>,
    /// Statements of queries that aren't told apart, since too many different ones came, and durations without a statement.
    pub unlisted: LogFigures,
    /// What was folded for room; None if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folded: Option<LogFolded>,
    /// All statements, over time.
    pub activity: LogTrend,
    /// Sessions and busy ones, over time.
    pub concurrency: LogConcurrency,
    /// Statements by `application_name`, by time in total; so are the others.
    pub applications: Vec<LogGroup>,
    /// By role.
    pub users: Vec<LogGroup>,
    /// By database.
    pub databases: Vec<LogGroup>,
    /// By the client's address.
    pub hosts: Vec<LogGroup>,
    /// By the route of sqlcommenter tags.
    pub routes: Vec<LogGroup>,
    /// By hour, in order.
    pub hours: Vec<LogHour>,
    /// Connections by who made them, the most first.
    pub connections: Vec<LogConnections>,
    /// Bursts of one query, those with most statements first.
    pub bursts: Vec<LogBursts>,
    /// Requests by route, those with the largest first.
    pub requests: Vec<LogRequests>,
    /// Errors and warnings, the most frequent first.
    pub problems: Vec<LogProblem>,
    /// Queries that failed, the most frequent first.
    pub failed: Vec<LogFailed>,
    /// Waits for locks, the most frequent first.
    pub lock_waits: Vec<LogLockWaits>,
    /// Who waited for whom, the longest waits first.
    pub lock_edges: Vec<LogLockEdge>,
    /// Deadlocks, the most frequent first.
    pub deadlocks: Vec<LogDeadlock>,
    /// Temporary files by query, the most bytes first.
    pub temporary_files: Vec<LogTemporaryFiles>,
    /// Automatic vacuums and analyzes by table, the longest first.
    pub vacuums: Vec<LogVacuums>,
    /// Checkpoints and restart points.
    pub checkpoints: Vec<LogGroup>,
    /// When they ended, with the time that they took.
    pub checkpointed: LogTrend,
    /// Everything that happened, by kind.
    pub events: Vec<LogEvent>,
    /// What can't be told from this log, and why.
    pub missing: Vec<String>,
}

/// A log that was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogSource {
    /// Its name.
    pub name: String,
    /// `stderr`, `csvlog`, `jsonlog`, `summary`, `empty`, or what is around a server's lines: `syslog`, `json envelope`,
    /// `journal export`.
    pub format: String,
    /// `log_line_prefix`; several if it was changed within the log.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// Lines of other programs, which were passed over.
    #[serde(skip_serializing_if = "is_zero")]
    pub others: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How much was read, and what couldn't be.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogRead {
    /// Bytes, decompressed.
    pub bytes: u64,
    /// Messages.
    pub records: u64,
    /// Lines that couldn't be read.
    pub unparsed: u64,
    /// Messages in a language that isn't known.
    pub foreign: u64,
    /// Lines that may be forged through a client's names; they count for nothing else.
    pub suspicious: u64,
    /// Bytes by which text grew where it was no UTF-8.
    pub replaced: u64,
    /// Moments of unknown zones, taken for UTC.
    pub unknown_zones: u64,
}

/// How often, and how long. Quantiles to 1/32 of themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogFigures {
    /// How often.
    pub calls: u64,
    /// Of how many the log tells the duration.
    pub timed: u64,
    /// In all.
    pub total_ms: f64,
    /// Mean of the timed ones.
    pub mean_ms: f64,
    /// Half took at most this.
    pub p50_ms: f64,
    /// 95 of 100 took at most this.
    pub p95_ms: f64,
    /// 99 of 100 took at most this.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// A query.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogQuery {
    /// Hash of the normal form, 16 hexadecimal digits.
    pub fingerprint: String,
    /// The normal form.
    pub query: String,
    /// Its share of all time, 0 to 1.
    pub share: f64,
    /// Its figures.
    #[serde(flatten)]
    pub figures: LogFigures,
    /// Who ran it: applications by name.
    pub applications: Vec<String>,
    /// Who ran it from where, by time in total; at most 20.
    pub streams: Vec<LogStream>,
    /// When it ran.
    #[serde(flatten)]
    pub trend: LogTrend,
    /// At what period it comes back, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhythm: Option<LogRhythm>,
    /// The slowest plan that auto_explain told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<LogPlan>,
}

/// Statements of one query from one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogStream {
    /// `application_name`.
    pub application: String,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The client's address.
    pub host: String,
    /// The route of its sqlcommenter tags.
    pub route: String,
    /// How often.
    pub calls: u64,
    /// Time in all.
    pub total_ms: f64,
}

/// How often something happened, and how long it took, over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogTrend {
    /// Width of the steps, in seconds.
    pub step_s: i64,
    /// Steps since 1970 in which something happened: number, calls, time in milliseconds.
    pub steps: Vec<(i64, u64, f64)>,
}

/// What comes back at a period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogRhythm {
    /// The period, in seconds.
    pub period_s: f64,
    /// When a cycle begins, in seconds since 1970, below the period.
    pub phase_s: f64,
    /// How far it comes from where it is expected: standard deviation in seconds.
    pub jitter_s: f64,
    /// Cycles that were looked at.
    pub cycles: u64,
    /// Those in which it came.
    pub hits: u64,
    /// Probability that no such period would be found in as many moments at random.
    pub confidence: f64,
}

/// A plan, without literals.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogPlan {
    /// How long its statement took.
    pub duration_ms: f64,
    /// A line a node, indented.
    pub text: String,
}

/// What was folded for room.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogFolded {
    /// How often a query was folded.
    pub queries: u64,
    /// A query's calls may be short by this many; one that isn't listed has at most so many.
    pub calls: u64,
    /// A query's time may be short by this.
    pub total_ms: f64,
    /// Kinds of problems, locks, sessions and the like that were left out.
    pub others: u64,
}

/// Sessions over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogConcurrency {
    /// The most sessions at once that the log tells of: those that were open before it began aren't known.
    pub most_sessions: u64,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_at: Option<String>,
    /// Width of the steps, in seconds.
    pub step_s: i64,
    /// Steps since 1970: number, sessions at its end, statements that ran at once on average.
    pub steps: Vec<(i64, u64, f64)>,
}

/// Requests of one route: statements of one trace, or of one session without a gap of 100 ms or a transaction's end.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogRequests {
    /// The route.
    pub route: String,
    /// How many requests.
    pub requests: u64,
    /// Of how many a trace told what belongs to them.
    pub traced: u64,
    /// Statements of one, on average.
    pub mean: f64,
    /// 95 of 100 had at most so many.
    pub p95: u64,
    /// The largest.
    pub most: u64,
}

/// A query that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogFailed {
    /// The query's fingerprint.
    pub fingerprint: String,
    /// The query.
    pub query: String,
    /// SQLSTATE; empty if the log doesn't tell.
    pub sqlstate: String,
    /// How often.
    pub count: u64,
}

/// Somebody waited for somebody else.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogLockEdge {
    /// The query that waited, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// The lock's mode.
    pub mode: String,
    /// What it is on.
    pub object: String,
    /// The query of the one that held the lock, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Whether that was running; otherwise it was the last one of an open transaction.
    pub is_running: bool,
    /// Waits, counted for each holder.
    pub waits: u64,
    /// Time in all, as far as the log tells it.
    pub waited_ms: f64,
    /// The longest.
    pub longest_ms: f64,
}

/// A circle of waits that the server had to break.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogDeadlock {
    /// How often.
    pub count: u64,
    /// The waits.
    pub edges: Vec<LogDeadlockEdge>,
}

/// A wait of a deadlock.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogDeadlockEdge {
    /// The query that waited.
    pub waiting: Option<String>,
    /// The mode that it waited for.
    pub mode: String,
    /// On what.
    pub object: String,
    /// The query of the one that it waited for.
    pub holder: Option<String>,
}

/// Statements, or work, of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogGroup {
    /// The name; empty if the log doesn't tell.
    pub name: String,
    /// Its share of all time, 0 to 1.
    pub share: f64,
    /// Its figures.
    #[serde(flatten)]
    pub figures: LogFigures,
}

/// An hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogHour {
    /// When it began.
    pub hour: String,
    /// Statements that ended in it.
    pub calls: u64,
    /// Their time.
    pub total_ms: f64,
}

/// Connections of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogConnections {
    /// `application_name`.
    pub application: String,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The client's address.
    pub host: String,
    /// Connections that were let in.
    pub connections: u64,
    /// Connections that were refused.
    pub refused: u64,
    /// Sessions that ended, with the time that they lasted.
    pub sessions: LogFigures,
}

/// Bursts of one query from one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogBursts {
    /// `n-plus-one`, `write-loop`, `repetition` or `paging`.
    pub kind: String,
    /// The query's fingerprint.
    pub fingerprint: String,
    /// The query.
    pub query: String,
    /// The query that ran before, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// `application_name`.
    pub application: String,
    /// The route.
    pub route: String,
    /// How many bursts.
    pub bursts: u64,
    /// Their statements in all.
    pub statements: u64,
    /// Statements of the largest.
    pub most: u64,
    /// Time in the database.
    pub in_database_ms: f64,
    /// Time between statements.
    pub between_ms: f64,
    /// When they began; calls are statements.
    pub trend: LogTrend,
}

/// An error or a warning.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogProblem {
    /// PostgreSQL's word.
    pub severity: String,
    /// SQLSTATE; empty if the log doesn't tell.
    pub sqlstate: String,
    /// The message without what differs from time to time.
    pub message: String,
    /// How often.
    pub count: u64,
    /// When.
    pub trend: LogTrend,
}

/// Waits for one kind of lock.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogLockWaits {
    /// The lock's mode.
    pub mode: String,
    /// What it is on.
    pub object: String,
    /// The query that waited, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Waits longer than `deadlock_timeout`.
    pub waits: u64,
    /// Those that got the lock, with the time that they waited.
    pub acquired: LogFigures,
    /// Those that ended in a deadlock or failed.
    pub given_up: u64,
}

/// Temporary files of one query.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogTemporaryFiles {
    /// The query, if it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// How many.
    pub files: u64,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes of the largest.
    pub largest: u64,
}

/// Autovacuum's work on one table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogVacuums {
    /// `vacuum` or `analyze`.
    pub kind: String,
    /// Database, schema and table.
    pub table: String,
    /// How often, and how long it took.
    #[serde(flatten)]
    pub figures: LogFigures,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogEvent {
    /// What.
    pub name: String,
    /// How often.
    pub count: u64,
    /// When.
    pub trend: LogTrend,
}

/// What has changed between two logs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogDiff {
    /// The logs: before and after.
    pub sides: Vec<LogSide>,
    /// The logs were compared in blocks of so many seconds.
    pub block_s: i64,
    /// How many comparisons there were to be judged.
    pub compared: u64,
    /// At most this share of what is told is chance.
    pub most_chance: f64,
    /// What has changed, by kind and weight.
    pub changes: Vec<LogChange>,
}

/// One of two logs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogSide {
    /// The first record's moment.
    pub first: Option<String>,
    /// The last record's moment.
    pub last: Option<String>,
    /// How long it was logged, in seconds: silences of more than half an hour don't count.
    pub observed_s: f64,
    /// All its statements.
    pub statements: LogFigures,
    /// A query's calls may be short by so many, since too many different ones came.
    pub may_lack_calls: u64,
}

/// How something has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogChangeKind {
    /// It wasn't there before.
    New,
    /// It takes longer.
    Slower,
    /// It comes more often.
    MoreFrequent,
    /// It is no longer there.
    Gone,
    /// It takes less long.
    Faster,
    /// It comes less often.
    Rarer,
}

/// A query or a problem that has changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogChange {
    /// How.
    pub kind: LogChangeKind,
    /// The query's fingerprint; none for a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The query, or the problem.
    pub what: String,
    /// After by before: of the mean duration where it is slower or faster, of the rate otherwise. None from nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The probability of such a difference by chance alone, before the correction for how many were compared.
    pub chance: f64,
    /// How often an hour, before and after.
    pub per_hour: [f64; 2],
    /// Its figures before.
    pub before: LogFigures,
    /// Its figures after.
    pub after: LogFigures,
    /// How much more time it takes in each hour; less than zero if it takes less.
    pub more_time_ms_an_hour: f64,
    /// Whether its slowest plan is another one.
    pub plan_changed: bool,
}

impl LogChange {
    /// How much it matters: time by the hour, or its rate where no time is known.
    #[must_use]
    pub fn weight(&self) -> f64 {
        let rate = self.per_hour[0].max(self.per_hour[1]);
        if self.more_time_ms_an_hour == 0.0 { rate / 1e6 } else { self.more_time_ms_an_hour.abs() }
    }
}

/// What a server's settings let its log tell, and what to add.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogDoctor {
    /// [`LOG_FORMAT_VERSION`].
    pub format_version: u32,
    /// Whose settings they are.
    pub source: String,
    /// The server's major version, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub major: Option<u32>,
    /// Transactions a second since the statistics were reset, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions_per_s: Option<f64>,
    /// What reports there can be.
    pub reports: Vec<LogAbility>,
    /// Lines for `postgresql.conf`, in order.
    pub lines: Vec<LogSetting>,
    /// What else to know.
    pub notes: Vec<String>,
}

/// Whether a report can be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogAbility {
    /// The report.
    pub report: String,
    /// Whether the log tells it.
    pub is_told: bool,
    /// The settings that decide, as they are.
    pub because: String,
}

/// A setting to change.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LogSetting {
    /// Its name.
    pub name: String,
    /// Its value now, as SHOW prints it; none if it isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// The line.
    pub line: String,
    /// What it gives.
    pub gives: String,
    /// What it costs.
    pub costs: String,
    /// Whether the server has to be restarted; a reload is enough otherwise.
    pub needs_restart: bool,
}
