//! What figures mean, in sentences.

use plimsoll_core::evaluation::{Evaluation, ThresholdTarget};
use plimsoll_core::units::{count, figure};

/// Where at least this share of cases is positive, a ROC curve tells as much as precision and recall do.
const COMMON: f64 = 0.2;
/// With fewer cases of a class, intervals by resamples are too narrow (Chernick 2008, 8).
const FEW: u64 = 20;

/// Which curve to read, and why.
pub(super) fn reading(evaluation: &Evaluation) -> String {
    let Some(detector) = evaluation.detectors.first() else { return String::new() };
    let (prevalence, precision) = match &detector.at_prevalence {
        Some(elsewhere) => (elsewhere.prevalence, elsewhere.average_precision.value),
        None => (evaluation.prevalence, detector.average_precision.value),
    };
    let share = frequency(prevalence);
    if prevalence >= COMMON {
        return format!(
            "Either curve can be read: {share} is positive, so that the false positive rate and the share of false alarms are \
             of one magnitude. Precision and recall say what a person who gets the alarms will see."
        );
    }
    // Of a hundred false positives in a hundred negative cases.
    let alarms = 0.01 * (1.0 - prevalence) / prevalence;
    format!(
        "Read the precision-recall curve: {share} is positive, so that a false positive rate of only 1 % already means {} \
         false alarms for each positive case. The ROC area{} ({}) doesn't show that; the average precision ({}, where no \
         skill has {}) does.",
        figure(alarms),
        if evaluation.detectors.len() > 1 { format!(" of {}", detector.name) } else { String::new() },
        figure(detector.roc_area.value),
        figure(precision),
        figure(prevalence)
    )
}

/// "1 case in 1,000" or "30 % of the cases".
fn frequency(prevalence: f64) -> String {
    match prevalence {
        share if share >= 0.1 => format!("{:.0} % of the cases", share * 100.0),
        share if share > 0.0 => format!("1 case in {}", count((1.0 / share).round() as u64)),
        _ => "no case".to_owned(),
    }
}

/// What a reader must know before trusting the figures.
pub(super) fn warnings(evaluation: &Evaluation) -> Vec<String> {
    let mut told = Vec::new();
    for (class, cases) in [("positive", evaluation.positives), ("negative", evaluation.negatives)] {
        if cases < FEW {
            told.push(format!(
                "There {} only {} {class} {}: the intervals by resampling are narrower than the truth with fewer than {FEW}.",
                if cases == 1 { "is" } else { "are" },
                count(cases),
                if cases == 1 { "case" } else { "cases" },
            ));
        }
    }
    told
}

/// No threshold will do.
pub(super) fn unreached(target: ThresholdTarget) -> String {
    let what = match target {
        ThresholdTarget::Precision { precision } => format!("a precision of {}", figure(precision)),
        ThresholdTarget::Recall { recall } => format!("a recall of {}", figure(recall)),
        _ => "this target".to_owned(),
    };
    format!("No threshold reaches {what} on these cases.")
}

/// The choice may be chance.
pub(super) fn unsupported(what: &str, value: f64, low: f64, positives: f64, more: u64) -> String {
    format!(
        "The data can't support this choice: with {} positive {}, a {what} of {} may in truth be {}. About {} more positive \
         {} would do.",
        figure(positives),
        if positives == 1.0 { "case" } else { "cases" },
        figure(value),
        figure(low),
        count(more),
        if more == 1 { "case" } else { "cases" },
    )
}
