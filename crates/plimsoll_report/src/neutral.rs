//! Makes text from files and servers harmless to show: control characters become visible signs,
//! so that no migration can move a terminal's cursor, recolour a log or reverse a line.
//!
//! Deliberately absent: the escaping of any format (`<`, `|`, `%`), which each does itself.

use std::borrow::Cow;

/// The text with control characters as their Unicode pictures (ESC is `␛`) and with characters
/// that reorder or break lines as `�`. Newlines and tabs stay; `\r\n` is a newline.
pub(crate) fn neutral(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").chars().map(visible).collect())
}

/// [`neutral`] on one line: runs of white space become one space.
pub(crate) fn one_line(text: &str) -> String {
    neutral(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// [`one_line`], cut at a number of characters with `…` for the rest.
pub(crate) fn clipped(text: &str, characters: usize) -> String {
    // White space can shrink, so a margin is read before cutting; beyond it nothing is shown.
    let head: String = text.chars().take(characters.saturating_mul(8).saturating_add(64)).collect();
    let line = one_line(&head);
    if line.chars().count() <= characters && head.len() == text.len() {
        return line;
    }
    let kept: String = line.chars().take(characters.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn is_unsafe(character: char) -> bool {
    visible(character) != character || character == '\r'
}

fn visible(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        '\0'..='\x1f' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '␡',
        // C1 controls, line and paragraph separators, marks that reorder text, non-characters.
        '\u{80}'..='\u{9f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fffe}'
        | '\u{ffff}' => '\u{fffd}',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(neutral("a\x1b[31m\0\u{7f}\u{9b}b\tc\nd"), "a␛[31m␀␡�b\tc\nd");
        assert_eq!(neutral("a\r\nb\rc"), "a\nb␍c");
        assert_eq!(neutral("a\u{202e}b"), "a�b");
    }

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(neutral("select 'é'\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn clipping_counts_characters_of_the_joined_line() {
        assert_eq!(clipped("  select\n   1 ", 20), "select 1");
        assert_eq!(clipped("select 1234567", 10), "select 12…");
        assert_eq!(clipped(&"é".repeat(10_000), 3), "éé…");
    }
}
