//! What a server's log tells: at a terminal, as Markdown, as JSON, as a page.
//!
//! The first two show the first rows of the same [`tables`], JSON has everything, and a page sorts and draws it.

mod changes;
mod doctor;
mod html;
mod tables;

use plimsoll_core::logs::LogReport;
use plimsoll_core::units::{bytes, count, duration_ms, plural};

use crate::Colour;
use crate::json::pretty;
use crate::markdown::escaped;
use crate::neutral::one_line;
use crate::terminal::{Paint, Tone, wrapped};
pub use changes::render_log_diff;
pub use doctor::render_log_doctor;
use tables::{Table, tables};

/// A format of a log's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal of so many columns.
    Terminal(Colour, usize),
    /// The JSON contract.
    Json,
    /// Markdown, for a comment.
    Markdown,
    /// A self-contained page.
    Html,
}

/// A format of what else is told of logs: what changed, and what a server's settings lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTextFormat {
    /// For a person at a terminal of so many columns.
    Terminal(Colour, usize),
    /// The JSON contract.
    Json,
    /// Markdown, for a comment.
    Markdown,
}

/// Writes a log's report, with this many rows of each table. Ends with a newline.
#[must_use]
pub fn render_log(report: &LogReport, format: LogFormat, rows: usize) -> String {
    match format {
        LogFormat::Terminal(colour, width) => terminal(report, Paint(colour), width.max(60), rows),
        LogFormat::Json => pretty(report),
        LogFormat::Markdown => markdown(report, rows),
        LogFormat::Html => html::page(report, &head(report), rows),
    }
}

fn terminal(report: &LogReport, paint: Paint, width: usize, rows: usize) -> String {
    let mut parts = vec![head(report).iter().map(|line| format!("{}\n", one_line(line))).collect::<String>()];
    for table in tables(report) {
        parts.push(of_terminal(&table, paint, width, rows));
    }
    if !report.missing.is_empty() {
        let mut text = format!("{}\n\n", paint.tone(Tone::Strong, "What this log can't tell"));
        for one in &report.missing {
            text.push_str(&format!("  {}\n", wrapped(&one_line(one), width.saturating_sub(2), 2)));
        }
        parts.push(text);
    }
    parts.join("\n")
}

fn of_terminal(table: &Table, paint: Paint, width: usize, rows: usize) -> String {
    let shown = &table.rows[..table.rows.len().min(rows)];
    let widths: Vec<usize> = (0..table.figures.len())
        .map(|column| {
            let of_rows = shown.iter().map(|row| row.figures[column].chars().count());
            of_rows.chain([table.figures[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |figures: &[String], text: &str| {
        let figures: Vec<String> =
            figures.iter().zip(&widths).map(|(figure, width)| format!("{figure:>width$}")).collect();
        let figures = format!("  {}  ", figures.join("  "));
        let room = width.saturating_sub(figures.chars().count()).max(24);
        format!("{figures}{}", shortened(&one_line(text), room))
    };
    let titles: Vec<String> = table.figures.iter().map(|title| (*title).to_owned()).collect();
    let mut text = format!("{}\n\n", paint.tone(Tone::Strong, table.title));
    text.push_str(&format!("{}\n", paint.tone(Tone::Faint, &line(&titles, table.text))));
    for row in shown {
        text.push_str(&format!("{}\n", line(&row.figures, &row.text)));
    }
    let rest = table.rows.len() - shown.len();
    if rest > 0 {
        let more = format!("  and {} more; --top shows more, --format json all", count(rest as u64));
        text.push_str(&format!("{}\n", paint.tone(Tone::Faint, &more)));
    }
    text
}

fn shortened(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some((end, _)) => {
            let kept = text[..end].char_indices().nth_back(0).map_or(0, |(last, _)| last);
            format!("{}…", text[..kept].trim_end())
        }
        None => text.to_owned(),
    }
}

fn markdown(report: &LogReport, rows: usize) -> String {
    let mut text = String::from("## What the log tells\n\n");
    for line in head(report) {
        text.push_str(&format!("{}\n\n", escaped(&one_line(&line))));
    }
    tables(report).iter().for_each(|table| text.push_str(&of_markdown(table, rows)));
    if !report.missing.is_empty() {
        text.push_str("### What this log can't tell\n\n");
        for one in &report.missing {
            text.push_str(&format!("- {}\n", escaped(&one_line(one))));
        }
    }
    text
}

fn of_markdown(table: &Table, rows: usize) -> String {
    let mut text = format!("### {}\n\n| {} | {} |\n", table.title, table.figures.join(" | "), table.text);
    text.push_str(&format!("|{} --- |\n", " ---: |".repeat(table.figures.len())));
    for row in table.rows.iter().take(rows) {
        let told = shortened(&one_line(&row.text), 300);
        let figures: Vec<String> = row.figures.iter().map(|figure| escaped(&one_line(figure))).collect();
        text.push_str(&format!("| {} | {} |\n", figures.join(" | "), escaped(&told)));
    }
    let rest = table.rows.len().saturating_sub(rows);
    if rest > 0 {
        text.push_str(&format!("\nand {} more\n", count(rest as u64)));
    }
    text.push('\n');
    text
}

/// What was read, in sentences.
fn head(report: &LogReport) -> Vec<String> {
    let read = &report.read;
    let mut lines = Vec::new();
    let formats: std::collections::BTreeSet<String> = report
        .sources
        .iter()
        .map(|source| match source.prefixes.join("', then '") {
            prefixes if source.prefixes.is_empty() => source.format.clone() + &prefixes,
            prefixes => format!("{} with log_line_prefix '{prefixes}'", source.format),
        })
        .collect();
    let formats: Vec<String> = formats.into_iter().collect();
    lines.push(format!(
        "{} of {} ({}) in {}",
        plural(read.records as usize, "record"),
        bytes(read.bytes),
        formats.join("; "),
        plural(report.sources.len(), "file")
    ));
    if let (Some(first), Some(last)) = (&report.first, &report.last) {
        lines.push(format!("from {first} to {last} ({})", duration_ms(report.lasted_s * 1000.0)));
    }
    let statements = &report.statements;
    if statements.calls > 0 {
        lines.push(format!(
            "{} of {}, {} in all; median {}, p99 {}, longest {}",
            plural(statements.calls as usize, "statement"),
            match report.queries.len() {
                1 => "1 query".to_owned(),
                several => format!("{} queries", count(several as u64)),
            },
            duration_ms(statements.total_ms),
            duration_ms(statements.p50_ms),
            duration_ms(statements.p99_ms),
            duration_ms(statements.max_ms)
        ));
    }
    if report.unlisted.calls > 0 {
        lines.push(format!(
            "{} aren't told apart: too many different queries, or durations without a statement",
            plural(report.unlisted.calls as usize, "statement")
        ));
    }
    if let Some(folded) = &report.folded {
        lines.push(format!(
            "there was too much to tell all apart: {} times a query was folded into the rest, so a query's calls may be short by {} and its time by {}, and one that isn't listed has no more; {} of other kinds were left out",
            count(folded.queries),
            count(folded.calls),
            duration_ms(folded.total_ms),
            count(folded.others)
        ));
    }
    let concurrency = &report.concurrency;
    if let Some(at) = &concurrency.most_at {
        lines.push(format!(
            "at most {} at once, at {at}",
            plural(concurrency.most_sessions as usize, "session")
        ));
    }
    let others = report.sources.iter().map(|source| source.others).sum();
    let odd = [
        (others, "are other programs', and were passed over"),
        (read.unparsed, "couldn't be read (--unparsed shows them)"),
        (read.foreign, "have a severity in a language that isn't known"),
        (read.suspicious, "may be forged through a client's names, and count for nothing else"),
        (read.unknown_zones, "are in a time zone that isn't known, and were taken for UTC"),
    ];
    for (number, what) in odd.into_iter().filter(|(number, _)| *number > 0) {
        lines.push(format!("{} {what}", plural(number as usize, "line")));
    }
    lines
}

#[cfg(test)]
mod tests;
