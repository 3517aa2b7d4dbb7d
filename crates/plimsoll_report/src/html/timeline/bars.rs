//! Which lock was held on which relation from when to when, and where its bar stands.

use std::collections::{BTreeMap, HashMap};

use plimsoll_core::lock::Blocks;
use plimsoll_core::units::duration_ms;
use plimsoll_core::{LockMode, Rehearsal, StatementRecord};

/// A relation and the locks held on it, in the order in which they were taken.
pub(super) struct Row<'a> {
    pub(super) relation: &'a str,
    pub(super) bars: Vec<Bar<'a>>,
}

/// One lock. Times in milliseconds since the change's first statement.
pub(super) struct Bar<'a> {
    pub(super) mode: LockMode,
    pub(super) start: f64,
    pub(super) end: f64,
    /// Index of the statement in the rehearsal.
    pub(super) statement: usize,
    /// Number of the lane below the row's title, so that bars don't cover each other.
    pub(super) lane: usize,
    relation: &'a str,
    place: String,
}

/// The rows, those that block most first.
pub(super) fn rows(rehearsal: &Rehearsal) -> Vec<Row<'_>> {
    let ends = ends(&rehearsal.statements);
    let mut relations: BTreeMap<&str, Vec<Bar>> = BTreeMap::new();
    for (statement, record) in rehearsal.statements.iter().enumerate() {
        for lock in record.strongest_locks().into_iter().filter(|lock| lock.existing) {
            let bar = Bar {
                mode: lock.mode,
                start: record.started_ms.max(0.0),
                end: ends.get(&record.transaction).copied().unwrap_or(0.0).max(record.started_ms),
                statement,
                lane: 0,
                relation: &lock.relation,
                place: format!("{}:{}", record.file, record.line),
            };
            relations.entry(&lock.relation).or_default().push(bar);
        }
    }
    let mut rows: Vec<Row> =
        relations.into_iter().map(|(relation, bars)| Row { relation, bars: laid_out(bars) }).collect();
    rows.sort_by(|a, b| b.worst().cmp(&a.worst()).then(b.blocked().total_cmp(&a.blocked())));
    rows
}

/// When each transaction ended.
fn ends(statements: &[StatementRecord]) -> HashMap<usize, f64> {
    let mut ends: HashMap<usize, f64> = HashMap::new();
    for record in statements {
        let end = ends.entry(record.transaction).or_default();
        *end = end.max(record.started_ms + record.duration_ms);
    }
    ends
}

/// Gives each bar the first lane that is free when it starts.
fn laid_out(mut bars: Vec<Bar>) -> Vec<Bar> {
    let mut lanes: Vec<f64> = Vec::new();
    for bar in &mut bars {
        bar.lane = lanes.iter().position(|free_from| *free_from <= bar.start).unwrap_or(lanes.len());
        if bar.lane == lanes.len() {
            lanes.push(bar.end);
        } else {
            lanes[bar.lane] = bar.end;
        }
    }
    bars
}

impl Row<'_> {
    /// How many lanes its bars take.
    pub(super) fn lanes(&self) -> usize {
        self.bars.iter().map(|bar| bar.lane + 1).max().unwrap_or(0)
    }

    /// The bars so that where short ones are widened to be seen, the one that blocks more is on top.
    pub(super) fn harmless_first(&self) -> Vec<&Bar<'_>> {
        let mut bars: Vec<&Bar> = self.bars.iter().collect();
        bars.sort_by_key(|bar| bar.mode.blocks());
        bars
    }

    /// The most that any of its locks blocks.
    pub(super) fn worst(&self) -> Blocks {
        self.bars.iter().map(|bar| bar.mode.blocks()).max().unwrap_or(Blocks::Nothing)
    }

    /// For how long the relation was blocked that much.
    fn blocked(&self) -> f64 {
        let worst = self.worst();
        let mut blocked = 0.0;
        let mut covered = 0.0_f64;
        // Bars come in order of their start, so each adds what the ones before left free.
        for bar in self.bars.iter().filter(|bar| bar.mode.blocks() == worst) {
            blocked += (bar.end - bar.start.max(covered)).max(0.0);
            covered = covered.max(bar.end);
        }
        blocked
    }

    /// What its users felt: `reads and writes blocked for 1.55 s`.
    pub(super) fn summary(&self) -> String {
        match self.worst() {
            Blocks::ReadsAndWrites => format!("reads and writes blocked for {}", duration_ms(self.blocked())),
            Blocks::Writes => format!("writes blocked for {}", duration_ms(self.blocked())),
            Blocks::Nothing => "nobody blocked".to_owned(),
        }
    }
}

impl Bar<'_> {
    /// The whole bar in words, for a pointer that rests on it and for a screen reader.
    pub(super) fn sentence(&self) -> String {
        format!(
            "{} on {}, {}: taken at {} by {}, held for {}",
            self.mode.pg_locks(),
            self.relation,
            self.mode.blocks().phrase(),
            duration_ms(self.start),
            self.place,
            duration_ms(self.end - self.start)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_lock_is_held_to_the_end_of_its_transaction() {
        let report = sample::report();
        let rows = rows(report.rehearsal.as_ref().unwrap());
        let shown: Vec<String> = rows
            .iter()
            .flat_map(|row| &row.bars)
            .map(|bar| {
                format!(
                    "{} {} {} {:.1}..{:.1}",
                    bar.relation,
                    bar.mode.pg_locks(),
                    bar.lane,
                    bar.start,
                    bar.end
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn overlapping_locks_are_counted_once() {
        let bar = |start, end| Bar {
            mode: LockMode::AccessExclusive,
            start,
            end,
            statement: 0,
            lane: 0,
            relation: "a",
            place: String::new(),
        };
        let row =
            Row { relation: "a", bars: laid_out(vec![bar(0.0, 10.0), bar(5.0, 12.0), bar(20.0, 21.0)]) };
        assert_eq!((row.blocked(), row.lanes()), (13.0, 2));
    }
}
