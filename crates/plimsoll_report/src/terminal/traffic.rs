//! What ran on a server: the queries that took most time, a line each.

use plimsoll_core::traffic::{QueryTraffic, Traffic};
use plimsoll_core::units::{count, duration_ms, plural};

use super::Layout;
use super::paint::Tone;
use crate::neutral::one_line;

/// Queries that are listed; the others are counted.
const LISTED: usize = 20;

/// The list, if a statement ran.
pub(super) fn part(traffic: &Traffic, layout: Layout) -> Option<String> {
    if traffic.statements == 0 {
        return None;
    }
    let mut text = layout.paint.tone(Tone::Strong, "Queries by time in total") + "\n\n";
    let head =
        format!("  {:>8} {:>10} {:>10} {:>10} {:>10}  query", "calls", "total", "median", "p99", "rows");
    text.push_str(&format!("{}\n", layout.paint.tone(Tone::Faint, &head)));
    for query in traffic.queries.iter().take(LISTED) {
        text.push_str(&line(query, layout.width));
    }
    let rest = traffic.queries.len().saturating_sub(LISTED);
    if rest > 0 {
        let more = format!("  and {} more; the JSON and HTML reports list them", plural(rest, "query"));
        text.push_str(&format!("{}\n", layout.paint.tone(Tone::Faint, &more)));
    }
    Some(text)
}

fn line(query: &QueryTraffic, width: usize) -> String {
    let figures = format!(
        "  {:>8} {:>10} {:>10} {:>10} {:>10}  ",
        count(query.calls),
        duration_ms(query.total_ms),
        duration_ms(query.p50_ms),
        duration_ms(query.p99_ms),
        count(query.rows)
    );
    let room = width.saturating_sub(figures.chars().count()).max(30);
    let text = one_line(&query.query);
    let text = match text.char_indices().nth(room) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    };
    format!("{figures}{text}\n")
}
