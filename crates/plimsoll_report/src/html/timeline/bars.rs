//! Which lock was held on which relation from when to when, and where its bar stands.

use std::collections::BTreeMap;

use plimsoll_core::Rehearsal;
use plimsoll_core::hold::{LockHold, blocked_ms, holds};
use plimsoll_core::lock::Blocks;
use plimsoll_core::units::duration_ms;

/// A relation and the locks held on it, in the order in which they were taken.
pub(super) struct Row<'a> {
    pub(super) relation: &'a str,
    pub(super) bars: Vec<Bar<'a>>,
}

/// One lock.
pub(super) struct Bar<'a> {
    pub(super) hold: LockHold<'a>,
    /// Number of the lane below the row's title, so that bars don't cover each other.
    pub(super) lane: usize,
    place: String,
}

/// The rows, those that block most first.
pub(super) fn rows(rehearsal: &Rehearsal) -> Vec<Row<'_>> {
    let mut relations: BTreeMap<&str, Vec<Bar>> = BTreeMap::new();
    for hold in holds(rehearsal).into_iter().filter(|hold| hold.existing) {
        let record = &rehearsal.statements[hold.statement];
        let place = format!("{}:{}", record.file, record.line);
        relations.entry(hold.relation).or_default().push(Bar { hold, lane: 0, place });
    }
    let mut rows: Vec<Row> =
        relations.into_iter().map(|(relation, bars)| Row { relation, bars: laid_out(bars) }).collect();
    rows.sort_by(|a, b| b.worst().cmp(&a.worst()).then(b.blocked().total_cmp(&a.blocked())));
    rows
}

/// Gives each bar the first lane that is free when it starts.
fn laid_out(mut bars: Vec<Bar>) -> Vec<Bar> {
    let mut lanes: Vec<f64> = Vec::new();
    for bar in &mut bars {
        bar.lane = lanes.iter().position(|free_from| *free_from <= bar.hold.start_ms).unwrap_or(lanes.len());
        if bar.lane == lanes.len() {
            lanes.push(bar.hold.end_ms);
        } else {
            lanes[bar.lane] = bar.hold.end_ms;
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
        bars.sort_by_key(|bar| bar.hold.mode.blocks());
        bars
    }

    /// The most that any of its locks blocks.
    pub(super) fn worst(&self) -> Blocks {
        self.bars.iter().map(|bar| bar.hold.mode.blocks()).max().unwrap_or(Blocks::Nothing)
    }

    /// For how long the relation was blocked that much.
    fn blocked(&self) -> f64 {
        blocked_ms(self.bars.iter().map(|bar| &bar.hold), self.worst())
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
            self.hold.mode.pg_locks(),
            self.hold.relation,
            self.hold.mode.blocks().phrase(),
            duration_ms(self.hold.start_ms),
            self.place,
            duration_ms(self.hold.duration_ms())
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
                    bar.hold.relation,
                    bar.hold.mode.pg_locks(),
                    bar.lane,
                    bar.hold.start_ms,
                    bar.hold.end_ms
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn overlapping_locks_are_counted_once() {
        let bar = |start_ms, end_ms| {
            let mode = plimsoll_core::LockMode::AccessExclusive;
            let hold = LockHold {
                relation: "a",
                mode,
                index_of: None,
                existing: true,
                statement: 0,
                start_ms,
                end_ms,
            };
            Bar { hold, lane: 0, place: String::new() }
        };
        let row =
            Row { relation: "a", bars: laid_out(vec![bar(0.0, 10.0), bar(5.0, 12.0), bar(20.0, 21.0)]) };
        assert_eq!((row.blocked(), row.lanes()), (13.0, 2));
    }
}
