//! A query's shared buffers over time, as a line.

use maud::{Markup, html};
use plimsoll_core::HistoryPoint;
use plimsoll_core::units::count;

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 36.0;
const MARGIN: f64 = 3.0;

/// The line, where there are two runs or more. Runs are evenly apart, whenever they were.
pub(super) fn line(points: &[HistoryPoint]) -> Markup {
    let [first, .., last] = points else { return html! {} };
    let most = points.iter().map(|point| point.shared_buffers).max().unwrap_or_default().max(1);
    let least = points.iter().map(|point| point.shared_buffers).min().unwrap_or_default();
    let place = |(at, point): (usize, &HistoryPoint)| {
        let x = MARGIN + (WIDTH - 2.0 * MARGIN) * at as f64 / (points.len() - 1) as f64;
        let y = HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * point.shared_buffers as f64 / most as f64;
        format!("{x:.1},{y:.1}")
    };
    let line: Vec<String> = points.iter().enumerate().map(place).collect();
    let told = format!(
        "Shared buffers over {} runs: {} at first, {} now, between {} and {}",
        count(points.len() as u64),
        count(first.shared_buffers),
        count(last.shared_buffers),
        count(least),
        count(most)
    );
    html! {
        figure class="history" {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) role="img" aria-label=(told) {
                polyline points=(line.join(" ")) fill="none" stroke="currentColor" stroke-width="1.5" {}
            }
            figcaption { (told) "." }
        }
    }
}
