//! Text to pieces: in order, within the text, nothing lost between them, and each a piece again.
//! A byte order mark is the caller's to strip: the lexer skips one wherever it starts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::slice;
use plimsoll_sql::split::{Piece, split};

fuzz_target!(|text: &str| {
    if text.contains('\u{feff}') {
        return;
    }
    let mut end = 0;
    for piece in split(text) {
        let (Piece::Statement { range, .. } | Piece::MetaCommand { range }) = &piece;
        assert!(range.start >= end, "pieces overlap");
        assert_eq!(split(slice(text, &(end..range.start))), [], "a piece is lost");
        let alone = split(slice(text, range));
        end = range.end;
        match piece {
            Piece::Statement { range, tokens, depth, copy_data } => {
                let whole = Piece::Statement { range: 0..range.len(), tokens, depth, copy_data: None };
                assert_eq!(alone, [whole]);
                if let Some(data) = copy_data {
                    slice(text, &data);
                    assert!(data.start >= end, "copy data overlaps its statement");
                    let rest = slice(text, &(data.end..text.len()));
                    end = data.end + rest.find('\n').map_or(rest.len(), |newline| newline + 1);
                }
            }
            Piece::MetaCommand { range } => assert_eq!(alone, [Piece::MetaCommand { range: 0..range.len() }]),
        }
    }
    assert_eq!(split(slice(text, &(end..text.len()))), [], "the last piece is lost");
});
