//! `plimsoll evaluate`: how far an alarm can be trusted, and where its threshold belongs.

mod of_history;
mod read;

use std::path::Path;

use plimsoll_core::evaluation::{Evaluation, ThresholdTarget};
use plimsoll_core::units::plural;
use plimsoll_evaluate::calibration::Bins;
use plimsoll_evaluate::judge::{Detector, Groups, Wanted, judge};
use plimsoll_evaluate::{Cases, CasesError, Scores};
use plimsoll_report::{EvaluationFormat, render_evaluation, render_picture};
use plimsoll_table::{ScoreColumn, Table};

use crate::args::ColorChoice;
use crate::evaluate_args::{
    BinsName, EvaluateArguments, EvaluationFormatName, OutputArguments, PointsName, TargetArguments,
};
use crate::exit::{CLEAN, Failure};
use crate::output::{print, terminal, write_bytes, write_file};

/// Pixels of a PNG for each unit of the picture.
const PNG_SCALE: f32 = 2.0;

pub(crate) fn run(
    arguments: &EvaluateArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    match (&arguments.history, &arguments.file) {
        (Some(file), _) => of_history::run(file.as_deref(), arguments, config, color),
        (None, Some(file)) => of_table(file, arguments, color),
        // clap has asked for one of them.
        (None, None) => Ok(CLEAN),
    }
}

fn of_table(file: &Path, arguments: &EvaluateArguments, color: ColorChoice) -> Result<u8, Failure> {
    let columns = &arguments.columns;
    let targets = targets(&arguments.targets);
    let asks_for_days = targets.iter().any(|target| matches!(target, ThresholdTarget::FalseAlarms { .. }));
    if asks_for_days && columns.days.is_none() && columns.time.is_none() {
        return Err(Failure::input(
            "choose a threshold by false alarms a day: how many days the cases span isn't known; give --days, or --time with \
             the column that tells when each case was",
        ));
    }
    read::check_outputs(file, &arguments.outputs)?;
    let source = read::name(file);
    let table = read::table(file, columns)?;
    let failed = |why: String| Failure::input(format!("judge the cases of {source}: {why}"));
    let days = columns.days.or(table.days).filter(|days| *days > 0.0);
    if asks_for_days && days.is_none() {
        return Err(failed("all cases are of one moment; give --days instead of --time".to_owned()));
    }
    let wanted = wanted(source.clone(), targets, days, arguments);
    let evaluation = judged(&table, arguments, &wanted).map_err(failed)?;
    let text = render_evaluation(&evaluation, format(&arguments.outputs, color));
    deliver(&text, Some(&evaluation), &arguments.outputs)
}

fn wanted(
    source: String,
    targets: Vec<ThresholdTarget>,
    days: Option<f64>,
    arguments: &EvaluateArguments,
) -> Wanted {
    let figures = &arguments.figures;
    Wanted {
        source,
        targets,
        beta: arguments.targets.beta,
        max_false_positive_rate: figures.max_false_positive_rate,
        prevalence: figures.at_prevalence,
        days,
        resamples: figures.resamples,
        seed: figures.seed,
        confidence: figures.confidence,
        has_all_points: figures.points == PointsName::All,
        bins: match figures.calibration {
            BinsName::Uniform => Bins::Uniform,
            BinsName::Quantile => Bins::Quantile,
        },
        bin_count: figures.calibration_bins as usize,
    }
}

fn targets(arguments: &TargetArguments) -> Vec<ThresholdTarget> {
    let given = arguments.threshold.iter().map(|threshold| ThresholdTarget::Given { threshold: *threshold });
    let precisions = arguments
        .target_precision
        .iter()
        .map(|precision| ThresholdTarget::Precision { precision: *precision });
    let recalls = arguments.target_recall.iter().map(|recall| ThresholdTarget::Recall { recall: *recall });
    let alarms =
        arguments.false_alarms_per_day.iter().map(|a_day| ThresholdTarget::FalseAlarms { a_day: *a_day });
    let cost = arguments.cost_miss.zip(arguments.cost_alarm);
    let cost = cost.map(|(miss, alarm)| ThresholdTarget::Cost { miss, alarm });
    given.chain(precisions).chain(recalls).chain(alarms).chain(cost).collect()
}

fn judged(table: &Table, arguments: &EvaluateArguments, wanted: &Wanted) -> Result<Evaluation, String> {
    let columns = &arguments.columns;
    let cases = Cases::new(&table.positive, table.weights.as_deref()).map_err(|why| match why {
        CasesError::NoWeight => {
            format!("column {:?}: all weights are 0", columns.weight.as_deref().unwrap_or_default())
        }
        why => why.to_string(),
    })?;
    check_classes(&cases, columns.label.as_deref().unwrap_or_default())?;
    let detectors: Vec<Detector> = columns
        .score
        .iter()
        .zip(&table.scores)
        .map(|(name, scores)| Detector { name, scores: borrowed(scores) })
        .collect();
    let groups = table.groups.as_ref();
    let groups = groups.map(|groups| Groups { names: &groups.names, of_case: &groups.of_row });
    judge(&cases, &detectors, groups, wanted).map_err(|why| why.to_string())
}

fn borrowed(scores: &ScoreColumn) -> Scores<'_> {
    match scores {
        ScoreColumn::F32(scores) => Scores::F32(scores),
        ScoreColumn::F64(scores) => Scores::F64(scores),
    }
}

/// Of one class there is nothing to tell from.
fn check_classes(cases: &Cases, column: &str) -> Result<(), String> {
    let mut has = [false; 2];
    let weights = cases.weights();
    for (case, positive) in cases.positive().iter().enumerate() {
        has[usize::from(*positive)] |= weights.is_none_or(|weights| weights[case] > 0.0);
    }
    let (of, other) = match has {
        [true, true] => return Ok(()),
        [_, true] => ("positive", "negative"),
        [_, false] => ("negative", "positive"),
    };
    let count = plural(cases.positive().len(), "case");
    let weighing = if weights.is_some() { " that weigh anything" } else { "" };
    Err(format!(
        "column {column:?}: all of the {count}{weighing} are {of}, from row 1 on; no curve can be drawn without a {other} one"
    ))
}

fn format(outputs: &OutputArguments, color: ColorChoice) -> EvaluationFormat {
    let (colour, width) = terminal(color);
    match outputs.format {
        EvaluationFormatName::Terminal => EvaluationFormat::Terminal(colour, width),
        EvaluationFormatName::Json => EvaluationFormat::Json,
        EvaluationFormatName::Html => EvaluationFormat::Html,
        EvaluationFormatName::Markdown => EvaluationFormat::Markdown,
    }
}

/// Writes the report and the pictures. Everything is made before anything is written.
fn deliver(text: &str, evaluation: Option<&Evaluation>, outputs: &OutputArguments) -> Result<u8, Failure> {
    let picture = match evaluation {
        Some(evaluation) if outputs.svg.is_some() || outputs.png.is_some() => render_picture(evaluation),
        _ => String::new(),
    };
    if let Some(path) = &outputs.png {
        let bytes = plimsoll_png::png(&picture, PNG_SCALE)
            .map_err(|why| Failure::environment(format!("draw {}: {why}", path.display())))?;
        write_bytes(path, &bytes)?;
    }
    if let Some(path) = &outputs.svg {
        write_file(path, &picture)?;
    }
    match &outputs.output {
        Some(path) => write_file(path, text)?,
        None => print(text)?,
    }
    Ok(CLEAN)
}
