//! What is told of an evaluation, part by part, in words and figures of three digits.

use plimsoll_core::evaluation::{
    ChosenThreshold, DetectorFigures, Difference, Estimate, Evaluation, Interval, Share, ThresholdChoice,
    ThresholdTarget,
};
use plimsoll_core::units::{count, figure, plural};

/// Groups that are told; JSON has all.
const GROUPS: usize = 20;

/// A part of a report, under its title.
pub(super) struct Part {
    pub(super) title: String,
    pub(super) body: Body,
}

pub(super) enum Body {
    /// Each stands for itself.
    Sentences(Vec<String>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// The first column is text; the others are figures.
    Table { columns: Vec<String>, rows: Vec<Vec<String>> },
}

/// In the order of reading.
pub(super) fn parts(evaluation: &Evaluation) -> Vec<Part> {
    let mut parts = vec![part("What was judged", Body::Sentences(head(evaluation)))];
    parts.push(part("Which curve to read", Body::Sentences(vec![evaluation.reading.clone()])));
    parts.extend(figures(evaluation));
    if !evaluation.warnings.is_empty() {
        parts.push(part("Before you trust this", Body::Sentences(evaluation.warnings.clone())));
    }
    parts
}

/// Those without an introduction.
pub(super) fn figures(evaluation: &Evaluation) -> Vec<Part> {
    let mut parts = vec![detectors(evaluation)];
    for detector in &evaluation.detectors {
        parts.extend(detector.thresholds.iter().map(|choice| threshold(evaluation, detector, choice)));
    }
    parts.extend(comparisons(evaluation));
    parts.extend(evaluation.detectors.iter().filter_map(|detector| groups(evaluation, detector)));
    parts.extend(evaluation.detectors.iter().filter_map(|detector| calibration(evaluation, detector)));
    parts
}

pub(super) fn part(title: &str, body: Body) -> Part {
    Part { title: title.to_owned(), body }
}

/// What was read, and how intervals were made.
pub(super) fn head(evaluation: &Evaluation) -> Vec<String> {
    let share = figure(evaluation.prevalence * 100.0);
    let by_weight = if evaluation.is_weighted { " by weight" } else { "" };
    let mut first = format!(
        "{}: {}, {} positive ({share} %{by_weight}), {} negative",
        evaluation.source,
        plural(evaluation.cases as usize, "case"),
        count(evaluation.positives),
        count(evaluation.negatives),
    );
    if let Some(days) = evaluation.days {
        first.push_str(&format!(", over {} days", figure(days)));
    }
    let confidence = percent(evaluation.confidence);
    let second = match evaluation.resamples {
        0 => format!(
            "Intervals hold the true figure with {confidence} % confidence; those by resampling were left out."
        ),
        resamples => format!(
            "Intervals hold the true figure with {confidence} % confidence; those of curves and areas are by {} stratified resamples with seed {}.",
            count(resamples),
            evaluation.seed
        ),
    };
    vec![format!("{first}."), second]
}

/// Of a confidence, whose nines count.
pub(super) fn percent(confidence: f64) -> f64 {
    (confidence * 1e10).round() / 1e8
}

fn detectors(evaluation: &Evaluation) -> Part {
    let first = evaluation.detectors.first();
    let elsewhere = first.and_then(|one| one.at_prevalence.as_ref());
    let partial = first.and_then(|one| one.partial_roc_area.as_ref());
    let has_brier = evaluation.detectors.iter().any(|one| one.brier_score.is_some());
    let mut columns = vec!["detector".to_owned(), "average precision".to_owned()];
    columns.extend(elsewhere.map(|at| format!("at a prevalence of {}", figure(at.prevalence))));
    columns.push("ROC area".to_owned());
    columns.extend(
        partial.map(|area| format!("up to a rate of {}, corrected", figure(area.max_false_positive_rate))),
    );
    columns.extend(has_brier.then(|| "Brier score".to_owned()));
    let row = |one: &DetectorFigures| {
        let mut row = vec![one.name.clone(), estimate(&one.average_precision)];
        row.extend(one.at_prevalence.as_ref().map(|at| estimate(&at.average_precision)));
        row.push(estimate(&one.roc_area));
        row.extend(one.partial_roc_area.as_ref().map(|area| estimate(&area.corrected)));
        if has_brier {
            row.push(one.brier_score.as_ref().map_or_else(|| "no probability".to_owned(), estimate));
        }
        row
    };
    let mut rows: Vec<Vec<String>> = evaluation.detectors.iter().map(row).collect();
    rows.push(no_skill(evaluation, columns.len()));
    part("Detectors", Body::Table { columns, rows })
}

/// What a detector without any skill would have.
fn no_skill(evaluation: &Evaluation, columns: usize) -> Vec<String> {
    let first = evaluation.detectors.first();
    let mut row = vec!["no skill".to_owned(), figure(evaluation.prevalence)];
    row.extend(first.and_then(|one| one.at_prevalence.as_ref()).map(|at| figure(at.prevalence)));
    row.push("0.5".to_owned());
    row.extend(first.and_then(|one| one.partial_roc_area.as_ref()).map(|_| "0.5".to_owned()));
    // Always the prevalence as score.
    let share = evaluation.prevalence;
    row.resize_with(columns, || figure(share * (1.0 - share)));
    row
}

fn threshold(evaluation: &Evaluation, detector: &DetectorFigures, choice: &ThresholdChoice) -> Part {
    let mut facts = Vec::new();
    if let Some(chosen) = &choice.chosen {
        facts.extend(chosen_facts(evaluation, chosen));
    }
    facts.extend(choice.warning.iter().map(|warning| ("warning".to_owned(), warning.text.clone())));
    part(&format!("{}: {}", detector.name, target(&choice.target)), Body::Facts(facts))
}

fn chosen_facts(evaluation: &Evaluation, chosen: &ChosenThreshold) -> Vec<(String, String)> {
    let threshold = match chosen.threshold {
        Some(threshold) => format!("{threshold}{}", chosen.interval.as_ref().map(ends).unwrap_or_default()),
        None => "above every score: no alarm".to_owned(),
    };
    let confusion = &chosen.confusion;
    let mut facts = vec![
        ("threshold".to_owned(), threshold),
        ("precision".to_owned(), share(&chosen.precision)),
        ("recall".to_owned(), share(&chosen.recall)),
        (format!("F{}", figure(chosen.beta)), estimate(&chosen.f_score)),
        ("Matthews correlation".to_owned(), estimate(&chosen.matthews_correlation)),
        ("balanced accuracy".to_owned(), estimate(&chosen.balanced_accuracy)),
        (
            "alarms".to_owned(),
            format!(
                "{} right, {} false",
                figure(confusion.true_positives),
                figure(confusion.false_positives)
            ),
        ),
        (
            "no alarm".to_owned(),
            format!(
                "{} missed, {} rightly silent",
                figure(confusion.false_negatives),
                figure(confusion.true_negatives)
            ),
        ),
    ];
    if let Some(elsewhere) = &chosen.precision_at_prevalence {
        let prevalence = evaluation.detectors.iter().find_map(|one| one.at_prevalence.as_ref());
        let at = prevalence.map_or(0.0, |at| at.prevalence);
        facts.push((format!("precision at a prevalence of {}", figure(at)), estimate(elsewhere)));
    }
    facts.extend(chosen.false_alarms_a_day.map(|a_day| ("false alarms a day".to_owned(), estimate(&a_day))));
    facts.extend(chosen.cost.map(|cost| ("cost".to_owned(), figure(cost))));
    facts
}

/// What was asked for, in words.
pub(super) fn target(target: &ThresholdTarget) -> String {
    match target {
        ThresholdTarget::Given { threshold } => format!("the given threshold {threshold}"),
        ThresholdTarget::FScore { beta } => format!("the best F{}", figure(*beta)),
        ThresholdTarget::Precision { precision } => format!("a precision of {}", figure(*precision)),
        ThresholdTarget::Recall { recall } => format!("a recall of {}", figure(*recall)),
        ThresholdTarget::FalseAlarms { a_day } => format!("at most {} false alarms a day", figure(*a_day)),
        ThresholdTarget::Cost { miss, alarm } => {
            format!("the lowest cost, {} a miss and {} a false alarm", figure(*miss), figure(*alarm))
        }
    }
}

fn comparisons(evaluation: &Evaluation) -> Option<Part> {
    let difference = |found: &Option<Difference>| match found {
        Some(found) => {
            let sign = if found.value > 0.0 { "+" } else { "" };
            format!("{sign}{}{}, p {}", figure(found.value), ends(&found.interval), chance(found.p_value))
        }
        None => "not tested".to_owned(),
    };
    let rows: Vec<Vec<String>> = evaluation
        .comparisons
        .iter()
        .map(|pair| {
            let name = format!("{} less {}", pair.first, pair.second);
            vec![name, difference(&pair.average_precision), difference(&pair.roc_area)]
        })
        .collect();
    let columns = ["difference", "average precision (paired bootstrap)", "ROC area (DeLong)"];
    let columns = columns.map(str::to_owned).into();
    (!rows.is_empty()).then(|| part("Detectors compared on the same cases", Body::Table { columns, rows }))
}

fn chance(p_value: f64) -> String {
    if p_value < 1e-4 { "< 0.0001".to_owned() } else { format!("= {}", figure(p_value)) }
}

fn groups(evaluation: &Evaluation, detector: &DetectorFigures) -> Option<Part> {
    let or_none = |value: Option<f64>| value.map_or_else(|| "one class".to_owned(), figure);
    let rows: Vec<Vec<String>> = detector
        .groups
        .iter()
        .take(GROUPS)
        .map(|group| {
            let name = if group.name.is_empty() { "(none)".to_owned() } else { group.name.clone() };
            vec![
                name,
                count(group.cases),
                count(group.positives),
                or_none(group.average_precision),
                or_none(group.roc_area),
                group.precision.as_ref().map_or_else(String::new, share),
                group.recall.as_ref().map_or_else(String::new, share),
            ]
        })
        .collect();
    let columns = ["group", "cases", "positive", "average precision", "ROC area", "precision", "recall"];
    let columns = columns.map(str::to_owned).into();
    let more = detector.groups.len().saturating_sub(GROUPS);
    let more = if more > 0 { format!("; {} more in JSON", count(more as u64)) } else { String::new() };
    let which = if evaluation.detectors.len() > 1 { format!(" of {}", detector.name) } else { String::new() };
    let title = format!("Groups{which}, at the first threshold{more}");
    (!rows.is_empty()).then(|| part(&title, Body::Table { columns, rows }))
}

fn calibration(evaluation: &Evaluation, detector: &DetectorFigures) -> Option<Part> {
    let rows: Vec<Vec<String>> = detector
        .calibration
        .iter()
        .map(|bin| {
            let seen = bin.interval.as_ref().map(ends).unwrap_or_default();
            vec![figure(bin.mean_score), format!("{}{seen}", figure(bin.positive_share)), count(bin.cases)]
        })
        .collect();
    let columns = ["mean score", "share of positive cases", "cases"].map(str::to_owned).into();
    let which = if evaluation.detectors.len() > 1 { format!(" of {}", detector.name) } else { String::new() };
    let title = format!("Calibration{which}");
    (!rows.is_empty()).then(|| part(&title, Body::Table { columns, rows }))
}

fn estimate(estimate: &Estimate) -> String {
    format!("{}{}", figure(estimate.value), estimate.interval.as_ref().map(ends).unwrap_or_default())
}

/// The score test's interval; the exact one behind it.
pub(super) fn share(share: &Share) -> String {
    let wilson = share.wilson.as_ref().map(ends).unwrap_or_default();
    let exact = share.exact.as_ref().map(|exact| format!(", exact{}", ends(exact))).unwrap_or_default();
    format!("{}{wilson}{exact}", figure(share.value))
}

fn ends(interval: &Interval) -> String {
    format!(" [{}, {}]", figure(interval.low), figure(interval.high))
}
