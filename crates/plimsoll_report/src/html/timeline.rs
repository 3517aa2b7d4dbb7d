//! Who is blocked when: a drawing with a row a relation and a bar a lock, from when it was
//! taken to the end of its transaction.
//!
//! Positions are per cent and texts are pixels, so that the drawing fits any width with letters
//! of one size. Only relations that existed before the change are drawn: nobody waits for a
//! table that nobody knows.

mod bars;

use maud::{Markup, html};
use plimsoll_core::Rehearsal;
use plimsoll_core::lock::Blocks;
use plimsoll_core::units::{duration_ms, plural};

use super::shown;
use bars::{Bar, Row, rows};

/// Rows that are drawn even though nobody was blocked on them.
const HARMLESS_ROWS: usize = 12;
/// Heights in pixels.
const AXIS: usize = 26;
const ROW_TITLE: usize = 38;
const LANE: usize = 18;
const BAR: usize = 13;
const ROW_GAP: usize = 14;

/// The section with legend, drawing and the same as a table.
pub(super) fn section(rehearsal: &Rehearsal) -> Markup {
    let mut rows = rows(rehearsal);
    let harmful = rows.iter().filter(|row| row.worst() != Blocks::Nothing).count();
    let left_out = rows.len().saturating_sub(harmful + HARMLESS_ROWS);
    rows.truncate(harmful + HARMLESS_ROWS);
    html! {
        section aria-labelledby="locks" {
            h2 id="locks" { "Who is blocked, and when" }
            @if rows.is_empty() {
                p class="none" { "No lock on a relation that existed before the change." }
            } @else {
                p class="lead" {
                    "A lock is held from the statement that takes it to the end of its transaction. "
                    "Each bar leads to its statement."
                }
                (legend())
                (drawing(&rows))
                @if left_out > 0 {
                    p class="more" { (plural(left_out, "further relation")) " on which nobody was blocked." }
                }
                (table(&rows))
            }
        }
    }
}

const fn class(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::ReadsAndWrites => "all",
        Blocks::Writes => "writes",
        Blocks::Nothing => "nobody",
    }
}

fn legend() -> Markup {
    html! {
        ul class="legend" {
            @for blocks in [Blocks::ReadsAndWrites, Blocks::Writes, Blocks::Nothing] {
                li {
                    svg width="30" height="13" aria-hidden="true" {
                        rect class={ "bar-" (class(blocks)) } x="1" y="1" width="28" height="11" rx="2" {}
                    }
                    (blocks.phrase())
                }
            }
        }
    }
}

fn drawing(rows: &[Row]) -> Markup {
    let total = rows.iter().flat_map(|row| &row.bars).map(|bar| bar.hold.end_ms).fold(1e-3, f64::max);
    let mut bottom = AXIS;
    let mut tops = Vec::new();
    for row in rows {
        tops.push(bottom);
        bottom += height(row);
    }
    let bars: usize = rows.iter().map(|row| row.bars.len()).sum();
    let label = format!(
        "Timeline of {} on {} over {}",
        plural(bars, "lock"),
        plural(rows.len(), "relation"),
        duration_ms(total)
    );
    html! {
        svg class="timeline" width="100%" height=(bottom) role="group" aria-label=(label) {
            defs {
                pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect class="hatch-ground" width="6" height="6" {}
                    rect class="hatch-stripe" width="3" height="6" {}
                }
            }
            (axis(total, bottom))
            @for (row, top) in rows.iter().zip(tops) { (drawn_row(row, top, total)) }
        }
    }
}

fn height(row: &Row) -> usize {
    ROW_TITLE + row.lanes() * LANE + ROW_GAP
}

fn axis(total: f64, bottom: usize) -> Markup {
    html! {
        g class="axis" aria-hidden="true" {
            @for tick in ticks(total) {
                @let at = percent(tick / total);
                @let anchor = if tick == 0.0 { "start" } else if tick > total * 0.9 { "end" } else { "middle" };
                line x1=(at) x2=(at) y1=(AXIS - 6) y2=(bottom) {}
                text x=(at) y="12" text-anchor=(anchor) {
                    @if tick == 0.0 { "0" } @else { (tick_label(tick)) }
                }
            }
        }
    }
}

/// Round times from 0 on, at most six.
fn ticks(total: f64) -> Vec<f64> {
    let power = 10_f64.powf((total / 5.0).log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| total / step <= 5.0);
    let step = step.unwrap_or(total);
    (0..=5).map(|number| f64::from(number) * step).take_while(|tick| *tick <= total).collect()
}

fn tick_label(milliseconds: f64) -> String {
    let short = |value: f64| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match milliseconds {
        _ if milliseconds < 1000.0 => format!("{} ms", short(milliseconds)),
        _ if milliseconds < 120_000.0 => format!("{} s", short(milliseconds / 1000.0)),
        _ => format!("{} min", short(milliseconds / 60_000.0)),
    }
}

fn percent(part: f64) -> String {
    format!("{:.3}%", part * 100.0)
}

fn drawn_row(row: &Row, top: usize, total: f64) -> Markup {
    html! {
        g {
            text class="relation" x="0" y=(top + 15) { (shown(row.relation)) }
            text class="blocked" x="0" y=(top + 31) { (row.summary()) }
            @for bar in row.harmless_first() { (drawn_bar(bar, top + ROW_TITLE + bar.lane * LANE, total)) }
        }
    }
}

fn drawn_bar(bar: &Bar, top: usize, total: f64) -> Markup {
    let sentence = shown(&bar.sentence());
    let width = percent((bar.hold.end_ms - bar.hold.start_ms) / total);
    html! {
        a class="bar" href={ "#statement-" (bar.hold.statement) } aria-label=(sentence) {
            title { (sentence) }
            rect class={ "bar-" (class(bar.hold.mode.blocks())) } x=(percent(bar.hold.start_ms / total)) y=(top)
                width=(width) height=(BAR) rx="2" style={ "width:max(4px," (width) ")" } {}
        }
    }
}

fn table(rows: &[Row]) -> Markup {
    html! {
        details class="as-table" {
            summary { "The same as a table" }
            div class="scroll" tabindex="0" role="group" aria-label="Table of locks" {
                table {
                    caption { "Locks on relations that existed before the change" }
                    thead { tr {
                        th scope="col" { "Relation" } th scope="col" { "Lock" } th scope="col" { "Effect" }
                        th scope="col" class="number" { "From" } th scope="col" class="number" { "Held for" }
                    } }
                    tbody {
                        @for row in rows { @for bar in &row.bars { tr {
                            th scope="row" { code { (shown(row.relation)) } }
                            td { code { (bar.hold.mode.pg_locks()) } }
                            td { (bar.hold.mode.blocks().phrase()) }
                            td class="number" { (duration_ms(bar.hold.start_ms)) }
                            td class="number" { (duration_ms(bar.hold.duration_ms())) }
                        } } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(2279.0), [0.0, 500.0, 1000.0, 1500.0, 2000.0]);
        assert_eq!(ticks(10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!([0.5, 500.0, 1500.0, 180_000.0].map(tick_label), ["0.5 ms", "500 ms", "1.5 s", "3 min"]);
    }
}
