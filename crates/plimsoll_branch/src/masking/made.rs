//! Makes values here instead of in the server: what `COPY` sends is changed and copied back into a table of new values.

use std::io::Cursor;
use std::pin::pin;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::Error;

use super::expression::Here;
use super::fake::Faker;
use super::run::Session;
use crate::error::BranchError;

/// Bytes that are sent at once.
const BATCH: usize = 1 << 16;
/// What `COPY` writes for NULL.
const NULL: &[u8] = b"\\N";

/// New values of one table's columns.
pub(super) struct Make {
    /// `COPY … TO STDOUT` of what tells a row from others, in two columns, and the old values.
    pub(super) from: String,
    /// `COPY … FROM STDIN` of the same two and the new values.
    pub(super) into: String,
    /// How each is made.
    pub(super) here: Vec<Here>,
    pub(super) faker: Faker,
}

impl Make {
    /// Reads in one session and writes in the other. `what` completes "failed to …".
    pub(super) async fn run(
        mut self,
        writer: &Session,
        reader: &Session,
        what: &str,
    ) -> Result<(), BranchError> {
        let copied = self.copy(writer, reader).await;
        copied.map_err(|why| writer.failed(what, &why))
    }

    async fn copy(&mut self, writer: &Session, reader: &Session) -> Result<(), Error> {
        let mut from = pin!(reader.client.copy_out(&self.from).await?);
        let mut into = pin!(writer.client.copy_in::<_, Cursor<Vec<u8>>>(&self.into).await?);
        let (mut rest, mut made) = (Vec::new(), Vec::with_capacity(BATCH));
        while let Some(piece) = from.next().await {
            let piece = piece?;
            for line in piece.split_inclusive(|byte| *byte == b'\n') {
                rest.extend_from_slice(line);
                if let Some(line) = rest.strip_suffix(b"\n") {
                    self.make_line(line, &mut made);
                    rest.clear();
                }
            }
            if made.len() >= BATCH {
                into.send(Cursor::new(std::mem::take(&mut made))).await?;
                // Nothing here need ever wait: signals are to be heard all the same.
                tokio::task::yield_now().await;
            }
        }
        into.send(Cursor::new(made)).await?;
        into.finish().await.map(drop)
    }

    fn make_line(&mut self, line: &[u8], made: &mut Vec<u8>) {
        for (number, field) in line.split(|byte| *byte == b'\t').enumerate() {
            if number > 0 {
                made.push(b'\t');
            }
            match number.checked_sub(2).and_then(|number| self.here.get(number)) {
                Some(here) if field != NULL => escape(&make(&mut self.faker, *here, &unescape(field)), made),
                _ => made.extend_from_slice(field),
            }
        }
        made.push(b'\n');
    }
}

fn make(faker: &mut Faker, here: Here, value: &[u8]) -> Vec<u8> {
    let number = || std::str::from_utf8(value).unwrap_or_default();
    match here {
        Here::FakeText => faker.bytes(value),
        Here::FakeNumber(range) => faker.number(number(), range).into_bytes(),
        Here::HashInteger { is_narrow } => number()
            .parse()
            .map_or_else(|_| Vec::new(), |number| faker.integer(number, is_narrow).to_string().into_bytes()),
    }
}

/// A field of `COPY`'s text format (PostgreSQL documentation, `COPY`, "Text Format"), as the server writes it.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        value.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 11,
                Some(other) => *other,
                None => b'\\',
            },
            _ => *byte,
        });
    }
    value
}

fn escape(value: &[u8], field: &mut Vec<u8>) {
    for byte in value {
        match byte {
            b'\n' => field.extend_from_slice(b"\\n"),
            b'\r' => field.extend_from_slice(b"\\r"),
            b'\t' => field.extend_from_slice(b"\\t"),
            b'\\' => field.extend_from_slice(b"\\\\"),
            _ => field.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_read_as_the_server_writes_them() {
        assert_eq!(unescape(b"a\\tb\\nc\\\\d\\b"), b"a\tb\nc\\d\x08");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(value: Vec<u8>) {
            let mut field = Vec::new();
            escape(&value, &mut field);
            prop_assert!(!field.contains(&b'\t') && !field.contains(&b'\n') && !field.contains(&b'\r'));
            prop_assert_eq!(unescape(&field), value);
        }

        #[test]
        fn nothing_that_is_read_breaks_it(field: Vec<u8>) {
            prop_assert!(unescape(&field).len() <= field.len());
        }
    }
}
