//! `plimsoll evaluate --history`: how far Plimsoll's own verdicts can be trusted.

use std::path::{Path, PathBuf};

use plimsoll_core::evaluation::history::{AlarmFigures, HistoryEvaluation, RuleFigures, ThresholdProposal};
use plimsoll_core::evaluation::{EVALUATION_FORMAT_VERSION, Evaluation, ThresholdTarget};
use plimsoll_evaluate::judge::{Detector, judge, share};
use plimsoll_evaluate::{Cases, Scores};
use plimsoll_history::{AlarmCase, History, HistoryError, Proposal, RuleOutcomes, proposal};
use plimsoll_report::render_history;

use super::{deliver, format, targets, wanted};
use crate::args::ColorChoice;
use crate::evaluate_args::EvaluateArguments;
use crate::exit::Failure;
use crate::settings::Settings;

/// What a case's score is.
const GROWTH: &str = "growth";

pub(super) fn run(
    file: Option<&Path>,
    arguments: &EvaluateArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let (file, configured) = asked(file, config)?;
    let file = file.as_path();
    let target = arguments.targets.target_precision.first().copied().or(configured);
    let failed = |why: HistoryError| match why.is_input() {
        true => Failure::input(format!("judge by the history: {why}")),
        false => Failure::environment(format!("judge by the history: {why}")),
    };
    let history = History::open(file).map_err(failed)?;
    let confidence = arguments.figures.confidence;
    let rules = history.rule_outcomes().map_err(failed)?;
    let cases = history.alarm_cases().map_err(failed)?;
    let told = HistoryEvaluation {
        format_version: EVALUATION_FORMAT_VERSION,
        source: file.display().to_string(),
        runs: history.runs().map_err(failed)?,
        confidence,
        rules: rules.iter().map(|rule| rule_figures(rule, confidence)).collect(),
        alarm: alarm_figures(&cases, target, file, arguments)?,
    };
    let has_picture = told.alarm.evaluation.is_some();
    if !has_picture && (arguments.outputs.svg.is_some() || arguments.outputs.png.is_some()) {
        return Err(Failure::input(format!(
            "draw the alarm of {}: a curve takes alarms of which some were confirmed and some dismissed",
            file.display()
        )));
    }
    let text = render_history(&told, format(&arguments.outputs, color));
    deliver(&text, told.alarm.evaluation.as_ref(), &arguments.outputs)
}

/// The history's file and the precision that is asked for. A file that is typed takes no configuration, but it may be there.
fn asked(file: Option<&Path>, config: Option<&Path>) -> Result<(PathBuf, Option<f64>), Failure> {
    let settings = Settings::load(config, None);
    match (file, settings) {
        (Some(file), Ok(settings)) => Ok((file.to_owned(), settings.alarm_precision)),
        (Some(file), Err(_)) if config.is_none() => Ok((file.to_owned(), None)),
        (_, Err(failure)) => Err(failure),
        (None, Ok(settings)) => match settings.history {
            Some(path) => Ok((path, settings.alarm_precision)),
            None => Err(Failure::input(
                "find the history: none is kept; name its file behind --history, or by [history] path in plimsoll.toml",
            )),
        },
    }
}

fn rule_figures(rule: &RuleOutcomes, confidence: f64) -> RuleFigures {
    let RuleOutcomes { confirmed, refuted, missed, untested, .. } = *rule;
    RuleFigures {
        rule: rule.rule.clone(),
        confirmed,
        refuted,
        missed,
        untested,
        precision: share(confirmed, confirmed + refuted, confidence),
        recall: share(confirmed, confirmed + missed, confidence),
    }
}

fn alarm_figures(
    cases: &[AlarmCase],
    target: Option<f64>,
    file: &Path,
    arguments: &EvaluateArguments,
) -> Result<AlarmFigures, Failure> {
    let confidence = arguments.figures.confidence;
    let count = |is: &dyn Fn(&AlarmCase) -> bool| cases.iter().filter(|case| is(case)).count() as u64;
    let right = count(&|case| case.alarmed && case.label == Some(true));
    let false_alarms = count(&|case| case.alarmed && case.label == Some(false));
    let missed = count(&|case| !case.alarmed && case.label == Some(true));
    Ok(AlarmFigures {
        measured: cases.len() as u64,
        alarmed: count(&|case| case.alarmed),
        judged: count(&|case| case.label.is_some()),
        right,
        false_alarms,
        missed,
        precision: share(right, right + false_alarms, confidence),
        recall: share(right, right + missed, confidence),
        proposal: target.map(|target| proposed(cases, target, confidence)),
        evaluation: evaluation(cases, target, file, arguments)?,
    })
}

fn proposed(cases: &[AlarmCase], target: f64, confidence: f64) -> ThresholdProposal {
    match proposal(cases, target) {
        Proposal::Threshold { threshold, alarms, precision, .. } => ThresholdProposal {
            target,
            threshold: Some(threshold),
            precision: share((precision * alarms as f64).round() as u64, alarms, confidence),
            more_needed: None,
        },
        Proposal::TooFew { more_needed, .. } => {
            ThresholdProposal { target, threshold: None, precision: None, more_needed: Some(more_needed) }
        }
    }
}

/// Growth as a score of what was judged; none of one class.
fn evaluation(
    cases: &[AlarmCase],
    target: Option<f64>,
    file: &Path,
    arguments: &EvaluateArguments,
) -> Result<Option<Evaluation>, Failure> {
    let judged = cases.iter().filter(|case| case.score.is_finite());
    let (positive, scores): (Vec<bool>, Vec<f64>) =
        judged.filter_map(|case| Some((case.label?, case.score))).unzip();
    if !positive.contains(&true) || !positive.contains(&false) {
        return Ok(None);
    }
    let mut targets = targets(&arguments.targets);
    if let (true, Some(precision)) = (targets.is_empty(), target) {
        targets.push(ThresholdTarget::Precision { precision });
    }
    let wanted = wanted(file.display().to_string(), targets, None, arguments);
    let detector = Detector { name: GROWTH, scores: Scores::F64(&scores) };
    let judged = Cases::new(&positive, None).and_then(|cases| judge(&cases, &[detector], None, &wanted));
    judged.map(Some).map_err(|why| Failure::input(format!("judge the alarms of {}: {why}", file.display())))
}
