//! What has changed between two logs: at a terminal, as Markdown, as JSON.

use plimsoll_core::logs::{LogChange, LogChangeKind, LogDiff, LogSide};
use plimsoll_core::units::{count, duration_ms, plural};

use super::tables::{Row, Table};
use super::{LogTextFormat, of_markdown, of_terminal};
use crate::json::pretty;
use crate::markdown::escaped;
use crate::neutral::one_line;
use crate::terminal::Paint;

/// Writes what has changed between two logs, with this many rows of each kind. Ends with a newline.
#[must_use]
pub fn render_log_diff(diff: &LogDiff, format: LogTextFormat, rows: usize) -> String {
    match format {
        LogTextFormat::Terminal(colour, width) => {
            let lines = head(diff).iter().map(|line| format!("{}\n", one_line(line))).collect();
            let tables = tables(diff);
            let tables = tables.iter().map(|table| of_terminal(table, Paint(colour), width.max(60), rows));
            [lines].into_iter().chain(tables).collect::<Vec<String>>().join("\n")
        }
        LogTextFormat::Json => pretty(diff),
        LogTextFormat::Markdown => {
            let lines = head(diff).iter().map(|line| format!("{}\n\n", escaped(&one_line(line)))).collect();
            let tables = tables(diff);
            let title = "## What has changed in the log\n\n".to_owned();
            let tables = tables.iter().map(|table| of_markdown(table, rows));
            [title, lines].into_iter().chain(tables).collect()
        }
    }
}

/// The evidence, in sentences.
fn head(diff: &LogDiff) -> Vec<String> {
    let of = |side: &LogSide| {
        let from = side.first.as_deref().unwrap_or("(no moment)");
        let to = side.last.as_deref().unwrap_or("(no moment)");
        let statements = plural(side.statements.calls as usize, "statement");
        format!("from {from} to {to}, {} of it logged, {statements}", duration_ms(side.observed_s * 1000.0))
    };
    let mut lines: Vec<String> = ["before", "after"]
        .iter()
        .zip(&diff.sides)
        .map(|(name, side)| format!("{name}: {}", of(side)))
        .collect();
    lines.push(format!(
        "{} of {} are more than chance: rates and mean durations by blocks of {}, compared by ranks; at most {} in 100 of what is told is chance",
        count(diff.changes.len() as u64),
        plural(diff.compared as usize, "difference"),
        duration_ms(diff.block_s as f64 * 1000.0),
        diff.most_chance * 100.0
    ));
    if diff.sides.iter().any(|side| side.observed_s < 8.0 * diff.block_s as f64) {
        lines.push(
            "one of the logs is too short for its steps: give longer ones, or the logs themselves instead of summaries"
                .to_owned(),
        );
    }
    lines
}

fn tables(diff: &LogDiff) -> Vec<Table> {
    [
        (LogChangeKind::New, "New"),
        (LogChangeKind::Slower, "Slower"),
        (LogChangeKind::MoreFrequent, "More frequent"),
        (LogChangeKind::Gone, "Gone"),
        (LogChangeKind::Faster, "Faster"),
        (LogChangeKind::Rarer, "Rarer"),
    ]
    .into_iter()
    .map(|(kind, title)| {
        let rows = diff.changes.iter().filter(|change| change.kind == kind).map(row).collect();
        let figures = vec![
            "an hour",
            "before",
            "mean",
            "before",
            "p95",
            "before",
            "times",
            "more time an hour",
            "chance",
        ];
        Table { title, figures, text: "what", rows }
    })
    .filter(|table| !table.rows.is_empty())
    .collect()
}

fn row(change: &LogChange) -> Row {
    let rate = |side: usize| match change.per_hour[side] {
        rate if rate >= 10.0 => count(rate.round() as u64),
        rate => format!("{rate:.1}"),
    };
    let (before, after) = (&change.before, &change.after);
    let time = |timed: u64, ms: f64| if timed > 0 { duration_ms(ms) } else { "-".to_owned() };
    let more = change.more_time_ms_an_hour;
    let sign = if more < 0.0 { "-" } else { "" };
    Row {
        figures: vec![
            rate(1),
            rate(0),
            time(after.timed, after.mean_ms),
            time(before.timed, before.mean_ms),
            time(after.timed, after.p95_ms),
            time(before.timed, before.p95_ms),
            change.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
            format!("{sign}{}", duration_ms(more.abs())),
            if change.chance < 1e-4 { "< 0.0001".to_owned() } else { format!("{:.4}", change.chance) },
        ],
        text: if change.plan_changed {
            format!("{} (its slowest plan is another one)", change.what)
        } else {
            change.what.clone()
        },
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::logs::LogFigures;

    use super::*;
    use crate::Colour;

    fn sample() -> LogDiff {
        let figures = |calls, mean_ms| LogFigures {
            calls,
            timed: calls,
            mean_ms,
            p95_ms: 2.0 * mean_ms,
            ..LogFigures::default()
        };
        let side = |first: &str, last: &str, calls| LogSide {
            first: Some(first.into()),
            last: Some(last.into()),
            observed_s: 3600.0,
            statements: figures(calls, 2.0),
            may_lack_calls: 0,
        };
        LogDiff {
            sides: vec![
                side("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z", 9000),
                side("2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", 9900),
            ],
            block_s: 64,
            compared: 31,
            most_chance: 0.01,
            changes: vec![
                LogChange {
                    kind: LogChangeKind::New,
                    fingerprint: None,
                    what: "ERROR: deadlock detected \u{1b}[31m<script>".into(),
                    ratio: None,
                    chance: 0.0002,
                    per_hour: [0.0, 7.0],
                    before: LogFigures::default(),
                    after: LogFigures { calls: 7, ..LogFigures::default() },
                    more_time_ms_an_hour: 0.0,
                    plan_changed: false,
                },
                LogChange {
                    kind: LogChangeKind::Slower,
                    fingerprint: Some("0123456789abcdef".into()),
                    what: "select * from ships where name = $1".into(),
                    ratio: Some(90.0),
                    chance: 1e-9,
                    per_hour: [4000.0, 4100.0],
                    before: figures(4000, 1.0),
                    after: figures(4100, 90.0),
                    more_time_ms_an_hour: 365_000.0,
                    plan_changed: true,
                },
            ],
        }
    }

    #[test]
    fn changes_read_well() {
        insta::assert_snapshot!(render_log_diff(&sample(), LogTextFormat::Terminal(Colour::Never, 150), 20));
    }

    #[test]
    fn markdown_and_terminal_escape_what_clients_send() {
        let text = render_log_diff(&sample(), LogTextFormat::Markdown, 20);
        assert!(!text.contains("<script>") && !text.contains('\u{1b}'), "{text}");
        let text = render_log_diff(&sample(), LogTextFormat::Terminal(Colour::Never, 150), 20);
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
