//! A node's properties by their names in `EXPLAIN (FORMAT JSON)` (PostgreSQL's `explain.c`): what every format's reader fills a
//! plan with.

use plimsoll_core::plan::{
    Actual, Buffers, CacheUse, Condition, HashTable, Jit, Plan, PlanNode, SortSpace, TriggerTime, Wal, Worker,
};

/// A property's value, as far as a plan needs to tell them apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Property {
    Text(String),
    Number(f64),
    Bool(bool),
    List(Vec<Property>),
}

impl Property {
    /// A number as it was written. A double loses the last digits of query identifiers, which stay text.
    pub(crate) fn of_number(word: &str) -> Option<Self> {
        let starts = word.trim_start_matches('-').as_bytes().first().is_some_and(u8::is_ascii_digit);
        let number: f64 = word.parse().ok().filter(|_| starts)?;
        let exact = number.abs() < 9_007_199_254_740_992.0;
        Some(if exact { Self::Number(number) } else { Self::Text(word.to_owned()) })
    }

    fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().unwrap_or_default(),
            Self::Bool(_) | Self::List(_) => 0.0,
        }
    }

    /// A count; what is negative or no number is 0.
    fn count(&self) -> u64 {
        self.number() as u64
    }

    fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true)) || matches!(self, Self::Text(text) if text == "true")
    }

    /// As it is told; several parted by commas.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::List(parts) => parts.into_iter().map(Self::text).collect::<Vec<_>>().join(", "),
        }
    }

    fn texts(self) -> Vec<String> {
        match self {
            Self::List(parts) => parts.into_iter().map(Self::text).collect(),
            other => vec![other.text()],
        }
    }
}

/// Gives a node a property.
pub(crate) fn set(node: &mut PlanNode, key: &str, value: Property) {
    if set_buffers(&mut node.buffers, key, &value)
        || set_actual(&mut node.actual, key, &value)
        || set_wal(&mut node.wal, key, &value)
    {
        return;
    }
    match key {
        "Node Type" => node.node_type = value.text(),
        "Parent Relationship" => node.parent_relationship = Some(value.text()),
        "Subplan Name" => node.subplan_name = Some(value.text()),
        "Parallel Aware" => node.parallel_aware = value.is_true(),
        "Async Capable" => node.async_capable = value.is_true(),
        "Strategy" => node.strategy = Some(value.text()),
        "Partial Mode" => node.partial_mode = Some(value.text()),
        "Join Type" => node.join_type = Some(value.text()),
        "Operation" => node.operation = Some(value.text()),
        "Command" => node.command = Some(value.text()),
        "Scan Direction" => node.scan_direction = Some(value.text()),
        "Index Name" => node.index = Some(value.text()),
        "Schema" => node.schema = Some(value.text()),
        "Relation Name" => node.relation = Some(value.text()),
        "Alias" => node.alias = Some(value.text()),
        "CTE Name" | "Tuplestore Name" | "Function Name" | "Table Function Name" | "Custom Plan Provider" => {
            node.source = Some(value.text());
        }
        "Disabled" => node.disabled = value.is_true(),
        "Startup Cost" => node.startup_cost = Some(value.number()),
        "Total Cost" => node.total_cost = Some(value.number()),
        "Plan Rows" => node.plan_rows = Some(value.number()),
        "Plan Width" => node.plan_width = Some(value.count()),
        "Output" => node.output = value.texts(),
        "Rows Removed by Filter" => node.rows_removed_by_filter = Some(value.number()),
        "Rows Removed by Join Filter" => node.rows_removed_by_join_filter = Some(value.number()),
        "Rows Removed by Index Recheck" => node.rows_removed_by_index_recheck = Some(value.number()),
        "Heap Fetches" => node.heap_fetches = Some(value.count()),
        "Index Searches" => node.index_searches = Some(value.count()),
        "Exact Heap Blocks" => node.exact_heap_blocks = Some(value.count()),
        "Lossy Heap Blocks" => node.lossy_heap_blocks = Some(value.count()),
        "Workers Planned" => node.workers_planned = Some(value.count()),
        "Workers Launched" => node.workers_launched = Some(value.count()),
        "Sort Method" | "Sort Space Used" | "Sort Space Type" => {
            set_sort(node.sort.get_or_insert_default(), key, value);
        }
        "Cache Hits" | "Cache Misses" | "Cache Evictions" | "Cache Overflows" => {
            set_cache(node.cache.get_or_insert_default(), key, value.count());
        }
        "Hash Buckets" | "Hash Batches" | "Original Hash Batches" | "HashAgg Batches" | "Disk Usage" => {
            set_hash(node.hash.get_or_insert_default(), key, value.count());
        }
        // Memoize prints it too.
        "Peak Memory Usage" => set_hash(node.hash.get_or_insert_default(), key, value.count()),
        // Printed as the number of before where nothing changed; batches tell all.
        "Original Hash Buckets" => {}
        // XML's name for both groups of an Incremental Sort, which come in this order.
        "Incremental Sort Groups" => {
            let first = node.others.iter().all(|(name, _)| name != "Full-sort Groups");
            let name = if first { "Full-sort Groups" } else { "Pre-sorted Groups" };
            node.others.push((name.to_owned(), value.text()));
        }
        _ if is_condition(key) => {
            node.conditions.push(Condition { kind: key.to_owned(), text: value.text() });
        }
        _ if says_nothing(key, &value) => {}
        _ => node.others.push((key.to_owned(), value.text())),
    }
}

/// What the text form leaves out where it doesn't apply, and the others print as `false` or 0.
fn says_nothing(key: &str, value: &Property) -> bool {
    let counted = key.starts_with("Tuples ")
        || matches!(key, "Planned Partitions" | "Subplans Removed" | "Rows Removed by Conflict Filter");
    match value {
        Property::Bool(value) => !value,
        Property::Number(number) => *number == 0.0 && counted,
        Property::Text(text) if counted => text == "0",
        Property::Text(text) => text == "false" && matches!(key, "Inner Unique" | "Single Copy"),
        Property::List(_) => false,
    }
}

/// What says which rows a node is about, and in which order: with costs left out, these make its shape.
pub(crate) fn is_condition(key: &str) -> bool {
    key.ends_with(" Cond")
        || key.ends_with(" Key")
        || matches!(
            key,
            "Filter"
                | "Join Filter"
                | "One-Time Filter"
                | "Order By"
                | "Cache Mode"
                | "Group Keys"
                | "Conflict Resolution"
                | "Conflict Arbiter Indexes"
                | "Conflict Filter"
                | "Function Call"
                | "Table Function Call"
                | "Remote SQL"
                | "Run Condition"
                | "Sampling Method"
                | "Window"
        )
}

/// Gives a worker of a node a property.
pub(crate) fn set_worker(worker: &mut Worker, key: &str, value: Property) {
    if set_buffers(&mut worker.buffers, key, &value) || set_actual(&mut worker.actual, key, &value) {
        return;
    }
    match key {
        "Worker Number" => worker.number = value.count() as u32,
        "Sort Method" | "Sort Space Used" | "Sort Space Type" => {
            set_sort(worker.sort.get_or_insert_default(), key, value);
        }
        _ => {}
    }
}

/// Gives the whole a property.
pub(crate) fn set_plan(plan: &mut Plan, key: &str, value: Property) {
    match key {
        "Query Text" => plan.query = Some(value.text()),
        "Query Identifier" => plan.query_id = value.text().parse().ok(),
        "Planning Time" => plan.planning_ms = Some(value.number()),
        "Execution Time" => plan.execution_ms = Some(value.number()),
        _ => plan.others.push((key.to_owned(), value.text())),
    }
}

/// Gives planning's buffers a property.
pub(crate) fn set_planning(plan: &mut Plan, key: &str, value: Property) {
    if !set_buffers(&mut plan.planning_buffers, key, &value) {
        plan.others.push((format!("Planning {key}"), value.text()));
    }
}

/// Gives a trigger a property.
pub(crate) fn set_trigger(trigger: &mut TriggerTime, key: &str, value: Property) {
    match key {
        "Trigger Name" => trigger.name = value.text(),
        "Constraint Name" => trigger.constraint = Some(value.text()),
        "Relation" => trigger.relation = Some(value.text()),
        "Time" => trigger.time_ms = Some(value.number()),
        "Calls" => trigger.calls = value.count(),
        _ => {}
    }
}

/// Gives just-in-time compilation a property; the names of times are those of the group `Timing`.
pub(crate) fn set_jit(jit: &mut Jit, key: &str, value: &Property) {
    match key {
        "Functions" => jit.functions = value.count(),
        "Generation" | "Generation Total" => jit.generation_ms = value.number(),
        "Inlining" => jit.inlining_ms = value.number(),
        "Optimization" => jit.optimization_ms = value.number(),
        "Emission" => jit.emission_ms = value.number(),
        "Total" => jit.total_ms = value.number(),
        _ => {}
    }
}

fn set_buffers(buffers: &mut Buffers, key: &str, value: &Property) -> bool {
    let field = match key {
        "Shared Hit Blocks" => &mut buffers.shared_hit,
        "Shared Read Blocks" => &mut buffers.shared_read,
        "Shared Dirtied Blocks" => &mut buffers.shared_dirtied,
        "Shared Written Blocks" => &mut buffers.shared_written,
        "Local Hit Blocks" => &mut buffers.local_hit,
        "Local Read Blocks" => &mut buffers.local_read,
        "Local Dirtied Blocks" => &mut buffers.local_dirtied,
        "Local Written Blocks" => &mut buffers.local_written,
        "Temp Read Blocks" => &mut buffers.temp_read,
        "Temp Written Blocks" => &mut buffers.temp_written,
        // 17 tells them apart by place: shared, local, temporary.
        _ if key.ends_with("I/O Read Time") => {
            buffers.read_ms += value.number();
            return true;
        }
        _ if key.ends_with("I/O Write Time") => {
            buffers.write_ms += value.number();
            return true;
        }
        _ => return false,
    };
    *field = value.count();
    true
}

fn set_actual(actual: &mut Option<Actual>, key: &str, value: &Property) -> bool {
    if !key.starts_with("Actual ") {
        return false;
    }
    let actual = actual.get_or_insert_default();
    match key {
        "Actual Startup Time" => actual.startup_ms = Some(value.number()),
        "Actual Total Time" => actual.total_ms = Some(value.number()),
        "Actual Rows" => actual.rows = value.number(),
        "Actual Loops" => actual.loops = value.count(),
        _ => return false,
    }
    true
}

fn set_wal(wal: &mut Wal, key: &str, value: &Property) -> bool {
    match key {
        "WAL Records" => wal.records = value.count(),
        "WAL FPI" => wal.full_page_images = value.count(),
        "WAL Bytes" => wal.bytes = value.count(),
        // How often all buffers of the log were full.
        "WAL Buffers Full" => {}
        _ => return false,
    }
    true
}

fn set_sort(sort: &mut SortSpace, key: &str, value: Property) {
    match key {
        "Sort Method" => sort.method = value.text(),
        "Sort Space Used" => sort.kilobytes = value.count(),
        _ => sort.on_disk = value.text() == "Disk",
    }
}

fn set_cache(cache: &mut CacheUse, key: &str, count: u64) {
    match key {
        "Cache Hits" => cache.hits = count,
        "Cache Misses" => cache.misses = count,
        "Cache Evictions" => cache.evictions = count,
        _ => cache.overflows = count,
    }
}

fn set_hash(hash: &mut HashTable, key: &str, count: u64) {
    match key {
        "Hash Buckets" => hash.buckets = count,
        "Hash Batches" | "HashAgg Batches" => hash.batches = count,
        "Original Hash Batches" => hash.original_batches = count,
        "Disk Usage" => hash.disk_kilobytes = count,
        _ => hash.peak_kilobytes = count,
    }
}
