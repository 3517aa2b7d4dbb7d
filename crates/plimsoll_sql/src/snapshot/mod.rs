//! A snapshot: what a server's catalogue said, as a text that a person can read and a pull request can
//! show. DDL, and facts that DDL has no words for, each a comment of one line: `--: {"table": …}`.
//!
//! It is read by replaying the DDL as a migration is replayed. Deliberately absent: how a server is asked,
//! and any attempt to run the DDL: statements stand by their kind and name, not in the order in which a
//! server could take them.

mod facts;

use std::ops::Range;

use plimsoll_core::{Location, SourceFile};

use crate::name::ObjectName;
use crate::parse::{Statement, StatementKind, parse_script};
use crate::schema::{RelationKind, Schema};

pub use facts::{
    ExtensionFacts, Facts, IndexUse, ReadFactError, SequenceFacts, ServerFacts, TableFacts, Unseen,
};

/// Version of the format; the first line has it.
pub const FORMAT_VERSION: u32 = 1;

/// The first line, up to the version.
pub const HEAD: &str = "-- plimsoll snapshot ";

/// The last line: a text without it was cut.
pub const LAST_LINE: &str = "-- end of snapshot";

/// What a line with a fact begins with.
pub const FACT: &str = "--:";

/// A snapshot that was read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its text.
    pub source: SourceFile,
    /// Its DDL.
    pub statements: Vec<Statement>,
    /// What the DDL has no words for.
    pub facts: Facts,
}

/// Why a text is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError {
    /// Where.
    pub location: Location,
    /// What is wrong, and what to do.
    pub why: String,
}

impl Snapshot {
    /// Whether a text claims to be a snapshot, of whatever version.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with(HEAD)
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    /// Where it is none, was cut, is of a newer format, or has a fact that can't be read.
    pub fn read(source: SourceFile) -> Result<Self, SnapshotError> {
        let text = source.text();
        let wrong =
            |range: Range<usize>, why: String| SnapshotError { location: source.location(range), why };
        let first = text.lines().next().unwrap_or_default();
        let Some(version) = first.strip_prefix(HEAD) else {
            let why = format!("it is no snapshot: its first line doesn't begin with `{}`", HEAD.trim());
            return Err(wrong(0..first.len(), why));
        };
        match version.trim().parse::<u32>() {
            Ok(FORMAT_VERSION) => {}
            Ok(newer) if newer > FORMAT_VERSION => {
                let why = format!(
                    "it is a snapshot of format {newer}, and this program reads format {FORMAT_VERSION}: update the program"
                );
                return Err(wrong(0..first.len(), why));
            }
            _ => {
                let why = format!("`{}` is no version of a snapshot's format", version.trim());
                return Err(wrong(HEAD.len()..first.len(), why));
            }
        }
        let end = text.trim_end().len();
        if text[..end].rsplit('\n').next() != Some(LAST_LINE) || first.len() == end {
            let last = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
            let why = format!("it was cut: its last line is to be `{LAST_LINE}`; take the snapshot again");
            return Err(wrong(last..end, why));
        }
        let (statements, _) = parse_script(text);
        let mut facts = Facts::default();
        for line in fact_lines(text, &statements) {
            let json = &text[line.start + FACT.len()..line.end];
            facts.read(json).map_err(|error| {
                let at = line.start + FACT.len() + error.offset.min(json.len());
                wrong(at..line.end, error.why)
            })?;
        }
        Ok(Self { source, statements, facts })
    }

    /// Replays it, sizes included. The schema is left as for a new session.
    pub fn replay_into(&self, schema: &mut Schema) {
        schema.apply_script(&self.statements);
        self.facts.note_in(schema);
        schema.begin_session();
    }

    /// How many of its statements couldn't be read.
    #[must_use]
    pub fn unreadable_statements(&self) -> usize {
        let invalid = |statement: &&Statement| matches!(statement.kind, StatementKind::Invalid(_));
        self.statements.iter().filter(invalid).count()
    }
}

impl Facts {
    /// Notes validity and sizes in a schema that the DDL was replayed into.
    pub fn note_in(&self, schema: &mut Schema) {
        let names: Vec<ObjectName> = schema
            .relations()
            .flat_map(|(table, relation)| {
                let index = |name: &String| ObjectName { schema: table.schema.clone(), name: name.clone() };
                relation.indexes.iter().map(move |one| index(&one.name))
            })
            .collect();
        for index in names {
            schema.set_index_valid(&index, !self.invalid_indexes.contains(&index));
        }
        for (table, facts) in &self.tables {
            if let Some(bytes) = facts.bytes {
                schema.set_size(table, bytes, facts.known_rows().unwrap_or_default());
            }
        }
        let partitioned: Vec<ObjectName> = schema
            .relations()
            .filter(|(_, relation)| relation.kind == RelationKind::PartitionedTable)
            .map(|(name, _)| name.clone())
            .collect();
        for parent in partitioned {
            let parts = schema.descendants(&parent);
            let of = |part: &&ObjectName| self.tables.get(*part);
            let bytes = parts.iter().filter_map(of).filter_map(|facts| facts.bytes).sum();
            let rows = parts.iter().filter_map(of).filter_map(TableFacts::known_rows).sum();
            schema.set_size(&parent, bytes, rows);
        }
    }
}

/// Lines that are facts: they stand between statements, so that nothing in a literal or a body is one.
fn fact_lines(text: &str, statements: &[Statement]) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut from = 0;
    let ends = statements.iter().map(|statement| statement.range.clone());
    for statement in ends.chain(std::iter::once(text.len()..text.len())) {
        let mut at = from;
        for line in text[from..statement.start.max(from)].split_inclusive('\n') {
            let starts_a_line = at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
            if starts_a_line && line.starts_with(FACT) {
                lines.push(at..at + line.trim_end().len());
            }
            at += line.len();
        }
        from = statement.end.max(from);
    }
    lines
}

#[cfg(test)]
mod tests;
