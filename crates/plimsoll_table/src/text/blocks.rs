//! Where a text may be cut so that each block has whole rows: after a line break that stands in no quotes.

use memchr::{memchr, memchr2};

use super::cells::closing_quote;

/// The end of the first line that ends at or after a place.
pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr(b'\n', rest).map_or(bytes.len(), |at| from + at + 1)
}

/// The end of the first row that ends at least `size` bytes after `start`, where a row begins. A quote that isn't closed takes
/// all the rest.
pub(super) fn quoted_end(bytes: &[u8], start: usize, size: usize, delimiter: u8) -> usize {
    let goal = start.saturating_add(size).min(bytes.len());
    let mut at = start;
    while let Some(found) = bytes.get(at..goal).and_then(|within| memchr(b'"', within)) {
        at = after_quote(bytes, start, at + found, delimiter);
    }
    at = at.max(goal);
    while let Some(found) = memchr2(b'"', b'\n', &bytes[at..]) {
        match bytes[at + found] {
            b'\n' => return at + found + 1,
            _ => at = after_quote(bytes, start, at + found, delimiter),
        }
    }
    bytes.len()
}

/// What comes after a quote that stands outside of others: the end of what it opens, or only itself in the middle of a cell.
fn after_quote(bytes: &[u8], start: usize, quote: usize, delimiter: u8) -> usize {
    let opens = quote == start || bytes[quote - 1] == delimiter || bytes[quote - 1] == b'\n';
    if opens { closing_quote(bytes, quote + 1).map_or(bytes.len(), |at| at + 1) } else { quote + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, size: usize, expected: &str) {
        let end = quoted_end(text.as_bytes(), 0, size, b',');
        assert_eq!(&text[..end], expected, "{size} bytes of {text:?}");
    }

    #[test]
    fn a_block_ends_with_a_row() {
        check("a,b\nc,d\n", 1, "a,b\n");
        check("a,b\nc,d\n", 3, "a,b\n");
        check("a,b\nc,d\n", 4, "a,b\nc,d\n");
        check("a,b", 1, "a,b");
        check("a,b\nc", 99, "a,b\nc");
    }

    #[test]
    fn a_line_break_in_quotes_ends_nothing() {
        check("\"a\n\",b\nc\n", 1, "\"a\n\",b\n");
        check("a,\"\n\"\"\n\"\nc\n", 1, "a,\"\n\"\"\n\"\n");
        check("a,\"\n\"\"\n\"\nc\n", 4, "a,\"\n\"\"\n\"\n");
        check("a,\"\nb\n", 1, "a,\"\nb\n");
    }

    #[test]
    fn a_quote_within_a_cell_opens_nothing() {
        check("5\",b\nc\"\n", 1, "5\",b\n");
        check("\"a\"\",b\n\",c\nd\n", 1, "\"a\"\",b\n\",c\n");
        check("\"a\"b\",c\nd\n", 1, "\"a\"b\",c\n");
    }
}
