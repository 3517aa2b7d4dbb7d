//! Plans in a terminal: a line a node, figures first, the tree behind them; then advice.

use std::fmt::Write as _;

use plimsoll_core::Severity;
use plimsoll_core::units::{count, duration_ms};
use plimsoll_explain::Figure;
use unicode_width::UnicodeWidthStr as _;

use super::{Seen, blocks, details, rows_told, totals};
use crate::Colour;
use crate::neutral::{clipped, neutral, one_line};
use crate::terminal::paint::{Paint, Tone};
use crate::terminal::wrap::wrapped;

/// Deeper nodes aren't indented further; their level is told instead.
const DEEPEST_INDENT: usize = 20;

/// Below this many columns a node's figures stand on a line of their own.
const WIDE: usize = 96;

pub(super) fn render(plans: &[Seen<'_>], colour: Colour, width: usize) -> String {
    let mut out = String::new();
    for (number, seen) in plans.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        plan(&mut out, seen, Paint(colour), width.max(20));
    }
    out
}

fn plan(out: &mut String, seen: &Seen<'_>, paint: Paint, width: usize) {
    let _ = writeln!(out, "{}", paint.tone(Tone::Strong, &one_line(seen.title)));
    if let Some(query) = &seen.plan.query {
        let _ = writeln!(out, "{}", paint.tone(Tone::Faint, &wrapped(&clipped(query, 400), width, 0)));
    }
    let _ = writeln!(out, "{}\n", wrapped(&neutral(&totals(seen.plan).join(" · ")), width, 0));
    let ran = seen.plan.root.actual.is_some();
    let wide = width >= WIDE;
    if wide {
        let own = if ran { "own time" } else { "own cost" };
        let rows = if ran { "rows expected → seen" } else { "rows expected" };
        let head = format!("{own:>9}  share  {rows:>24}  {:>8}  {:>7}  node", "buffers", "loops");
        let _ = writeln!(out, "{}", paint.tone(Tone::Faint, &head));
    }
    for (place, figure) in seen.figures.nodes.iter().enumerate() {
        node(out, seen, place, figure, paint, width);
    }
    advice(out, seen, paint, width);
}

fn node(out: &mut String, seen: &Seen<'_>, place: usize, figure: &Figure<'_>, paint: Paint, width: usize) {
    let own = match figure.own_ms {
        Some(ms) => duration_ms(ms),
        None if figure.node.actual.is_some() => "–".to_owned(),
        None => format!("{:.1}", figure.own_cost),
    };
    let share = format!("{:.0} %", figure.share * 100.0);
    let share = match figure.share {
        heavy if heavy >= 0.25 => paint.tone(Tone::Error, &format!("{share:>5}")),
        some if some >= 0.05 => paint.tone(Tone::Warning, &format!("{share:>5}")),
        _ => format!("{share:>5}"),
    };
    let buffers = blocks(figure.own_shared());
    let loops = figure.node.actual.map_or_else(|| "–".to_owned(), |actual| count(actual.loops));
    let rows = rows_told(figure.node);
    let marks = if seen.differing.contains(&place) { " ◂ differs" } else { "" };
    let deep =
        if figure.depth > DEEPEST_INDENT { format!("(level {}) ", figure.depth) } else { String::new() };
    let indent = "  ".repeat(figure.depth.min(DEEPEST_INDENT).min(width / 6));
    let arrow = if figure.depth > 0 { "└ " } else { "" };
    let label = format!("{deep}#{place} {}{marks}", one_line(&figure.node.label()));
    let (lead, head) = if width >= WIDE {
        (58, format!("{own:>9}  {share}  {rows:>24}  {buffers:>8}  {loops:>7}  "))
    } else {
        (0, String::new())
    };
    // Rows can be wider than their column; the tree begins where they end.
    let lead = lead.max(if head.is_empty() {
        0
    } else {
        9 + 2 + 5 + 2 + rows.width().max(24) + 2 + 8 + 2 + loops.width().max(7) + 2
    });
    let start = lead + indent.len() + arrow.width();
    let room = width.saturating_sub(start).max(24);
    let label = wrapped(&label, room, start);
    let _ = writeln!(out, "{head}{indent}{arrow}{}", paint.tone(Tone::Strong, &label));
    let margin = " ".repeat(start);
    if head.is_empty() {
        let figures = format!("{own}, {}, rows {rows}, buffers {buffers}, loops {loops}", share.trim_start());
        let _ = writeln!(out, "{margin}{}", wrapped(&figures, room, start));
    }
    for detail in details(figure.node) {
        let text = wrapped(&clipped(&detail, 600), room.saturating_sub(2).max(22), start + 2);
        let _ = writeln!(out, "{margin}  {}", paint.tone(Tone::Faint, &text));
    }
}

fn advice(out: &mut String, seen: &Seen<'_>, paint: Paint, width: usize) {
    if seen.advice.is_empty() {
        let _ = writeln!(out, "\n{}", paint.tone(Tone::Good, "Nothing stands out."));
        return;
    }
    out.push('\n');
    for one in &seen.advice {
        let (tone, word) = match one.severity {
            Severity::Note => (Tone::Note, "note"),
            Severity::Warning => (Tone::Warning, "warning"),
            Severity::Error => (Tone::Error, "error"),
        };
        let place = one.node.map(|place| format!(" at #{place}")).unwrap_or_default();
        let head = format!("{word}: {}{place} ({:.0} %)", one.kind.title, one.share * 100.0);
        let _ = writeln!(
            out,
            "{} {}",
            paint.tone(tone, &wrapped(&head, width.saturating_sub(24).max(30), 2)),
            paint.tone(Tone::Faint, &format!("[{}]", one.kind.name))
        );
        let _ = writeln!(out, "  {}", wrapped(&one_line(&one.message), width.saturating_sub(2), 2));
    }
}
