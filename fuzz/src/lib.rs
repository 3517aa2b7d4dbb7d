//! Assertions that several targets make.

use std::io::Read;
use std::ops::Range;

use plimsoll_core::SourceFile;
use plimsoll_sql::command::{ActionKind, ColumnDefinition, Constraint};
use plimsoll_sql::{Command, Migration, Statement, StatementKind};

/// Panics unless statements stand in order in the text, and all their ranges in them.
pub fn assert_statements_lie_in(text: &str, statements: &[Statement]) {
    let mut end = 0;
    for statement in statements {
        assert!(statement.range.start >= end, "statements overlap");
        let sql = slice(text, &statement.range);
        assert!(!sql.trim().is_empty());
        end = statement.range.end;
        if let Some(data) = &statement.copy_data {
            slice(text, data);
            assert!(data.start >= end, "copy data overlaps its statement");
            end = data.end;
        }
        match &statement.kind {
            StatementKind::Command(command) => assert_command_lies_in(sql, command),
            StatementKind::Invalid(error) => {
                slice(text, &error.range);
                let within =
                    statement.range.start <= error.range.start && error.range.end <= statement.range.end;
                assert!(within, "error stands outside its statement");
            }
        }
    }
}

/// Panics unless a migration's ranges lie in its file, and its statements have a place each.
pub fn assert_migration_is_sound(migration: &Migration) {
    let (text, sent) = (migration.source.text(), migration.as_sent());
    assert_statements_lie_in(sent.source.text(), &sent.statements);
    migration.meta_commands.iter().for_each(|range| assert!(slice(text, range).starts_with('\\')));
    assert_eq!(migration.places().len(), migration.statements.len());
    migration.statements.iter().for_each(|statement| assert!(!migration.sql(statement).is_empty()));
}

/// Panics unless a location stands in a file: read as a range and placed again, it is the same.
pub fn assert_location_lies_in(source: &SourceFile, location: &plimsoll_core::Location) {
    let range = source.range(location);
    slice(source.text(), &range);
    assert_eq!(source.location(range), *location);
}

/// The text of a range, which has to lie in it, on character boundaries.
pub fn slice<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    text.get(range.clone())
        .unwrap_or_else(|| panic!("{range:?} is no range of a text of {} bytes", text.len()))
}

fn assert_command_lies_in(sql: &str, command: &Command) {
    match command {
        Command::CreateTable(table) => {
            table.columns.iter().for_each(|column| assert_column_lies_in(sql, column));
            table.constraints.iter().for_each(|constraint| assert_constraint_lies_in(sql, constraint));
        }
        Command::AlterTable(alter) => {
            for action in &alter.actions {
                slice(sql, &action.range);
                match &action.kind {
                    ActionKind::AddColumn { column, .. } => assert_column_lies_in(sql, column),
                    ActionKind::AddConstraint(constraint) => assert_constraint_lies_in(sql, constraint),
                    _ => {}
                }
            }
        }
        Command::CreateIndex(index) => assert!(slice(sql, &index.index_word).eq_ignore_ascii_case("index")),
        _ => {}
    }
}

fn assert_column_lies_in(sql: &str, column: &ColumnDefinition) {
    if let Some(default) = &column.default {
        assert_eq!(slice(sql, &default.range), default.text);
    }
    column.constraints.iter().for_each(|constraint| assert_constraint_lies_in(sql, constraint));
}

fn assert_constraint_lies_in(sql: &str, constraint: &Constraint) {
    assert!(!slice(sql, &constraint.range).is_empty());
}

/// The bytes of the summary of a server's log.
#[must_use]
pub fn summary_bytes(format: &plimsoll_logs::Format, log: &[u8], readers: usize) -> Vec<u8> {
    let mut scan = plimsoll_logs::Scan::new(readers);
    scan.read(format, log).expect("a slice can be read");
    plimsoll_logs::psum::encode(&scan.summary()).expect("a summary can be written")
}

/// What an envelope holds, if so many bytes come at once.
#[must_use]
pub fn unwrapped(envelope: plimsoll_logs::Envelope, bytes: &[u8], piece: usize) -> Vec<u8> {
    let mut whole = Vec::new();
    let slow = Slow { bytes, piece };
    plimsoll_logs::Unwrapped::new(slow, envelope, 0).read_to_end(&mut whole).expect("a slice can be read");
    whole
}

struct Slow<'a> {
    bytes: &'a [u8],
    piece: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let length = room.len().min(self.piece);
        (&self.bytes[..length.min(self.bytes.len())]).read(room).inspect(|read| self.bytes = &self.bytes[*read..])
    }
}
