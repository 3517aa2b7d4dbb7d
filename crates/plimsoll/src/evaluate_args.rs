//! What can be typed behind `plimsoll evaluate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::numbers::{above_zero, at_least_zero, finite, share, share_or_all};

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// A table with a row a case: CSV, TSV, JSON lines or Parquet; - for standard input
    #[arg(value_name = "FILE", required_unless_present = "history", conflicts_with = "history")]
    pub(crate) file: Option<PathBuf>,
    /// Judge Plimsoll itself instead, by a history: lint's rules against what rehearsals found, the alarm of slower queries
    /// against what was confirmed and dismissed; --target-precision replaces the configuration's `[alarms] precision` [default
    /// file: the configuration's `[history] path`]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(crate) history: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub(crate) columns: ColumnArguments,
    #[command(flatten)]
    pub(crate) targets: TargetArguments,
    #[command(flatten)]
    pub(crate) figures: FigureArguments,
    #[command(flatten)]
    pub(crate) outputs: OutputArguments,
}

/// Which columns are what.
#[derive(Debug, Args)]
#[command(next_help_heading = "Columns")]
pub(crate) struct ColumnArguments {
    /// The column that says what was true: 0 and 1, true and false, or two names of which --positive is one
    #[arg(long, value_name = "COLUMN", required_unless_present = "history", conflicts_with = "history")]
    pub(crate) label: Option<String>,
    /// A column of scores, greater where an alarm is likelier right; several, repeated or with commas, are detectors to compare
    #[arg(
        long,
        value_name = "COLUMN",
        required_unless_present = "history",
        conflicts_with = "history",
        value_delimiter = ','
    )]
    pub(crate) score: Vec<String>,
    /// The label of positive cases; every other label is negative
    #[arg(long, value_name = "LABEL")]
    pub(crate) positive: Option<String>,
    /// What each case weighs, at least 0
    #[arg(long, value_name = "COLUMN")]
    pub(crate) weight: Option<String>,
    /// What cases are grouped by, to tell figures of each group
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// When each case was, as ISO 8601 or seconds since 1970, for false alarms a day
    #[arg(long, value_name = "COLUMN", conflicts_with = "days")]
    pub(crate) time: Option<String>,
    /// The time that the cases span, in days
    #[arg(long, value_name = "DAYS", value_parser = above_zero)]
    pub(crate) days: Option<f64>,
    /// How the table is written [default: by the file's name, or its first bytes]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) input_format: Option<TableFormatName>,
}

/// What thresholds have to reach.
#[derive(Debug, Args)]
#[command(next_help_heading = "Thresholds [default: the best F score]")]
pub(crate) struct TargetArguments {
    /// What this threshold comes to; an alarm is a score of at least this (repeatable)
    #[arg(long, value_name = "SCORE", value_parser = finite, allow_negative_numbers = true)]
    pub(crate) threshold: Vec<f64>,
    /// The threshold with the most recall whose precision is at least this (repeatable)
    #[arg(long, value_name = "SHARE", value_parser = share_or_all)]
    pub(crate) target_precision: Vec<f64>,
    /// The threshold with the most precision whose recall is at least this (repeatable)
    #[arg(long, value_name = "SHARE", value_parser = share_or_all)]
    pub(crate) target_recall: Vec<f64>,
    /// The threshold with the most recall that raises at most so many false alarms a day; needs --days or --time (repeatable)
    #[arg(long, value_name = "NUMBER", value_parser = at_least_zero)]
    pub(crate) false_alarms_per_day: Vec<f64>,
    /// What a miss costs, for the threshold with the lowest cost
    #[arg(long, value_name = "COST", value_parser = at_least_zero, requires = "cost_alarm")]
    pub(crate) cost_miss: Option<f64>,
    /// What a false alarm costs
    #[arg(long, value_name = "COST", value_parser = at_least_zero, requires = "cost_miss")]
    pub(crate) cost_alarm: Option<f64>,
    /// How many times recall weighs more than precision in F scores
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = above_zero)]
    pub(crate) beta: f64,
}

/// Which figures are told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Figures")]
pub(crate) struct FigureArguments {
    /// Tell figures as they would be where so many cases are positive, such as 0.001
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) at_prevalence: Option<f64>,
    /// Tell the ROC area up to this false positive rate, too
    #[arg(long, value_name = "RATE", value_parser = share_or_all)]
    pub(crate) max_false_positive_rate: Option<f64>,
    /// Bootstrap resamples behind intervals and bands; 0 for none [default: 1000, or fewer where cases are very many and
    /// weighted or compared]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) resamples: Option<u32>,
    /// What the resamples' random numbers start from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The share of intervals that hold the true figure
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = share)]
    pub(crate) confidence: f64,
    /// Bins of the calibration curve
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) calibration_bins: u32,
    /// Whether these bins are equally wide, or have equally many cases
    #[arg(long, value_enum, value_name = "HOW", default_value = "uniform")]
    pub(crate) calibration: BinsName,
    /// Which points of curves JSON has: those that a picture can show, or all
    #[arg(long, value_enum, value_name = "WHICH", default_value = "display")]
    pub(crate) points: PointsName,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArguments {
    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub(crate) format: EvaluationFormatName,
    /// Write to this file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write both curves as SVG to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Write both curves as PNG to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormatName {
    /// A header, and cells between commas
    Csv,
    /// A header, and cells between tabs
    Tsv,
    /// A JSON object a line
    Jsonl,
    /// Apache Parquet
    Parquet,
}

/// How bins are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BinsName {
    /// Equally wide
    Uniform,
    /// With equally many cases
    Quantile,
}

/// Which points are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PointsName {
    /// Those that a picture can show
    Display,
    /// All
    All,
}

/// How an evaluation is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvaluationFormatName {
    /// For a person at a terminal
    Terminal,
    /// Every figure in full precision
    Json,
    /// A page with curves that answer
    Html,
    /// For a comment
    Markdown,
}
