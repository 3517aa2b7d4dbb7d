//! What was typed behind `plimsoll regress`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::args::{FailOn, OutputArguments, ServerAddress, ratio};
use crate::logs_args::InputArguments;

#[derive(Debug, Args)]
pub(crate) struct RegressArguments {
    #[command(subcommand)]
    pub(crate) verb: RegressVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RegressVerb {
    /// Measure the queries and write down what repeats: plans, buffers, rows, results
    Record(RecordArguments),
    /// Measure the queries, and compare with what was recorded, or with another server version
    Test(TestArguments),
    /// Take what is measured now for queries that fare otherwise, by name
    Accept(AcceptArguments),
    /// Compare plans and costs before and after the new migrations, on a plan branch: no rows are needed
    Plans(PlansArguments),
    /// Propose indexes for the queries, each built and measured on a server; tell indexes that are there for nothing
    Suggest(SuggestArguments),
    /// Take queries from a log, from a server's pg_stat_statements, or from a RegreSQL project
    Import(ImportArguments),
}

/// Which queries.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// These queries alone, by name [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Those with this tag alone (repeatable)
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
}

impl Selection {
    /// Whether it is all queries.
    pub(crate) fn is_whole(&self) -> bool {
        self.names.is_empty() && self.tags.is_empty()
    }
}

/// What queries are measured on.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Migrations are new since this commit: the seed is loaded before them [default: the merge base with the main branch]
    #[arg(long, visible_alias = "since", value_name = "COMMIT")]
    pub(crate) base: Option<String>,
    /// Measure on a branch of this trunk, with the new migrations, instead of on a server made from the project's own schema
    /// and seed
    #[arg(long, value_name = "TRUNK")]
    pub(crate) on: Option<plimsoll_branch::Name>,
    /// The major version of PostgreSQL
    #[arg(long, value_name = "MAJOR", conflicts_with = "on")]
    pub(crate) postgres: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArguments {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct AcceptArguments {
    /// The queries
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Compare with this major version of PostgreSQL instead of with the baselines
    #[arg(long, value_name = "MAJOR", requires = "to", conflicts_with_all = ["postgres", "on"])]
    pub(crate) from: Option<u32>,
    /// The major version that --from is compared with
    #[arg(long, value_name = "MAJOR", requires = "from")]
    pub(crate) to: Option<u32>,
    /// Tell a query as worse from this growth of its buffers or rows on, whatever the configuration, comments over queries and
    /// the history say
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub(crate) alarm_from: Option<f64>,
    /// Also compare times, in pairs of runs on two servers side by side: before and after the new migrations, or --from and --to
    #[arg(long)]
    pub(crate) time: bool,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Exit with 1 when something this severe is found
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    pub(crate) fail_on: FailOn,
}

#[derive(Debug, Args)]
pub(crate) struct SuggestArguments {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Propose so many indexes at most
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) most: u64,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: SuggestFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SuggestFormat {
    /// For a person
    Terminal,
    /// For a program
    Json,
    /// For a comment
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct PlansArguments {
    /// Whose plans: a server's URL, a capture of `plimsoll branch capture`, or a dump with statistics
    #[arg(long, value_name = "SOURCE")]
    pub(crate) of: String,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Migrations are new since this commit [default: the merge base with the main branch]
    #[arg(long, visible_alias = "since", value_name = "COMMIT")]
    pub(crate) base: Option<String>,
    /// The major version of PostgreSQL that plans [default: the source's]
    #[arg(long, value_name = "MAJOR")]
    pub(crate) postgres: Option<u32>,
    /// Compare with the plans of this major version instead of with those after the new migrations
    #[arg(long, value_name = "MAJOR")]
    pub(crate) to: Option<u32>,
    /// Another dump, which has the statistics: what `pg_dump --statistics-only` writes
    #[arg(long, value_name = "FILE")]
    pub(crate) statistics: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) values: crate::branch_args::CapturedValues,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Exit with 1 when something this severe is found
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    pub(crate) fail_on: FailOn,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// What the source is
    #[arg(long, value_name = "KIND")]
    pub(crate) from: ImportFrom,
    /// A log, as `plimsoll logs` reads it: a file, a folder, a pattern, or - for standard input; a server, as for `plimsoll
    /// snapshot`; or the folder of a RegreSQL project
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Write to this folder [default: queries.path, else queries]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<PathBuf>,
    /// Of a log or a server, take as many queries, those that took the most time together first
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) top: usize,
    /// Of a log or a server, leave queries out that ran less often
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub(crate) min_calls: u64,
    /// Of a log, write values of every type; without it, only numbers, booleans, dates, times, intervals and UUIDs
    #[arg(long)]
    pub(crate) keep_values: bool,
    /// Of a server, give parameters common and rare values of the columns that they are compared with, from the planner's
    /// statistics: they are values of production's rows
    #[arg(long, requires = "keep_values")]
    pub(crate) values: bool,
    #[command(flatten)]
    pub(crate) server: ServerAddress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFrom {
    /// PostgreSQL's log
    Log,
    /// pg_stat_statements of a server, read-only
    Statements,
    /// A project of RegreSQL
    Regresql,
}
