//! Same, better, worse, another result, or failed: buffers and rows decide.
//!
//! Shared buffers, rows and plan shape were the same in 300 of 300 repeated runs on a loaded machine; time varied 49-fold there,
//! and "median before against median after" raised up to 31 % false alarms. So time is for [`crate::pairs`] alone, and cost is told
//! beside what was measured; it decides where nothing ran.

use plimsoll_core::thresholds::Thresholds;
use plimsoll_core::units::count;
use plimsoll_core::{Growth, QueryVerdict};

use crate::causes::{Cause, Side, causes, changed_query};
use crate::diff::differences;
use crate::record::{Outcome, ResultHash, Run};

/// How a query fared, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The verdict.
    pub verdict: QueryVerdict,
    /// What changed, in words, the weightiest first.
    pub reasons: Vec<String>,
    /// What explains it, the surest first; none where nothing changed.
    pub causes: Vec<Cause>,
    /// How far it grew, where both sides ran and return the same.
    pub growth: Option<Growth>,
}

/// Compares two outcomes of a query. `before` and `after` give the sides' facts for the runs that they hold.
#[must_use]
pub fn compare(
    before: (&Outcome, Context),
    after: (&Outcome, Context),
    thresholds: &Thresholds,
) -> Comparison {
    let plain = |verdict, reason: Option<String>| Comparison {
        verdict,
        reasons: reason.into_iter().collect(),
        causes: Vec::new(),
        growth: None,
    };
    match (before.0, after.0) {
        (Outcome::Ran(old), Outcome::Ran(new)) => {
            compare_runs(before.1.side(old), after.1.side(new), thresholds)
        }
        (Outcome::Ran(_), Outcome::Failed(failed)) => Comparison {
            causes: changed_query(before.1.text, after.1.text).into_iter().collect(),
            ..plain(QueryVerdict::Failed, Some(failed.to_string()))
        },
        (Outcome::Failed(failed), Outcome::Ran(_)) => {
            plain(QueryVerdict::New, Some(format!("it failed before: {failed}")))
        }
        (Outcome::Failed(old), Outcome::Failed(new)) if old.sqlstate == new.sqlstate => {
            plain(QueryVerdict::Same, Some(format!("it fails as before: {new}")))
        }
        (Outcome::Failed(old), Outcome::Failed(new)) => {
            plain(QueryVerdict::Failed, Some(format!("{new}; before: {old}")))
        }
    }
}

/// What explains the runs of one side.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The facts of the database, or of what the query used.
    pub facts: &'a crate::record::Facts,
    /// The server's major version.
    pub server: u32,
    /// Planner settings that aren't the default.
    pub settings: &'a std::collections::BTreeMap<String, String>,
    /// The query's fingerprint.
    pub text: &'a str,
}

impl<'a> Context<'a> {
    fn side(self, run: &'a Run) -> Side<'a> {
        let Self { facts, server, settings, text } = self;
        Side { run, facts, server, settings, text }
    }
}

impl std::fmt::Display for crate::record::Failed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} (SQLSTATE {})", self.message, self.sqlstate)
    }
}

fn compare_runs(before: Side, after: Side, thresholds: &Thresholds) -> Comparison {
    let (old, new) = (before.run, after.run);
    let blocks = |old: u64, new: u64| {
        trend(old as f64, new as f64, thresholds.buffers_ratio, thresholds.buffers_floor as f64)
    };
    let figures = [
        ("shared buffers", old.shared(), new.shared(), blocks(old.shared(), new.shared())),
        ("temporary blocks", old.temp(), new.temp(), blocks(old.temp(), new.temp())),
        (
            "rows read",
            old.rows_read,
            new.rows_read,
            trend(
                old.rows_read as f64,
                new.rows_read as f64,
                thresholds.rows_ratio,
                thresholds.rows_floor as f64,
            ),
        ),
    ];
    // What got worse counts more than what got better: a sort that spills saves buffers at times.
    let has = |verdict| figures.iter().any(|figure| figure.3 == verdict);
    let mut verdict = match (has(QueryVerdict::Worse), has(QueryVerdict::Better)) {
        (true, _) => QueryVerdict::Worse,
        (false, true) => QueryVerdict::Better,
        (false, false) => QueryVerdict::Same,
    };
    let mut reasons = Vec::new();
    match another_result(before, after).filter(|_| thresholds.compares_result) {
        Some(Difference::Other(words)) => {
            verdict = QueryVerdict::ChangedResult;
            reasons.push(words);
        }
        Some(Difference::Ties) => {
            reasons.push("rows that its ORDER BY leaves equal come in another order".to_owned());
        }
        None => {}
    }
    for (name, old, new, _) in figures.iter().filter(|figure| figure.3 != QueryVerdict::Same) {
        reasons.push(format!("{name} {} → {}", count(*old), count(*new)));
    }
    reasons.extend(differences(&old.plan, &new.plan));
    if verdict != QueryVerdict::Same
        && trend(old.cost, new.cost, thresholds.cost_ratio, thresholds.cost_floor) != QueryVerdict::Same
    {
        reasons.push(format!("estimated cost {:.0} → {:.0}", old.cost, new.cost));
    }
    let causes = if verdict == QueryVerdict::Same { Vec::new() } else { causes(before, after) };
    let growth = (verdict != QueryVerdict::ChangedResult).then(|| growth(old, new, thresholds));
    Comparison { verdict, reasons, causes, growth }
}

/// Of the figures that decide, the one that is nearest to its alarm, or farthest beyond.
fn growth(old: &Run, new: &Run, thresholds: &Thresholds) -> Growth {
    let Thresholds { buffers_ratio, buffers_floor, rows_ratio, rows_floor, .. } = *thresholds;
    let figures = [
        (old.shared(), new.shared(), buffers_ratio, buffers_floor),
        (old.temp(), new.temp(), buffers_ratio, buffers_floor),
        (old.rows_read, new.rows_read, rows_ratio, rows_floor),
    ];
    let growths = figures.map(|(old, new, threshold, floor)| {
        let has_grown = new > old && new - old >= floor;
        let ratio = if has_grown { new as f64 / old.max(1) as f64 } else { 1.0 };
        Growth { ratio, threshold, id: None }
    });
    let of_threshold = |growth: &Growth| growth.ratio / growth.threshold;
    // The first of equals.
    let [first, further @ ..] = growths;
    further
        .into_iter()
        .fold(first, |most, growth| if of_threshold(&growth) > of_threshold(&most) { growth } else { most })
}

/// Compares two plans that nobody ran: their costs decide, and only where their shapes differ.
#[must_use]
pub fn compare_plans(before: (&Run, Context), after: (&Run, Context), thresholds: &Thresholds) -> Comparison {
    let (old, new) = (before.0, after.0);
    let told = differences(&old.plan, &new.plan);
    let verdict = if told.is_empty() {
        QueryVerdict::Same
    } else {
        trend(old.cost, new.cost, thresholds.cost_ratio, thresholds.cost_floor)
    };
    let mut reasons: Vec<String> = told.into_iter().map(without_buffers).collect();
    let mut causes_of = Vec::new();
    if verdict != QueryVerdict::Same {
        reasons.insert(0, format!("estimated cost {:.0} → {:.0}", old.cost, new.cost));
        causes_of = causes(before.1.side(old), after.1.side(new));
    }
    Comparison { verdict, reasons, causes: causes_of, growth: None }
}

/// A plan that didn't run touched no buffers.
fn without_buffers(told: String) -> String {
    match told.rsplit_once(": ") {
        Some((words, figures)) if figures.ends_with(" buffers") => words.to_owned(),
        _ => told,
    }
}

/// Worse or better when both the ratio and the difference are large enough.
fn trend(before: f64, after: f64, ratio: f64, floor: f64) -> QueryVerdict {
    if (after - before).abs() < floor {
        QueryVerdict::Same
    } else if after >= before * ratio {
        QueryVerdict::Worse
    } else if before >= after * ratio {
        QueryVerdict::Better
    } else {
        QueryVerdict::Same
    }
}

/// How far two results differ.
enum Difference {
    Other(String),
    /// Rows that the query's ORDER BY leaves equal come in another order, as they may.
    Ties,
}

/// How two results differ, if they do; unknown where either doesn't repeat.
fn another_result(before: Side, after: Side) -> Option<Difference> {
    let (old, new) = (&before.run.result, &after.run.result);
    let (old_hash, new_hash) = (old.hash.as_ref()?, new.hash.as_ref()?);
    if old.rows != new.rows {
        return Some(Difference::Other(format!("it returns {} → {} rows", count(old.rows), count(new.rows))));
    }
    match (old_hash, new_hash) {
        (
            ResultHash::Ordered { in_order: old, as_a_set: old_set },
            ResultHash::Ordered { in_order: new, as_a_set: new_set },
        ) if old != new => Some(if old_set != new_set {
            Difference::Other("it returns other rows, as many as before".to_owned())
        } else if before.text == after.text && !changed_collation(before, after) {
            Difference::Ties
        } else {
            Difference::Other("it returns the same rows in another order".to_owned())
        }),
        (ResultHash::Unordered(old), ResultHash::Unordered(new)) if old != new => {
            Some(Difference::Other("it returns other rows, as many as before".to_owned()))
        }
        // Where one of them asks for an order and the other doesn't, that is the text's change.
        _ => None,
    }
}

/// Whether any column sorts otherwise: no tie explains another order then.
fn changed_collation(before: Side, after: Side) -> bool {
    let columns = &after.facts.columns;
    let mut both = before.facts.columns.iter().filter_map(|(name, old)| Some((old, columns.get(name)?)));
    both.any(|(old, new)| old.collation != new.collation || old.data_type != new.data_type)
}

#[cfg(test)]
mod tests;
