//! What a rewrite sees of a statement, and what it gives back.

use plimsoll_sql::command::{ActionKind, AlterTable, Constraint};
use plimsoll_sql::schema::{Relation, RelationKind};
use plimsoll_sql::{Command, ObjectName, Schema};

use super::{Run, Step};
use crate::Settings;

/// A statement and what is known when it runs.
pub(super) struct Site<'a> {
    pub(super) schema: &'a Schema,
    pub(super) settings: &'a Settings,
    pub(super) command: &'a Command,
    /// The statement's text.
    pub(super) sql: &'a str,
}

/// What takes the place of a statement, or of one of its actions.
#[derive(Clone)]
pub(super) struct Mended {
    /// What it does, in a few words.
    pub(super) title: &'static str,
    /// What stays of the action in its statement.
    pub(super) kept: Option<String>,
    /// What runs instead, or after what stays.
    pub(super) steps: Vec<Step>,
    /// What a reader must know.
    pub(super) notes: Vec<String>,
}

/// Why there is no rewrite, in words.
pub(super) struct Refusal(pub(super) String);

impl Mended {
    pub(super) fn new(title: &'static str, steps: Vec<Step>) -> Self {
        Self { title, kept: None, steps, notes: Vec::new() }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl Step {
    pub(super) fn along(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), run: Run::Along }
    }

    pub(super) fn fresh(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), run: Run::Fresh }
    }

    pub(super) fn outside(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), run: Run::Outside }
    }
}

pub(super) fn because<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

impl<'a> Site<'a> {
    /// The `ALTER TABLE` that the statement is.
    pub(super) fn alter(&self) -> Result<&'a AlterTable, Refusal> {
        match self.command {
            Command::AlterTable(alter) => Ok(alter),
            _ => because("it is no ALTER TABLE"),
        }
    }

    /// The constraint that an action adds.
    pub(super) fn constraint<'b>(&self, kind: &'b ActionKind) -> Result<&'b Constraint, Refusal> {
        match kind {
            ActionKind::AddConstraint(constraint) => Ok(constraint),
            _ => because("it adds no constraint"),
        }
    }

    pub(super) fn relation(&self, name: &ObjectName) -> Option<&'a Relation> {
        self.schema.relation(name)
    }

    pub(super) fn is_partitioned(&self, name: &ObjectName) -> bool {
        self.relation(name).is_some_and(|known| known.kind == RelationKind::PartitionedTable)
    }

    /// Whether the server is known to be of this version or newer.
    pub(super) fn is_surely_at_least(&self, major: u32) -> bool {
        self.settings.server_major.is_some_and(|server| server >= major)
    }
}
