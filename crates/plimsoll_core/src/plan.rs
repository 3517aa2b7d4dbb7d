//! A plan as `EXPLAIN` prints it: every node with what the planner expected and, where it ran, what was seen.
//!
//! Names are PostgreSQL's own, those of `EXPLAIN (FORMAT JSON)`. Deliberately absent: readers of EXPLAIN's formats, and any
//! judgement.

use std::fmt::Write as _;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A statement's plan. What EXPLAIN wasn't asked for, or its version doesn't print, is `None` or zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The statement, where its source names it (auto_explain does).
    pub query: Option<String>,
    /// `Query Identifier`.
    pub query_id: Option<i64>,
    /// The topmost node.
    pub root: PlanNode,
    /// Planning time in milliseconds.
    pub planning_ms: Option<f64>,
    /// Buffers touched by planning.
    pub planning_buffers: Buffers,
    /// Execution time in milliseconds.
    pub execution_ms: Option<f64>,
    /// Triggers that fired, foreign keys' among them.
    pub triggers: Vec<TriggerTime>,
    /// Just-in-time compilation, where it ran.
    pub jit: Option<Jit>,
    /// Planner settings that aren't the default, with EXPLAIN's option `SETTINGS`.
    pub settings: Vec<(String, String)>,
    /// What else was printed for the whole, by its name.
    pub others: Vec<(String, String)>,
}

/// A trigger of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TriggerTime {
    /// Its name.
    pub name: String,
    /// The constraint that it enforces.
    pub constraint: Option<String>,
    /// The relation that it is on.
    pub relation: Option<String>,
    /// Time in all, in milliseconds.
    pub time_ms: Option<f64>,
    /// How often it fired.
    pub calls: u64,
}

/// Just-in-time compilation of a run. Times in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jit {
    /// Functions that were compiled.
    pub functions: u64,
    /// Time in all.
    pub total_ms: f64,
    /// Time to generate code.
    pub generation_ms: f64,
    /// Time to inline functions.
    pub inlining_ms: f64,
    /// Time to optimize.
    pub optimization_ms: f64,
    /// Time to emit code.
    pub emission_ms: f64,
}

/// Blocks of 8 KiB that a node and those below it touched, and the time that they took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Buffers {
    /// Found in shared buffers.
    pub shared_hit: u64,
    /// Read into shared buffers.
    pub shared_read: u64,
    /// Made dirty.
    pub shared_dirtied: u64,
    /// Written out from shared buffers.
    pub shared_written: u64,
    /// Temporary tables' blocks found.
    pub local_hit: u64,
    /// Temporary tables' blocks read.
    pub local_read: u64,
    /// Temporary tables' blocks made dirty.
    pub local_dirtied: u64,
    /// Temporary tables' blocks written.
    pub local_written: u64,
    /// Blocks of temporary files read.
    pub temp_read: u64,
    /// Blocks of temporary files written.
    pub temp_written: u64,
    /// Milliseconds spent reading, with `track_io_timing`.
    pub read_ms: f64,
    /// Milliseconds spent writing, with `track_io_timing`.
    pub write_ms: f64,
}

impl Buffers {
    /// Shared blocks touched: hit or read.
    #[must_use]
    pub const fn shared(&self) -> u64 {
        self.shared_hit + self.shared_read
    }

    /// Blocks of temporary files read or written.
    #[must_use]
    pub const fn temp(&self) -> u64 {
        self.temp_read + self.temp_written
    }
}

/// Write-ahead log that a node and those below it wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wal {
    /// Records.
    pub records: u64,
    /// Full page images.
    pub full_page_images: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What a run of a node showed. Times and rows are per loop, as EXPLAIN prints them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Actual {
    /// Milliseconds until the first row; none with `TIMING OFF`.
    pub startup_ms: Option<f64>,
    /// Milliseconds until the last row; none with `TIMING OFF`.
    pub total_ms: Option<f64>,
    /// Rows.
    pub rows: f64,
    /// How often it ran; 0 for a node that was never executed.
    pub loops: u64,
}

/// A sort's way and place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortSpace {
    /// Such as `quicksort` or `external merge`.
    pub method: String,
    /// Space in kB.
    pub kilobytes: u64,
    /// Whether it was on disk.
    pub on_disk: bool,
}

/// A hash table's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashTable {
    /// Buckets at the end.
    pub buckets: u64,
    /// Batches at the end; more than one were on disk.
    pub batches: u64,
    /// Batches that were planned.
    pub original_batches: u64,
    /// Most memory, in kB.
    pub peak_kilobytes: u64,
    /// Space on disk in kB; aggregates print it.
    pub disk_kilobytes: u64,
}

/// What a `Memoize` node's cache did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Lookups that found their rows.
    pub hits: u64,
    /// Lookups that didn't.
    pub misses: u64,
    /// Entries that made room for others.
    pub evictions: u64,
    /// Entries too large for the cache.
    pub overflows: u64,
}

/// A parallel worker's share of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Worker {
    /// Its number, from 0.
    pub number: u32,
    /// What its run showed.
    pub actual: Option<Actual>,
    /// Blocks that it touched.
    pub buffers: Buffers,
    /// Its own sort.
    pub sort: Option<SortSpace>,
}

/// A condition or key of a node, such as `Index Cond` and `(id = 4711)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// EXPLAIN's name for it.
    pub kind: String,
    /// The expression; several keys are parted by commas.
    pub text: String,
}

/// A node of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanNode {
    /// Such as `Index Scan`, `Hash Join`, `Aggregate`, `ModifyTable`.
    pub node_type: String,
    /// How it hangs on its parent: `Outer`, `Inner`, `Member`, `InitPlan`, `SubPlan`, `Subquery`.
    pub parent_relationship: Option<String>,
    /// `InitPlan 1 (returns $0)`, `CTE recent`.
    pub subplan_name: Option<String>,
    /// Whether workers share its input.
    pub parallel_aware: bool,
    /// Whether it is run asynchronously.
    pub async_capable: bool,
    /// `Hashed`, `Sorted`, `Plain`, `Mixed`.
    pub strategy: Option<String>,
    /// `Partial`, `Finalize`, `Simple`.
    pub partial_mode: Option<String>,
    /// `Inner`, `Left`, `Semi`, `Anti`, ….
    pub join_type: Option<String>,
    /// `Insert`, `Update`, `Delete`, `Merge`, of a ModifyTable or a foreign scan.
    pub operation: Option<String>,
    /// A SetOp's `Except`, `Intersect`.
    pub command: Option<String>,
    /// `Forward`, `Backward`, `NoMovement`.
    pub scan_direction: Option<String>,
    /// The index.
    pub index: Option<String>,
    /// The relation's schema, with `VERBOSE`.
    pub schema: Option<String>,
    /// The relation.
    pub relation: Option<String>,
    /// Its alias.
    pub alias: Option<String>,
    /// The CTE, tuplestore, function or table function that it scans, or a custom scan's provider.
    pub source: Option<String>,
    /// Whether the planner takes it although a setting disables it.
    pub disabled: bool,
    /// The planner's cost until the first row.
    pub startup_cost: Option<f64>,
    /// The planner's cost in total.
    pub total_cost: Option<f64>,
    /// Rows that the planner expected, per loop.
    pub plan_rows: Option<f64>,
    /// Bytes a row that the planner expected.
    pub plan_width: Option<u64>,
    /// What a run showed; none without `ANALYZE`.
    pub actual: Option<Actual>,
    /// Conditions and keys, in EXPLAIN's order.
    pub conditions: Vec<Condition>,
    /// Expressions that it returns, with `VERBOSE`.
    pub output: Vec<String>,
    /// Rows per loop that its filter threw away.
    pub rows_removed_by_filter: Option<f64>,
    /// Rows per loop that a join's filter threw away.
    pub rows_removed_by_join_filter: Option<f64>,
    /// Rows per loop that a recheck of an index's answer threw away.
    pub rows_removed_by_index_recheck: Option<f64>,
    /// Rows that an index-only scan had to look up in the table, over all loops.
    pub heap_fetches: Option<u64>,
    /// Descents of an index, over all loops.
    pub index_searches: Option<u64>,
    /// Blocks of a bitmap that knew its rows.
    pub exact_heap_blocks: Option<u64>,
    /// Blocks of a bitmap that was too large to know its rows.
    pub lossy_heap_blocks: Option<u64>,
    /// A sort's way and place.
    pub sort: Option<SortSpace>,
    /// A hash table's size.
    pub hash: Option<HashTable>,
    /// What a cache did.
    pub cache: Option<CacheUse>,
    /// Workers that were planned.
    pub workers_planned: Option<u64>,
    /// Workers that were there.
    pub workers_launched: Option<u64>,
    /// The workers' shares.
    pub workers: Vec<Worker>,
    /// Blocks touched by it and what is below it.
    pub buffers: Buffers,
    /// Write-ahead log by it and what is below it.
    pub wal: Wal,
    /// What else EXPLAIN printed, by its name.
    pub others: Vec<(String, String)>,
    /// Its inputs.
    pub children: Vec<PlanNode>,
}

impl PlanNode {
    /// What EXPLAIN's text form prints for it, with the schema where it is known: `Index Scan using ships_pkey on public.ships s`.
    #[must_use]
    pub fn label(&self) -> String {
        let mut label = self.verb();
        if self.scan_direction.as_deref() == Some("Backward") {
            label.push_str(" Backward");
        }
        if let Some(index) = &self.index {
            // A bitmap index scan has no relation; its index is what it is on.
            let word = if self.relation.is_none() { "on" } else { "using" };
            let _ = write!(label, " {word} {index}");
        }
        match (&self.relation, &self.source) {
            (Some(_), _) => {
                let _ = write!(label, " on {}", self.qualified().unwrap_or_default());
                self.push_alias(&mut label, self.relation.as_deref());
            }
            (None, Some(source)) => {
                let _ = write!(label, " on {source}");
                self.push_alias(&mut label, Some(source));
            }
            (None, None) => {}
        }
        label
    }

    /// The relation with its schema, where that is known.
    #[must_use]
    pub fn qualified(&self) -> Option<String> {
        let relation = self.relation.as_ref()?;
        Some(match &self.schema {
            Some(schema) => format!("{schema}.{relation}"),
            None => relation.clone(),
        })
    }

    /// The node without what it works on: `Parallel Seq Scan`, `Hash Left Join`, `Partial HashAggregate`, `Update`.
    #[must_use]
    pub fn verb(&self) -> String {
        let mut verb = String::new();
        if self.parallel_aware {
            verb.push_str("Parallel ");
        }
        if self.async_capable {
            verb.push_str("Async ");
        }
        if let Some(mode) = self.partial_mode.as_deref().filter(|mode| *mode != "Simple") {
            let _ = write!(verb, "{mode} ");
        }
        let node_type = self.node_type.as_str();
        match (node_type, self.strategy.as_deref(), self.join_type.as_deref()) {
            ("Aggregate", Some("Hashed"), _) => verb.push_str("HashAggregate"),
            ("Aggregate", Some("Sorted"), _) => verb.push_str("GroupAggregate"),
            ("Aggregate", Some("Mixed"), _) => verb.push_str("MixedAggregate"),
            ("ModifyTable", ..) => verb.push_str(self.operation.as_deref().unwrap_or(node_type)),
            ("SetOp", strategy, _) => {
                verb.push_str(if strategy == Some("Hashed") { "HashSetOp" } else { "SetOp" });
                if let Some(command) = &self.command {
                    let _ = write!(verb, " {command}");
                }
            }
            (_, _, Some(kind)) if kind != "Inner" => {
                let _ = write!(verb, "{} {kind} Join", node_type.trim_end_matches(" Join"));
            }
            ("Foreign Scan", ..) => match self.operation.as_deref() {
                Some(operation) if operation != "Select" => {
                    let _ = write!(verb, "Foreign {operation}");
                }
                _ => verb.push_str(node_type),
            },
            _ => verb.push_str(node_type),
        }
        verb
    }

    fn push_alias(&self, label: &mut String, name: Option<&str>) {
        if let Some(alias) = self.alias.as_deref().filter(|alias| Some(*alias) != name && !alias.is_empty()) {
            let _ = write!(label, " {alias}");
        }
    }

    /// Conditions and what was thrown away, a line each: `Filter: (draught > 12)`.
    #[must_use]
    pub fn details(&self) -> Vec<String> {
        let mut details: Vec<String> =
            self.conditions.iter().map(|one| format!("{}: {}", one.kind, one.text)).collect();
        let removed = [
            ("Rows Removed by Filter", self.rows_removed_by_filter),
            ("Rows Removed by Join Filter", self.rows_removed_by_join_filter),
            ("Rows Removed by Index Recheck", self.rows_removed_by_index_recheck),
        ];
        for (name, rows) in removed {
            if let Some(rows) = rows.filter(|rows| *rows > 0.0) {
                details.push(format!("{name}: {rows}"));
            }
        }
        if let Some(fetches) = self.heap_fetches.filter(|fetches| *fetches > 0) {
            details.push(format!("Heap Fetches: {fetches}"));
        }
        details
    }

    /// The text of a condition by EXPLAIN's name for it.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&str> {
        self.conditions.iter().find(|one| one.kind == kind).map(|one| one.text.as_str())
    }

    /// How often it ran; 0 without `ANALYZE`.
    #[must_use]
    pub fn loops(&self) -> u64 {
        self.actual.map_or(0, |actual| actual.loops)
    }

    /// Rows that it returned over all loops; 0 without `ANALYZE`. EXPLAIN before 18 rounds the rows of a loop.
    #[must_use]
    pub fn total_rows(&self) -> f64 {
        self.actual.map_or(0.0, |actual| actual.rows * actual.loops as f64)
    }

    /// Milliseconds by it and what is below it over all loops. Parallel workers' times are added up, as EXPLAIN's are.
    #[must_use]
    pub fn total_ms(&self) -> Option<f64> {
        self.actual.and_then(|actual| Some(actual.total_ms? * actual.loops as f64))
    }

    /// Calls a function for it and every node below it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        let mut next = vec![self];
        while let Some(node) = next.pop() {
            visit(node);
            next.extend(node.children.iter().rev());
        }
    }
}

/// The JSON contract: what a reader of a report needs of a node.
impl Serialize for PlanNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let actual = self.actual.unwrap_or_default();
        let total_ms = self.total_ms();
        let known = usize::from(self.total_cost.is_some()) + usize::from(total_ms.is_some());
        let mut node = serializer.serialize_struct("PlanNode", 7 + known)?;
        node.serialize_field("label", &self.label())?;
        node.serialize_field("details", &self.details())?;
        if let Some(cost) = self.total_cost {
            node.serialize_field("cost", &cost)?;
        }
        node.serialize_field("plan_rows", &self.plan_rows.unwrap_or_default())?;
        node.serialize_field("actual_rows", &actual.rows)?;
        node.serialize_field("loops", &actual.loops)?;
        node.serialize_field("shared_buffers", &self.buffers.shared())?;
        if let Some(total_ms) = total_ms {
            node.serialize_field("time_ms", &total_ms)?;
        }
        node.serialize_field("children", &self.children)?;
        node.end()
    }
}
