//! An open document: the client's text, edited as the client says.

use std::ops::Range;
use std::path::PathBuf;

use gen_lsp_types::{Position, TextDocumentContentChangeEvent, Uri};

use crate::position::{Encoding, Lines};
use crate::uri::path_of;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A document that the client has open.
pub(crate) struct Document {
    pub(crate) uri: Uri,
    /// Its path, if it is a file.
    pub(crate) path: Option<PathBuf>,
    pub(crate) version: i32,
    text: String,
    lines: Lines,
    encoding: Encoding,
}

impl Document {
    pub(crate) fn new(uri: Uri, version: i32, text: String, encoding: Encoding) -> Self {
        let lines = Lines::of(&text);
        Self { path: path_of(&uri.0), uri, version, text, lines, encoding }
    }

    /// Makes the client's edits, one after the other.
    pub(crate) fn edit(&mut self, changes: Vec<TextDocumentContentChangeEvent>) {
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(change) => {
                    let start = self.lines.offset(&self.text, change.range.start, self.encoding);
                    let end = self.lines.offset(&self.text, change.range.end, self.encoding);
                    self.text.replace_range(start.min(end)..start.max(end), &change.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(change) => {
                    self.text = change.text;
                }
            }
            self.lines = Lines::of(&self.text);
        }
    }

    /// The text without a byte order mark. Offsets below are bytes in it.
    pub(crate) fn sql(&self) -> &str {
        self.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.text)
    }

    /// The protocol's range of bytes.
    pub(crate) fn range(&self, bytes: &Range<usize>) -> gen_lsp_types::Range {
        let bytes = bytes.start + self.mark()..bytes.end + self.mark();
        self.lines.range(&self.text, &bytes, self.encoding)
    }

    /// The byte at a position.
    pub(crate) fn offset(&self, position: Position) -> usize {
        self.lines.offset(&self.text, position, self.encoding).saturating_sub(self.mark())
    }

    /// What ends its lines.
    pub(crate) fn line_end(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    fn mark(&self) -> usize {
        self.text.len() - self.sql().len()
    }
}

#[cfg(test)]
mod tests {
    use gen_lsp_types::{TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument};
    use proptest::prelude::*;

    use super::*;

    fn document(text: &str) -> Document {
        Document::new("file:///a.sql".into(), 1, text.to_owned(), Encoding::Utf16)
    }

    #[expect(deprecated, reason = "the range's length has to be given, as none")]
    fn partial(range: gen_lsp_types::Range, text: &str) -> TextDocumentContentChangeEvent {
        TextDocumentContentChangePartial { range, range_length: None, text: text.to_owned() }.into()
    }

    fn at(from: (u32, u32), to: (u32, u32)) -> gen_lsp_types::Range {
        gen_lsp_types::Range::new(Position::new(from.0, from.1), Position::new(to.0, to.1))
    }

    #[test]
    fn edits_follow_each_other() {
        let mut document = document("\u{feff}a\r\n🚢b\r\n");
        document.edit(vec![partial(at((1, 2), (1, 3)), "c"), partial(at((0, 1), (1, 0)), "")]);
        assert_eq!(document.sql(), "🚢c\r\n");
        assert_eq!(document.offset(Position::new(0, 3)), "🚢".len());
        assert_eq!(document.range(&(0..5)), at((0, 1), (0, 4)));
        assert_eq!(document.line_end(), "\r\n");
        document.edit(vec![TextDocumentContentChangeWholeDocument { text: "x".into() }.into()]);
        assert_eq!(document.sql(), "x");
    }

    proptest! {
        #[test]
        fn no_edit_is_refused(
            text in "[aé🚢\r\n]{0,20}",
            edits in proptest::collection::vec(((0_u32..5, 0_u32..9), (0_u32..5, 0_u32..9), "[b🚢\r\n\u{feff}]{0,4}"), 0..6),
        ) {
            let mut document = document(&text);
            for (from, to, text) in edits {
                document.edit(vec![partial(at(from, to), &text)]);
                prop_assert!(document.range(&(0..document.sql().len())).start.line == 0);
            }
        }
    }
}
