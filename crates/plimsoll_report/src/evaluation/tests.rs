use insta::assert_snapshot;

use super::*;

fn told(format: EvaluationFormat) -> String {
    render_evaluation(&sample::evaluation(), format)
}

#[test]
fn it_reads_well_at_a_terminal() {
    assert_snapshot!(told(EvaluationFormat::Terminal(Colour::Never, 100)));
}

#[test]
fn it_reads_well_as_markdown() {
    assert_snapshot!(told(EvaluationFormat::Markdown));
}

#[test]
fn json_has_every_digit() {
    let told: serde_json::Value = serde_json::from_str(&told(EvaluationFormat::Json)).unwrap();
    assert_eq!(told["detectors"][0]["average_precision"]["value"], 0.7654321);
    assert_eq!(told["detectors"][0]["points"][0]["threshold"], serde_json::Value::Null);
    assert_eq!(told["detectors"][0]["thresholds"][0]["target"]["kind"], "cost");
}

#[test]
fn a_name_stays_text() {
    for told in [told(EvaluationFormat::Html), render_picture(&sample::evaluation())] {
        assert!(!told.contains("<script>document") && !told.contains("<img") && !told.contains('\u{1b}'));
    }
}

#[test]
fn a_picture_is_as_it_was_looked_at() {
    let picture = render_picture(&sample::evaluation());
    assert!(picture.starts_with("<svg xmlns="));
    assert_snapshot!(picture);
}

#[test]
fn one_detector_without_resamples_is_told_as_well() {
    let mut evaluation = sample::evaluation();
    evaluation.detectors.truncate(1);
    evaluation.comparisons.clear();
    evaluation.resamples = 0;
    let detector = &mut evaluation.detectors[0];
    detector.bands = None;
    detector.average_precision.interval = None;
    detector.partial_roc_area = None;
    detector.brier_score = None;
    detector.calibration.clear();
    detector.at_prevalence = None;
    assert_snapshot!(render_evaluation(&evaluation, EvaluationFormat::Terminal(Colour::Never, 80)));
    assert!(!render_evaluation(&evaluation, EvaluationFormat::Html).contains("data-kind=\"calibration\""));
}

fn history() -> HistoryEvaluation {
    use plimsoll_core::evaluation::history::{AlarmFigures, RuleFigures, ThresholdProposal};
    use plimsoll_core::evaluation::{Interval, Share};

    let share = |value| {
        let interval = Some(Interval { low: value / 2.0, high: 1.0 });
        Some(Share { value, exact: interval, wilson: interval })
    };
    let mut evaluation = sample::evaluation();
    evaluation.detectors.truncate(1);
    evaluation.comparisons.clear();
    HistoryEvaluation {
        format_version: 1,
        source: ".plimsoll/history.sqlite".to_owned(),
        runs: 12,
        confidence: 0.95,
        rules: vec![
            RuleFigures {
                rule: "add-column-volatile-default".to_owned(),
                confirmed: 3,
                refuted: 1,
                missed: 0,
                untested: 2,
                precision: share(0.75),
                recall: share(1.0),
            },
            RuleFigures {
                rule: "unclaimed-hazard".to_owned(),
                missed: 1,
                recall: share(0.0),
                ..RuleFigures::default()
            },
        ],
        alarm: AlarmFigures {
            measured: 240,
            alarmed: 14,
            judged: 10,
            right: 8,
            false_alarms: 1,
            missed: 1,
            precision: share(8.0 / 9.0),
            recall: share(8.0 / 9.0),
            proposal: Some(ThresholdProposal {
                target: 0.95,
                threshold: None,
                precision: None,
                more_needed: Some(14),
            }),
            evaluation: Some(evaluation),
        },
    }
}

#[test]
fn a_history_reads_well_at_a_terminal() {
    assert_snapshot!(render_history(&history(), EvaluationFormat::Terminal(Colour::Never, 100)));
}

#[test]
fn a_history_without_judged_alarms_says_what_to_do() {
    let mut empty = history();
    empty.rules.clear();
    empty.alarm =
        plimsoll_core::evaluation::history::AlarmFigures { measured: 3, alarmed: 1, ..Default::default() };
    assert_snapshot!(render_history(&empty, EvaluationFormat::Terminal(Colour::Never, 100)));
    let page = render_history(&empty, EvaluationFormat::Html);
    assert!(page.contains("How far Plimsoll can be trusted") && !page.contains("<script"));
    assert!(render_history(&history(), EvaluationFormat::Html).contains("data-kind=\"precision-recall\""));
}
