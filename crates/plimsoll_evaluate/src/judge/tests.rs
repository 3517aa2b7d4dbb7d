use plimsoll_core::evaluation::ThresholdTarget;

use super::*;

fn wanted(targets: Vec<ThresholdTarget>) -> Wanted {
    Wanted {
        source: "scores.csv".to_owned(),
        targets,
        beta: 1.0,
        max_false_positive_rate: Some(0.1),
        prevalence: Some(0.001),
        days: Some(10.0),
        resamples: Some(200),
        seed: 1,
        confidence: 0.95,
        has_all_points: false,
        bins: Bins::Uniform,
        bin_count: 5,
    }
}

/// Scores that tell positive cases from others more or less.
fn sample(count: usize) -> (Vec<bool>, Vec<f64>, Vec<f64>) {
    let positive: Vec<bool> = (0..count).map(|case| case % 10 == 0).collect();
    let mixed = |case: usize, salt: usize| ((case * 7919 + salt * 31) % 10_007) as f64 / 20_014.0;
    let score = |salt, gain: f64| -> Vec<f64> {
        (0..count).map(|case| mixed(case, salt) + if positive[case] { gain } else { 0.0 }).collect()
    };
    let (good, bad) = (score(3, 0.4), score(500, 0.05));
    (positive, good, bad)
}

fn judged(count: usize, targets: Vec<ThresholdTarget>) -> Evaluation {
    let (positive, good, bad) = sample(count);
    let cases = Cases::new(&positive, None).expect("sound cases");
    let detectors = [
        Detector { name: "good", scores: Scores::F64(&good) },
        Detector { name: "bad", scores: Scores::F64(&bad) },
    ];
    let names = ["even".to_owned(), "odd".to_owned()];
    let of_case: Vec<u32> = (0..count as u32).map(|case| case / 10 % 2).collect();
    let groups = Groups { names: &names, of_case: &of_case };
    judge(&cases, &detectors, Some(groups), &wanted(targets)).expect("sound scores")
}

#[test]
fn the_better_detector_is_told_to_be_better() {
    let found = judged(4000, Vec::new());
    assert_eq!((found.cases, found.positives, found.detectors.len()), (4000, 400, 2));
    let [good, bad] = &found.detectors[..] else { panic!("two detectors") };
    assert!(good.average_precision.value > bad.average_precision.value);
    let difference = &found.comparisons[0];
    assert!(difference.roc_area.expect("both classes").interval.low > 0.0);
    assert!(difference.average_precision.expect("resamples").p_value < 0.05);
    let elsewhere = good.at_prevalence.as_ref().expect("asked for").average_precision;
    assert!(elsewhere.value < good.average_precision.value, "precision falls with the prevalence");
    assert!(
        found.reading.starts_with("Read the precision-recall curve: 1 case in 1,000"),
        "{}",
        found.reading
    );
    assert_eq!(good.groups.iter().map(|group| group.cases).sum::<u64>(), 4000);
}

#[test]
fn a_choice_that_rests_on_few_cases_is_warned_of() {
    let target = ThresholdTarget::Precision { precision: 0.95 };
    let warning = |count| judged(count, vec![target]).detectors[0].thresholds[0].warning.clone();
    let few = warning(60).expect("six positive cases are too few");
    assert!(few.more_positives.expect("more would do") > 10, "{few:?}");
    assert_eq!(warning(20_000), None);
}

#[test]
fn a_given_threshold_counts_every_case_from_it() {
    let found = judged(1000, vec![ThresholdTarget::Given { threshold: 0.45 }]);
    let (positive, good, _) = sample(1000);
    let chosen = found.detectors[0].thresholds[0].chosen.as_ref().expect("it is given");
    let expected = good.iter().zip(&positive).filter(|(score, label)| **score >= 0.45 && !**label).count();
    assert_eq!((chosen.threshold, chosen.confusion.false_positives), (Some(0.45), expected as f64));
    let a_day = chosen.false_alarms_a_day.expect("days are known");
    assert_eq!(a_day.value, expected as f64 / 10.0);
    let ends = a_day.interval.expect("resamples");
    assert!(ends.low < a_day.value && a_day.value < ends.high, "{ends:?}");
}

#[test]
fn thinned_points_are_points_of_the_curve() {
    let (positive, good, _) = sample(30_000);
    let cases = Cases::new(&positive, None).expect("sound cases");
    let ranking = Ranking::new(&cases, Scores::F64(&good)).expect("sound scores");
    let all = points::points(&ranking, true, &[]);
    let chosen = [good[77]];
    let thinned = points::points(&ranking, false, &chosen);
    assert!(thinned.len() < 3000 && thinned.len() < all.len(), "{} of {}", thinned.len(), all.len());
    assert!(thinned.iter().all(|point| all.contains(point)));
    assert!(thinned.iter().any(|point| point.threshold == Some(good[77])));
    assert_eq!((thinned.first(), thinned.last()), (all.first(), all.last()));
}
