//! Cells of a row: as they stand between delimiters, or in quotes, where a quote is doubled.

use memchr::{memchr, memchr2};

/// A cell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell<'text> {
    pub(super) text: &'text [u8],
    /// What comes after it.
    pub(super) then: Then,
}

/// What comes after a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Cell,
    /// A line break, or the text's end.
    Row,
}

/// A quoted cell without an end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed;

/// The cell at a place, which moves past the cell and what ends it. Only a cell that isn't in the text as it is meant is
/// copied.
#[inline]
pub(super) fn next<'text>(
    bytes: &'text [u8],
    at: &mut usize,
    delimiter: u8,
    scratch: &'text mut Vec<u8>,
) -> Result<Cell<'text>, Unclosed> {
    match bytes.get(*at) {
        Some(b'"') => quoted(bytes, at, delimiter, scratch),
        _ => Ok(plain(bytes, at, delimiter)),
    }
}

#[inline]
fn plain<'text>(bytes: &'text [u8], at: &mut usize, delimiter: u8) -> Cell<'text> {
    let rest = &bytes[*at..];
    match end_of_plain(rest, delimiter) {
        Some(end) if rest[end] == delimiter => {
            *at += end + 1;
            Cell { text: &rest[..end], then: Then::Cell }
        }
        Some(end) => {
            *at += end + 1;
            Cell { text: without_return(&rest[..end]), then: Then::Row }
        }
        None => {
            *at = bytes.len();
            Cell { text: without_return(rest), then: Then::Row }
        }
    }
}

#[inline]
fn end_of_plain(rest: &[u8], delimiter: u8) -> Option<usize> {
    memchr2(delimiter, b'\n', rest)
}

fn without_return(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// What stands between a closing quote and the next delimiter belongs to the cell, as in other readers.
#[inline(never)]
fn quoted<'text>(
    bytes: &'text [u8],
    at: &mut usize,
    delimiter: u8,
    scratch: &'text mut Vec<u8>,
) -> Result<Cell<'text>, Unclosed> {
    let opened = *at + 1;
    let closed = closing_quote(bytes, opened).ok_or(Unclosed)?;
    *at = closed + 1;
    let tail = plain(bytes, at, delimiter);
    let inner = &bytes[opened..closed];
    if tail.text.is_empty() && memchr(b'"', inner).is_none() {
        return Ok(Cell { text: inner, then: tail.then });
    }
    scratch.clear();
    undouble(inner, scratch);
    scratch.extend_from_slice(tail.text);
    Ok(Cell { text: scratch, then: tail.then })
}

fn undouble(mut inner: &[u8], scratch: &mut Vec<u8>) {
    while let Some(quote) = memchr(b'"', inner) {
        scratch.extend_from_slice(&inner[..=quote]);
        inner = &inner[quote + 2..];
    }
    scratch.extend_from_slice(inner);
}

/// The quote that closes what was opened before `from`: the first that isn't doubled.
pub(super) fn closing_quote(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &str, expected: &[&str]) {
        let (mut at, mut cells, mut scratch) = (0, Vec::new(), Vec::new());
        loop {
            let cell = next(row.as_bytes(), &mut at, b',', &mut scratch).expect("closed quotes");
            cells.push(String::from_utf8_lossy(cell.text).into_owned());
            if cell.then == Then::Row {
                break;
            }
        }
        assert_eq!(cells, expected, "{row:?}");
        assert_eq!(at, row.len(), "{row:?}");
    }

    #[test]
    fn cells_stand_between_delimiters() {
        check("a,b\n", &["a", "b"]);
        check("a,b\r\n", &["a", "b"]);
        check(",\n", &["", ""]);
        check("a, b \r", &["a", " b "]);
        check("", &[""]);
        check("a,", &["a", ""]);
    }

    #[test]
    fn quotes_are_taken_off_and_halved() {
        check("\"a,\n\",\"b\"\r\n", &["a,\n", "b"]);
        check("\"a\"\"b\",\"\"\"\",\"\"", &["a\"b", "\"", ""]);
        check("5\",a\"b\"\n", &["5\"", "a\"b\""]);
        check("\"a\"b\"c,\"d\" \n", &["ab\"c", "d "]);
    }

    #[test]
    fn a_quote_without_an_end_is_told() {
        for row in ["\"", "\"a", "\"a\"\"", "\"a\"\",b\n"] {
            assert_eq!(next(row.as_bytes(), &mut 0, b',', &mut Vec::new()), Err(Unclosed), "{row:?}");
        }
    }
}
