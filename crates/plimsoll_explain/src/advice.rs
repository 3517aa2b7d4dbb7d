//! What an expert would say about a plan, each with the figures that it rests on.
//!
//! A kind of advice is one entry of [`KINDS`]: program, pages and tests read it there. None is given for what makes too little of
//! the plan to matter.

mod access;
mod memory;
mod run;

use plimsoll_core::Severity;
use plimsoll_core::plan::{Plan, PlanNode};
use plimsoll_core::units::{count, plural};

use crate::figures::{Figure, Figures};

/// A kind of advice.
#[derive(Debug)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// When it is given, and what to do.
    pub explained: &'static str,
    judge: Judge,
}

/// How a kind looks at a plan.
#[derive(Clone, Copy, Debug)]
enum Judge {
    /// At each node.
    Node(fn(&Case<'_>) -> Option<String>),
    /// At the whole, with the share that it makes.
    Plan(fn(&Plan) -> Option<(f64, String)>),
}

/// One piece of advice.
#[derive(Clone, Debug)]
pub struct Advice {
    /// Its kind.
    pub kind: &'static Kind,
    /// `Warning` where it is about a quarter of the plan or more, else `Note`.
    pub severity: Severity,
    /// The part of the plan that it is about, from 0 to 1.
    pub share: f64,
    /// The place of its node in [`Figures::nodes`]; none where it is about the whole.
    pub node: Option<usize>,
    /// What was seen, in figures, and what to do.
    pub message: String,
}

/// The kinds, in the order of the pages.
pub static KINDS: [Kind; 17] = [
    Kind {
        name: "misestimate",
        title: "rows misestimated",
        explained: "The planner expected ten times fewer or more rows than it saw, at the lowest node where that is so. It chose joins by that number. ANALYZE, a higher statistics target, or CREATE STATISTICS for columns that depend on each other mend it.",
        judge: Judge::Node(run::misestimate),
    },
    Kind {
        name: "function-on-column",
        title: "function or cast on a filtered column",
        explained: "A sequential scan throws most rows away by a condition on a function or a cast of a column, which no index on the column itself can answer. Compare the bare column with a value of its own type, or index the expression.",
        judge: Judge::Node(access::function_on_column),
    },
    Kind {
        name: "filtered-seq-scan",
        title: "sequential scan that filters most rows away",
        explained: "A sequential scan reads at least ten times the rows that it returns. An index on the filtered columns would read those alone.",
        judge: Judge::Node(access::filtered_seq_scan),
    },
    Kind {
        name: "missing-index",
        title: "join without an index",
        explained: "A nested loop compares each row with all rows of its inner side and throws nearly all pairs away, or a sub-plan scans a whole table for each row. An index on the compared column would find the few.",
        judge: Judge::Node(access::missing_index),
    },
    Kind {
        name: "index-filter",
        title: "index that finds too many rows",
        explained: "An index scan reads at least ten times the rows that it returns: part of the condition stands in its Filter. An index with that column too would find the right rows at once.",
        judge: Judge::Node(access::index_filter),
    },
    Kind {
        name: "index-partly-used",
        title: "index read far and wide",
        explained: "An index scan touches many more pages than its rows can lie on, as where the condition isn't on the index's leading columns. Put the compared columns first.",
        judge: Judge::Node(access::index_partly_used),
    },
    Kind {
        name: "heap-fetches",
        title: "index-only scan that reads the table",
        explained: "An index-only scan looks up rows in the table, since the visibility map doesn't vouch for their pages. VACUUM sets it; autovacuum may come too rarely for this table.",
        judge: Judge::Node(access::heap_fetches),
    },
    Kind {
        name: "lossy-bitmap",
        title: "bitmap too large for work_mem",
        explained: "A bitmap remembers pages instead of rows, since rows don't fit in work_mem, and every row of those pages is checked again.",
        judge: Judge::Node(memory::lossy_bitmap),
    },
    Kind {
        name: "sort-on-disk",
        title: "sort on disk",
        explained: "A sort doesn't fit in work_mem and goes through temporary files. The advice names a work_mem that would do.",
        judge: Judge::Node(memory::sort_on_disk),
    },
    Kind {
        name: "hash-on-disk",
        title: "hash table on disk",
        explained: "A hash table doesn't fit in work_mem × hash_mem_multiplier and goes through temporary files. The advice names a work_mem that would do.",
        judge: Judge::Node(memory::hash_on_disk),
    },
    Kind {
        name: "runaway-nested-loop",
        title: "nested loop that ran away",
        explained: "The inner side of a nested loop ran at least ten times as often as the planner expected, and makes a good part of the plan. With the right number a hash join would have been cheaper; mend the estimate of the outer side.",
        judge: Judge::Node(run::runaway_nested_loop),
    },
    Kind {
        name: "rows-thrown-away",
        title: "rows thrown away by OFFSET",
        explained: "A LIMIT gets at least ten times the rows that it returns: OFFSET makes the server work them out and drop them. Page by the last key seen instead.",
        judge: Judge::Node(run::rows_thrown_away),
    },
    Kind {
        name: "not-in-subplan",
        title: "NOT IN by a sub-plan",
        explained: "NOT IN (SELECT …) is answered by a sub-plan, since NULL in it would make it unknown; the planner can't turn it into an anti join, and runs it for each row once it outgrows work_mem. NOT EXISTS becomes an anti join.",
        judge: Judge::Node(run::not_in_subplan),
    },
    Kind {
        name: "workers-not-launched",
        title: "workers planned but not launched",
        explained: "Fewer parallel workers ran than were planned: max_parallel_workers or max_worker_processes was used up. The plan was chosen for more.",
        judge: Judge::Node(run::workers_not_launched),
    },
    Kind {
        name: "jit-cost",
        title: "JIT that costs more than it saves",
        explained: "Just-in-time compilation takes a fifth of the run or more. Raise jit_above_cost, or switch jit off for short queries.",
        judge: Judge::Plan(run::jit_cost),
    },
    Kind {
        name: "trigger-time",
        title: "time in triggers",
        explained: "Triggers take a tenth of the run or more. A foreign key's trigger is slow where the referencing column has no index.",
        judge: Judge::Plan(run::trigger_time),
    },
    Kind {
        name: "cold-cache",
        title: "blocks read, not found in shared buffers",
        explained: "More than a tenth of at least a thousand blocks had to be read into shared buffers. A second run tells whether that stays so; if it does, the query touches more than the cache holds.",
        judge: Judge::Plan(run::cold_cache),
    },
];

/// The part of a plan below which nothing is worth a word.
const MATTERS: f64 = 0.05;

/// The part of a plan from which advice is a warning.
const WEIGHS: f64 = 0.25;

/// What there is to say about a plan, the weightiest first.
#[must_use]
pub fn of(plan: &Plan, figures: &Figures<'_>) -> Vec<Advice> {
    let mut advice = Vec::new();
    for kind in &KINDS {
        match kind.judge {
            Judge::Plan(judge) => {
                advice.extend(judge(plan).map(|(share, message)| made(kind, None, share, message)))
            }
            Judge::Node(judge) => advice.extend((0..figures.nodes.len()).filter_map(|node| {
                let case = Case { plan, figures, index: node };
                let message = judge(&case)?;
                let share = figures.share_below(node);
                Some(made(kind, Some(node), share, message))
            })),
        }
    }
    advice.sort_by(|one, other| {
        other
            .severity
            .cmp(&one.severity)
            .then(other.share.total_cmp(&one.share))
            .then(one.node.cmp(&other.node))
    });
    advice
}

fn made(kind: &'static Kind, node: Option<usize>, share: f64, message: String) -> Advice {
    let severity = if share >= WEIGHS { Severity::Warning } else { Severity::Note };
    Advice { kind, severity, share, node, message }
}

/// A node of a plan.
struct Case<'a> {
    plan: &'a Plan,
    figures: &'a Figures<'a>,
    index: usize,
}

impl<'a> Case<'a> {
    fn figure(&self) -> &'a Figure<'a> {
        &self.figures.nodes[self.index]
    }

    fn node(&self) -> &'a PlanNode {
        self.figure().node
    }

    /// The node alone makes enough of the plan.
    fn matters(&self) -> Option<()> {
        (self.figure().share >= MATTERS).then_some(())
    }

    /// The node and what is below it make enough of the plan.
    fn matters_below(&self) -> Option<()> {
        (self.figures.share_below(self.index) >= MATTERS).then_some(())
    }

    fn ancestors(&self) -> impl Iterator<Item = &'a PlanNode> {
        self.figures.ancestors(self.index).map(|place| self.figures.nodes[place].node)
    }

    fn setting(&self, name: &str) -> Option<&'a str> {
        self.plan.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Rows as a number for people.
fn rows(number: f64) -> String {
    count(number.round() as u64)
}

/// Blocks in a sentence.
fn blocks(number: u64) -> String {
    plural(usize::try_from(number).unwrap_or(usize::MAX), "block")
}

/// A relation's name in a sentence.
fn relation(node: &PlanNode) -> String {
    node.qualified().or_else(|| node.index.clone()).unwrap_or_else(|| node.verb())
}
