//! What psql and others put around EXPLAIN's output: a heading, borders, marks of continued cells, the number of rows.

use std::borrow::Cow;

use crate::ReadError;

/// A text without decoration, line for line the one that it was.
pub(crate) struct Bare<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Characters that each line lost at its beginning.
    removed: Vec<usize>,
}

impl Bare<'_> {
    /// A place in the decorated text.
    pub(crate) fn place(&self, mut error: ReadError) -> ReadError {
        error.column += self.removed.get(error.line - 1).copied().unwrap_or_default();
        error
    }
}

const HEADING: &str = "QUERY PLAN";
const BORDERS: [char; 3] = ['|', '│', '║'];

/// Takes decoration away. Where there is a heading, what stands before it and behind the number of rows goes too.
pub(crate) fn bare(text: &str) -> Bare<'_> {
    let bom = text.strip_prefix('\u{feff}');
    let plain = bom.unwrap_or(text);
    let has_heading = plain.lines().any(is_heading);
    if !has_heading && !plain.contains('\r') && !plain.lines().any(|line| is_count(line) || is_record(line)) {
        let removed = if bom.is_some() { vec![1] } else { Vec::new() };
        return Bare { text: Cow::Borrowed(plain), removed };
    }
    let mut out = String::with_capacity(plain.len());
    let mut removed = Vec::new();
    let mut state = if has_heading { State::Around } else { State::Inside };
    let mut width = None;
    let mut bordered = false;
    for line in plain.lines() {
        let line = line.trim_end_matches('\r');
        let mut content = "";
        if is_heading(line) {
            state = State::Inside;
            width = None;
            bordered = line.contains(BORDERS);
        } else if state == State::Inside {
            if let Some(rest) = line.strip_prefix("QUERY PLAN |") {
                content = rest.strip_prefix(' ').unwrap_or(rest).trim_end();
            } else if is_count(line) || is_record(line) {
                state = if has_heading { State::Around } else { State::Inside };
            } else if is_rule(line) && has_heading {
                width = Some(line.trim_start_matches('|').chars().count());
            } else {
                content = cell(line, width, bordered);
            }
        }
        removed.push(line.find(content).map_or(0, |at| line[..at].chars().count()));
        out.push_str(content);
        out.push('\n');
    }
    Bare { text: Cow::Owned(out), removed }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Around,
    Inside,
}

fn is_heading(line: &str) -> bool {
    line.trim_matches(|one: char| one.is_whitespace() || one == '"' || BORDERS.contains(&one)) == HEADING
}

/// psql's expanded display.
fn is_record(line: &str) -> bool {
    line.starts_with("-[ RECORD ") || line.starts_with("─[ RECORD ") || line.starts_with("QUERY PLAN |")
}

/// `(3 rows)`.
fn is_count(line: &str) -> bool {
    let inside = line.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inside.and_then(|inside| inside.split_once(' ')).is_some_and(|(number, word)| {
        matches!(word, "row" | "rows")
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    let drawn = |one: char| "-+|=".contains(one) || ('\u{2500}'..='\u{257f}').contains(&one);
    line.contains(['-', '─', '═']) && line.chars().all(drawn)
}

/// The content of a line of a table.
fn cell(line: &str, width: Option<usize>, bordered: bool) -> &str {
    let full = width.is_some_and(|width| line.chars().count() == width);
    let mut content = line;
    if bordered {
        content = content.strip_prefix(BORDERS).unwrap_or(content).trim_end();
        content = content.strip_suffix(BORDERS).unwrap_or(content);
    }
    if width.is_some() {
        content = content.strip_prefix(' ').unwrap_or(content);
    }
    content = content.trim_end();
    for mark in ['+', '↵'] {
        if let Some(before) = content.strip_suffix(mark)
            && (full || bordered || before.is_empty() || before.ends_with(' '))
        {
            return before.trim_end();
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(decorated: &str, expected: &str) {
        let bare = bare(decorated);
        let lines: Vec<&str> = bare.text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn decoration_goes() {
        check(
            " QUERY PLAN \n------------\n Limit\n   ->  Result\n(2 rows)\n\nTime: 1 ms\n",
            "Limit\n  ->  Result",
        );
        check("db=# EXPLAIN SELECT 1;\r\n QUERY PLAN \r\n-----\r\n [   +\r\n ]\r\n(1 row)\r\n", "[\n]");
        check(
            "+------------+\n| QUERY PLAN |\n+------------+\n| Limit      |\n| x          |\n+------------+\n(2 rows)\n",
            "Limit\nx",
        );
        check(
            "┌────────────┐\n│ QUERY PLAN │\n├────────────┤\n│ Limit     ↵│\n│   x        │\n└────────────┘\n(1 row)\n",
            "Limit\n  x",
        );
        check("Limit\n  ->  Result\n(2 rows)\n", "Limit\n  ->  Result");
        check("Filter: (a + b)\n", "Filter: (a + b)");
    }

    #[test]
    fn places_are_those_of_the_decorated_text() {
        let bare = bare(" QUERY PLAN \n------------\n x\n");
        let error = bare.place(ReadError { line: 3, column: 1, message: String::new() });
        assert_eq!((error.line, error.column), (3, 2));
    }
}
