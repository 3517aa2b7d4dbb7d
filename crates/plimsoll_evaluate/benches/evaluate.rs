//! How long areas, rankings and resamples take. `cargo bench -p plimsoll_evaluate`.

use divan::Bencher;
use divan::counter::ItemsCount;
use plimsoll_evaluate::areas::Areas;
use plimsoll_evaluate::bootstrap::{Plan, intervals};
use plimsoll_evaluate::threshold::Target;
use plimsoll_evaluate::{Cases, Ranking, Scores};
use rand::{RngExt as _, SeedableRng as _};

fn main() {
    divan::main();
}

/// Labels and scores that overlap, one case in `rarity` positive.
fn sample(count: usize, rarity: u32) -> (Vec<bool>, Vec<f64>) {
    let mut generator = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(7);
    let positive: Vec<bool> = (0..count).map(|_| generator.random_ratio(1, rarity)).collect();
    let scores = positive.iter().map(|label| generator.random::<f64>() + if *label { 0.4 } else { 0.0 });
    let scores = scores.collect();
    (positive, scores)
}

/// Both areas of ten million scores in memory.
#[divan::bench(args = [1000, 100, 2], sample_count = 5)]
fn areas(bencher: Bencher, rarity: u32) {
    let (positive, scores) = sample(10_000_000, rarity);
    bencher.counter(ItemsCount::new(positive.len())).bench(|| {
        let cases = Cases::new(&positive, None).expect("sound cases");
        Areas::of(&Ranking::corners(&cases, Scores::F64(&scores)).expect("sound scores"))
    });
}

/// Every step of ten million scores.
#[divan::bench(args = [1000, 2], sample_count = 5)]
fn ranking(bencher: Bencher, rarity: u32) {
    let (positive, scores) = sample(10_000_000, rarity);
    bencher.counter(ItemsCount::new(positive.len())).bench(|| {
        let cases = Cases::new(&positive, None).expect("sound cases");
        Ranking::new(&cases, Scores::F64(&scores)).expect("sound scores")
    });
}

/// Both areas of a hundred million scores of half the width.
#[divan::bench(args = [1000, 2], sample_count = 1, sample_size = 1)]
fn areas_of_hundred_million(bencher: Bencher, rarity: u32) {
    let (positive, scores) = sample(100_000_000, rarity);
    let scores: Vec<f32> = scores.iter().map(|score| *score as f32).collect();
    bencher.counter(ItemsCount::new(positive.len())).bench(|| {
        let cases = Cases::new(&positive, None).expect("sound cases");
        Areas::of(&Ranking::corners(&cases, Scores::F32(&scores)).expect("sound scores"))
    });
}

/// A thousand resamples of a million scores: all intervals and bands.
#[divan::bench(args = [1000, 100, 2], sample_count = 1, sample_size = 1)]
fn thousand_resamples(bencher: Bencher, rarity: u32) {
    let (positive, scores) = sample(1_000_000, rarity);
    let cases = Cases::new(&positive, None).expect("sound cases");
    let ranking = Ranking::corners(&cases, Scores::F64(&scores)).expect("sound scores");
    let plan = Plan {
        resamples: 1000,
        seed: 0,
        confidence: 0.95,
        max_false_positive_rate: None,
        prevalence: None,
        targets: vec![Target::FScore(1.0)],
        thresholds: vec![1.0],
        betas: vec![1.0],
    };
    bencher.bench(|| intervals(&cases, Scores::F64(&scores), &ranking, &plan));
}
