//! Why a query fares otherwise than before: what in the evidence explains it, the surest first.

use plimsoll_core::units::count;

use crate::record::{Facts, Run, identifiers};
use crate::shape::Shape;

/// What made a query fare otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// An index that the plan took is gone.
    MissingIndex,
    /// An index that the plan took has another definition.
    ChangedIndex,
    /// A column has another type, or a condition casts it now.
    ChangedType,
    /// A column has another collation.
    ChangedCollation,
    /// A condition wraps a column that an index was searched by.
    FunctionOnColumn,
    /// `NOT IN` runs a sub-plan where an anti join ran.
    NotIn,
    /// OFFSET reads rows and throws them away.
    Offset,
    /// The query no longer asks for what a partial index covers.
    PartialIndex,
    /// A planner setting has another value.
    ChangedSettings,
    /// The planner expects other numbers of rows of tables that have as many as before.
    ChangedStatistics,
    /// A relation has more rows.
    MoreRows,
    /// A relation has more pages for as many rows.
    MorePages,
    /// What fitted in memory is on disk.
    Spilled,
    /// The query's text is another.
    ChangedQuery,
    /// The server is of another major version.
    OtherVersion,
    /// The plan takes an index that it didn't take, or that there wasn't.
    NewIndex,
    /// The planner chose otherwise, and nothing else explains it.
    ChangedPlan,
    /// The same plan touches other numbers of blocks.
    SamePlan,
}

impl CauseKind {
    /// All kinds, the surest explanation first.
    pub const ALL: [Self; 18] = [
        Self::MissingIndex,
        Self::ChangedIndex,
        Self::ChangedType,
        Self::ChangedCollation,
        Self::FunctionOnColumn,
        Self::NotIn,
        Self::Offset,
        Self::PartialIndex,
        Self::ChangedSettings,
        Self::ChangedStatistics,
        Self::MoreRows,
        Self::MorePages,
        Self::Spilled,
        Self::ChangedQuery,
        Self::OtherVersion,
        Self::NewIndex,
        Self::ChangedPlan,
        Self::SamePlan,
    ];

    /// The word that reports and JSON use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ChangedSettings => "changed settings",
            Self::MissingIndex => "missing index",
            Self::ChangedIndex => "changed index",
            Self::ChangedType => "changed type",
            Self::ChangedCollation => "changed collation",
            Self::FunctionOnColumn => "function on column",
            Self::NotIn => "NOT IN",
            Self::Offset => "OFFSET",
            Self::PartialIndex => "partial index unused",
            Self::ChangedStatistics => "changed statistics",
            Self::MoreRows => "more rows",
            Self::MorePages => "more pages",
            Self::Spilled => "spilled to disk",
            Self::ChangedQuery => "changed query",
            Self::OtherVersion => "other server version",
            Self::NewIndex => "another index",
            Self::ChangedPlan => "changed plan",
            Self::SamePlan => "same plan",
        }
    }
}

/// A cause with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its kind.
    pub kind: CauseKind,
    /// The evidence, in words.
    pub words: String,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.kind.word(), self.words)
    }
}

/// One side of a comparison: a run, and what explains it.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The run.
    pub run: &'a Run,
    /// The facts of the database, or of what the query used.
    pub facts: &'a Facts,
    /// The server's major version.
    pub server: u32,
    /// Planner settings that aren't the default.
    pub settings: &'a std::collections::BTreeMap<String, String>,
    /// The query's fingerprint.
    pub text: &'a str,
}

/// Growth of a relation, and of a plan's expectations, that explains something.
const GROWTH: f64 = 1.25;
/// Ratio of expected rows that a new sample alone seldom reaches.
const MISESTIMATE: f64 = 2.0;
/// Rows that OFFSET must throw away to be told.
const OFFSET_FLOOR: u64 = 100;

/// What explains the difference between two runs of a query, the surest first.
#[must_use]
pub fn causes(before: Side, after: Side) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut add = |kind, words| causes.push(Cause { kind, words });
    settings(before, after, &mut add);
    indexes(before, after, &mut add);
    columns(before, after, &mut add);
    conditions(before, after, &mut add);
    if let Some(words) = offset(&before.run.plan, &after.run.plan) {
        add(CauseKind::Offset, words);
    }
    sizes(before, after, &mut add);
    if before.run.temp() == 0 && after.run.temp() > 0 {
        let words = format!("{} temporary blocks, where there were none", count(after.run.temp()));
        add(CauseKind::Spilled, words);
    }
    if let Some(cause) = changed_query(before.text, after.text) {
        add(cause.kind, cause.words);
    }
    if before.server != after.server {
        add(CauseKind::OtherVersion, format!("PostgreSQL {} → {}", before.server, after.server));
    }
    let figures = |run: &Run| (run.shared(), run.temp(), run.rows_read);
    if causes.is_empty() && figures(before.run) != figures(after.run) {
        let same = before.run.plan.is_like(&after.run.plan);
        let (kind, words) = if same {
            (CauseKind::SamePlan, "the plan is the same, and touches other numbers of blocks")
        } else {
            (CauseKind::ChangedPlan, "the planner chose otherwise, of the same tables, indexes and settings")
        };
        causes.push(Cause { kind, words: words.to_owned() });
    }
    causes.sort_by_key(|cause| cause.kind);
    causes
}

/// The cause that a query's text is another, if it is.
pub(crate) fn changed_query(before: &str, after: &str) -> Option<Cause> {
    (before != after)
        .then(|| Cause { kind: CauseKind::ChangedQuery, words: "its text is another".to_owned() })
}

fn settings(before: Side, after: Side, add: &mut impl FnMut(CauseKind, String)) {
    let names = before.settings.keys().chain(after.settings.keys());
    for name in names.collect::<std::collections::BTreeSet<_>>() {
        let told = |side: Side| side.settings.get(name).map_or("the default", String::as_str).to_owned();
        let (old, new) = (told(before), told(after));
        if old != new {
            add(CauseKind::ChangedSettings, format!("{name} {old} → {new}"));
        }
    }
}

/// The indexes that a plan takes.
fn taken(plan: &Shape) -> Vec<&str> {
    let mut taken = Vec::new();
    plan.walk(&mut |node| taken.extend(node.index()));
    taken
}

fn indexes(before: Side, after: Side, add: &mut impl FnMut(CauseKind, String)) {
    let old_taken = taken(&before.run.plan);
    let new_taken = taken(&after.run.plan);
    for (name, definition) in &before.facts.indexes {
        let bare = bare(name);
        if !old_taken.contains(&bare) {
            continue;
        }
        match after.facts.indexes.get(name) {
            None => add(CauseKind::MissingIndex, format!("{bare} is gone: {definition}")),
            Some(now) if now != definition => {
                add(CauseKind::ChangedIndex, format!("{definition} became {now}"));
            }
            Some(now) => {
                let covers = now.split_once(" WHERE ").map(|(_, predicate)| predicate);
                if let Some(covers) =
                    covers.filter(|_| !new_taken.contains(&bare) && before.text != after.text)
                {
                    let words =
                        format!("{bare} covers only rows with {covers}, which the query no longer asks for");
                    add(CauseKind::PartialIndex, words);
                }
            }
        }
    }
    let come = |name: &str| new_taken.contains(&bare(name)) && !old_taken.contains(&bare(name));
    for (name, definition) in after.facts.indexes.iter().filter(|(name, _)| come(name)) {
        if before.facts.indexes.contains_key(name) {
            continue;
        }
        // A baseline keeps those indexes alone that its plans took: this one may have been there.
        let is_there = if knows_all_indexes(before) { "is there now" } else { "is taken now" };
        add(CauseKind::NewIndex, format!("{} {is_there}: {definition}", bare(name)));
    }
}

/// Whether a side's facts are the whole database's; a baseline keeps those alone that its plans used.
fn knows_all_indexes(side: Side) -> bool {
    let taken = taken(&side.run.plan);
    side.facts.indexes.keys().any(|name| !taken.contains(&bare(name)))
}

fn bare(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, bare)| bare)
}

fn columns(before: Side, after: Side, add: &mut impl FnMut(CauseKind, String)) {
    let relations = relations(&before.run.plan);
    for (name, old) in &before.facts.columns {
        let is_used = name.rsplit_once('.').is_some_and(|(relation, column)| {
            relations.contains(&relation) && mentions(&before.run.plan, column)
        });
        let Some(new) = after.facts.columns.get(name).filter(|_| is_used) else { continue };
        if old.data_type != new.data_type {
            add(CauseKind::ChangedType, format!("{name} {} → {}", old.data_type, new.data_type));
        }
        if old.collation != new.collation {
            let told =
                |collation: &Option<String>| collation.clone().unwrap_or_else(|| "the default".to_owned());
            let words = format!("{name} {} → {}", told(&old.collation), told(&new.collation));
            add(CauseKind::ChangedCollation, words);
        }
        if old.statistics != new.statistics {
            let told =
                |target: Option<i32>| target.map_or("the default".to_owned(), |target| target.to_string());
            let words =
                format!("statistics target of {name} {} → {}", told(old.statistics), told(new.statistics));
            add(CauseKind::ChangedStatistics, words);
        }
    }
}

fn relations(plan: &Shape) -> Vec<&str> {
    let mut relations = Vec::new();
    plan.walk(&mut |node| relations.extend(node.relation()));
    relations
}

fn mentions(plan: &Shape, column: &str) -> bool {
    let mut found = false;
    plan.walk(&mut |node| {
        found |= node.conditions.iter().any(|(_, text)| identifiers(text).any(|word| word == column))
    });
    found
}

/// What conditions do to columns now and didn't before.
fn conditions(before: Side, after: Side, add: &mut impl FnMut(CauseKind, String)) {
    let is_new = |text: &str| {
        let mut known = false;
        before.run.plan.walk(&mut |node| known |= node.conditions.iter().any(|(_, old)| old == text));
        !known
    };
    let mut searched = Vec::new();
    before.run.plan.walk(&mut |node| {
        let keys = node.conditions.iter().filter(|(kind, _)| kind.ends_with("Cond"));
        searched.extend(keys.flat_map(|(_, text)| identifiers(text)));
    });
    let mut has_anti_join = false;
    before.run.plan.walk(&mut |node| has_anti_join |= node.verb().contains("Anti"));
    after.run.plan.walk(&mut |node| {
        for (kind, text) in &node.conditions {
            if !is_new(text) {
                continue;
            }
            if text.contains("(NOT (") && text.contains("SubPlan") {
                add(
                    CauseKind::NotIn,
                    format!("{kind} {text} runs a sub-plan for each row, or holds all of its rows"),
                );
                continue;
            }
            if let Some(collation) = text.split_once(" COLLATE ").map(|(_, rest)| rest)
                && !every_condition(&before.run.plan, |old| old.contains(" COLLATE "))
            {
                let name: String = collation.chars().take_while(|letter| !") ".contains(*letter)).collect();
                add(CauseKind::ChangedCollation, format!("{kind} {text} asks for collation {name}"));
            }
            for column in &searched {
                match wrapping(text, column) {
                    Some(Wrapping::Cast(to)) if !has_cast(&before.run.plan, column) => {
                        add(CauseKind::ChangedType, format!("{kind} {text} casts {column} to {to}"));
                    }
                    Some(Wrapping::Call(function)) => {
                        let words = format!(
                            "{kind} {text} calls {function} on {column}, by which an index was searched"
                        );
                        add(CauseKind::FunctionOnColumn, words);
                    }
                    _ => continue,
                }
                break;
            }
        }
    });
}

/// Whether any condition of a plan is such.
fn every_condition(plan: &Shape, is_such: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    plan.walk(&mut |node| found |= node.conditions.iter().any(|(_, text)| is_such(text)));
    found
}

fn has_cast(plan: &Shape, column: &str) -> bool {
    every_condition(plan, |text| matches!(wrapping(text, column), Some(Wrapping::Cast(_))))
}

enum Wrapping<'a> {
    Cast(&'a str),
    Call(&'a str),
}

/// What a condition does to a column before it compares it.
fn wrapping<'a>(text: &'a str, column: &str) -> Option<Wrapping<'a>> {
    let mut from = 0;
    while let Some(at) = text[from..].find(column).map(|at| at + from) {
        from = at + column.len();
        let before = text[..at].chars().next_back();
        let after = text[from..].chars().next();
        let in_name =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        if in_name(before) || in_name(after) {
            continue;
        }
        // A qualified column: its table's name is before it.
        let head =
            text[..at].trim_end_matches(|letter: char| letter.is_alphanumeric() || "_.\"".contains(letter));
        let mut outside = head;
        let mut tail = &text[from..];
        loop {
            let closed = tail.strip_prefix(')').unwrap_or(tail);
            if let Some(cast) = closed.strip_prefix("::") {
                let to = cast.split([')', ' ', ',', '[']).next().unwrap_or_default();
                // Comparing varchar as text changes nothing.
                if to != "text" || !head.ends_with('(') {
                    return Some(Wrapping::Cast(to));
                }
                tail = &cast[to.len()..];
            }
            let Some(inner) = outside.strip_suffix('(') else { break };
            let name_at =
                inner.trim_end_matches(|letter: char| letter.is_alphanumeric() || letter == '_').len();
            let function = &inner[name_at..];
            if !function.is_empty() && function != "ANY" && function != "ALL" {
                return Some(Wrapping::Call(function));
            }
            if inner.len() == outside.len() {
                break;
            }
            outside = inner;
            tail = tail.strip_prefix(')').unwrap_or(tail);
        }
    }
    None
}

/// A Limit that gets many more rows than it returns, and didn't.
fn offset(before: &Shape, after: &Shape) -> Option<String> {
    let thrown = |plan: &Shape| {
        let mut most = None;
        plan.walk(&mut |node| {
            let input = node.children.first().map_or(0, |child| child.rows);
            if node.verb() == "Limit" && input > node.rows {
                most = most.max(Some((input - node.rows, input, node.rows)));
            }
        });
        most
    };
    let (thrown_now, input, returned) = thrown(after)?;
    let thrown_before = thrown(before).map_or(0, |(thrown, ..)| thrown);
    (thrown_now >= OFFSET_FLOOR && thrown_now as f64 >= thrown_before as f64 * GROWTH)
        .then(|| format!("{} rows are read to return {}", count(input), count(returned)))
}

fn sizes(before: Side, after: Side, add: &mut impl FnMut(CauseKind, String)) {
    let relations = relations(&before.run.plan);
    let mut grown = Vec::new();
    for (name, old) in &before.facts.relations {
        let Some(new) = after.facts.relations.get(name).filter(|_| relations.contains(&name.as_str())) else {
            continue;
        };
        if new.rows as f64 >= old.rows as f64 * GROWTH && new.rows >= old.rows + 100 {
            grown.push(name.as_str());
            add(CauseKind::MoreRows, format!("{name} has {} → {} rows", count(old.rows), count(new.rows)));
        } else if new.pages as f64 >= old.pages as f64 * GROWTH && new.pages >= old.pages + 20 {
            grown.push(name.as_str());
            let words = format!(
                "{name} has {} → {} pages for {} rows",
                count(old.pages),
                count(new.pages),
                count(new.rows)
            );
            add(CauseKind::MorePages, words);
        }
    }
    if before.text != after.text {
        return;
    }
    // The same scan, of a table of the same size, by the same conditions, is expected to give other rows.
    let (old_scans, new_scans) = (expectations(&before.run.plan), expectations(&after.run.plan));
    for (target, relation, old) in &old_scans {
        let Some((_, _, new)) = new_scans.iter().find(|(other, ..)| other == target) else { continue };
        let ratio = (*new).max(1) as f64 / (*old).max(1) as f64;
        if !grown.contains(relation)
            && !(1.0 / MISESTIMATE..=MISESTIMATE).contains(&ratio)
            && old.abs_diff(*new) >= 10
        {
            let words = format!("{target} is expected to give {} → {} rows", count(*old), count(*new));
            add(CauseKind::ChangedStatistics, words);
        }
    }
}

/// Rows that each scan which runs once is expected to give.
fn expectations(plan: &Shape) -> Vec<(&str, &str, u64)> {
    let mut scans = Vec::new();
    plan.walk(&mut |node| {
        if let (Some(target), Some(relation)) = (node.target(), node.relation())
            && node.loops <= 1
            && node.verb().contains("Scan")
            // Each worker's share is expected, and the whole is read.
            && !node.label.starts_with("Parallel ")
        {
            scans.push((target, relation, node.expected));
        }
    });
    scans
}
