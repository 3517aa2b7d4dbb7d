//! What a statement locks and does, or the action of it under the cursor, for a reader.

use std::fmt::Write as _;
use std::ops::Range;

use plimsoll_core::lock::Blocks;
use plimsoll_core::{LockMode, Work};
use plimsoll_lint::StatementEffects;
use plimsoll_lint::session::Held;
use plimsoll_sql::effects::{Effect, strongest_locks};
use plimsoll_sql::schema::ResolvedName;
use plimsoll_sql::{Command, Migration};

/// How the client shows text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markup {
    Markdown,
    Plain,
}

/// A text and the bytes of the document that it is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) text: String,
    pub(crate) bytes: Range<usize>,
}

/// What there is to say of the place at a byte.
pub(crate) fn about(
    migration: &Migration,
    effects: &[StatementEffects],
    offset: usize,
    markup: Markup,
) -> Option<About> {
    let touches = |range: &Range<usize>| range.start <= offset && offset <= range.end;
    let index = migration.statements.iter().rposition(|statement| touches(&statement.range))?;
    let statement = &migration.statements[index];
    // Nothing is known of what doesn't parse, or isn't told apart.
    if statement.command().is_none_or(|command| matches!(command, Command::Other)) {
        return None;
    }
    let StatementEffects { effects, held } = effects.get(index)?;
    let placed = |effect: &Effect| effect.range.clone().map(|range| migration.in_file(index, range));
    let action = effects.iter().filter_map(placed).filter(touches).min_by_key(Range::len);
    let shown: Vec<Effect> = match &action {
        Some(action) => {
            effects.iter().filter(|effect| placed(effect).as_ref() == Some(action)).cloned().collect()
        }
        None => effects.clone(),
    };
    let mut text = locks(&shown, markup);
    if shown.is_empty() {
        text.push_str("Locks no relation that existed before this change.\n");
    } else if migration.places().get(index).is_some_and(|place| place.in_transaction()) {
        text.push_str("\nHeld until the transaction ends.\n");
    }
    text.push_str(&held_already(migration, held, markup));
    Some(About { text, bytes: action.unwrap_or_else(|| statement.range.clone()) })
}

/// A line a relation, the strongest lock first.
fn locks(effects: &[Effect], markup: Markup) -> String {
    let mut text = String::new();
    for lock in strongest_locks(effects) {
        let mut works: Vec<Work> = Vec::new();
        for work in effects.iter().filter(|one| one.relation == lock.relation).filter_map(|one| one.work) {
            if !works.contains(&work) {
                works.push(work);
            }
        }
        let works: String = works.into_iter().map(|work| format!("; {}", done(work))).collect();
        let _ =
            writeln!(text, "{}: {}{works}", taken(lock.mode, &lock.relation, markup), kept_out(lock.mode));
    }
    text
}

/// The strongest lock on each relation that the transaction held before.
fn held_already(migration: &Migration, held: &[Held], markup: Markup) -> String {
    let mut strongest: Vec<&Held> = Vec::new();
    for one in held {
        match strongest.iter_mut().find(|known| known.relation == one.relation) {
            Some(known) if known.mode < one.mode => *known = one,
            Some(_) => {}
            None => strongest.push(one),
        }
    }
    strongest.sort_by_key(|held| std::cmp::Reverse(held.mode));
    let mut text = String::new();
    if !strongest.is_empty() {
        text.push_str("\nThe transaction holds already:\n\n");
    }
    for held in strongest {
        let start = migration.statements.get(held.statement).map_or(0, |statement| statement.range.start);
        let line = migration.source.line_column(start).0;
        let taken = taken(held.mode, &held.relation, markup);
        let _ = writeln!(text, "{taken}, since line {line}: {}", kept_out(held.mode));
    }
    text
}

fn taken(mode: LockMode, relation: &ResolvedName, markup: Markup) -> String {
    match markup {
        Markup::Markdown => format!("- **{}** on `{relation}`", mode.sql()),
        Markup::Plain => format!("- {} on {relation}", mode.sql()),
    }
}

fn kept_out(mode: LockMode) -> &'static str {
    match mode.blocks() {
        Blocks::ReadsAndWrites => "nobody can read or write it",
        Blocks::Writes => "nobody can write to it",
        Blocks::Nothing => "others can read and write it",
    }
}

fn done(work: Work) -> &'static str {
    match work {
        Work::Rewrite => "every row is written anew",
        Work::Scan => "every row is read",
        Work::IndexBuild => "an index is built",
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::SourceFile;
    use plimsoll_lint::{Settings, effects_by_statement};
    use plimsoll_sql::{Schema, TransactionHabit};

    use super::*;

    const BEFORE: &str =
        "create table ships (id int primary key, name text); create table ports (id int primary key);";

    /// Checks what is said where `|` stands in the text, and of which part of it.
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let offset = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        let source = SourceFile::new("m.sql", text.clone());
        let migration = Migration::new(source, 0..text.len(), TransactionHabit::File);
        let mut schema = Schema::default();
        schema.apply_script(&plimsoll_sql::parse::parse_script(BEFORE).0);
        schema.begin_change();
        let effects = effects_by_statement(&mut schema, &migration, &Settings::default());
        let about = about(&migration, &effects, offset, Markup::Plain);
        let shown = about.as_ref().map(|about| (&text[about.bytes.clone()], about.text.as_str()));
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn a_statement_tells_what_it_locks_and_what_is_held() {
        check(
            "alter table ships add column a int;\ncreate index |on ports (id);",
            Some((
                "create index on ports (id)",
                "- SHARE on public.ports: nobody can write to it; an index is built\n\nHeld until the transaction ends.\n\n\
                 The transaction holds already:\n\n- ACCESS EXCLUSIVE on public.ships, since line 1: nobody can read or write \
                 it\n",
            )),
        );
        check(
            "create table new (id int); create |index on new (id);",
            Some(("create index on new (id)", "Locks no relation that existed before this change.\n")),
        );
    }

    #[test]
    fn an_action_tells_of_itself() {
        let text =
            "alter table ships add column b int, alter |column name type int using 1, add column c int;";
        let told = "- ACCESS EXCLUSIVE on public.ships: nobody can read or write it; every row is written anew\n\n\
                    Held until the transaction ends.\n";
        check(text, Some(("alter column name type int using 1", told)));
    }

    #[test]
    fn a_statement_in_a_block_is_an_action() {
        let text = "do $$ begin update ships set name = ''; alter table ships alter column |name type int using 1; end $$;";
        let told = "- ACCESS EXCLUSIVE on public.ships: nobody can read or write it; every row is written anew\n\n\
                    Held until the transaction ends.\n";
        check(text, Some(("alter column name type int using 1", told)));
    }

    #[test]
    fn nothing_is_said_of_what_is_not_understood() {
        check("alter tabel| x;", None);
        check("select 1;\n|\nselect 2;", None);
    }
}
