//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_core::Severity;
use plimsoll_core::units::milliseconds;
use plimsoll_report::{Format, PlanFormat};

/// Shows, before you deploy, whether a change to a PostgreSQL-backed service is safe to carry.
#[derive(Debug, Parser)]
#[command(
    name = "plimsoll",
    version,
    after_help = "Exit codes: 0 nothing found at or above --fail-on; 1 something found; 2 wrong usage, configuration or \
                  input; 3 the environment lacks something, such as a PostgreSQL server."
)]
pub(crate) struct Arguments {
    /// Use this configuration instead of the plimsoll.toml found upward from the current folder
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Colour the terminal format
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write a commented plimsoll.toml after looking around
    Init(InitArguments),
    /// Lint and rehearse a change, measure the queries before and after it, and give a verdict
    Check(CheckArguments),
    /// Say what a change would lock, rewrite or break, without a server
    Lint(LintArguments),
    /// Rewrite a change so that it blocks nobody for long, and prove on a private server that it comes to the same
    Fix(FixArguments),
    /// Serve an editor: the language server, over standard input and output
    Lsp,
    /// Run a change on a private server and record what each statement does
    Rehearse(CheckArguments),
    /// Count the queries that a program runs, by fingerprint, and find bursts of one query (N+1)
    Watch(WatchArguments),
    /// Read a server's log: who runs what, how often and how long, bursts of one query, errors, waits
    Logs(crate::logs_args::LogsArguments),
    /// Say how far an alarm can be trusted and where its threshold belongs, from a table of scores and what was true
    Evaluate(crate::evaluate_args::EvaluateArguments),
    /// Keep a corpus of queries that may not get slower unnoticed
    Regress(crate::regress_args::RegressArguments),
    /// Say that an alarm about a query is right, by its id
    Confirm(LabelArguments),
    /// Say that an alarm about a query is none, by its id
    Dismiss(LabelArguments),
    /// Read a query's plan: what each node costs, and what an expert would say
    Explain(ExplainArguments),
    /// Write down what a server's catalogue says, read-only, so that lint knows its tables and their sizes
    Snapshot(SnapshotArguments),
    /// Take a copy of a database, once, from which branches are cut
    Trunk(crate::branch_args::TrunkArguments),
    /// Make private, writable copies of a trunk, each with a server of its own
    Branch(crate::branch_args::BranchArguments),
    /// Start, find or install a private PostgreSQL server
    Server(ServerArguments),
    /// Keep one branch: what `plimsoll branch` runs in the background
    #[command(hide = true)]
    KeepBranch {
        /// The branch
        name: plimsoll_branch::Name,
    },
    /// Explain a rule, by its id here or in another tool
    Rule(RuleArguments),
    /// List all rules with their group, their severity, and whether they run here
    Rules,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Replace an existing plimsoll.toml
    #[arg(long)]
    pub(crate) force: bool,
}

/// Which migrations are new, and where the report goes.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// New migrations: files, folders, globs, or - for standard input; without any, those that git says were added or
    /// changed since --base
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Compare with this commit [default: the merge base with the main branch]
    #[arg(long, visible_alias = "since", value_name = "COMMIT", conflicts_with_all = ["files", "all"])]
    pub(crate) base: Option<String>,
    /// Treat every migration as new, each as a change of its own
    #[arg(long, conflicts_with = "files")]
    pub(crate) all: bool,
    /// Take the migrations from git's index, and what is staged as new: for a hook before a commit
    #[arg(long, conflicts_with_all = ["files", "all", "base"])]
    pub(crate) staged: bool,
    /// The migration that standard input stands for
    #[arg(long, value_name = "PATH", requires = "files")]
    pub(crate) stdin_filename: Option<PathBuf>,
    /// Leave out the findings in this file [default: lint.baseline]
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Exit with 1 when something this severe is found
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    pub(crate) fail_on: FailOn,
    /// The major version of PostgreSQL that the change is for
    #[arg(long, value_name = "MAJOR")]
    pub(crate) postgres: Option<u32>,
    /// What lint takes for the state before the change: a file that `plimsoll snapshot` has written [default:
    /// lint.snapshot]
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
}

impl ReportArguments {
    /// What git says is new, told to nobody.
    pub(crate) fn new() -> Self {
        Self {
            files: Vec::new(),
            base: None,
            all: false,
            staged: false,
            stdin_filename: None,
            baseline: None,
            output: OutputArguments { format: Format::Terminal, reports: Vec::new() },
            fail_on: FailOn::Never,
            postgres: None,
            snapshot: None,
        }
    }
}

/// Where the report goes.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// What to print: terminal, short, json, html, markdown, sarif, junit, github, gitlab or rdjson
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: Format,
    /// Also write a report in this format to a file (repeatable)
    #[arg(long = "report", value_name = "FORMAT=PATH", value_parser = report_file)]
    pub(crate) reports: Vec<(Format, PathBuf)>,
}

/// How a server that isn't ours is asked.
#[derive(Debug, Default, Args)]
pub(crate) struct ServerAddress {
    /// How long a connection may take [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) connect_timeout: Option<Duration>,
    /// How long to wait behind an ACCESS EXCLUSIVE lock [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lock_timeout: Option<Duration>,
    /// How long one query may take [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) statement_timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotArguments {
    /// The server: a URL (postgres://role@host/database), key=value pairs, or a database's name; without it, PGHOST,
    /// PGDATABASE and the other PG variables. Passwords come from PGPASSWORD or ~/.pgpass
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Write to this file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Leave out the bodies of functions
    #[arg(long)]
    pub(crate) no_bodies: bool,
    /// Connect to nothing; print the queries, for `psql -XAtq -f` to run
    #[arg(long, conflicts_with = "url")]
    pub(crate) sql: bool,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// EXPLAIN's output in text, JSON, YAML or XML, or a log with auto_explain's plans; - or nothing for standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["query", "query_file", "log"])]
    pub(crate) file: Option<PathBuf>,
    /// A log with auto_explain's plans: stderr's text, csvlog or jsonlog
    #[arg(long, value_name = "FILE", conflicts_with_all = ["query", "query_file"])]
    pub(crate) log: Option<PathBuf>,
    /// Run this query, on a private server in the project's state
    #[arg(long, value_name = "SQL", conflicts_with = "query_file")]
    pub(crate) query: Option<String>,
    /// Run the query in this file
    #[arg(long, short = 'f', value_name = "FILE")]
    pub(crate) query_file: Option<PathBuf>,
    /// Run the query on a branch of this trunk
    #[arg(long, value_name = "TRUNK", conflicts_with = "url")]
    pub(crate) on: Option<plimsoll_branch::Name>,
    /// Ask this server, a URL, key=value pairs or a database's name, for the plan, in a read-only transaction; the query
    /// doesn't run
    #[arg(long, value_name = "URL", conflicts_with = "postgres")]
    pub(crate) url: Option<String>,
    /// Let the query run on the server of --url, in its read-only transaction
    #[arg(long, requires = "url")]
    pub(crate) analyze: bool,
    /// Put the plan in this file beside it, and mark what differs
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = plan_format)]
    pub(crate) format: PlanFormat,
    /// Write to this file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The major version of the private server [default: the newest found]
    #[arg(long, value_name = "MAJOR")]
    pub(crate) postgres: Option<u32>,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}

fn plan_format(text: &str) -> Result<PlanFormat, String> {
    match text {
        "terminal" => Ok(PlanFormat::Terminal),
        "json" => Ok(PlanFormat::Json),
        "html" => Ok(PlanFormat::Html),
        "markdown" => Ok(PlanFormat::Markdown),
        _ => Err("a plan is printed as terminal, json, html or markdown".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    #[command(flatten)]
    pub(crate) report: ReportArguments,
    /// Judge a schema as it stands, not a change: after all migrations, or that of lint.snapshot or database.schema;
    /// with a value, that of a snapshot, of a dump, or of a server, which is read as `plimsoll snapshot` reads it
    #[arg(long, value_name = "URL|FILE", num_args = 0..=1, default_missing_value = "",
          conflicts_with_all = ["files", "all", "base", "staged", "import"])]
    pub(crate) schema: Option<String>,
    /// Write the findings to this file, to be left out from now on, instead of reporting them
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// Print another linter's configuration as ours: .squawk.toml, .pgfence.toml or .json, .pgsafe.toml, or a Rails
    /// initializer of strong_migrations
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "all", "base", "staged", "write_baseline"])]
    pub(crate) import: Option<PathBuf>,
    /// Write what --import would print to plimsoll.toml
    #[arg(long, requires = "import")]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) report: ReportArguments,
    /// Rehearse what this program sends, instead of files: DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE
    /// lead it to a private server [default: migrations.command]
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["files", "staged"])]
    pub(crate) command: Vec<OsString>,
    /// Also set this variable for the program, with {url}, {host}, {port}, {user}, {password}, {database} and {socket} (the
    /// socket's folder) filled in (repeatable)
    #[arg(long = "env", value_name = "NAME=TEMPLATE", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,
    /// Rehearse on branches of this trunk, and its database, instead of on a server made from the project's own schema and
    /// seed: the trunk is the state before the change
    #[arg(long, value_name = "TRUNK", conflicts_with = "no_seed")]
    pub(crate) on: Option<plimsoll_branch::Name>,
    /// Load no rows: locks, rewrites and scans hold all the same, times mean nothing
    #[arg(long)]
    pub(crate) no_seed: bool,
    /// Tell a query as worse from this growth of its buffers or rows on, whatever the configuration, comments over queries and
    /// the history say
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub(crate) alarm_from: Option<f64>,
    /// What a service sends, as JSON lines, or a log's summary with rates of the project's queries: who would wait for the change's locks is told [default: workload.file]
    #[arg(long, value_name = "FILE")]
    pub(crate) workload: Option<PathBuf>,
    /// Also run the change among the requests of the workload, and report what they felt
    #[arg(long)]
    pub(crate) load: bool,
    /// Let the change meet a transaction that lasts so long, once as it is and once with a lock_timeout
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "load")]
    pub(crate) long_transaction: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The program and its arguments. DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE lead it to the tap.
    /// Without one, the tap is open until Ctrl-C
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
    /// Put the tap in front of this server, a URL, key=value pairs or a database's name, and pass on to it whatever the
    /// program sends, instead of starting a private server with an empty database
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Run the project's migrations on the private server first, and load its seed
    #[arg(long, conflicts_with = "url")]
    pub(crate) migrate: bool,
    /// Listen on this port of 127.0.0.1 [default: a free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Also set this variable for the program, with {url}, {host}, {port}, {user}, {password}, {database} and {socket} (the
    /// socket's folder) filled in (repeatable)
    #[arg(long = "env", value_name = "NAME=TEMPLATE", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,
    /// Exit with 1 when this is found (repeatable)
    #[arg(long, value_name = "WHAT")]
    pub(crate) fail_on: Vec<WatchFailure>,
    /// Exit with 1 when the program runs more statements than this
    #[arg(long, value_name = "N")]
    pub(crate) max_queries: Option<u64>,
    /// Write each query that reads or writes rows into this folder as a named query, with values that it ran with
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
    /// Write what was seen as a workload for `plimsoll check`: each query that reads or writes rows, with its rate
    #[arg(long, value_name = "FILE")]
    pub(crate) workload: Option<PathBuf>,
    /// Write values of every type; without it, only numbers, booleans, dates, times, intervals and UUIDs
    #[arg(long)]
    pub(crate) keep_values: bool,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// The major version of the private server [default: the newest found]
    #[arg(long, value_name = "MAJOR", conflicts_with = "url")]
    pub(crate) postgres: Option<u32>,
}

/// What ends a watch with exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WatchFailure {
    /// One query for each row of another one's answer, or for each item of a list
    NPlusOne,
    /// A statement that the server refuses
    FailedStatement,
}

#[derive(Debug, Args)]
pub(crate) struct FixArguments {
    /// New migrations: files, folders or globs; without any, those that git says were added or changed since --base
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Compare with this commit [default: the merge base with the main branch]
    #[arg(long, visible_alias = "since", value_name = "COMMIT", conflicts_with_all = ["files", "all"])]
    pub(crate) base: Option<String>,
    /// Treat every migration as new, each as a change of its own; what databases ran long ago isn't written
    #[arg(long, conflicts_with_all = ["files", "write"])]
    pub(crate) all: bool,
    /// Change the files, where git has them as they are, instead of showing the difference
    #[arg(long)]
    pub(crate) write: bool,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: FixFormat,
    /// The major version of PostgreSQL that the change is for
    #[arg(long, value_name = "MAJOR")]
    pub(crate) postgres: Option<u32>,
    /// What lint takes for the state before the change: a file that `plimsoll snapshot` has written [default:
    /// lint.snapshot]
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Load no rows: what is proven holds for the schema alone, times mean nothing
    #[arg(long)]
    pub(crate) no_seed: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FixFormat {
    Terminal,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    /// The least severity that fails; none if nothing does.
    pub(crate) fn threshold(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Note => Some(Severity::Note),
            Self::Never => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    #[command(subcommand)]
    pub(crate) action: Option<ServerAction>,
    /// The major version of PostgreSQL to start [default: the newest found]
    #[arg(long, value_name = "MAJOR")]
    pub(crate) postgres: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerAction {
    /// Fetch a ready-made PostgreSQL into the cache folder
    Install {
        /// Its major version
        #[arg(value_name = "VERSION", default_value_t = 18)]
        major: u32,
    },
    /// Print the folder of the PostgreSQL programs that would be used
    Find {
        /// Their major version [default: the newest found]
        #[arg(value_name = "VERSION")]
        major: Option<u32>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RuleArguments {
    /// The rule to explain; without one, all are listed
    #[arg(value_name = "RULE")]
    pub(crate) id: Option<String>,
}

pub(crate) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio: &f64| ratio.is_finite() && *ratio >= 1.0);
    ratio.ok_or_else(|| "write a ratio of 1 or more, such as 1.5".into())
}

#[derive(Debug, Args)]
pub(crate) struct LabelArguments {
    /// Ids, or what they begin with, as reports tell them; without any, what can be judged is listed
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "ids")]
    pub(crate) note: Option<String>,
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let ms = milliseconds(text).filter(|ms| *ms > 0);
    ms.map(Duration::from_millis)
        .ok_or_else(|| "write a duration as PostgreSQL does, such as 2s or 500ms".into())
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, template) = text.split_once('=').ok_or("write NAME=TEMPLATE, such as DB_HOST={host}")?;
    if name.is_empty() {
        return Err("the name is empty: write NAME=TEMPLATE, such as DB_HOST={host}".into());
    }
    crate::tapped::check_template(template)?;
    Ok((name.to_owned(), template.to_owned()))
}

fn report_file(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("write FORMAT=PATH, such as html=report.html")?;
    if path.is_empty() {
        return Err("the path is empty: write FORMAT=PATH, such as html=report.html".into());
    }
    let format = format.parse().map_err(|error: plimsoll_report::UnknownFormat| error.to_string())?;
    Ok((format, PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn report_files_name_a_format_and_a_path() {
        assert!(
            report_file("html=a=b.html")
                .is_ok_and(|(format, path)| { format == Format::Html && path.as_os_str() == "a=b.html" })
        );
        assert!(
            report_file("html").is_err() && report_file("html=").is_err() && report_file("pdf=x").is_err()
        );
    }
}
