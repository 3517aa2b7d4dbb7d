//! Which statements of a file are about which relation, for rules that look ahead or back.
//!
//! Built when a rule first asks: most files need none.

use std::cell::OnceCell;
use std::collections::HashMap;

use plimsoll_sql::{Command, Migration, ObjectName};

/// A file's statements by the unqualified names of the relations that they are about.
#[derive(Default)]
pub(crate) struct Outline {
    by_name: OnceCell<HashMap<String, Vec<Mention>>>,
}

/// Where a name stands: the statement, the command in it, the name among the command's.
#[derive(Clone, Copy)]
struct Mention {
    statement: usize,
    command: usize,
    name: usize,
}

impl Outline {
    /// Commands about a relation, in order, with their statements' indexes. Names agree where both
    /// tell a schema and it is the same, or one doesn't tell.
    pub(crate) fn about<'a>(&self, migration: &'a Migration, name: &ObjectName) -> Vec<(usize, &'a Command)> {
        let by_name = self.by_name.get_or_init(|| read(migration));
        let agrees = |other: &ObjectName| {
            other.schema.is_none() || name.schema.is_none() || other.schema == name.schema
        };
        let mentions = by_name.get(&name.name).map(Vec::as_slice).unwrap_or_default();
        mentions
            .iter()
            .filter_map(|mention| {
                let command = migration.statements[mention.statement].commands().nth(mention.command)?;
                subjects(command).get(mention.name).filter(|name| agrees(name))?;
                Some((mention.statement, command))
            })
            .collect()
    }
}

fn read(migration: &Migration) -> HashMap<String, Vec<Mention>> {
    let mut by_name: HashMap<String, Vec<Mention>> = HashMap::new();
    for (statement, of_file) in migration.statements.iter().enumerate() {
        for (command, of_statement) in of_file.commands().enumerate() {
            for (name, subject) in subjects(of_statement).iter().enumerate() {
                let mention = Mention { statement, command, name };
                by_name.entry(subject.name.clone()).or_default().push(mention);
            }
        }
    }
    by_name
}

/// What a command makes, alters, indexes, comments or drops.
fn subjects(command: &Command) -> &[ObjectName] {
    use std::slice::from_ref;
    match command {
        Command::CreateTable(table) => from_ref(&table.name),
        Command::CreateTableAs { name, .. } | Command::Comment { on: name } => from_ref(name),
        Command::AlterTable(alter) => from_ref(&alter.name),
        Command::CreateIndex(index) => from_ref(&index.table),
        Command::CreateView(view) => from_ref(&view.name),
        Command::CreateFunction(function) => from_ref(&function.name),
        Command::CreateType { name, .. } | Command::CreateSequence { name } => from_ref(name),
        Command::CreateDomain(domain) => from_ref(&domain.name),
        Command::AlterAttachment(attachment) => from_ref(&attachment.table),
        Command::Drop(drop) => &drop.names,
        _ => &[],
    }
}
