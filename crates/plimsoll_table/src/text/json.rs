//! Rows of JSON lines: an object a line, whose keys are the columns.

use std::borrow::Cow;
use std::fmt::{self, Formatter};

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::place::{Problem, Stop};
use crate::error::Fault;
use crate::part::Part;
use crate::wanted::{Role, Wanted};

/// Which keys are wanted, and what for.
#[derive(Debug)]
pub(super) struct JsonLines {
    targets: Vec<(Role, String)>,
}

impl JsonLines {
    pub(super) fn new(wanted: &Wanted) -> Self {
        let targets = wanted.roles().into_iter().map(|(role, name)| (role, name.to_owned())).collect();
        Self { targets }
    }

    pub(super) fn key(&self, target: usize) -> &str {
        &self.targets[target].1
    }

    /// Reads a block's lines.
    pub(super) fn read(&self, block: &[u8], part: &mut Part) -> Result<(), Stop> {
        let (mut start, mut values) = (0, vec![Found::default(); self.targets.len()]);
        while start < block.len() {
            let end = memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |end| start + end);
            let line = &block[start..end];
            if !line.trim_ascii_start().is_empty() {
                let taken = self.line(line, &mut values, part);
                taken.map_err(|stop| Stop { at: start + stop.at, ..stop })?;
                part.rows += 1;
            }
            start = end + 1;
        }
        Ok(())
    }

    fn line<'text>(
        &self,
        line: &'text [u8],
        values: &mut [Found<'text>],
        part: &mut Part,
    ) -> Result<(), Stop> {
        let space = line.len() - line.trim_ascii_start().len();
        if let Some(found) = other_than_object(line[space..].first().copied()) {
            return Err(Stop { at: space, problem: Problem::NoObject(found) });
        }
        values.fill(Found::default());
        let mut parser = serde_json::Deserializer::from_slice(line);
        let read = parser.deserialize_map(Line { targets: &self.targets, values });
        read.and_then(|()| parser.end()).map_err(|error| broken(line, &error))?;
        for (target, (role, _)) in self.targets.iter().enumerate() {
            self.value(line, target, *role, values[target], part)?;
        }
        Ok(())
    }

    fn value(
        &self,
        line: &[u8],
        target: usize,
        role: Role,
        found: Found<'_>,
        part: &mut Part,
    ) -> Result<(), Stop> {
        let Some(text) = found.text else {
            return Err(Stop { at: 0, problem: Problem::NoKey { target, keys: keys(line) } });
        };
        let taken = if found.repeated { Err(Fault::TwoKeys) } else { take(text, role, part) };
        let at = text.as_ptr().addr() - line.as_ptr().addr();
        taken.map_err(|fault| Stop { at, problem: Problem::Value { target, fault } })
    }
}

/// What a line has for a wanted key, as it is written there.
#[derive(Clone, Copy, Debug, Default)]
struct Found<'text> {
    text: Option<&'text str>,
    repeated: bool,
}

/// A value may be in quotes where the number isn't: some writers do so for long ones.
fn take(text: &str, role: Role, part: &mut Part) -> Result<(), Fault> {
    let nested = |found| Fault::Nested { role: role.called(), found };
    match text.as_bytes().first() {
        Some(b'"') => part.take(role, unquoted(text).as_bytes()),
        Some(b'n') if role == Role::Group => part.take(role, b""),
        Some(b'n') => Err(Fault::Null(role.called())),
        Some(b'{') => Err(nested("an object")),
        Some(b'[') => Err(nested("a list")),
        _ => part.take(role, text.as_bytes()),
    }
}

fn unquoted(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        // The parser took it before; a lone surrogate is what it may refuse now.
        _ => serde_json::from_str(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

fn other_than_object(first: Option<u8>) -> Option<&'static str> {
    match first? {
        b'[' => Some("a list"),
        b'"' => Some("a text"),
        b'0'..=b'9' | b'-' => Some("a number"),
        _ => None,
    }
}

/// The parser counts bytes from 1, and stands on the last it took.
fn broken(line: &[u8], error: &serde_json::Error) -> Stop {
    let told = error.to_string();
    let why = told.split(" at line ").next().unwrap_or(&told).to_owned();
    Stop { at: error.column().saturating_sub(1).min(line.len()), problem: Problem::Json(why) }
}

fn keys(line: &[u8]) -> Vec<String> {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line)
        .map_or_else(|_| Vec::new(), |object| object.into_iter().map(|(key, _)| key).collect())
}

/// Takes a line's object apart, and holds no more of it than where the wanted values are.
struct Line<'targets, 'values, 'text> {
    targets: &'targets [(Role, String)],
    values: &'values mut [Found<'text>],
}

impl<'text> Visitor<'text> for Line<'_, '_, 'text> {
    type Value = ();

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'text>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(key) = object.next_key_seed(Key(self.targets))? {
            let Some(first) = key else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            let text = object.next_value::<&RawValue>()?.get();
            let key = &self.targets[first].1;
            for at in (first..self.targets.len()).filter(|at| self.targets[*at].1 == *key) {
                self.values[at] = Found { text: Some(text), repeated: self.values[at].text.is_some() };
            }
        }
        Ok(())
    }
}

/// Which wanted key the next is, if it is one.
struct Key<'targets>(&'targets [(Role, String)]);

impl<'text> DeserializeSeed<'text> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'text>>(self, key: D) -> Result<Option<usize>, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|(_, name)| name == key))
    }
}
