//! Messages of the wire protocol out of a stream of bytes that comes in pieces of any size.
//!
//! Source: PostgreSQL documentation, "Message Formats": one byte for the kind, four for the length (which counts
//! itself), then the body. A body is put together only where it is wanted, and only up to [`LONGEST_KEPT`]: a row of a
//! gigabyte passes through in constant memory.

/// As much of a body is kept, in bytes, when it doesn't come in one piece.
pub(super) const LONGEST_KEPT: usize = 256 * 1024;

/// More isn't kept between two messages.
const LONGEST_SPARE: usize = 16 * 1024;

const HEADER: usize = 5;

/// One whole message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// What kind it is of.
    pub(super) tag: u8,
    /// Bytes of the body.
    pub(super) length: usize,
    /// The body, or its beginning, or nothing if it isn't wanted.
    pub(super) body: &'a [u8],
}

/// A length that no message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message `{}` that says it is {length} bytes long", char::from(*tag).escape_default())]
pub(super) struct Malformed {
    tag: u8,
    length: u32,
}

#[derive(Debug)]
enum State {
    Header { bytes: [u8; HEADER], have: usize },
    Body { tag: u8, length: usize, remaining: usize },
    Malformed,
}

/// Puts messages together.
#[derive(Debug)]
pub(super) struct Framer {
    state: State,
    kept: Vec<u8>,
    wanted: fn(u8) -> bool,
}

const START: State = State::Header { bytes: [0; HEADER], have: 0 };

impl Framer {
    /// For messages of which only the bodies of the wanted kinds are put together.
    pub(super) fn new(wanted: fn(u8) -> bool) -> Self {
        Self { state: START, kept: Vec::new(), wanted }
    }

    /// The next message that ends in the piece, which is shortened to what follows it. After a malformed message there
    /// is none any more.
    pub(super) fn next<'a, 'b: 'a>(
        &'a mut self,
        piece: &mut &'b [u8],
    ) -> Option<Result<Frame<'a>, Malformed>> {
        if let State::Header { bytes, have } = &mut self.state {
            // Most messages come whole: nothing is copied.
            if *have == 0 && piece.len() >= HEADER {
                let (tag, length) = header([piece[0], piece[1], piece[2], piece[3], piece[4]]);
                if length >= 4 && piece.len() > length as usize {
                    let (message, rest) = piece.split_at(length as usize + 1);
                    *piece = rest;
                    let body = &message[HEADER..];
                    return Some(Ok(Frame { tag, length: body.len(), body }));
                }
            }
            let taken = piece.len().min(HEADER - *have);
            bytes[*have..*have + taken].copy_from_slice(&piece[..taken]);
            *have += taken;
            *piece = &piece[taken..];
            if *have < HEADER {
                return None;
            }
            let (tag, length) = header(*bytes);
            if length < 4 {
                self.state = State::Malformed;
                return Some(Err(Malformed { tag, length }));
            }
            self.kept.clear();
            self.kept.shrink_to(LONGEST_SPARE);
            let length = length as usize - 4;
            self.state = State::Body { tag, length, remaining: length };
        }
        let State::Body { tag, length, remaining } = &mut self.state else { return None };
        let taken = piece.len().min(*remaining);
        if (self.wanted)(*tag) {
            let room = LONGEST_KEPT - self.kept.len();
            self.kept.extend_from_slice(&piece[..taken.min(room)]);
        }
        *remaining -= taken;
        *piece = &piece[taken..];
        if *remaining > 0 {
            return None;
        }
        let (tag, length) = (*tag, *length);
        self.state = START;
        Some(Ok(Frame { tag, length, body: &self.kept }))
    }
}

/// A message's kind, and its length, the four bytes of the length included.
fn header(bytes: [u8; HEADER]) -> (u8, u32) {
    let [tag, a, b, c, d] = bytes;
    (tag, u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(pieces: &[&[u8]], wanted: fn(u8) -> bool) -> Vec<String> {
        let mut framer = Framer::new(wanted);
        let mut shown = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while let Some(frame) = framer.next(&mut rest) {
                shown.push(match frame {
                    Ok(frame) => {
                        format!("{}{} {}", char::from(frame.tag), frame.length, frame.body.escape_ascii())
                    }
                    Err(malformed) => malformed.to_string(),
                });
            }
        }
        shown
    }

    #[test]
    fn messages_are_the_same_however_they_are_cut() {
        let bytes = b"Q\0\0\0\x07ab\0S\0\0\0\x04D\0\0\0\x08wxyz";
        let whole = messages(&[bytes], |_| true);
        assert_eq!(whole, ["Q3 ab\\x00", "S0 ", "D4 wxyz"]);
        for cut in 0..bytes.len() {
            assert_eq!(messages(&[&bytes[..cut], &bytes[cut..]], |_| true), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(messages(&single, |_| true), whole);
    }

    #[test]
    fn a_long_body_is_kept_in_part_and_an_unwanted_one_not_at_all() {
        let long = vec![b'x'; LONGEST_KEPT + 10];
        let mut bytes = vec![b'Q'];
        bytes.extend((long.len() as u32 + 4).to_be_bytes());
        bytes.extend(&long);
        let mut framer = Framer::new(|tag| tag == b'Q');
        let (mut first, mut second) = bytes.split_at(1000);
        assert!(framer.next(&mut first).is_none());
        let frame = framer.next(&mut second).unwrap().unwrap();
        assert_eq!((frame.length, frame.body.len()), (LONGEST_KEPT + 10, LONGEST_KEPT));
        assert_eq!(messages(&[b"d\0\0\0\x06a", b"b"], |tag| tag == b'Q'), ["d2 "]);
    }

    #[test]
    fn a_malformed_length_ends_it() {
        assert_eq!(
            messages(&[b"Q\0\0\0\x03Q\0\0\0\x04"], |_| true),
            ["a message `Q` that says it is 3 bytes long"]
        );
    }
}
