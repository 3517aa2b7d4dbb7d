//! What the program has prepared and bound, so that an Execute is known by its text; and what of that an aside would
//! destroy, so that it can be made again.

use std::collections::HashMap;

/// A longer Parse isn't kept to be sent again.
const LONGEST_KEPT: usize = 1024 * 1024;

/// A message of the program's: its kind and body.
pub(super) type Message = (u8, Vec<u8>);

/// The extended protocol's state.
#[derive(Default)]
pub(super) struct Conversation {
    /// Texts by the names of prepared statements.
    prepared: HashMap<Vec<u8>, String>,
    /// Texts by the names of portals.
    portals: HashMap<Vec<u8>, String>,
    /// The last Parse of the unnamed statement.
    unnamed: Option<Vec<u8>>,
    /// A simple query, as asides are, destroys the unnamed statement (PostgreSQL documentation, "Extended Query").
    unnamed_is_lost: bool,
}

impl Conversation {
    /// Takes note of a message when it comes.
    pub(super) fn note(&mut self, tag: u8, body: &[u8]) {
        match tag {
            b'P' => {
                let (name, rest) = string(body);
                let text = String::from_utf8_lossy(string(rest).0).into_owned();
                self.prepared.insert(name.to_vec(), text);
            }
            b'B' => {
                let (portal, rest) = string(body);
                let text = self.prepared.get(string(rest).0).cloned().unwrap_or_default();
                self.portals.insert(portal.to_vec(), text);
            }
            b'C' => {
                let name = string(body.get(1..).unwrap_or_default()).0;
                match body.first() {
                    Some(b'S') => self.prepared.remove(name),
                    _ => self.portals.remove(name),
                };
            }
            _ => {}
        }
    }

    /// What must be sent before a message: a Parse, whose answer the program doesn't expect.
    pub(super) fn needed_before(&mut self, tag: u8, body: &[u8]) -> Option<Vec<u8>> {
        match tag {
            b'P' if body.first() == Some(&0) => {
                self.unnamed = (body.len() <= LONGEST_KEPT).then(|| body.to_vec());
                self.unnamed_is_lost = false;
                None
            }
            b'B' => self.again(string(string(body).1).0),
            b'D' if body.first() == Some(&b'S') => self.again(string(&body[1..]).0),
            _ => None,
        }
    }

    /// The text that an Execute runs.
    pub(super) fn text_of(&self, execute: &[u8]) -> &str {
        self.portals.get(string(execute).0).map_or("", String::as_str)
    }

    /// A simple query has run.
    pub(super) fn lose_unnamed(&mut self) {
        self.unnamed_is_lost = true;
    }

    fn again(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        if !name.is_empty() || !std::mem::take(&mut self.unnamed_is_lost) {
            return None;
        }
        self.unnamed.clone()
    }
}

/// Up to the next zero byte, and what follows it.
fn string(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execute_is_known_by_its_text() {
        let mut conversation = Conversation::default();
        conversation.note(b'P', b"s\0select 1\0\0\0");
        conversation.note(b'B', b"p\0s\0\0\0\0\0\0\0");
        assert_eq!(conversation.text_of(b"p\0\0\0\0\0"), "select 1");
        assert_eq!(conversation.text_of(b"\0\0\0\0\0"), "");
    }

    #[test]
    fn the_unnamed_statement_is_made_again_once_after_an_aside() {
        let mut conversation = Conversation::default();
        let parse = b"\0select 1\0\0\0".to_vec();
        conversation.needed_before(b'P', &parse);
        assert_eq!(conversation.needed_before(b'B', b"\0\0\0\0\0\0\0\0"), None);
        conversation.lose_unnamed();
        assert_eq!(conversation.needed_before(b'B', b"\0\0\0\0\0\0\0\0"), Some(parse));
        assert_eq!(conversation.needed_before(b'B', b"\0\0\0\0\0\0\0\0"), None);
        conversation.lose_unnamed();
        assert_eq!(conversation.needed_before(b'B', b"\0other\0\0\0\0\0\0\0"), None);
    }
}
