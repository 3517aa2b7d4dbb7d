//! A migration: a file's up section as statements, and how its tool runs them.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use plimsoll_core::{Location, SourceFile};

use crate::command::Command;
use crate::parse::{Statement, StatementKind, parse_script};
use crate::placeholder::{Expanded, Placeholder, Values, expand};
use crate::transaction::{Place, places};

/// What a tool does around a file's statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionHabit {
    /// One transaction around the whole file.
    File,
    /// The file is sent as one query, which makes several statements one implicit transaction.
    Batch,
    /// Each statement is sent alone, as `psql -f` does.
    Statement,
}

impl TransactionHabit {
    /// All of them, with the word that config uses.
    pub const NAMES: [(&str, Self); 3] =
        [("file", Self::File), ("batch", Self::Batch), ("statement", Self::Statement)];
}

/// One migration, forward.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Its file. Ranges below are bytes in its text.
    pub source: SourceFile,
    /// Bytes of its up section.
    pub section: Range<usize>,
    /// The statements of its up section, in order.
    pub statements: Vec<Statement>,
    /// psql commands in it, which only psql runs.
    pub meta_commands: Vec<Range<usize>>,
    /// What its tool does around the statements.
    pub habit: TransactionHabit,
    /// Its placeholders and what they were replaced by, if it has any.
    template: Option<Arc<Template>>,
}

/// A migration whose placeholders were replaced.
#[derive(Debug)]
struct Template {
    /// The up section with what took the placeholders' places.
    expanded: Expanded,
    /// The same as a migration of its own, statement for statement.
    replaced: Migration,
}

impl Migration {
    /// Reads a file whose up section is `section`. Its placeholders have no values.
    #[must_use]
    pub fn new(source: SourceFile, section: Range<usize>, habit: TransactionHabit) -> Self {
        Self::with_values(source, section, habit, &Values::default())
    }

    /// Reads a file whose placeholders may have values.
    #[must_use]
    pub fn with_values(
        source: SourceFile,
        section: Range<usize>,
        habit: TransactionHabit,
        values: &Values,
    ) -> Self {
        let Some(expanded) = expand(&source.text()[section.clone()], values) else {
            return Self::plain(source, section, habit);
        };
        let text = source.text();
        let replaced = [&text[..section.start], &expanded.text, &text[section.end..]].concat();
        let replaced = SourceFile::new(source.path(), replaced);
        let replaced = Self::plain(replaced, section.start..section.start + expanded.text.len(), habit);
        let origin = |range: &Range<usize>| origin(&expanded, section.start, range);
        let mut statements = replaced.statements.clone();
        for statement in &mut statements {
            statement.range = origin(&statement.range);
            statement.copy_data = statement.copy_data.as_ref().map(origin);
            for inner in &mut statement.inner {
                inner.range = origin(&inner.range);
            }
            if let StatementKind::Invalid(error) = &mut statement.kind {
                error.range = origin(&error.range);
            }
        }
        let meta_commands = replaced.meta_commands.iter().map(origin).collect();
        let template = Some(Arc::new(Template { expanded, replaced }));
        Self { source, section, statements, meta_commands, habit, template }
    }

    fn plain(source: SourceFile, section: Range<usize>, habit: TransactionHabit) -> Self {
        let (mut statements, mut meta_commands) = parse_script(&source.text()[section.clone()]);
        for statement in &mut statements {
            statement.shift(section.start);
        }
        for range in &mut meta_commands {
            *range = range.start + section.start..range.end + section.start;
        }
        Self { source, section, statements, meta_commands, habit, template: None }
    }

    /// A statement's text, as far as its placeholders have values as a server gets it.
    #[must_use]
    pub fn sql(&self, statement: &Statement) -> &str {
        let replaced = self.template.as_ref().and_then(|template| {
            // Only statements of one value begin at the same byte.
            let first = self.statements.partition_point(|one| one.range.start < statement.range.start);
            let index =
                first + self.statements[first..].iter().position(|one| std::ptr::eq(one, statement))?;
            template.replaced.statements.get(index).map(|one| template.replaced.sql(one))
        });
        replaced.unwrap_or_else(|| &self.source.text()[statement.range.clone()])
    }

    /// Bytes of the file, for bytes of a statement's text as [`Self::sql`] gives it.
    #[must_use]
    pub fn in_file(&self, index: usize, range: Range<usize>) -> Range<usize> {
        let within =
            |statement: &Statement| statement.range.start + range.start..statement.range.start + range.end;
        match &self.template {
            Some(template) => {
                origin(&template.expanded, self.section.start, &within(&template.replaced.statements[index]))
            }
            None => within(&self.statements[index]),
        }
    }

    /// Whether bytes of a statement's text, as [`Self::sql`] gives it, are the file's own.
    #[must_use]
    pub fn is_original(&self, index: usize, range: &Range<usize>) -> bool {
        self.template.as_ref().is_none_or(|template| {
            let start = template.replaced.statements[index].range.start - self.section.start;
            template.expanded.is_original(&(start + range.start..start + range.end))
        })
    }

    /// A text that quotes from a statement, with the placeholders back in it.
    #[must_use]
    pub fn restored(&self, text: String) -> String {
        match &self.template {
            Some(template) => template.expanded.restored(&text).into_owned(),
            None => text,
        }
    }

    /// Its placeholders, bytes of the file.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        let found = self.template.iter().flat_map(|template| &template.expanded.placeholders);
        found.map(|one| Placeholder {
            range: one.range.start + self.section.start..one.range.end + self.section.start,
            ..one.clone()
        })
    }

    /// The migration as its tool sends it, with values in the placeholders' places.
    #[must_use]
    pub fn as_sent(&self) -> &Self {
        self.template.as_ref().map_or(self, |template| &template.replaced)
    }

    /// The place in the file of a place in what is sent: line and column, from 1.
    #[must_use]
    pub fn place_in_file(&self, line: usize, column: usize) -> (usize, usize) {
        let Some(template) = &self.template else { return (line, column) };
        let sent = &template.replaced.source;
        let place = Location { file: String::new(), line, column, end_line: line, end_column: column };
        let offset = sent.range(&place).start;
        if offset < self.section.start {
            return (line, column);
        }
        self.source.line_column(origin(&template.expanded, self.section.start, &(offset..offset)).start)
    }

    /// Forgets what the statements are. Their texts and places stay.
    pub fn release_commands(&mut self) {
        static FORGOTTEN: LazyLock<Arc<Command>> = LazyLock::new(|| Arc::new(Command::Other));
        for statement in &mut self.statements {
            if let StatementKind::Command(command) = &mut statement.kind {
                *command = Arc::clone(&FORGOTTEN);
            }
            statement.inner = Vec::new();
        }
    }

    /// In which transaction each statement runs.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        places(&self.statements, self.habit)
    }
}

/// [`Expanded::origin`] of a section that begins at `start`.
fn origin(expanded: &Expanded, start: usize, range: &Range<usize>) -> Range<usize> {
    let origin = expanded.origin(range.start - start..range.end - start);
    origin.start + start..origin.end + start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_points_into_the_file() {
        let text = "-- up\nselect 1;\ndrop table ${schema}.ships;\nalter tabel {{ x }}\n-- down\n{{ y }}";
        let start = text.find("select").unwrap();
        let section = start..text.find("-- down").unwrap();
        let values = Values([("schema".to_owned(), "a_long_schema".to_owned())].into());
        let migration =
            Migration::with_values(SourceFile::new("m.sql", text), section, TransactionHabit::File, &values);
        let shown: Vec<&str> =
            migration.statements.iter().map(|statement| &text[statement.range.clone()]).collect();
        assert_eq!(shown, ["select 1", "drop table ${schema}.ships", "alter tabel {{ x }}"]);
        let sql: Vec<&str> = migration.statements.iter().map(|one| migration.sql(one)).collect();
        assert_eq!(sql, ["select 1", "drop table a_long_schema.ships", "alter tabel placeholder_x"]);
        assert_eq!(&text[migration.in_file(1, 24..30)], ".ships");
        assert_eq!(&text[migration.in_file(1, 11..24)], "${schema}");
        assert!(migration.is_original(1, &(0..10)) && !migration.is_original(1, &(0..12)));
        assert_eq!(migration.restored("placeholder_x is new".into()), "{{ x }} is new");
        assert_eq!(migration.place_in_file(3, 25), (3, 21));
        assert_eq!(migration.as_sent().source.line_column(start), (2, 1));
        let placeholders: Vec<(usize, bool)> =
            migration.placeholders().map(|one| (one.range.start, one.filled)).collect();
        assert_eq!(placeholders, [(text.find("${").unwrap(), true), (text.find("{{").unwrap(), false)]);
        let StatementKind::Invalid(error) = &migration.statements[2].kind else { panic!("it is wrong") };
        assert_eq!(&text[error.range.clone()], "alter");
    }
}
