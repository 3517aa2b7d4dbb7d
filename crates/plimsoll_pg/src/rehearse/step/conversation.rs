//! What the program has prepared and bound, so that an Execute is known by its text; and what of that an aside would
//! destroy, so that it can be made again.

use std::collections::{HashMap, VecDeque};

use plimsoll_sql::NormalForm;

use crate::tap::{Parameters, read_parameter_types};

/// A longer Parse isn't kept to be sent again.
const LONGEST_KEPT: usize = 1024 * 1024;

/// A message of the program's: its kind and body.
pub(super) type Message = (u8, Vec<u8>);

/// The extended protocol's state.
#[derive(Default)]
pub(super) struct Conversation {
    /// By name.
    prepared: HashMap<Vec<u8>, Prepared>,
    /// By name.
    portals: HashMap<Vec<u8>, Portal>,
    /// Prepared statements whose description was asked for.
    described: VecDeque<Vec<u8>>,
    /// The last Parse of the unnamed statement.
    unnamed: Option<Vec<u8>>,
    /// A simple query, as asides are, destroys the unnamed statement (PostgreSQL documentation, "Extended Query").
    unnamed_is_lost: bool,
}

#[derive(Clone, Default)]
struct Prepared {
    text: String,
    /// Types of the parameters, as far as they are known.
    types: Vec<u32>,
}

#[derive(Default)]
struct Portal {
    prepared: Prepared,
    /// The body of Bind behind its names.
    bound: Vec<u8>,
}

impl Conversation {
    /// Takes note of a message when it comes.
    pub(super) fn note(&mut self, tag: u8, body: &[u8]) {
        match tag {
            b'P' => {
                let (name, rest) = string(body);
                let (text, types) = string(rest);
                let text = String::from_utf8_lossy(text).into_owned();
                self.prepared.insert(name.to_vec(), Prepared { text, types: read_parameter_types(types) });
            }
            b'B' => {
                let (portal, rest) = string(body);
                let (name, bound) = string(rest);
                let prepared = self.prepared.get(name).cloned().unwrap_or_default();
                self.portals.insert(portal.to_vec(), Portal { prepared, bound: bound.to_vec() });
            }
            b'D' if body.first() == Some(&b'S') => self.described.push_back(string(&body[1..]).0.to_vec()),
            b'C' => {
                let name = string(body.get(1..).unwrap_or_default()).0;
                if body.first() == Some(&b'S') {
                    self.prepared.remove(name);
                } else {
                    self.portals.remove(name);
                }
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

    /// The server has told the types of a prepared statement's parameters.
    pub(super) fn learn_types(&mut self, body: &[u8]) {
        let described = self.described.pop_front();
        if let Some(prepared) = described.and_then(|name| self.prepared.get_mut(&name)) {
            prepared.types = read_parameter_types(body);
        }
    }

    /// What was asked for before is answered or won't be.
    pub(super) fn synchronize(&mut self) {
        self.described.clear();
    }

    /// The text that an Execute runs.
    pub(super) fn text_of(&self, execute: &[u8]) -> &str {
        self.portals.get(string(execute).0).map_or("", |portal| portal.prepared.text.as_str())
    }

    /// The text that a message is about which comes before an Execute.
    pub(super) fn text_of_message(&self, tag: u8, body: &[u8]) -> &str {
        let (statement, portal) = match tag {
            b'P' => (Some(string(body).0), None),
            b'B' => (Some(string(string(body).1).0), None),
            b'D' if body.first() == Some(&b'S') => (Some(string(&body[1..]).0), None),
            _ => (None, body.get(1..)),
        };
        let prepared = statement.and_then(|name| self.prepared.get(name));
        prepared.map_or_else(|| self.text_of(portal.unwrap_or_default()), |prepared| prepared.text.as_str())
    }

    /// The same with values as literals in the places of parameters, as a script can have it.
    pub(super) fn script_of(&self, execute: &[u8]) -> String {
        let Some(portal) = self.portals.get(string(execute).0) else { return String::new() };
        let parameters = Parameters::read(&portal.bound, &portal.prepared.types);
        let literals: Vec<Option<String>> = parameters
            .values()
            .map(|value| match value.bytes {
                None => Some("NULL".to_owned()),
                Some(_) => value.text().map(|text| format!("'{}'", text.replace('\'', "''"))),
            })
            .collect();
        with_literals(&portal.prepared.text, &literals)
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

/// Where a value's type isn't known, its parameter stays.
fn with_literals(text: &str, literals: &[Option<String>]) -> String {
    let mut form = NormalForm::default();
    form.of(text);
    let mut written = String::new();
    let mut at = 0;
    for place in form.values() {
        let number =
            text[place.range.clone()].strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let literal =
            number.and_then(|number| literals.get(number.wrapping_sub(1))).and_then(Option::as_deref);
        let Some(literal) = literal else { continue };
        written.push_str(&text[at..place.range.start]);
        written.push_str(literal);
        at = place.range.end;
    }
    written + &text[at..]
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
    fn a_script_has_literals_for_parameters() {
        let mut conversation = Conversation::default();
        conversation.note(b'P', b"s\0update t set a = $2 where id = $1 and b = '$1'\0\0\0");
        conversation.note(b'B', b"\0s\0\0\0\0\x02\0\0\0\x017\0\0\0\x04it's\0\0");
        assert_eq!(
            conversation.script_of(b"\0\0\0\0\0"),
            "update t set a = 'it''s' where id = '7' and b = '$1'"
        );
        conversation.note(b'B', b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff\0\0");
        assert_eq!(conversation.script_of(b"\0\0\0\0\0"), "update t set a = NULL where id = $1 and b = '$1'");
        conversation.note(b'D', b"Ss\0");
        conversation.learn_types(b"\0\x02\0\0\0\x17\0\0\0\x19");
        conversation.note(b'B', b"\0s\0\0\x01\0\x01\0\x02\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff\0\0");
        assert!(conversation.script_of(b"\0\0\0\0\0").contains("id = '7'"));
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
