//! How far Plimsoll's own verdicts can be trusted, by its history: lint's rules against what rehearsals found, and the alarm of
//! slower queries against what people said of it.

use serde::Serialize;

use super::{Evaluation, Share};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HistoryEvaluation {
    /// [`EVALUATION_FORMAT_VERSION`](super::EVALUATION_FORMAT_VERSION).
    pub format_version: u32,
    /// The history's file.
    pub source: String,
    /// Runs in it.
    pub runs: u64,
    /// The share of intervals that hold the true figure, as 0.95.
    pub confidence: f64,
    /// Rules that claimed something, or should have; by name.
    pub rules: Vec<RuleFigures>,
    /// The alarm of queries that got worse.
    pub alarm: AlarmFigures,
}

/// How a rule fared. One finding of several runs counts once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RuleFigures {
    /// Its id.
    pub rule: String,
    /// Claims that a rehearsal saw to hold.
    pub confirmed: u64,
    /// Claims that it saw not to.
    pub refuted: u64,
    /// Hazards that it saw and the rule hadn't claimed.
    pub missed: u64,
    /// Claims about which a rehearsal can't tell, or that none has seen.
    pub untested: u64,
    /// Confirmed claims among those that could be proven; None without any.
    pub precision: Option<Share>,
    /// Confirmed claims among hazards that were seen, a lower bound; None without any.
    pub recall: Option<Share>,
}

/// How the alarm of queries that got worse fared. One comparison of several runs counts once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AlarmFigures {
    /// Comparisons of queries.
    pub measured: u64,
    /// Those that were alarmed.
    pub alarmed: u64,
    /// Those that somebody confirmed or dismissed.
    pub judged: u64,
    /// Alarmed and confirmed.
    pub right: u64,
    /// Alarmed and dismissed.
    pub false_alarms: u64,
    /// Confirmed without an alarm.
    pub missed: u64,
    /// Right alarms among judged ones; None without any.
    pub precision: Option<Share>,
    /// Right alarms among confirmed comparisons, a share of what was judged alone; None without any.
    pub recall: Option<Share>,
    /// What the configuration's target asks for, if it has one.
    pub proposal: Option<ThresholdProposal>,
    /// Growth as a score of the judged comparisons; None unless some were confirmed and some dismissed.
    pub evaluation: Option<Evaluation>,
}

/// The threshold that judged alarms speak for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ThresholdProposal {
    /// The precision that is asked for.
    pub target: f64,
    /// The growth from which queries are to be alarmed; None if judged alarms are too few.
    pub threshold: Option<f64>,
    /// At this threshold.
    pub precision: Option<Share>,
    /// How many more alarms have to be confirmed at least, with none dismissed, where judged ones are too few.
    pub more_needed: Option<u64>,
}
