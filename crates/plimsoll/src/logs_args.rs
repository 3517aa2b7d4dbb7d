//! What can be typed behind `plimsoll logs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use plimsoll_core::logs::LogChangeKind;

use crate::args::ServerAddress;
use crate::follow_args::FollowArguments;
use crate::numbers::share;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct LogsArguments {
    #[command(subcommand)]
    pub(crate) verb: Option<LogsVerb>,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogsVerb {
    /// Add summaries of days and hosts up to one
    Merge(MergeArguments),
    /// Tell what has changed between two logs or summaries, and isn't chance: queries that are new, gone, slower or more
    /// frequent since a deploy
    Diff(DiffArguments),
    /// Say which logging settings a server lacks for which report, what each costs, and the lines to add
    Doctor(DoctorArguments),
    /// Write the queries of logs that read or write rows with their rates and values, for `plimsoll check --workload`
    Workload(WorkloadArguments),
    /// Write what logs tell as a Parquet file, a row an event, without literals
    Events(EventsArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ReadArguments {
    /// Logs, plain or compressed by gzip, zstd, xz or bzip2, folders of them, patterns in quotes, and summaries that --save
    /// wrote; - for standard input. Read in the order of their first moments
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Write a summary without literals to this file, whole or not at all, to be merged with others
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Show the first lines that couldn't be read
    #[arg(long)]
    pub(crate) unparsed: bool,
    /// Read what has been written since the last run with this file, which keeps how far each log was read; --save then adds
    /// to the summary that is there
    #[arg(long, value_name = "FILE")]
    pub(crate) position: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) following: FollowArguments,
    #[command(flatten)]
    pub(crate) shown: ShownArguments,
}

/// How logs are to be read.
#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// How the logs are written [default: found from the first lines of each]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormatName>,
    /// The server's log_line_prefix, as SHOW prints it; repeated, where it was changed [default: found from the lines]
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The log or summary of the time before: a file, a folder or a pattern
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,
    /// That of the time after
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// At most this share of the changes that are told may be chance
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    pub(crate) chance: f64,
    /// Exit with 1 when something has changed in this way (repeatable)
    #[arg(long, value_name = "WHAT")]
    pub(crate) fail_on: Vec<ChangeName>,
    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: LogTextFormatName,
    /// So many rows of each table
    #[arg(long, value_name = "ROWS", default_value_t = 20)]
    pub(crate) top: usize,
    /// Write to this file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// A way in which something can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChangeName {
    /// It wasn't there before
    New,
    /// It takes longer
    Slower,
    /// It comes more often
    MoreFrequent,
}

impl ChangeName {
    pub(crate) fn is(self, kind: LogChangeKind) -> bool {
        let own = match self {
            Self::New => LogChangeKind::New,
            Self::Slower => LogChangeKind::Slower,
            Self::MoreFrequent => LogChangeKind::MoreFrequent,
        };
        own == kind
    }
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// A postgresql.conf; or the server, read-only: a URL (postgres://role@host/database), key=value pairs, or a database's
    /// name; without it, PGHOST, PGDATABASE and the other PG variables
    #[arg(value_name = "URL|FILE")]
    pub(crate) source: Option<String>,
    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: LogTextFormatName,
    /// Write to this file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}

#[derive(Debug, Args)]
pub(crate) struct WorkloadArguments {
    /// Logs: files, folders, quoted patterns; - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Write to this file, whole or not at all
    #[arg(long, short, value_name = "FILE", required = true)]
    pub(crate) output: PathBuf,
    /// Take as many queries, those that ran most often first
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) top: usize,
    /// Write values of every type; without it, only numbers, booleans, dates, times, intervals and UUIDs
    #[arg(long)]
    pub(crate) keep_values: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    /// Logs: files, folders, quoted patterns; - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Write to this file, whole or not at all
    #[arg(long, short, value_name = "FILE", required = true)]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArguments {
    /// Summaries that --save wrote
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write the sum to this file, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) shown: ShownArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ShownArguments {
    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: LogReportFormat,
    /// So many rows of each table
    #[arg(long, value_name = "ROWS", default_value_t = 20)]
    pub(crate) top: usize,
    /// Write to this file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Exit with 1 when a request of a route needs more statements than this. A request's statements are those with its
    /// traceparent; without one, those of one session and route up to a transaction's end or a gap of 100 ms
    #[arg(long, value_name = "N")]
    pub(crate) max_queries_per_route: Option<u64>,
    /// Exit with 1 when this is found (repeatable)
    #[arg(long, value_name = "WHAT")]
    pub(crate) fail_on: Vec<LogFailure>,
}

/// What ends with exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFailure {
    /// One query for each row of another one's answer, or for each item of a list
    NPlusOne,
    /// A deadlock
    Deadlock,
    /// A query that the server refuses
    FailedStatement,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormatName {
    /// Lines behind log_line_prefix
    Stderr,
    /// Comma-separated values
    Csvlog,
    /// An object a line
    Jsonlog,
}

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogReportFormat {
    /// For a person
    Terminal,
    /// Everything, for a program
    Json,
    /// For a comment
    Markdown,
    /// One page that needs nothing else: charts that zoom, tables that sort and filter, a page a query
    Html,
}

/// What to print of changes and of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub(crate) enum LogTextFormatName {
    /// For a person
    Terminal,
    /// Everything, for a program
    Json,
    /// For a comment
    Markdown,
}
