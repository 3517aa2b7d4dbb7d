//! An evaluation of two detectors, as small as one is that has every part; the browser looks at it, too.

use plimsoll_core::evaluation::{
    AtPrevalence, CalibrationBin, ChosenThreshold, Confusion, CurveBands, DetectorComparison,
    DetectorFigures, Difference, EVALUATION_FORMAT_VERSION, Estimate, Evaluation, GroupFigures, Interval,
    OperatingPoint, PartialArea, Share, ThresholdChoice, ThresholdTarget, ThresholdWarning,
};

/// What a column's name may try.
pub(crate) const HOSTILE: &str =
    "<script>document.title='hit'</script><img src=x onerror=\"document.title='hit'\">|`\u{1b}[31m\u{202e}";

/// Ten positive and ninety negative cases.
#[must_use]
pub(crate) fn evaluation() -> Evaluation {
    Evaluation {
        format_version: EVALUATION_FORMAT_VERSION,
        source: "scores.csv".to_owned(),
        cases: 100,
        positives: 10,
        negatives: 90,
        is_weighted: false,
        prevalence: 0.1,
        days: Some(7.0),
        confidence: 0.95,
        resamples: 1000,
        seed: 1,
        detectors: vec![
            detector("model"),
            DetectorFigures { groups: Vec::new(), thresholds: Vec::new(), ..detector(HOSTILE) },
        ],
        comparisons: vec![DetectorComparison {
            first: "model".to_owned(),
            second: HOSTILE.to_owned(),
            roc_area: None,
            average_precision: Some(Difference {
                value: 0.1234,
                interval: interval(-0.01, 0.25),
                p_value: 0.06,
            }),
        }],
        reading: "Read the precision-recall curve.".to_owned(),
        warnings: vec!["There are only 10 positive cases.".to_owned()],
    }
}

fn interval(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

fn estimate(value: f64) -> Estimate {
    Estimate { value, interval: Some(interval(value - 0.05, value + 0.05)) }
}

fn share(value: f64) -> Share {
    Share {
        value,
        exact: Some(interval(value - 0.2, value + 0.1)),
        wilson: Some(interval(value - 0.15, value + 0.1)),
    }
}

fn detector(name: &str) -> DetectorFigures {
    let at: Vec<f64> = (0..=100).map(|place| f64::from(place) / 100.0).collect();
    let band = |height: f64| vec![interval(height - 0.1, height); at.len()];
    DetectorFigures {
        name: name.to_owned(),
        average_precision: estimate(0.7654321),
        roc_area: estimate(0.93),
        partial_roc_area: Some(PartialArea {
            max_false_positive_rate: 0.1,
            area: 0.07,
            corrected: estimate(0.84),
        }),
        brier_score: Some(estimate(0.08)),
        calibration: vec![
            CalibrationBin {
                mean_score: 0.1,
                positive_share: 0.05,
                cases: 60,
                interval: Some(interval(0.02, 0.14)),
            },
            CalibrationBin {
                mean_score: 0.7,
                positive_share: 0.6,
                cases: 40,
                interval: Some(interval(0.4, 0.75)),
            },
        ],
        at_prevalence: Some(AtPrevalence { prevalence: 0.001, average_precision: estimate(0.06) }),
        thresholds: thresholds(),
        points: points(),
        has_all_points: false,
        bands: Some(CurveBands {
            precision: band(0.9),
            precision_at_prevalence: band(0.2),
            true_positive_rate: band(1.0),
            at,
        }),
        groups: vec![GroupFigures {
            name: "eu|west".to_owned(),
            cases: 60,
            positives: 6,
            average_precision: Some(0.71),
            roc_area: Some(0.9),
            precision: Some(share(0.8)),
            recall: Some(share(0.7)),
        }],
    }
}

fn points() -> Vec<OperatingPoint> {
    let points = [
        (None, 0.0, 0.0),
        (Some(0.9), 4.0, 0.0),
        (Some(0.6), 8.0, 2.0),
        (Some(0.3), 10.0, 20.0),
        (Some(0.0), 10.0, 90.0),
    ];
    points
        .map(|(threshold, true_positives, false_positives)| OperatingPoint {
            threshold,
            true_positives,
            false_positives,
        })
        .to_vec()
}

fn thresholds() -> Vec<ThresholdChoice> {
    let chosen = ChosenThreshold {
        threshold: Some(0.6),
        interval: Some(interval(0.4, 0.8)),
        confusion: Confusion {
            true_positives: 8.0,
            false_positives: 2.0,
            false_negatives: 2.0,
            true_negatives: 88.0,
        },
        precision: share(0.8),
        recall: share(0.8),
        precision_at_prevalence: Some(estimate(0.035)),
        beta: 1.0,
        f_score: estimate(0.8),
        matthews_correlation: estimate(0.7777),
        balanced_accuracy: estimate(0.889),
        false_alarms_a_day: Some(estimate(2.0 / 7.0)),
        cost: Some(22.0),
    };
    let warning =
        ThresholdWarning { text: "The data can't support this choice.".to_owned(), more_positives: Some(40) };
    vec![
        ThresholdChoice {
            target: ThresholdTarget::Cost { miss: 10.0, alarm: 1.0 },
            chosen: Some(chosen),
            warning: Some(warning.clone()),
        },
        ThresholdChoice {
            target: ThresholdTarget::Precision { precision: 0.999 },
            chosen: None,
            warning: Some(ThresholdWarning { more_positives: None, ..warning }),
        },
    ]
}
