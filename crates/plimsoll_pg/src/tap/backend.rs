//! Messages of the server, as far as the tap reads them.
//!
//! Source: PostgreSQL documentation, "Message Formats".

use super::reader::Reader;
use super::statement::{ServerError, TransactionStatus};

/// Kinds whose bodies are read.
pub(super) fn is_read(tag: u8) -> bool {
    matches!(tag, b'C' | b'D' | b'E' | b'K' | b'S' | b'T' | b'Z' | b't')
}

/// `ErrorResponse`: fields of a code and a text each.
pub(crate) fn error(body: &[u8]) -> ServerError {
    let mut reader = Reader(body);
    let mut error = ServerError::default();
    while let Some(code) = reader.byte().filter(|code| *code != 0) {
        let text = String::from_utf8_lossy(reader.string()).into_owned();
        match code {
            // The localized severity comes first.
            b'S' => error.severity = text,
            b'V' => error.severity = text,
            b'C' => error.sqlstate = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'P' => error.position = text.parse().ok(),
            _ => {}
        }
    }
    error
}

/// `ErrorResponse` of the tap's own, with the fields that a client needs.
pub(super) fn error_message(sqlstate: &str, message: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (code, text) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', sqlstate), (b'M', message)] {
        body.push(code);
        body.extend(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut bytes = vec![b'E'];
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// `ReadyForQuery`.
pub(super) fn transaction_status(body: &[u8]) -> TransactionStatus {
    match body.first() {
        Some(b'T') => TransactionStatus::InTransaction,
        Some(b'E') => TransactionStatus::Failed,
        _ => TransactionStatus::Idle,
    }
}

/// `CommandComplete`: its tag, and the rows that it ends in (`INSERT 0 3`, `SELECT 5`).
pub(super) fn command_tag(body: &[u8]) -> (&str, Option<u64>) {
    let tag = std::str::from_utf8(Reader(body).string()).unwrap_or_default();
    let digits = tag.bytes().rev().take_while(u8::is_ascii_digit).count();
    (tag, tag[tag.len() - digits..].parse().ok())
}

/// `BackendKeyData`: the process id. The key behind it has four bytes up to protocol 3.0 and any number from 3.2 on.
pub(crate) fn process_id(body: &[u8]) -> Option<i32> {
    Reader(body).int32()
}

/// `ParameterStatus`: a setting and its value.
pub(super) fn setting(body: &[u8]) -> (&[u8], &[u8]) {
    let mut reader = Reader(body);
    (reader.string(), reader.string())
}

/// `RowDescription`: type and format of each column.
pub(super) fn columns(body: &[u8]) -> Vec<(u32, i16)> {
    let mut reader = Reader(body);
    let count = reader.count().unwrap_or(0);
    let column = |_| {
        reader.string();
        // The table's oid, and the column's number.
        reader.bytes(6)?;
        let oid = reader.int32()? as u32;
        // The type's length, and its modifier.
        reader.bytes(6)?;
        Some((oid, reader.int16()?))
    };
    (0..count).map_while(column).collect()
}

/// `RowDescription`: name of each column.
pub(super) fn column_names(body: &[u8]) -> impl Iterator<Item = String> {
    let mut reader = Reader(body);
    let count = reader.count().unwrap_or(0);
    (0..count).map_while(move |_| {
        let name = String::from_utf8_lossy(reader.string()).into_owned();
        reader.bytes(18)?;
        Some(name)
    })
}

/// `ParameterDescription`: types. Parse ends in the same list.
pub(crate) fn parameter_types(body: &[u8]) -> Vec<u32> {
    let mut reader = Reader(body);
    let count = reader.count().unwrap_or(0);
    (0..count).map_while(|_| reader.int32().map(|oid| oid as u32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_ours_is_read_as_it_was_written() {
        let bytes = error_message("08006", "no server");
        let error = error(&bytes[5..]);
        assert_eq!((error.sqlstate.as_str(), error.message.as_str()), ("08006", "no server"));
    }

    #[test]
    fn rows_stand_at_the_end_of_a_tag() {
        assert_eq!(command_tag(b"INSERT 0 3\0"), ("INSERT 0 3", Some(3)));
        assert_eq!(command_tag(b"CREATE TABLE\0"), ("CREATE TABLE", None));
        assert_eq!(command_tag(b"\xff\0"), ("", None));
    }

    #[test]
    fn columns_are_read_as_far_as_they_go() {
        let mut body = 2_i16.to_be_bytes().to_vec();
        body.extend(b"id\0");
        body.extend([0; 6]);
        body.extend(23_i32.to_be_bytes());
        body.extend([0; 6]);
        body.extend(1_i16.to_be_bytes());
        body.extend(b"na");
        assert_eq!(columns(&body), [(23, 1)]);
    }
}
