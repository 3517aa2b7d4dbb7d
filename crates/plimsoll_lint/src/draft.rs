//! A file that is judged again and again as it is typed: what is typed is judged at once, and what
//! it means for the rest of the file after that.
//!
//! A glance judges the statements that changed, from a state that was kept, and moves the findings
//! on the others to where they stand now. It isn't the last word: rules look at other statements,
//! too, and what one makes the next ones find.

use std::ops::Range;

use plimsoll_core::{Edit, Finding, Fix, Location};
use plimsoll_sql::{Migration, Schema, Statement};

use crate::privilege_difference::Watch;
use crate::suppression::may_speak;
use crate::{Judgement, Settings, State, lint_file};

/// Statements from one kept state to the next: as many take about 2 ms.
const STRIDE: usize = 200;
/// States that are kept of a long file: each may hold a schema of its own.
const MOST_KEPT: usize = 16;

/// A file as it was judged last.
#[derive(Default)]
pub struct Draft {
    last: Option<(Migration, Vec<Finding>)>,
    /// States before some statements, and the statements' indexes, which rise.
    kept: Vec<(usize, State)>,
}

impl Draft {
    /// Judges all of the file as a change of its own, and keeps the states before what is being typed
    /// and before some other places, where somebody may type next.
    #[must_use]
    pub fn judge(&mut self, before: &Schema, migration: &Migration, settings: &Settings) -> Judgement {
        let mut judgement = Judgement::default();
        self.kept.clear();
        if !settings.policy.judges(migration.source.path()) {
            return judgement;
        }
        let general = settings.policy.general();
        let policy = settings.policy.for_file(migration.source.path(), &general);
        let mut schema = before.clone();
        schema.begin_change();
        let change = [migration];
        let watch = Watch::begin(&schema, &change);
        schema.begin_session();
        let mut state = State::before_file(schema, settings);
        judgement.suppressions.read(migration);
        let count = migration.statements.len();
        let typed = self.last.as_ref().map_or(0, |(last, _)| before_edit(last, migration));
        let mut stops: Vec<usize> = (0..count).step_by(stride(count)).chain([0, typed, count]).collect();
        stops.sort_unstable();
        stops.dedup();
        for (index, start) in stops.iter().enumerate() {
            self.kept.push((*start, state.clone()));
            let end = stops.get(index + 1).copied().unwrap_or(count);
            lint_file(&mut state, migration, settings, &policy, &mut judgement, *start..end);
        }
        if let Some(watch) = watch {
            judgement.take_difference(&watch, &state.schema, &change, settings, &general);
        }
        judgement
    }

    /// Takes note of what was reported of the file in the end.
    pub fn reported(&mut self, migration: Migration, findings: Vec<Finding>) {
        self.last = Some((migration, findings));
    }

    /// What is to be reported of the file as it is now, as far as that can be seen at a glance.
    #[must_use]
    pub fn glance(&self, migration: &Migration, settings: &Settings) -> Option<Vec<Finding>> {
        let (last, findings) = self.last.as_ref()?;
        let start = same_at_start(last, migration);
        let (old, new) = (&last.statements, &migration.statements);
        let most = old.len().min(new.len()) - start;
        let same = |(a, b): &(&Statement, &Statement)| text(last, a) == text(migration, b);
        let rest = old.iter().rev().zip(new.iter().rev()).take(most).take_while(same).count();
        let (gone, come) = (start..old.len() - rest, start..new.len() - rest);
        let edited = Edited::between(last.source.text(), migration.source.text());
        let speaks = may_speak(edited.lines_of_old(last.source.text()))
            || may_speak(edited.lines_of_new(migration.source.text()));
        let (kept, state) = self.kept.iter().rfind(|(index, _)| *index <= start)?;
        // Nothing is to be judged where an edit lies between statements.
        let judged = if come.is_empty() { 0..0 } else { *kept..come.end };
        if speaks || judged.len() > 2 * stride(new.len()) {
            return None;
        }
        let general = settings.policy.general();
        let policy = settings.policy.for_file(migration.source.path(), &general);
        let mut judgement = Judgement::default();
        judgement.suppressions.read(migration);
        lint_file(&mut state.clone(), migration, settings, &policy, &mut judgement, judged);
        let is_of = |finding: &Finding, statements: &Range<usize>| {
            finding.statement.is_some_and(|statement| statements.contains(&statement))
        };
        let mut all = judgement.findings;
        all.retain(|finding| is_of(finding, &come));
        let others = findings.iter().filter(|finding| !is_of(finding, &gone)).filter_map(|finding| {
            let Some(old) = finding.statement else {
                let range = edited.range(last.source.range(&finding.location))?;
                return Some(Finding { location: migration.source.location(range), ..finding.clone() });
            };
            let new = if old < gone.start { old } else { old + come.end - gone.end };
            Some(moved(finding, (last, old), (migration, new)))
        });
        all.extend(others);
        Some(all)
    }
}

/// Statements from one kept state to the next, in a file of so many.
fn stride(count: usize) -> usize {
    STRIDE.max(count.div_ceil(MOST_KEPT))
}

/// The statement before which what comes next is likely to be typed: the one before the edit.
fn before_edit(old: &Migration, new: &Migration) -> usize {
    let edited = Edited::between(old.source.text(), new.source.text());
    let ended = new.statements.partition_point(|statement| statement.range.end < edited.start);
    same_at_start(old, new).min(ended).saturating_sub(1)
}

/// How many statements are the same at the start of both.
fn same_at_start(a: &Migration, b: &Migration) -> usize {
    let both = a.statements.iter().zip(&b.statements);
    both.take_while(|(one, other)| text(a, one) == text(b, other)).count()
}

fn text<'a>(migration: &'a Migration, statement: &Statement) -> &'a str {
    &migration.source.text()[statement.range.clone()]
}

/// The lines that some bytes are on; they may begin or end within a character.
fn lines(text: &str, start: usize, end: usize) -> &str {
    let newline = |byte: &u8| *byte == b'\n';
    let bytes = text.as_bytes();
    let start = bytes[..start].iter().rposition(newline).map_or(0, |at| at + 1);
    let end = bytes[end..].iter().position(newline).map_or(text.len(), |at| end + at);
    &text[start..end]
}

/// What of a text another one has: its start, and its end elsewhere.
struct Edited {
    /// Bytes that are the same at the start.
    start: usize,
    /// The byte of the old text from which on both are the same.
    old_end: usize,
    new_end: usize,
}

impl Edited {
    fn between(old: &str, new: &str) -> Self {
        let same = |(a, b): &(u8, u8)| a == b;
        let start = old.bytes().zip(new.bytes()).take_while(same).count();
        let most = old.len().min(new.len()) - start;
        let end = old.bytes().rev().zip(new.bytes().rev()).take(most).take_while(same).count();
        Self { start, old_end: old.len() - end, new_end: new.len() - end }
    }

    /// The lines that were edited, as they were.
    fn lines_of_old<'a>(&self, old: &'a str) -> &'a str {
        lines(old, self.start, self.old_end)
    }

    /// The lines that were edited, as they are.
    fn lines_of_new<'a>(&self, new: &'a str) -> &'a str {
        lines(new, self.start, self.new_end)
    }

    /// Where bytes of the old text are in the new one; none if they were edited.
    fn range(&self, range: Range<usize>) -> Option<Range<usize>> {
        if range.end <= self.start {
            return Some(range);
        }
        let moved = |at: usize| at - self.old_end + self.new_end;
        (range.start >= self.old_end).then(|| moved(range.start)..moved(range.end))
    }
}

/// A finding on a statement, where that stands now.
fn moved(finding: &Finding, from: (&Migration, usize), to: (&Migration, usize)) -> Finding {
    let start = |(migration, index): (&Migration, usize)| migration.statements[index].range.start;
    let location = |location: &Location| {
        let range = from.0.source.range(location);
        // An edit may begin before its statement.
        let place = |at: usize| (at + start(to)).saturating_sub(start(from));
        to.0.source.location(place(range.start)..place(range.end))
    };
    let fix = finding.fix.as_ref().map(|fix| Fix {
        title: fix.title.clone(),
        edits: fix
            .edits
            .iter()
            .map(|edit| Edit { location: location(&edit.location), text: edit.text.clone() })
            .collect(),
    });
    Finding { location: location(&finding.location), fix, statement: Some(to.1), ..finding.clone() }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::{ChangeScope, SourceFile};
    use plimsoll_sql::TransactionHabit;

    use super::*;
    use crate::lint;

    const BEFORE: &str = "create table ships (id int primary key, name text); create table ports (id int);";

    fn migration(text: &str) -> Migration {
        Migration::new(SourceFile::new("m.sql", text), 0..text.len(), TransactionHabit::Statement)
    }

    fn before() -> Schema {
        let mut schema = Schema::default();
        schema.apply_script(&plimsoll_sql::parse::parse_script(BEFORE).0);
        schema
    }

    fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
        findings.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
        findings
    }

    /// Types the texts one after the other. Each glance must find what judging everything does.
    /// Returns how many of the texts took more than a glance.
    fn check(texts: &[&str]) -> usize {
        let settings = Settings::default();
        let mut draft = Draft::default();
        let mut looks = 0;
        for text in texts {
            let migration = migration(text);
            let expected = sorted(lint(&mut before(), &[&migration], ChangeScope::Together, &settings));
            match draft.glance(&migration, &settings) {
                Some(found) => assert_eq!(sorted(found), expected, "{text}"),
                None => looks += 1,
            }
            let judgement = draft.judge(&before(), &migration, &settings);
            let mut found = judgement.findings;
            found.extend(judgement.suppressions.remarks(&settings.policy));
            assert_eq!(sorted(found.clone()), expected, "{text}");
            draft.reported(migration, found);
        }
        looks
    }

    #[test]
    fn a_glance_finds_what_is_typed() {
        let looks = check(&[
            "create index a on ships (name);\n\ndrop table ports;\n",
            "create index a on ships (name);\na\ndrop table ports;\n",
            "create index a on ships (name);\nalter table ships\ndrop table ports;\n",
            "create index a on ships (name);\nalter table ships alter name type int using 1;\ndrop table ports;\n",
            "create index a on ships (name);\nalter table ships alter name type int using 1;\n\ndrop table ports;\n",
            "create index a on ships (name);\n\ndrop table ports;\n",
            "create index a on ships (name);\n-- é 🚢\ndrop table ports;\n",
            "create index a on ships (name);\n-- é 🛳\ndrop table ports;\ncreate index b on ships (name);",
            "create index a on ships (name);",
        ]);
        // The first one alone.
        assert_eq!(looks, 1);
    }

    #[test]
    fn a_glance_goes_on_from_statement_to_statement() {
        let first = "create index a on ships (name);\n";
        let texts: Vec<String> = (0..10).map(|count| first.repeat(count)).collect();
        assert_eq!(check(&texts.iter().map(String::as_str).collect::<Vec<_>>()), 1);
    }

    #[test]
    fn a_glance_reaches_every_place_of_a_long_file() {
        let index = "create index a on ships (name);\n";
        let lines: Vec<&str> = std::iter::repeat_n(index, 3 * STRIDE).collect();
        let with = |at: usize, text: &str| [&lines[..at].concat(), text, &lines[at..].concat()].concat();
        let looks = check(&[
            &with(0, ""),
            &with(STRIDE + 1, "-- a comment\n"),
            &with(3 * STRIDE, "drop table ports;"),
            &with(0, ""),
            &with(1, "drop table ports;"),
        ]);
        assert_eq!(looks, 1);
    }

    #[test]
    fn what_bears_on_other_statements_is_no_glance() {
        let index = "create index a on ships (name);\n";
        let ignore = "-- plimsoll: ignore require-concurrent-index-creation -- a, b\n";
        let looks = check(&[
            index,
            &format!("{ignore}{index}"),
            &format!("{}{index}", ignore.replace("a, b", "a")),
            index,
            &format!("{index}{index}"),
            &format!("{index}{index}{index}"),
            &format!("select 1;{index}{index}{index}"),
        ]);
        assert_eq!(looks, 4);
    }

    #[test]
    fn what_takes_long_is_no_glance() {
        let settings = Settings::default();
        let mut draft = Draft::default();
        let many = "select 1;\n".repeat(3 * STRIDE);
        let all = migration(&many);
        assert!(draft.glance(&all, &settings).is_none());
        let _ = draft.judge(&before(), &all, &settings);
        draft.reported(all, Vec::new());
        // Everything behind a quote is one statement, and many again when it is closed.
        let quoted = migration(&format!("select '{many}"));
        let found = draft.glance(&quoted, &settings).expect("it is one statement");
        assert_eq!(found.iter().map(|one| one.rule.as_str()).collect::<Vec<_>>(), ["syntax-error"]);
        draft.reported(quoted, Vec::new());
        assert!(draft.glance(&migration(&many.replace('1', "2")), &settings).is_none());
    }

    #[test]
    fn findings_keep_to_their_text() {
        let check = |old: &str, new: &str, range: Range<usize>, expected: Option<&str>| {
            let found = Edited::between(old, new).range(range).map(|range| &new[range]);
            assert_eq!(found, expected);
        };
        check("aa bb", "aa x bb", 0..2, Some("aa"));
        check("aa bb", "aa x bb", 3..5, Some("bb"));
        check("aa bb", "aa xbb", 0..5, None);
        check("aaa", "aa", 2..3, None);
        check("", "a", 0..0, Some(""));
    }
}
