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
