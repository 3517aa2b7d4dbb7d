//! Curves and areas are scikit-learn's, to 1e-12, with ties, weights, one class alone and extreme numbers.
//!
//! `PLIMSOLL_TEST_PYTHON` names a Python that has scikit-learn; `make test` sets it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use plimsoll_evaluate::areas::{Areas, partial_roc_area};
use plimsoll_evaluate::calibration::{Bins, brier_score, calibration_curve};
use plimsoll_evaluate::curve::{Points, det, precision_recall, roc};
use plimsoll_evaluate::threshold::{Target, choose, confusion_at};
use plimsoll_evaluate::{Cases, Ranking, Scores};
use serde_json::{Value, json};

struct Sample {
    name: &'static str,
    positive: Vec<bool>,
    scores: Vec<f64>,
    weights: Option<Vec<f64>>,
}

#[test]
fn curves_and_areas_are_those_of_scikit_learn() {
    let python = std::env::var("PLIMSOLL_TEST_PYTHON").expect("PLIMSOLL_TEST_PYTHON is set; run `make test`");
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scikit_learn.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut questions = child.stdin.take().expect("piped");
    let mut answers = BufReader::new(child.stdout.take().expect("piped")).lines();
    for sample in samples() {
        let Sample { name, positive, scores, weights } = &sample;
        let question = json!({"positive": positive, "scores": scores, "weights": weights});
        writeln!(questions, "{question}").expect("Python reads");
        let answer = answers.next().expect("Python answers").expect("in UTF-8");
        compare(name, &sample, &serde_json::from_str(&answer).expect("in JSON"));
    }
    drop(questions);
    assert!(child.wait().expect("Python ends").success());
}

/// Ten million cases with a million scores, one in a thousand positive; curves go through files, since they are long.
#[test]
fn ten_million_rows_come_to_the_same() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = |name: &str| folder.path().join(name);
    let mut draw = Draw(3);
    let positive: Vec<bool> = (0..10_000_000).map(|_| draw.unit() < 0.001).collect();
    let score =
        |draw: &mut Draw, label: bool| ((draw.unit() + if label { 0.4 } else { 0.0 }) * 1e6).floor() / 1e6;
    let scores: Vec<f64> = positive.iter().map(|label| score(&mut draw, *label)).collect();
    std::fs::write(path("positive"), positive.iter().map(|label| u8::from(*label)).collect::<Vec<_>>())
        .expect("room");
    std::fs::write(path("scores"), scores.iter().flat_map(|score| score.to_le_bytes()).collect::<Vec<_>>())
        .expect("room");
    let python = std::env::var("PLIMSOLL_TEST_PYTHON").expect("PLIMSOLL_TEST_PYTHON is set; run `make test`");
    let mut python = Command::new(python);
    let ended =
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scikit_learn.py")).arg(folder.path()).status();
    assert!(ended.expect("Python starts").success());
    let expected = |name: &str| -> Vec<f64> {
        let bytes = std::fs::read(path(name)).expect("Python has written it");
        bytes
            .chunks_exact(8)
            .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight bytes")))
            .collect()
    };
    let cases = Cases::new(&positive, None).expect("sound cases");
    let ranking = Ranking::new(&cases, Scores::F64(&scores)).expect("sound scores");
    let corners = Ranking::corners(&cases, Scores::F64(&scores)).expect("sound scores");
    for areas in [Areas::of(&ranking), Areas::of(&corners)] {
        let areas = [areas.average_precision, areas.roc_area.expect("two classes")];
        same_points("areas", &areas, &expected("areas.0"));
    }
    let curve = precision_recall(&ranking, Points::All);
    same_parts("precision_recall", [&curve.precision, &curve.recall, &curve.thresholds], expected);
    let curve = roc(&ranking, Points::All);
    same_parts("roc", [&curve.false_positive_rate, &curve.true_positive_rate, &curve.thresholds], expected);
    let curve = det(&ranking, Points::All).expect("two classes");
    same_parts("det", [&curve.false_positive_rate, &curve.false_negative_rate, &curve.thresholds], expected);
}

fn same_parts(curve: &str, found: [&Vec<f64>; 3], expected: impl Fn(&str) -> Vec<f64>) {
    for (part, found) in found.into_iter().enumerate() {
        same_points(curve, found, &expected(&format!("{curve}.{part}")));
    }
}

fn same_points(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "points of {what}");
    found.iter().zip(expected).for_each(|(found, expected)| same(what, Some(*found), Some(*expected)));
}

fn compare(name: &str, sample: &Sample, expected: &Value) {
    let cases = Cases::new(&sample.positive, sample.weights.as_deref()).expect("sound cases");
    let ranking = Ranking::new(&cases, Scores::F64(&sample.scores)).expect("sound scores");
    let areas = Areas::of(&ranking);
    let partial = partial_roc_area(&ranking, 0.3).map(|(_, corrected)| corrected);
    let brier = brier_score(&cases, Scores::F64(&sample.scores), 0.95).map(|(score, _)| score);
    let mut sorted = sample.scores.clone();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[half] } else { sorted[half - 1].midpoint(sorted[half]) };
    let step = choose(&ranking, &[Target::Given(median)])[0].expect("some score is as high");
    let confusion = confusion_at(&ranking, step);
    let figures = [
        ("f_score", Some(confusion.f_score(2.0))),
        ("matthews_correlation", Some(confusion.matthews_correlation())),
        ("balanced_accuracy", Some(confusion.balanced_accuracy())),
        ("brier_score", brier),
        ("average_precision", Some(areas.average_precision)),
        ("roc_area", areas.roc_area),
        ("partial", partial),
    ];
    for (figure, found) in figures {
        same(&format!("{name}: {figure}"), found, expected[figure].as_f64());
    }
    for (points, suffix) in [(Points::All, "all"), (Points::Corners, "corners")] {
        let curve = precision_recall(&ranking, points);
        let parts = [&curve.precision, &curve.recall, &curve.thresholds];
        same_curve(name, &format!("precision_recall_{suffix}"), parts, expected);
        let curve = roc(&ranking, points);
        let parts = [&curve.false_positive_rate, &curve.true_positive_rate, &curve.thresholds];
        same_curve(name, &format!("roc_{suffix}"), parts, expected);
        let curve = det(&ranking, points);
        assert_eq!(curve.is_some(), expected.get(format!("det_{suffix}")).is_some(), "{name}");
        if let Some(curve) = curve {
            let parts = [&curve.false_positive_rate, &curve.false_negative_rate, &curve.thresholds];
            same_curve(name, &format!("det_{suffix}"), parts, expected);
        }
    }
    for (bins, suffix) in [(Bins::Uniform, "uniform"), (Bins::Quantile, "quantile")] {
        let curve = format!("calibration_{suffix}");
        if expected.get(&curve).is_some() {
            let found = calibration_curve(&cases, Scores::F64(&sample.scores), bins, 5, 0.95);
            let shares = found.iter().map(|bin| bin.positive_share).collect();
            same_curve(name, &curve, [&shares, &found.iter().map(|bin| bin.mean_score).collect()], expected);
        }
    }
}

fn same_curve<const PARTS: usize>(name: &str, curve: &str, found: [&Vec<f64>; PARTS], expected: &Value) {
    for (part, found) in found.into_iter().enumerate() {
        let expected = expected[curve][part].as_array().expect("a part of a curve");
        assert_eq!(found.len(), expected.len(), "{name}: points of {curve}");
        for (found, expected) in found.iter().zip(expected) {
            let number = expected.as_str().map_or_else(|| expected.as_f64(), |text| text.parse().ok());
            same(&format!("{name}: {curve}, part {part}"), Some(*found), number);
        }
    }
}

fn same(what: &str, found: Option<f64>, expected: Option<f64>) {
    let is_same = match (found, expected) {
        (Some(found), Some(expected)) => {
            let scale = expected.abs().max(1.0);
            found == expected
                || (found.is_nan() && expected.is_nan())
                || (found - expected).abs() <= 1e-12 * scale
        }
        (found, expected) => found == expected,
    };
    assert!(is_same, "{what}: {found:?} isn't {expected:?}");
}

fn samples() -> Vec<Sample> {
    let mut draw = Draw(7);
    let mut samples = Vec::new();
    for (name, count, levels, share) in [
        ("continuous", 3_000, u64::MAX, 0.3),
        ("ties", 3_000, 20, 0.5),
        ("rare", 5_000, 500, 0.01),
        ("a few", 7, 3, 0.5),
        ("two", 2, 2, 0.5),
        ("all ties", 200, 1, 0.4),
        ("no positive case", 50, 9, 0.0),
        ("no negative case", 50, 9, 1.0),
        ("one", 1, 5, 1.0),
    ] {
        let positive: Vec<bool> = (0..count).map(|_| draw.unit() < share).collect();
        let score = |draw: &mut Draw, label: bool| draw.unit() * if label { 1.0 } else { 0.8 };
        let scores: Vec<f64> = positive
            .iter()
            .map(|label| match levels {
                u64::MAX => score(&mut draw, *label),
                levels => (score(&mut draw, *label) * levels as f64).floor() - 3.0,
            })
            .collect();
        let mut weights: Vec<f64> = positive.iter().map(|_| weight(&mut draw)).collect();
        // scikit-learn refuses weights that are all zero.
        weights[0] = 0.5;
        samples.push(Sample { name, positive: positive.clone(), scores: scores.clone(), weights: None });
        samples.push(Sample { name, positive, scores, weights: Some(weights) });
    }
    samples.extend(extremes());
    samples
}

/// Whole, broken and zero weights.
fn weight(draw: &mut Draw) -> f64 {
    match draw.unit() {
        chance if chance < 0.2 => 0.0,
        chance if chance < 0.5 => 2.0,
        chance => chance * 3.0,
    }
}

fn extremes() -> [Sample; 2] {
    let positive = vec![true, false, true, false, false, true, true, false];
    let scores = vec![f64::MAX, f64::MIN, 5e-324, 0.0, -0.0, -5e-324, 1e-300, 1e300];
    let weights = vec![1e-310, 3e-310, 5e-324, 1.0, 1e-308, 2e-310, 1e12, 1e-12];
    [
        Sample { name: "extremes", positive: positive.clone(), scores: scores.clone(), weights: None },
        Sample { name: "extremes with weights", positive, scores, weights: Some(weights) },
    ]
}

/// Numbers that are the same in each run (SplitMix64, Steele 2014).
struct Draw(u64);

impl Draw {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
