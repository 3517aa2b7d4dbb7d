//! What ran on a server: a timeline with a row for each query, its calls as ticks, and a table with all figures.

use maud::{Markup, html};
use plimsoll_core::traffic::{Burst, BurstKind, QueryTraffic, Traffic};
use plimsoll_core::units::{bytes, count, duration_ms, plural};

use super::shown;

/// Queries with a row in the timeline, those with most calls.
const ROWS: usize = 40;
/// Height of a row, in pixels, as the style sheet has it.
const ROW: f64 = 16.0;
/// Width of the picture.
const WIDTH: f64 = 1000.0;
/// Room above the rows, in pixels, as the style sheet has it.
const AXIS: f64 = 20.0;
/// The narrowest tick that is seen.
const TICK: f64 = 1.2;

/// The section.
pub(super) fn section(traffic: &Traffic) -> Markup {
    html! {
        section aria-labelledby="traffic" {
            h2 id="traffic" { "Queries" }
            p class="lead" {
                (plural(traffic.statements as usize, "statement")) " of "
                (plural(traffic.queries.len(), "query")) " on "
                (plural(traffic.sessions as usize, "connection")) " in " (duration_ms(traffic.lasted_ms)) "."
            }
            (timeline(traffic))
            (table(traffic))
        }
    }
}

fn timeline(traffic: &Traffic) -> Markup {
    let mut queries: Vec<&QueryTraffic> = traffic.queries.iter().collect();
    queries.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.query.cmp(&b.query)));
    queries.truncate(ROWS);
    let height = AXIS + ROW * queries.len() as f64;
    let steps = (traffic.lasted_ms / traffic.step_ms.max(f64::MIN_POSITIVE)).max(1.0);
    html! {
        h3 { "When each query ran" }
        p { "A row a query, a tick a call; the darker, the more calls at once. Red underlines are N+1 bursts." }
        div class="bursts" {
            ol class="labels" { @for query in &queries {
                li title=(shown(&query.query)) { span class="number" { (count(query.calls)) } " " code { (shown(&query.query)) } }
            } }
            svg viewBox={ "0 0 " (WIDTH) " " (height) } height=(height) preserveAspectRatio="none" role="img"
                aria-label="When each query ran; the table below has the figures" {
                @for (row, query) in queries.iter().enumerate() {
                    (ticks(query, row, steps))
                    @for burst in traffic.bursts.iter().filter(|burst| is_underlined(burst, query)) {
                        (underline(burst, row, traffic.lasted_ms))
                    }
                }
            }
        }
        p class="axis" { span { "0" } span { (duration_ms(traffic.lasted_ms / 2.0)) } span { (duration_ms(traffic.lasted_ms)) } }
    }
}

fn is_underlined(burst: &Burst, query: &QueryTraffic) -> bool {
    burst.kind == BurstKind::NPlusOne && burst.fingerprint == query.fingerprint
}

fn ticks(query: &QueryTraffic, row: usize, steps: f64) -> Markup {
    let y = AXIS + ROW * row as f64;
    let most = query.hits.iter().map(|(_, count)| *count).max().unwrap_or(1);
    let width = (WIDTH / steps).clamp(TICK, 6.0);
    html! {
        g class="ticks" {
            title { (shown(&query.query)) ": " (plural(query.calls as usize, "call")) }
            @for (step, calls) in &query.hits {
                rect x={ (format!("{:.2}", (f64::from(*step) / steps * WIDTH).min(WIDTH - width))) } y={ (y + 2.0) } width={ (format!("{width:.2}")) }
                    height={ (ROW - 5.0) } opacity={ (format!("{:.2}", opacity(*calls, most))) } {}
            }
        }
    }
}

/// One call is seen as well as many are told from few.
fn opacity(calls: u32, most: u32) -> f64 {
    let share = f64::from(calls).ln_1p() / f64::from(most.max(1)).ln_1p();
    0.35 + 0.65 * share
}

fn underline(burst: &Burst, row: usize, lasted_ms: f64) -> Markup {
    let x = |ms: f64| ms / lasted_ms.max(f64::MIN_POSITIVE) * WIDTH;
    let start = x(burst.started_ms).min(WIDTH - 2.0);
    let width = (x(burst.ended_ms) - start).max(2.0);
    html! {
        rect class="burst" x={ (format!("{start:.2}")) } y={ (AXIS + ROW * row as f64 + ROW - 3.0) } width={ (format!("{width:.2}")) } height="2" {
            title { (burst.kind.word()) ": " (plural(burst.statements as usize, "statement")) }
        }
    }
}

fn table(traffic: &Traffic) -> Markup {
    html! {
        h3 { "By time in total" }
        div class="scroll" {
            table class="traffic" {
                caption { "What each query cost" }
                thead { tr {
                    @for (class, title) in [
                        ("number", "Calls"), ("number", "Total"), ("number", "Median"), ("number", "p99"), ("number", "Longest"),
                        ("number", "Rows"), ("number", "Sent"), ("number", "Failures"), ("", "Query"), ("", "From"),
                    ] { th scope="col" class=(class) { (title) } }
                } }
                tbody { @for query in &traffic.queries { tr {
                    td class="number" { (count(query.calls)) }
                    td class="number" { (duration_ms(query.total_ms)) }
                    td class="number" { (duration_ms(query.p50_ms)) }
                    td class="number" { (duration_ms(query.p99_ms)) }
                    td class="number" { (duration_ms(query.max_ms)) }
                    td class="number" { (count(query.rows)) }
                    td class="number" { (bytes(query.bytes)) }
                    td class="number" { (count(query.failures)) }
                    td { code { (shown(&query.query)) } }
                    td { (shown(&query.applications.iter().chain(&query.routes).cloned().collect::<Vec<_>>().join(", "))) }
                } } }
            }
        }
    }
}
