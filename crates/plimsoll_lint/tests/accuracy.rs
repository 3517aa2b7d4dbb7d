//! What the model says that each kind of DDL does, held against what servers 15 and 18 were seen to do.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use plimsoll_core::lock::Blocks;
use plimsoll_core::{LockMode, SourceFile, Work};
use plimsoll_lint::{Settings, StatementEffects, effects_by_statement};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Migration, ObjectName, Schema, TransactionHabit};
use table::{Kind, MAJORS, Observed, SCHEMA, read_table};

#[path = "../../plimsoll_pg/tests/ddl/table.rs"]
#[expect(dead_code, reason = "writing the table is for the test that makes it")]
mod table;

/// A relation, the lock that blocks its users, and the greatest work under it.
type Fact = (String, LockMode, Option<&'static str>);

fn word(works: &[Work]) -> Option<&'static str> {
    [(Work::Rewrite, "rewrite"), (Work::IndexBuild, "index build"), (Work::Scan, "scan")]
        .into_iter()
        .find(|(work, _)| works.contains(work))
        .map(|(_, word)| word)
}

fn observed(observed: &Observed) -> BTreeSet<Fact> {
    let works = |relation: &str| -> Vec<Work> {
        observed.works.iter().filter(|(on, _)| on == relation).map(|(_, work)| *work).collect()
    };
    observed
        .locks
        .iter()
        .filter(|(_, mode)| mode.blocks() != Blocks::Nothing)
        .map(|(relation, mode)| (relation.clone(), *mode, word(&works(relation))))
        .collect()
}

/// Whether the model says that it can't tell what a statement does without the schema.
fn undecided(schema: &Schema, kind: &Kind, major: u32) -> bool {
    let last = by_statement(&mut schema.clone(), kind, major).pop();
    !schema.is_known()
        && last.is_some_and(|last| {
            last.effects
                .iter()
                .any(|effect| matches!(effect.cause, Cause::TypeChangeUnknown | Cause::ColumnDomain))
        })
}

fn by_statement(schema: &mut Schema, kind: &Kind, major: u32) -> Vec<StatementEffects> {
    let settings = Settings { server_major: Some(major), ..Settings::default() };
    let source = SourceFile::new("kind.sql", kind.sql.as_str());
    let migration = Migration::new(source, 0..kind.sql.len(), TransactionHabit::Statement);
    effects_by_statement(schema, &migration, &settings)
}

fn claimed(schema: &Schema, kind: &Kind, major: u32) -> BTreeSet<Fact> {
    let mut schema = schema.clone();
    let by_statement = by_statement(&mut schema, kind, major);
    let Some(StatementEffects { effects, held }) = by_statement.last() else { return BTreeSet::new() };
    let own = effects.iter().map(|effect| (&effect.relation, effect.mode, effect.work));
    let all: Vec<_> = own.chain(held.iter().map(|held| (&held.relation, held.mode, None))).collect();
    let relations: BTreeSet<&ObjectName> = all.iter().map(|(relation, ..)| *relation).collect();
    relations
        .into_iter()
        .filter(|relation| schema.table_of_index(relation).is_none())
        .filter_map(|relation| {
            let on = || all.iter().filter(|(on, ..)| *on == relation);
            let mode = on().map(|(_, mode, _)| *mode).max()?;
            let works: Vec<Work> = on().filter_map(|(.., work)| *work).collect();
            (mode.blocks() != Blocks::Nothing).then(|| (relation.to_string(), mode, word(&works)))
        })
        .collect()
}

#[derive(Default)]
struct Score {
    agreed: usize,
    missed: usize,
    invented: usize,
    differences: String,
    /// Statements of which the model says that it can't tell.
    undecided: usize,
}

impl Score {
    fn recall(&self) -> f64 {
        self.agreed as f64 / (self.agreed + self.missed).max(1) as f64
    }

    fn precision(&self) -> f64 {
        self.agreed as f64 / (self.agreed + self.invented).max(1) as f64
    }

    #[expect(clippy::print_stdout, reason = "the figures are for whoever runs the test with --nocapture")]
    fn check(&self, recall: f64, precision: f64) {
        println!(
            "recall {:.4}, precision {:.4}, {} undecided",
            self.recall(),
            self.precision(),
            self.undecided
        );
        assert!(
            self.recall() >= recall && self.precision() >= precision,
            "recall {:.4}, precision {:.4} of {}:\n{}",
            self.recall(),
            self.precision(),
            self.agreed + self.missed,
            self.differences
        );
    }
}

/// Calls `take` with each kind on each version that ran it: its name, what was seen and what is said.
fn each_kind(schema: &Schema, mut take: impl FnMut(&str, &Kind, u32, BTreeSet<Fact>, BTreeSet<Fact>)) {
    for kind in read_table().expect("the table is in its format") {
        for (at, major) in MAJORS.into_iter().enumerate() {
            let Some(seen) = &kind.observed[at] else { continue };
            if seen.sqlstate.is_none() {
                let title = format!("{} on {major}", kind.name);
                take(&title, &kind, major, observed(seen), claimed(schema, &kind, major));
            }
        }
    }
}

/// Every fact counts: each relation that is locked, its mode, the work under it.
fn score(schema: &Schema) -> Score {
    let mut score = Score::default();
    each_kind(schema, |title, kind, _, seen, said| {
        score.agreed += seen.intersection(&said).count();
        score.missed += seen.difference(&said).count();
        score.invented += said.difference(&seen).count();
        if seen != said {
            let only = |one: &BTreeSet<Fact>, other: &BTreeSet<Fact>| {
                let facts = one.difference(other).map(|(relation, mode, work)| {
                    format!("{relation} {} {}", mode.sql(), work.unwrap_or("brief"))
                });
                facts.collect::<Vec<_>>().join("; ")
            };
            let _ = writeln!(
                score.differences,
                "{title}: {}\n    missed: {}\n    invented: {}",
                kind.sql.trim().lines().last().unwrap_or_default(),
                only(&seen, &said),
                only(&said, &seen)
            );
        }
    });
    score
}

/// One question a statement: does it work under a lock that blocks users of an existing relation?
fn score_hazards(schema: &Schema) -> Score {
    let mut score = Score::default();
    each_kind(schema, |title, kind, major, seen, said| {
        if undecided(schema, kind, major) {
            score.undecided += 1;
            return;
        }
        let works = |facts: &BTreeSet<Fact>| facts.iter().any(|(_, _, work)| work.is_some());
        let verdict = match (works(&seen), works(&said)) {
            (true, true) => {
                score.agreed += 1;
                return;
            }
            (true, false) => {
                score.missed += 1;
                "missed"
            }
            (false, true) => {
                score.invented += 1;
                "invented"
            }
            (false, false) => return,
        };
        let sql = kind.sql.trim().lines().last().unwrap_or_default();
        let _ = writeln!(score.differences, "{verdict}: {title}: {sql}");
    });
    score
}

fn known_schema() -> Schema {
    let mut schema = Schema::default();
    schema.apply_script(&parse_script(SCHEMA).0);
    schema.begin_change();
    schema
}

#[test]
fn with_the_schema_each_lock_and_work_is_as_the_servers_showed() {
    score(&known_schema()).check(0.98, 0.98);
}

#[test]
fn with_the_schema_hazards_are_those_that_the_servers_showed() {
    score_hazards(&known_schema()).check(0.98, 0.98);
}

#[test]
fn without_a_schema_most_hazards_are_found() {
    let mut schema = Schema::default();
    schema.begin_change();
    score_hazards(&schema).check(0.95, 0.85);
}
