//! How long the change's statements and locks would last at production's sizes.
//!
//! A statement's time is a fixed cost and, where it reads, writes or sorts all of a relation, a cost that grows with it:
//! `there = fixed + (here − fixed) × ratio`. The fixed cost is what the statement takes on tables without rows; `here` is what
//! it takes on this copy; both are measured more than once, and the interval is made of the extremes. The ratio is between
//! the ratio of pages and that of rows. An index build sorts: its upper ratio has `ln rows` there over here as a factor
//! too. Where something fits memory here and not there, the upper ratio is greater: 3 times for a sort, whose tuples are then
//! written, read and merged once again, 2 times for a table.
//!
//! What the interval doesn't cover: other hardware, a colder cache, other load. Where rows cost less than the fixed cost
//! here, or a relation has few pages, there is no interval but a reason.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::blocked::{Traffic, blocked};
use crate::hold::holds;
use crate::lock::{Blocks, LockMode};
use crate::rehearsal::{Rehearsal, StatementRecord};

/// Fewer pages than this are read in less time than a statement needs for itself.
pub const FEWEST_PAGES: u64 = 100;
/// What a sort may take of memory, in bytes: PostgreSQL's default of `maintenance_work_mem`.
const SORT_MEMORY: f64 = 64.0 * 1024.0 * 1024.0;
/// Bytes of a tuple in a sort, at least: its header and a pointer.
const SORTED_TUPLE: f64 = 24.0;
/// What a sort that spills costs more than one that doesn't: measured with 3,000,000 integers against 300,000, 1.5 to 2.8
/// times what `n log n` says, on a busy machine.
const SPILLING: f64 = 3.0;
/// The private server's `shared_buffers`, in bytes.
const SHARED_MEMORY: u64 = 128 * 1024 * 1024;
/// What a page costs more that is read and written through the operating system: up to so much was measured, see
/// `docs/blocked.md`.
const UNCACHED: f64 = 2.0;
/// A relation with less than this part of the pages, here and there, is passed over, and the upper end made larger by as
/// much.
const MINOR: f64 = 0.1;
/// Bytes of a page.
pub const PAGE: u64 = 8192;

/// The change at production's sizes. Serializes to the JSON contract, `scale`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleReport {
    /// Where the sizes come from.
    pub source: String,
    /// The formula, in one line.
    pub formula: &'static str,
    /// Relations that the change works through, here and there.
    pub relations: Vec<ScaledRelation>,
    /// Statements that work through a relation, by index.
    pub statements: Vec<ScaledStatement>,
    /// Locks that block somebody, on relations that existed before, in the order of [`holds`].
    pub holds: Vec<ScaledHold>,
    /// Who would wait, of a workload; only for holds that have an interval.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queued: Vec<ScaledQueue>,
}

/// The formula as reports show it.
pub const FORMULA: &str = "there = fixed + (here − fixed) × ratio";

/// An interval: from and to.
pub type Interval = [f64; 2];

/// Pages and rows of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Pages of 8 kB, without TOAST and indexes.
    pub pages: u64,
    /// Rows.
    pub rows: u64,
}

/// A relation here and there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaledRelation {
    /// As `schema.name`.
    pub relation: String,
    /// On the private server, before the change.
    pub here: Size,
    /// In production; null where it isn't known.
    pub there: Option<Size>,
}

/// A statement here and there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaledStatement {
    /// Index in [`Rehearsal::statements`].
    pub statement: usize,
    /// Its time here over some runs, in milliseconds.
    pub here_ms: Interval,
    /// Its time on tables without rows, in milliseconds.
    pub fixed_ms: Interval,
    /// What its work grows by; null where that isn't known.
    pub ratio: Option<Interval>,
    /// Its time there, in milliseconds; null where it can't be told.
    pub there_ms: Option<Interval>,
    /// Why it can't be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// A hold here and there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaledHold {
    /// Index in [`Rehearsal::statements`] of the statement that takes it.
    pub statement: usize,
    /// The relation as `schema.name`.
    pub relation: String,
    /// The mode.
    pub mode: LockMode,
    /// How long it is held here, in milliseconds.
    pub here_ms: f64,
    /// How long it would be held there, in milliseconds; null where that can't be told.
    pub there_ms: Option<Interval>,
    /// Why it can't be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// Who would wait there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaledQueue {
    /// The statement of the workload.
    pub name: String,
    /// How many requests.
    pub requests: Interval,
    /// The longest wait, in milliseconds.
    pub longest_wait_ms: Interval,
}

/// What was measured for it: times of every statement over some runs, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timings {
    /// On copies of the state before the change, run by run.
    pub here: Vec<Vec<f64>>,
    /// On a copy without rows, run by run.
    pub empty: Vec<Vec<f64>>,
}

/// Sizes by `schema.name`.
pub type Sizes = BTreeMap<String, Size>;

/// The change at the sizes `there`.
#[must_use]
pub fn scaled(
    rehearsal: &Rehearsal,
    timings: &Timings,
    here: &Sizes,
    there: &Sizes,
    source: String,
    workload: &[Traffic],
) -> ScaleReport {
    let statements: Vec<Scaled> = rehearsal
        .statements
        .iter()
        .enumerate()
        .map(|(index, record)| Scaled::of(record, index, timings, here, there))
        .collect();
    let holds = scaled_holds(rehearsal, &statements);
    let mut relations: Vec<&str> =
        rehearsal.statements.iter().flat_map(works).map(|work| work.relation).collect();
    relations.sort_unstable();
    relations.dedup();
    let relations = relations.into_iter().filter_map(|relation| {
        let (here, there) = (*here.get(relation)?, there.get(relation).copied());
        Some(ScaledRelation { relation: relation.to_owned(), here, there })
    });
    ScaleReport {
        source,
        formula: FORMULA,
        relations: relations.collect(),
        queued: queues(rehearsal, &statements, workload),
        holds,
        statements: statements.into_iter().filter(|one| one.works).map(|one| one.told).collect(),
    }
}

/// A statement that works through relations, or doesn't.
struct Scaled {
    works: bool,
    told: ScaledStatement,
}

/// Work that grows with a relation.
struct Work<'a> {
    relation: &'a str,
    sorts: bool,
}

fn works(record: &StatementRecord) -> Vec<Work<'_>> {
    let linear = record.rewrites.iter().chain(record.scans.iter().map(|scan| &scan.relation));
    let linear = linear.map(|relation| Work { relation, sorts: false });
    let builds = record.index_builds.iter().filter(|build| build.existing);
    let builds = builds.map(|build| Work { relation: &build.relation, sorts: true });
    let keys = record.further.validated_foreign_keys.iter();
    // Each row is looked up in an index whose depth grows with the logarithm, or hashed.
    let keys = keys.map(|key| Work { relation: &key.relation, sorts: true });
    linear.chain(builds).chain(keys).collect()
}

/// Whether any statement works through a relation that existed before, so that sizes matter.
#[must_use]
pub fn depends_on_sizes(rehearsal: &Rehearsal) -> bool {
    rehearsal.statements.iter().any(|record| !works(record).is_empty())
}

impl Scaled {
    fn of(record: &StatementRecord, index: usize, timings: &Timings, here: &Sizes, there: &Sizes) -> Self {
        let works = works(record);
        let timed = (extremes(&timings.here, index), extremes(&timings.empty, index));
        // The rehearsal was at another time, when the machine may have been busier or less busy.
        let [least, most] = timed.0.unwrap_or([record.duration_ms; 2]);
        let here_ms = [least.min(record.duration_ms), most.max(record.duration_ms)];
        let fixed_ms = timed.1.unwrap_or([0.0; 2]);
        let fixed_ms = [fixed_ms[0].min(here_ms[0]), fixed_ms[1].min(here_ms[1])];
        let untold = ScaledStatement {
            statement: index,
            here_ms,
            fixed_ms,
            ratio: None,
            there_ms: None,
            why_not: None,
        };
        if works.is_empty() {
            let told = ScaledStatement { there_ms: Some(here_ms), ..untold };
            return Self { works: false, told };
        }
        if let (None, _) | (_, None) = timed {
            let why_not = Some("it wasn’t reached when the change was timed".to_owned());
            return Self { works: true, told: ScaledStatement { why_not, ..untold } };
        }
        let told = match ratio(record, &works, here, there) {
            Err(why_not) => ScaledStatement { why_not: Some(why_not), ..untold },
            Ok(ratio) => match growing(here_ms, fixed_ms) {
                Err(why_not) => ScaledStatement { ratio: Some(ratio), why_not: Some(why_not), ..untold },
                Ok([least, most]) => {
                    let there = [fixed_ms[0] + least * ratio[0], fixed_ms[1] + most * ratio[1]];
                    ScaledStatement { ratio: Some(ratio), there_ms: Some(there), ..untold }
                }
            },
        };
        Self { works: true, told }
    }
}

/// The least and the most of some runs.
fn extremes(runs: &[Vec<f64>], index: usize) -> Option<Interval> {
    let times = runs.iter().filter_map(|run| run.get(index).copied());
    times.fold(None, |known: Option<Interval>, time| {
        Some(known.map_or([time; 2], |[least, most]| [least.min(time), most.max(time)]))
    })
}

/// The part of the time that grows, or why it can't be told from the rest.
fn growing(here_ms: Interval, fixed_ms: Interval) -> Result<Interval, String> {
    let least = here_ms[0] - fixed_ms[1];
    let most = here_ms[1] - fixed_ms[0];
    if least <= 0.0 || least < fixed_ms[1] {
        return Err(format!(
            "of {:.1} ms here up to {:.1} ms are spent without any row: load more rows to tell what they cost",
            here_ms[0], fixed_ms[1]
        ));
    }
    Ok([least, most])
}

/// What the work grows by: between the relations that grow least and most, by pages or by rows.
fn ratio(
    record: &StatementRecord,
    works: &[Work<'_>],
    here: &Sizes,
    there: &Sizes,
) -> Result<Interval, String> {
    let mut whole: Option<Interval> = None;
    let mut passed_over = 1.0;
    for work in works {
        let relation = work.relation;
        let (Some(small), Some(large)) = (here.get(relation), there.get(relation)) else {
            return Err(format!("the size of {relation} in production isn't known"));
        };
        if is_minor(relation, works, here) && is_minor(relation, works, there) {
            passed_over = 1.0 + MINOR;
            continue;
        }
        if small.pages < FEWEST_PAGES || small.rows < 2 {
            return Err(format!(
                "{relation} has {} pages here: too few to tell what a page costs ({FEWEST_PAGES} would do)",
                small.pages
            ));
        }
        let [least, most] = of_relation(*small, *large);
        let most = most * growth(work, *small, *large) * penalty(record, work, *small, *large);
        whole = Some(whole.map_or([least, most], |[a, b]| [a.min(least), b.max(most)]));
    }
    let [least, most] = whole.ok_or_else(|| "it works through no relation".to_owned())?;
    Ok([least, most * passed_over])
}

/// Whether a relation is a small part of all that a statement works through.
fn is_minor(relation: &str, works: &[Work<'_>], sizes: &Sizes) -> bool {
    let pages = |relation: &str| sizes.get(relation).map_or(0, |size| size.pages) as f64;
    let mut relations: Vec<&str> = works.iter().map(|work| work.relation).collect();
    relations.sort_unstable();
    relations.dedup();
    let all: f64 = relations.into_iter().map(pages).sum();
    pages(relation) < MINOR * all
}

fn of_relation(here: Size, there: Size) -> Interval {
    let pages = there.pages as f64 / here.pages as f64;
    let rows = there.rows as f64 / here.rows as f64;
    [pages.min(rows), pages.max(rows)]
}

/// What sorting adds to growth by rows: the logarithm of `n log n`.
fn growth(work: &Work<'_>, here: Size, there: Size) -> f64 {
    let logarithm = (there.rows.max(2) as f64).ln() / (here.rows as f64).ln();
    if work.sorts { logarithm.max(1.0) } else { 1.0 }
}

/// What a row may cost more there because something fits memory here and not there.
fn penalty(record: &StatementRecord, work: &Work<'_>, here: Size, there: Size) -> f64 {
    let fits = |size: Size| size.pages * PAGE <= SHARED_MEMORY;
    let uncached = if fits(here) && !fits(there) { UNCACHED } else { 1.0 };
    let spills_there = there.rows as f64 * SORTED_TUPLE > SORT_MEMORY;
    let spills = work.sorts && record.further.temp_files.is_none() && spills_there;
    if spills { SPILLING } else { uncached }
}

/// The rehearsal as if its statements took these times.
fn lasting(rehearsal: &Rehearsal, statements: &[Scaled], bound: usize) -> Rehearsal {
    let mut there = rehearsal.clone();
    let mut clock = 0.0;
    for (record, scaled) in there.statements.iter_mut().zip(statements) {
        let duration = scaled.told.there_ms.map_or(record.duration_ms, |interval| interval[bound]);
        let stretched = if record.duration_ms > 0.0 { duration / record.duration_ms } else { 1.0 };
        for span in &mut record.lock_spans {
            span.from_ms *= stretched;
            span.to_ms *= stretched;
        }
        record.started_ms = clock;
        record.duration_ms = duration;
        clock += duration;
    }
    there
}

/// Why the hold that a statement takes can't be told: a statement of its transaction can't.
fn why_not<'a>(rehearsal: &Rehearsal, statements: &'a [Scaled], from: usize) -> Option<&'a str> {
    let transaction = rehearsal.statements[from].transaction;
    let held = (from..statements.len()).filter(|at| rehearsal.statements[*at].transaction == transaction);
    held.into_iter().find_map(|at| statements[at].told.why_not.as_deref())
}

fn scaled_holds(rehearsal: &Rehearsal, statements: &[Scaled]) -> Vec<ScaledHold> {
    let [least, most] = [0, 1].map(|bound| lasting(rehearsal, statements, bound));
    let (least, most) = (holds(&least), holds(&most));
    let here = holds(rehearsal);
    let blocking = here.iter().zip(least.iter().zip(&most));
    let blocking = blocking.filter(|(hold, _)| hold.existing && hold.mode.blocks() != Blocks::Nothing);
    let told = blocking.map(|(hold, (least, most))| {
        let why_not = why_not(rehearsal, statements, hold.statement).map(ToOwned::to_owned);
        let interval = [least.duration_ms(), most.duration_ms()];
        ScaledHold {
            statement: hold.statement,
            relation: hold.relation.to_owned(),
            mode: hold.mode,
            here_ms: hold.duration_ms(),
            there_ms: why_not.is_none().then_some(interval),
            why_not,
        }
    });
    told.collect()
}

fn queues(rehearsal: &Rehearsal, statements: &[Scaled], workload: &[Traffic]) -> Vec<ScaledQueue> {
    let [least, most] = [0, 1].map(|bound| {
        let there = lasting(rehearsal, statements, bound);
        let known: Vec<_> = holds(&there)
            .into_iter()
            .filter(|hold| why_not(rehearsal, statements, hold.statement).is_none())
            .collect();
        blocked(&there, &known, workload.to_vec())
    });
    let pairs = least.statements.iter().filter_map(|low| Some((low, most.of(&low.name)?)));
    let queues = pairs.map(|(low, high)| ScaledQueue {
        name: low.name.clone(),
        requests: [low.requests, high.requests],
        longest_wait_ms: [low.longest_wait_ms, high.longest_wait_ms],
    });
    queues.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocked::TakenLock;
    use crate::records_for_tests::{lock, rehearsal};
    use crate::rehearsal::{IndexBuild, Scan};

    fn record(statement: usize, duration_ms: f64) -> StatementRecord {
        StatementRecord {
            duration_ms,
            started_ms: statement as f64 * 100.0,
            locks: vec![lock("public.t", LockMode::AccessExclusive)],
            scans: vec![Scan { relation: "public.t".into(), rows: 100_000 }],
            ..crate::records_for_tests::record(statement)
        }
    }

    fn sizes(pages: u64, rows: u64) -> Sizes {
        [("public.t".to_owned(), Size { pages, rows })].into()
    }

    fn check(change: &Rehearsal, timings: &Timings, here: &Sizes, there: &Sizes) -> ScaleReport {
        let locks = vec![TakenLock { relation: "public.t".into(), mode: LockMode::AccessShare }];
        let workload =
            [Traffic { name: "read".into(), sql: String::new(), rate_per_s: 10.0, usual_ms: 1.0, locks }];
        scaled(change, timings, here, there, "a snapshot".into(), &workload)
    }

    fn timings(here: &[f64], empty: &[f64]) -> Timings {
        let runs = |times: &[f64]| times.iter().map(|time| vec![*time]).collect();
        Timings { here: runs(here), empty: runs(empty) }
    }

    #[test]
    fn the_part_that_grows_grows_by_pages_and_rows() {
        let change = rehearsal(vec![record(0, 110.0)]);
        let report = check(
            &change,
            &timings(&[110.0, 130.0], &[10.0, 8.0]),
            &sizes(1000, 100_000),
            &sizes(50_000, 10_000_000),
        );
        let statement = &report.statements[0];
        assert_eq!((statement.here_ms, statement.fixed_ms), ([110.0, 130.0], [8.0, 10.0]));
        // By pages 50, by rows 100; and 400 MB don't fit where 8 MB do.
        assert_eq!(statement.ratio, Some([50.0, 200.0]));
        assert_eq!(statement.there_ms, Some([8.0 + 100.0 * 50.0, 10.0 + 122.0 * 200.0]));
        assert_eq!(report.holds[0].there_ms, statement.there_ms);
        assert_eq!(report.queued[0].requests, [50.08, 244.1]);
    }

    #[test]
    fn an_index_build_sorts_and_may_spill() {
        let build = IndexBuild { index: "public.i".into(), relation: "public.t".into(), existing: true };
        let building = StatementRecord { scans: Vec::new(), index_builds: vec![build], ..record(0, 110.0) };
        let change = rehearsal(vec![building]);
        let (here, there) = (sizes(1000, 1_000), sizes(100_000, 1_000_000));
        let times = timings(&[110.0], &[10.0]);
        // By rows 1,000, ln 1e6 / ln 1e3 = 2, and the table doesn't fit memory.
        assert_eq!(check(&change, &times, &here, &there).statements[0].ratio, Some([100.0, 4000.0]));
        let huge = sizes(100_000, 1_000_000_000);
        let ratio = check(&change, &times, &here, &huge).statements[0].ratio.expect("a ratio");
        // By rows a million, ln 1e9 / ln 1e3 = 3, and the sort spills.
        assert!((ratio[1] - 9_000_000.0).abs() < 1.0, "{ratio:?}");
    }

    #[test]
    fn what_is_too_small_to_say_is_not_said() {
        let change = rehearsal(vec![record(0, 1.0)]);
        let there = sizes(50_000, 10_000_000);
        let why = |timings: &Timings, here: &Sizes, there: &Sizes| {
            let report = check(&change, timings, here, there);
            assert_eq!((report.statements[0].there_ms, report.holds[0].there_ms), (None, None));
            assert!(report.queued.is_empty());
            report.holds[0].why_not.clone().expect("a reason")
        };
        let quick = rehearsal(vec![record(0, 20.0)]);
        let none = check(&quick, &Timings::default(), &sizes(1000, 100_000), &there);
        assert!(none.holds[0].why_not.as_ref().is_some_and(|why| why.contains("wasn’t reached")));
        assert!(why(&timings(&[20.0], &[1.0]), &sizes(3, 300), &there).contains("has 3 pages here"));
        let fixed = timings(&[12.0, 14.0], &[9.0, 11.0]);
        assert!(why(&fixed, &sizes(1000, 100_000), &there).contains("are spent without any row"));
        let unknown = Sizes::new();
        assert!(why(&timings(&[20.0], &[1.0]), &sizes(1000, 1), &unknown).contains("isn't known"));
    }

    #[test]
    fn a_small_part_of_the_work_is_passed_over() {
        let scan = |relation: &str| Scan { relation: relation.into(), rows: 1 };
        let both = vec![scan("public.t"), scan("public.small")];
        let change = rehearsal(vec![StatementRecord { scans: both, ..record(0, 110.0) }]);
        let with = |sizes: Sizes, pages: u64| {
            let mut sizes = sizes;
            sizes.insert("public.small".into(), Size { pages, rows: 100 });
            sizes
        };
        let times = timings(&[110.0], &[10.0]);
        let ratio = |small_there: u64| {
            let (here, there) = (sizes(1000, 100_000), sizes(10_000, 1_000_000));
            check(&change, &times, &with(here, 20), &with(there, small_there)).statements[0].clone()
        };
        assert_eq!(ratio(200).ratio, Some([10.0, 11.0]));
        // In production it isn't small.
        assert!(ratio(9_000).why_not.is_some_and(|why| why.contains("has 20 pages here")));
    }

    #[test]
    fn a_hold_grows_with_all_that_its_transaction_does_later() {
        let brief = StatementRecord { scans: Vec::new(), ..record(0, 1.0) };
        let scanning = StatementRecord { locks: Vec::new(), ..record(1, 110.0) };
        let change = rehearsal(vec![brief, scanning]);
        let times = Timings { here: vec![vec![1.0, 110.0]], empty: vec![vec![1.0, 10.0]] };
        let report = check(&change, &times, &sizes(1000, 100_000), &sizes(10_000, 1_000_000));
        assert_eq!(report.statements.len(), 1);
        assert_eq!(report.holds[0].there_ms, Some([1011.0, 1011.0]));
    }
}
