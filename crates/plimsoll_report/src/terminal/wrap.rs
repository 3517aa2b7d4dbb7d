//! Breaks lines at spaces to fit a number of terminal columns.

use unicode_width::UnicodeWidthStr;

/// Breaks a text's lines so that each fits `width` columns; lines after the first are indented
/// by `indent` columns more. A word longer than a line stays whole: it is a name to be copied.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let lines: Vec<String> = text.lines().flat_map(|line| broken(line, width)).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// One line's pieces. Its own indentation is kept on the first of them.
fn broken(line: &str, width: usize) -> Vec<String> {
    if line.width() <= width {
        return vec![line.to_owned()];
    }
    let margin: String = line.chars().take_while(|character| *character == ' ').collect();
    let mut lines = Vec::new();
    let mut current = margin;
    for word in line.split_whitespace() {
        let empty = current.trim().is_empty();
        if !empty && current.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut current));
        } else if !empty {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("one two three", 8, 2), "one two\n  three");
        assert_eq!(wrapped("one\ntwo", 8, 1), "one\n two");
        assert_eq!(wrapped("", 8, 1), "");
    }

    #[test]
    fn a_long_word_stays_whole() {
        assert_eq!(wrapped("a bbbbbbbbbb c", 5, 0), "a\nbbbbbbbbbb\nc");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(wrapped("港 港 港", 5, 0), "港 港\n港");
    }
}
