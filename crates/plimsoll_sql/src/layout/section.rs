//! The forward part of a file and the markers in it.

use std::ops::Range;

use crate::migration::TransactionHabit;

/// A file's forward part.
pub(super) struct Section {
    /// Bytes in the file.
    pub(super) range: Range<usize>,
    /// What a marker says about transactions, if there is one.
    pub(super) habit: Option<TransactionHabit>,
}

/// The whole file is forward, and has no markers.
pub(super) fn whole(text: &str) -> Section {
    Section { range: 0..text.len(), habit: None }
}

/// `-- migrate:up [transaction:false]` … `-- migrate:down`. Without its transaction, dbmate sends
/// the section as one query.
pub(super) fn dbmate(text: &str) -> Section {
    let up = is_dbmate_up;
    let down = |line: &str| marker(line).is_some_and(|words| words.starts_with("migrate:down"));
    let Some((header, range)) = between(text, up, down) else { return whole(text) };
    let unwrapped = header.split_whitespace().any(|word| word == "transaction:false");
    Section { range, habit: unwrapped.then_some(TransactionHabit::Batch) }
}

/// Whether a line opens dbmate's forward part.
pub(super) fn is_dbmate_up(line: &str) -> bool {
    marker(line).is_some_and(|words| words.starts_with("migrate:up"))
}

pub(super) fn has_dbmate_marker(text: &str) -> bool {
    text.contains("migrate:up") && text.lines().any(is_dbmate_up)
}

/// `-- +goose Up` … `-- +goose Down`; `-- +goose NO TRANSACTION` anywhere sends each statement alone.
pub(super) fn goose(text: &str) -> Section {
    let Some((_, range)) = between(text, |line| is_goose(line, "up"), |line| is_goose(line, "down")) else {
        return whole(text);
    };
    let unwrapped = text.lines().any(|line| is_goose(line, "no transaction"));
    Section { range, habit: unwrapped.then_some(TransactionHabit::Statement) }
}

pub(super) fn has_goose_marker(text: &str) -> bool {
    text.contains("+goose") && text.lines().any(|line| is_goose(line, "up"))
}

/// `-- no-transaction` on the first line: sqlx then sends the file as one query.
pub(super) fn sqlx(text: &str) -> Section {
    let unwrapped = text.lines().next().is_some_and(|line| line.trim_end().starts_with("-- no-transaction"));
    Section { range: 0..text.len(), habit: unwrapped.then_some(TransactionHabit::Batch) }
}

pub(super) fn is_goose(line: &str, annotation: &str) -> bool {
    marker(line).and_then(|words| words.strip_prefix("+goose")).is_some_and(|words| {
        words.split_whitespace().collect::<Vec<_>>().join(" ").eq_ignore_ascii_case(annotation)
    })
}

/// What a line that is only a `--` comment says.
fn marker(line: &str) -> Option<&str> {
    line.trim().strip_prefix("--").map(str::trim)
}

/// The line that opens a section, and the bytes from the next line to the closing one or the end.
fn between(
    text: &str,
    opens: impl Fn(&str) -> bool,
    closes: impl Fn(&str) -> bool,
) -> Option<(&str, Range<usize>)> {
    let mut at = 0;
    let mut found: Option<(&str, usize)> = None;
    for line in text.split_inclusive('\n') {
        match found {
            None if opens(line) => found = Some((line, at + line.len())),
            Some((header, start)) if closes(line) => return Some((header, start..at)),
            _ => {}
        }
        at += line.len();
    }
    found.map(|(header, start)| (header, start..text.len()))
}
