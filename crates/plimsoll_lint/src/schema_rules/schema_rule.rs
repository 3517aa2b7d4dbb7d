//! What a rule about a schema is, what it sees, and what it says.

use plimsoll_core::{Severity, units};
use plimsoll_sql::Schema;
use plimsoll_sql::schema::{Relation, RelationKind, ResolvedName};
use plimsoll_sql::snapshot::Facts;

use crate::Settings;
use crate::rule::{Group, page_block, page_with_settings};

/// A rule: its name is written once, in the file that defines it.
pub struct SchemaRule {
    /// Its id, kebab-case.
    pub id: &'static str,
    /// Its nearest kin elsewhere: the tool and its id there.
    pub other_tools: &'static [(&'static str, &'static str)],
    /// The severity of its findings.
    pub severity: Severity,
    /// What it has to know.
    pub needs: Needs,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Reports the problems of a schema.
    pub check: fn(&SchemaContext, &mut Vec<SchemaProblem>),
}

/// What a rule has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// What DDL says.
    Definitions,
    /// What only a server counts: it runs on a server or a snapshot.
    Counters,
}

/// The examples of a page, which tests run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaExample {
    /// What the rule reports.
    pub bad: String,
    /// What to write instead, on which the rule is silent.
    pub good: String,
}

/// A schema and all that is known of it.
pub struct SchemaContext<'a> {
    pub(super) schema: &'a Schema,
    /// What a server counted; nothing where none was asked.
    pub(super) facts: &'a Facts,
    pub(super) settings: &'a Settings,
    /// The statement that made a thing.
    pub(super) text: &'a dyn Fn(&Subject) -> Option<&'a str>,
}

/// The thing that a problem is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A table, view or sequence.
    Relation(ResolvedName),
    /// A table's index.
    Index(ResolvedName, String),
    /// A table's constraint.
    Constraint(ResolvedName, String),
    /// A table's policy.
    Policy(ResolvedName, String),
    /// A table's trigger.
    Trigger(ResolvedName, String),
    /// A function, by its name without a schema.
    Function(String),
    /// An extension.
    Extension(String),
}

/// What a rule found wrong.
pub struct SchemaProblem {
    /// With what.
    pub subject: Subject,
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do instead.
    pub remedy: String,
}

impl SchemaProblem {
    pub(super) fn new(subject: Subject, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject, severity: None, message: message.into(), remedy: remedy.into() }
    }

    pub(super) fn severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }
}

impl Subject {
    /// The relation that it belongs to.
    #[must_use]
    pub fn relation(&self) -> Option<&ResolvedName> {
        match self {
            Self::Relation(name)
            | Self::Index(name, _)
            | Self::Constraint(name, _)
            | Self::Policy(name, _)
            | Self::Trigger(name, _) => Some(name),
            Self::Function(_) | Self::Extension(_) => None,
        }
    }
}

impl<'a> SchemaContext<'a> {
    /// Tables that stand for themselves: partitions are their parent's affair.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&'a ResolvedName, &'a Relation)> {
        self.schema.relations().filter(|(_, relation)| {
            matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable)
                && relation.partition_of.is_none()
        })
    }

    /// The name with its size, where that is known.
    pub(super) fn sized(&self, name: &ResolvedName) -> String {
        match self.schema.relation(name).and_then(|known| known.size_bytes) {
            Some(bytes) => format!("{name} ({})", units::bytes(bytes)),
            None => name.to_string(),
        }
    }

    /// Whether a relation is known to be small.
    pub(super) fn is_small(&self, relation: &Relation) -> bool {
        relation.size_bytes.is_some_and(|bytes| bytes <= self.settings.small_bytes)
    }

    /// Whether the server may be of this major version or newer.
    pub(super) fn may_be(&self, major: u32) -> bool {
        self.settings.server_major.is_none_or(|known| known >= major)
    }

    /// Since when the counters count, for a sentence's end.
    pub(super) fn since(&self) -> String {
        let since = self.facts.server.as_ref().and_then(|server| server.counters_since.as_deref());
        since.map(|day| format!(" since {day}")).unwrap_or_default()
    }
}

impl SchemaRule {
    /// The page's first paragraph.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.page.split("\n\n").nth(1).unwrap_or_default().trim()
    }

    /// The page, with what the registry knows.
    #[must_use]
    pub fn whole_page(&self) -> String {
        let switch = match self.needs {
            Needs::Definitions => "on by default in `lint --schema`",
            Needs::Counters => {
                "on by default in `lint --schema` of a server or a snapshot: it needs what a server counts"
            }
        };
        page_with_settings(self.page, Group::Schema, self.severity, switch, self.other_tools)
    }

    /// The page's example.
    #[must_use]
    pub fn example(&self) -> SchemaExample {
        let block =
            |kind: &str| page_block(self.page, kind).map(|(_, sql)| sql.to_owned()).unwrap_or_default();
        SchemaExample { bad: block("bad"), good: block("good") }
    }
}
