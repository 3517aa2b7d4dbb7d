//! One chart: its axes and what is drawn on them, as SVG that classes colour.

use maud::{Markup, html};
use plimsoll_core::evaluation::{CurveBands, DetectorFigures, Interval, OperatingPoint};
use plimsoll_core::units::figure;
use statrs::distribution::{ContinuousCDF as _, Normal};

/// Of each chart.
pub(super) const WIDTH: f64 = 420.0;
/// See [`WIDTH`].
pub(super) const HEIGHT: f64 = 360.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 46.0;
/// Colours, told apart by people who see few (Okabe and Ito 2008); more detectors use them again.
pub(super) const COLOURS: usize = 6;

/// Which chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    PrecisionRecall,
    Roc,
    Det,
    Calibration,
}

/// Rates that axes by normal deviates show (Martin et al. 1997).
const DEVIATES: [f64; 9] = [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99];
const SHARES: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];

/// Cases of each class, and how much more negative ones weigh elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classes {
    pub(super) positives: f64,
    pub(super) negatives: f64,
    /// What a false positive weighs beside a true one at the other prevalence.
    pub(super) elsewhere: Option<f64>,
}

impl Classes {
    fn prevalence(self) -> f64 {
        self.positives / (self.positives + self.negatives)
    }

    fn prevalence_elsewhere(self) -> Option<f64> {
        self.elsewhere.map(|weight| self.positives / (self.positives + weight * self.negatives))
    }

    /// What dotted lines are.
    pub(super) fn no_skill_words(self) -> String {
        let elsewhere = self.prevalence_elsewhere();
        let elsewhere = elsewhere.map_or_else(String::new, |share| format!(" ({} there)", figure(share)));
        format!(
            "Dotted: no skill, with a precision of {}{elsewhere} and a ROC area of 0.5",
            figure(self.prevalence())
        )
    }
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::PrecisionRecall, Self::Roc, Self::Det, Self::Calibration];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::PrecisionRecall => "precision-recall",
            Self::Roc => "roc",
            Self::Det => "det",
            Self::Calibration => "calibration",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::PrecisionRecall => "Precision and recall",
            Self::Roc => "ROC",
            Self::Det => "Detection error trade-off",
            Self::Calibration => "Calibration",
        }
    }

    fn axes(self) -> [&'static str; 2] {
        match self {
            Self::PrecisionRecall => ["recall", "precision"],
            Self::Roc => ["false positive rate", "true positive rate"],
            Self::Det => ["false positive rate", "false negative rate"],
            Self::Calibration => ["mean score", "share of positive cases"],
        }
    }

    fn ticks(self) -> &'static [f64] {
        if self == Self::Det { &DEVIATES } else { &SHARES }
    }

    /// Where a rate is on an axis, from 0 to 1.
    fn along(self, rate: f64) -> f64 {
        if self != Self::Det {
            return rate.clamp(0.0, 1.0);
        }
        let deviate = |rate: f64| Normal::standard().inverse_cdf(rate);
        let (low, high) = (deviate(DEVIATES[0]), deviate(DEVIATES[8]));
        (deviate(rate.clamp(DEVIATES[0], DEVIATES[8])) - low) / (high - low)
    }

    /// A place in the picture.
    pub(super) fn place(self, x: f64, y: f64) -> (f64, f64) {
        let (width, height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
        (tenth(LEFT + self.along(x) * width), tenth(TOP + (1.0 - self.along(y)) * height))
    }

    /// Where a point of a curve is; None where it is on no curve of this kind.
    pub(super) fn of_point(
        self,
        point: &OperatingPoint,
        classes: Classes,
        elsewhere: bool,
    ) -> Option<(f64, f64)> {
        let recall = point.true_positives / classes.positives;
        let rate = point.false_positives / classes.negatives;
        let weight = if elsewhere { classes.elsewhere? } else { 1.0 };
        let alarms = point.true_positives + weight * point.false_positives;
        match self {
            Self::PrecisionRecall if alarms > 0.0 => Some(self.place(recall, point.true_positives / alarms)),
            Self::Roc => Some(self.place(rate, recall)),
            Self::Det => Some(self.place(rate, 1.0 - recall)),
            Self::PrecisionRecall | Self::Calibration => None,
        }
    }
}

fn tenth(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

/// The chart; none where no detector has anything on it. `inside` is drawn above all.
pub(super) fn panel(
    kind: Kind,
    detectors: &[DetectorFigures],
    classes: Classes,
    inside: &Markup,
) -> Option<Markup> {
    let is_empty = kind == Kind::Calibration && detectors.iter().all(|one| one.calibration.is_empty());
    (!is_empty).then(|| {
        html! {
            text class="title" x=(LEFT) y="20" { (kind.title()) }
            (axes(kind))
            (no_skill(kind, classes))
            @for (number, detector) in detectors.iter().enumerate() {
                (of_detector(kind, number % COLOURS, detector, classes))
            }
            (inside)
        }
    })
}

fn axes(kind: Kind) -> Markup {
    let [x_title, y_title] = kind.axes();
    let (low, high) = (kind.ticks()[0], kind.ticks()[kind.ticks().len() - 1]);
    let ((left, bottom), (right, top)) = (kind.place(low, low), kind.place(high, high));
    html! {
        g class="axes" {
            @for tick in kind.ticks() {
                @let (x, y) = kind.place(*tick, *tick);
                line class="grid" x1=(x) y1=(bottom) x2=(x) y2=(top) {}
                line class="grid" x1=(left) y1=(y) x2=(right) y2=(y) {}
                text class="tick" x=(x) y=(bottom + 15.0) text-anchor="middle" { (figure(*tick)) }
                text class="tick" x=(left - 6.0) y=(y + 4.0) text-anchor="end" { (figure(*tick)) }
            }
            text class="axis" x=(tenth((left + right) / 2.0)) y=(bottom + 34.0) text-anchor="middle" { (x_title) }
            text class="axis" text-anchor="middle" transform={ "translate(13 " (tenth((top + bottom) / 2.0)) ") rotate(-90)" } { (y_title) }
        }
    }
}

/// What chance alone would draw; scores that come true, for a calibration.
fn no_skill(kind: Kind, classes: Classes) -> Markup {
    let line = |class: &str, from: (f64, f64), to: (f64, f64)| {
        html! { line class={ "no-skill" (class) } x1=(from.0) y1=(from.1) x2=(to.0) y2=(to.1) {} }
    };
    let level = |share: f64, class: &str| line(class, kind.place(0.0, share), kind.place(1.0, share));
    match kind {
        Kind::PrecisionRecall => html! {
            (level(classes.prevalence(), ""))
            @if let Some(share) = classes.prevalence_elsewhere() { (level(share, " elsewhere")) }
        },
        Kind::Roc | Kind::Calibration => line("", kind.place(0.0, 0.0), kind.place(1.0, 1.0)),
        Kind::Det => line("", kind.place(DEVIATES[0], 1.0), kind.place(1.0, DEVIATES[0])),
    }
}

fn of_detector(kind: Kind, colour: usize, detector: &DetectorFigures, classes: Classes) -> Markup {
    let class = format!("of-{colour}");
    let curve = |elsewhere: bool| {
        let points = detector.points.iter().filter_map(|point| kind.of_point(point, classes, elsewhere));
        path(points, kind == Kind::PrecisionRecall)
    };
    html! {
        g class=(class) {
            @if let Some(bands) = &detector.bands { (band(kind, bands)) }
            @if kind == Kind::Calibration { (calibration(kind, detector)) } @else {
                path class="curve" d=(curve(false)) {}
                @if kind == Kind::PrecisionRecall && classes.elsewhere.is_some() {
                    path class="curve elsewhere" d=(curve(true)) {}
                }
            }
        }
    }
}

/// Steps go up or down first: between two thresholds precision is that of the second.
fn path(places: impl Iterator<Item = (f64, f64)>, is_stepped: bool) -> String {
    let mut told = String::new();
    let mut last: Option<(f64, f64)> = None;
    for (x, y) in places.filter(|(x, y)| x.is_finite() && y.is_finite()) {
        match last {
            None => told.push_str(&format!("M{x} {y}")),
            Some(before) if before == (x, y) => {}
            Some(_) if is_stepped => told.push_str(&format!("V{y}H{x}")),
            Some(_) => told.push_str(&format!("L{x} {y}")),
        }
        last = Some((x, y));
    }
    told
}

fn band(kind: Kind, bands: &CurveBands) -> Markup {
    let area = |intervals: &[Interval]| {
        let there = bands.at.iter().zip(intervals).map(|(at, ends)| kind.place(*at, ends.high));
        let back = bands.at.iter().zip(intervals).rev().map(|(at, ends)| kind.place(*at, ends.low));
        path(there.chain(back), false) + "Z"
    };
    match kind {
        Kind::PrecisionRecall => html! {
            path class="band" d=(area(&bands.precision)) {}
            @if !bands.precision_at_prevalence.is_empty() {
                path class="band" d=(area(&bands.precision_at_prevalence)) {}
            }
        },
        Kind::Roc => html! { path class="band" d=(area(&bands.true_positive_rate)) {} },
        Kind::Det | Kind::Calibration => html! {},
    }
}

fn calibration(kind: Kind, detector: &DetectorFigures) -> Markup {
    let bins = &detector.calibration;
    html! {
        path class="curve" d=(path(bins.iter().map(|bin| kind.place(bin.mean_score, bin.positive_share)), false)) {}
        @for bin in bins {
            @let (x, y) = kind.place(bin.mean_score, bin.positive_share);
            @if let Some(ends) = &bin.interval {
                line class="curve" x1=(x) y1=(kind.place(0.0, ends.low).1) x2=(x) y2=(kind.place(0.0, ends.high).1) {}
            }
            circle class="bin" cx=(x) cy=(y) r="3.5" {
                title { (format!("{} cases: mean score {}, {} positive", bin.cases, figure(bin.mean_score), figure(bin.positive_share))) }
            }
        }
    }
}
