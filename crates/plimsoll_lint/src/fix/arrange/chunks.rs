//! A file's section cut at its statements: each with the comments before it and the rest of its line.

use std::ops::Range;

use plimsoll_sql::Migration;
use plimsoll_sql::comments::comments;
use plimsoll_sql::outline::Outline;

/// A statement with its surroundings. The chunks and the tail, one behind the other, are the section.
pub(super) struct Chunk {
    /// From the end of the chunk before.
    pub(super) lead: String,
    /// The statement up to its semicolon, comments included.
    pub(super) sql: String,
    /// The comments within the statement and before its semicolon.
    comments: Vec<String>,
    /// What is behind the semicolon, to the line's end if that is a comment.
    pub(super) trail: String,
}

impl Chunk {
    /// What stands before the statement, and those of its comments that what takes its place lacks.
    pub(super) fn lead_of<'a>(&self, taking_its_place: impl Iterator<Item = &'a str> + Clone) -> String {
        let mut lead = self.lead.clone();
        for comment in &self.comments {
            if taking_its_place.clone().any(|sql| sql.contains(comment)) {
                continue;
            }
            if !lead.is_empty() && !lead.ends_with('\n') {
                lead.push('\n');
            }
            lead.push_str(comment);
            lead.push('\n');
        }
        lead
    }
}

/// A section's chunks.
pub(super) struct Chunks {
    pub(super) chunks: Vec<Chunk>,
    /// What is behind the last.
    pub(super) tail: String,
}

impl Chunks {
    pub(super) fn of(migration: &Migration) -> Self {
        let text = migration.source.text();
        let mut chunks = Vec::new();
        let mut at = migration.section.start;
        for (index, statement) in migration.statements.iter().enumerate() {
            let next = migration.statements.get(index + 1);
            let bound = next.map_or(migration.section.end, |next| next.range.start);
            let range = statement.range.clone();
            let semicolon =
                Outline::of(&text[range.end..bound]).parts().first().map(|part| range.end + part.range.end);
            let mut trail = semicolon.unwrap_or(range.end)..semicolon.unwrap_or(range.end);
            trail.end = rest_of_line(text, trail.start..bound);
            if let Some(data) = &statement.copy_data {
                trail.end = rest_of_line(text, data.end..bound).max(after_line(text, data.end, bound));
            }
            let whole = &text[range.start..semicolon.unwrap_or(range.end)];
            let gap = range.end..semicolon.map_or(range.end, |end| end.saturating_sub(1).max(range.end));
            let inner = comments(whole).into_iter().map(|comment| whole[comment].trim_end().to_owned());
            chunks.push(Chunk {
                lead: without_markers(&text[at..range.start]),
                comments: inner.filter(|comment| !is_marker(comment)).collect(),
                sql: format!("{}{}", &text[range], without_markers(&text[gap])),
                trail: text[trail.clone()].to_owned(),
            });
            at = trail.end;
        }
        Self { chunks, tail: without_markers(&text[at..migration.section.end]) }
    }
}

/// Leaves out the lines by which goose keeps a statement whole: they are written anew around each that needs them.
fn without_markers(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !is_marker(line)).collect()
}

fn is_marker(line: &str) -> bool {
    line.contains("+goose StatementBegin") || line.contains("+goose StatementEnd")
}

/// The end of the line if only a comment stands on it, else where it began.
fn rest_of_line(text: &str, range: Range<usize>) -> usize {
    let rest = &text[range.clone()];
    let line = rest.split_inclusive('\n').next().unwrap_or_default();
    let bare = line.trim();
    if bare.is_empty() || bare.starts_with("--") { range.start + line.len() } else { range.start }
}

fn after_line(text: &str, from: usize, bound: usize) -> usize {
    text[from..bound].find('\n').map_or(bound, |newline| from + newline + 1)
}

#[cfg(test)]
mod tests {
    use plimsoll_core::SourceFile;
    use plimsoll_sql::TransactionHabit;

    use super::*;

    #[test]
    fn chunks_put_together_are_the_section() {
        let text = "-- head\nselect 1 -- a;b\n ; -- one\n\n-- two\nselect 2; select 3;\ncopy t from stdin;\n1\n\\.\nselect 4\n-- tail\n";
        let migration =
            Migration::new(SourceFile::new("m.sql", text), 0..text.len(), TransactionHabit::Statement);
        let chunks = Chunks::of(&migration);
        let trails: Vec<&str> = chunks.chunks.iter().map(|chunk| chunk.trail.as_str()).collect();
        assert_eq!(trails, [" -- one\n", " ", "\n", "\n1\n\\.\n", "\n"]);
        assert_eq!(chunks.chunks[1].lead, "\n-- two\n");
        assert_eq!(chunks.chunks[0].sql, "select 1 -- a;b\n ");
        assert_eq!(chunks.tail, "-- tail\n");
    }
}
