//! Places in a document as the protocol counts them: lines from 0, ended by `\n`, `\r\n` or `\r`,
//! and within a line code units of the encoding that was agreed on.

use gen_lsp_types::{Position, Range};

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// 16-bit code units, of which an emoji has two.
    Utf16,
}

impl Encoding {
    fn units(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
        }
    }
}

/// Where a text's lines begin.
pub(crate) struct Lines {
    /// Byte offsets; the first is 0.
    starts: Vec<usize>,
}

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = (0..bytes.len()).filter(|at| match bytes[*at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Self { starts: std::iter::once(0).chain(ends.map(|at| at + 1)).collect() }
    }

    /// The byte offset of a position. One behind a line's end means the end, one within a character
    /// its start.
    pub(crate) fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).copied() else { return text.len() };
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let content = text[start..end].trim_end_matches(['\r', '\n']);
        let wanted = position.character as usize;
        let mut units = 0;
        for (at, character) in content.char_indices() {
            units += encoding.units(character);
            if units > wanted {
                return start + at;
            }
        }
        start + content.len()
    }

    /// The position of a byte offset.
    pub(crate) fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let before = &text[self.starts[line]..offset];
        let character = match before.is_ascii() {
            true => before.len(),
            false => before.chars().map(|character| encoding.units(character)).sum(),
        };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position::new(count(line), count(character))
    }

    /// The range of bytes.
    pub(crate) fn range(&self, text: &str, bytes: &std::ops::Range<usize>, encoding: Encoding) -> Range {
        Range::new(self.position(text, bytes.start, encoding), self.position(text, bytes.end, encoding))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_count_code_units() {
        let text = "a🚢b\r\né\rz";
        let lines = Lines::of(text);
        let check = |line: u32, character: u32, encoding: Encoding, expected: &str| {
            let offset = lines.offset(text, Position::new(line, character), encoding);
            assert_eq!(&text[offset..], expected, "{line}:{character} {encoding:?}");
        };
        check(0, 1, Encoding::Utf16, "🚢b\r\né\rz");
        check(0, 2, Encoding::Utf16, "🚢b\r\né\rz");
        check(0, 3, Encoding::Utf16, "b\r\né\rz");
        check(0, 5, Encoding::Utf8, "b\r\né\rz");
        check(0, 99, Encoding::Utf16, "\r\né\rz");
        check(1, 1, Encoding::Utf16, "\rz");
        check(1, 2, Encoding::Utf8, "\rz");
        check(2, 0, Encoding::Utf16, "z");
        check(9, 9, Encoding::Utf16, "");
    }

    proptest! {
        #[test]
        fn offsets_and_positions_are_inverse(text in "[aé🚢\r\n]{0,40}") {
            let lines = Lines::of(&text);
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                    // Between \r and \n there is no position.
                    if text[..offset].ends_with('\r') && text[offset..].starts_with('\n') {
                        continue;
                    }
                    let position = lines.position(&text, offset, encoding);
                    prop_assert_eq!(lines.offset(&text, position, encoding), offset);
                }
            }
        }

        #[test]
        fn any_position_lies_within_the_text(text in "[aé🚢\r\n]{0,20}", line in 0_u32..9, character in 0_u32..99) {
            let lines = Lines::of(&text);
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let offset = lines.offset(&text, Position::new(line, character), encoding);
                prop_assert!(text.is_char_boundary(offset));
            }
        }
    }
}
