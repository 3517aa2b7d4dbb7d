//! Plans that somebody has read, with each node's own figures and advice: for a terminal, as JSON, as Markdown, as a page.
//!
//! Deliberately absent: reading plans and judging them, which `plimsoll_explain` does.

mod json;
mod terminal;

use std::collections::HashSet;

use plimsoll_core::plan::{Plan, PlanNode};
use plimsoll_core::units::{bytes, count, duration_ms};
use plimsoll_explain::Figures;
use plimsoll_explain::advice::{self, Advice};

use crate::Colour;

/// The version of the JSON form. It changes when a field goes or gets another meaning.
pub const PLANS_FORMAT_VERSION: u32 = 1;

/// Bytes of a block.
const BLOCK: u64 = 8192;

/// A plan and what it is called.
#[derive(Clone, Debug)]
pub struct ShownPlan {
    /// Where it comes from, such as a file's name.
    pub title: String,
    /// The plan.
    pub plan: Plan,
}

/// How plans stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Each is told for itself.
    Apart,
    /// The first and the second are two plans of one query, and what differs is marked.
    Compared,
}

/// A form of plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFormat {
    /// For people, in a terminal.
    Terminal,
    /// For programs.
    Json,
    /// A page.
    Html,
    /// For a comment.
    Markdown,
}

/// Writes plans in a form. `width` is the terminal's, in columns.
#[must_use]
pub fn render_plans(
    format: PlanFormat,
    plans: &[ShownPlan],
    together: Together,
    colour: Colour,
    width: usize,
) -> String {
    let seen: Vec<Seen<'_>> = plans.iter().map(Seen::of).collect();
    let mut seen = seen;
    if together == Together::Compared
        && let [one, other, ..] = &mut seen[..]
    {
        let (first, second) = (signatures(&one.plan.root), signatures(&other.plan.root));
        one.mark(&second);
        other.mark(&first);
    }
    match format {
        PlanFormat::Terminal => terminal::render(&seen, colour, width),
        PlanFormat::Json => json::render(&seen),
        PlanFormat::Html => crate::html::plan_page(&seen, together),
        PlanFormat::Markdown => markdown(&seen),
    }
}

/// A plan with all that is told of it.
pub(crate) struct Seen<'a> {
    pub(crate) title: &'a str,
    pub(crate) plan: &'a Plan,
    pub(crate) figures: Figures<'a>,
    pub(crate) advice: Vec<Advice>,
    /// Nodes that the other plan doesn't have, by their places.
    pub(crate) differing: HashSet<usize>,
}

impl<'a> Seen<'a> {
    fn of(shown: &'a ShownPlan) -> Self {
        let figures = Figures::of(&shown.plan.root);
        let advice = advice::of(&shown.plan, &figures);
        Self { title: &shown.title, plan: &shown.plan, figures, advice, differing: HashSet::new() }
    }

    fn mark(&mut self, other: &HashSet<Signature>) {
        self.differing = differing(&self.figures, other);
    }
}

/// What makes two nodes the same work: what they do and on which conditions.
pub(crate) type Signature = (String, Vec<String>);

fn signature(node: &PlanNode) -> Signature {
    (node.label(), node.conditions.iter().map(|one| format!("{}: {}", one.kind, one.text)).collect())
}

pub(crate) fn signatures(root: &PlanNode) -> HashSet<Signature> {
    let mut signatures = HashSet::new();
    root.walk(&mut |node| {
        signatures.insert(signature(node));
    });
    signatures
}

pub(crate) fn differing(figures: &Figures<'_>, other: &HashSet<Signature>) -> HashSet<usize> {
    let nodes = figures.nodes.iter().enumerate();
    nodes.filter(|(_, one)| !other.contains(&signature(one.node))).map(|(place, _)| place).collect()
}

/// Rows as they are told: whole from ten on.
pub(crate) fn rows(number: f64) -> String {
    if number >= 10.0 || number.fract() == 0.0 {
        count(number.round() as u64)
    } else {
        format!("{number:.1}")
    }
}

/// Rows expected and seen, per loop.
pub(crate) fn rows_told(node: &PlanNode) -> String {
    let expected = node.plan_rows.map_or_else(|| "?".to_owned(), rows);
    match node.actual {
        Some(actual) if actual.loops == 0 => format!("{expected} → never run"),
        Some(actual) => format!("{expected} → {}", rows(actual.rows)),
        None => expected,
    }
}

/// Blocks as bytes.
pub(crate) fn blocks(number: u64) -> String {
    if number == 0 { "–".to_owned() } else { bytes(number * BLOCK) }
}

/// What is told of the whole, a phrase each.
pub(crate) fn totals(plan: &Plan) -> Vec<String> {
    let mut totals = Vec::new();
    if let Some(ms) = plan.execution_ms {
        totals.push(format!("execution {}", duration_ms(ms)));
    }
    if let Some(ms) = plan.planning_ms {
        totals.push(format!("planning {}", duration_ms(ms)));
    }
    let buffers = &plan.root.buffers;
    if buffers.shared() > 0 {
        let found = buffers.shared_hit as f64 / buffers.shared() as f64 * 100.0;
        totals.push(format!("buffers {}, {found:.0} % found in memory", blocks(buffers.shared())));
    }
    if buffers.temp() > 0 {
        totals.push(format!("temporary files {}", blocks(buffers.temp())));
    }
    if plan.root.wal.bytes > 0 {
        totals.push(format!("WAL {}", bytes(plan.root.wal.bytes)));
    }
    if let Some(jit) = &plan.jit {
        totals.push(format!("JIT {}", duration_ms(jit.total_ms)));
    }
    for trigger in &plan.triggers {
        let name = trigger.constraint.as_ref().unwrap_or(&trigger.name);
        let time = trigger.time_ms.map(|ms| format!(" {},", duration_ms(ms))).unwrap_or_default();
        totals.push(format!("trigger {name}{time} {} calls", count(trigger.calls)));
    }
    if totals.is_empty()
        && let Some(cost) = plan.root.total_cost
    {
        totals.push(format!("cost {cost:.2}, not run"));
    }
    if !plan.settings.is_empty() {
        let settings: Vec<String> =
            plan.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        totals.push(format!("settings {}", settings.join(", ")));
    }
    totals
}

/// What a node shows beside its figures, a line each.
pub(crate) fn details(node: &PlanNode) -> Vec<String> {
    let mut details: Vec<String> = node.subplan_name.iter().cloned().collect();
    details.extend(node.details());
    if let Some(sort) = &node.sort {
        let place = if sort.on_disk { "on disk" } else { "in memory" };
        details.push(format!("Sort: {}, {} {place}", sort.method, bytes(sort.kilobytes * 1024)));
    }
    if let Some(hash) = node.hash.filter(|hash| hash.batches > 1 || hash.disk_kilobytes > 0) {
        details.push(format!(
            "Hash: {} batches, {} in memory",
            hash.batches,
            bytes(hash.peak_kilobytes * 1024)
        ));
    }
    if let Some(cache) = node.cache {
        details.push(format!(
            "Cache: {} hits, {} misses, {} evictions",
            cache.hits, cache.misses, cache.evictions
        ));
    }
    if let Some(lossy) = node.lossy_heap_blocks.filter(|lossy| *lossy > 0) {
        details.push(format!("Lossy blocks: {}", count(lossy)));
    }
    if let Some(planned) = node.workers_planned {
        let launched = node.workers_launched.map(|one| format!(", {one} launched")).unwrap_or_default();
        details.push(format!("Workers: {planned} planned{launched}"));
    }
    if node.disabled {
        details.push("Disabled by a setting".to_owned());
    }
    details
}

fn markdown(plans: &[Seen<'_>]) -> String {
    let text = terminal::render(plans, Colour::Never, 110);
    // A fence longer than any within it.
    let longest = text.split(|one| one != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::HOSTILE;

    fn shown(text: &str) -> Vec<ShownPlan> {
        let plans = plimsoll_explain::read(text).expect("a plan").into_iter();
        plans.map(|plan| ShownPlan { title: "plan.txt".to_owned(), plan }).collect()
    }

    fn rendered(format: PlanFormat, plans: &[ShownPlan], width: usize) -> String {
        render_plans(format, plans, Together::Apart, Colour::Never, width)
    }

    fn deep(levels: usize) -> String {
        let mut text = "[{\"Plan\": ".to_owned();
        text.push_str(
            &"{\"Node Type\": \"Limit\", \"Actual Total Time\": 1.0, \"Actual Loops\": 1, \"Plans\": ["
                .repeat(levels - 1),
        );
        text.push_str("{\"Node Type\": \"Result\"}");
        text.push_str(&"]}".repeat(levels - 1));
        text + "}]"
    }

    #[test]
    fn a_plan_of_a_thousand_levels_is_told_in_every_form() {
        let text = deep(plimsoll_explain::MOST_LEVELS);
        let plans: Vec<ShownPlan> = [shown(&text), shown(&text)].into_iter().flatten().collect();
        for format in [PlanFormat::Terminal, PlanFormat::Json, PlanFormat::Html, PlanFormat::Markdown] {
            let text = render_plans(format, &plans, Together::Compared, Colour::Never, 80);
            assert!(text.matches("Limit").count() >= 2 * (plimsoll_explain::MOST_LEVELS - 1), "{format:?}");
        }
    }

    #[test]
    fn hostile_text_breaks_out_of_no_form() {
        let mut plans = shown(
            "Seq Scan on a  (actual time=0.1..50.0 rows=1 loops=1)\n  Filter: (lower(a) = 'b')\n  Rows Removed by Filter: 90000\n",
        );
        let hostile = HOSTILE.to_owned();
        let plan = &mut plans[0].plan;
        plan.query = Some(hostile.clone());
        plan.settings.push((hostile.clone(), hostile.clone()));
        plan.root.relation = Some(hostile.clone());
        plan.root.alias = Some(hostile.clone());
        plan.root.conditions[0].text = format!("(lower({hostile}) = 'b')");
        plan.root.subplan_name = Some(hostile.clone());
        plans[0].title = hostile;
        let page = rendered(PlanFormat::Html, &plans, 80);
        assert_eq!(page.matches("<script").count(), 1, "our own");
        assert_eq!((page.matches("<section").count(), page.matches("<style").count()), (1, 1));
        assert!(!page.contains("href=\"javascript:"));
        let terminal = rendered(PlanFormat::Terminal, &plans, 80);
        assert!(!terminal.contains(['\x1b', '\r', '\u{202e}']));
        assert!(serde_json::from_str::<serde_json::Value>(&rendered(PlanFormat::Json, &plans, 80)).is_ok());
    }

    #[test]
    fn lines_fit_the_terminal() {
        let text = "Nested Loop  (cost=0.00..9.00 rows=1 width=4) (actual time=0.1..9.0 rows=1 loops=1)\n  ->  Index Only Scan using a_rather_long_index on a_table  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..8.0 rows=30000 loops=1)\n        Index Cond: ((a = 1) AND (b = 2) AND (c = 3) AND (d = 4) AND (e = 5) AND (f = 6))\n        Heap Fetches: 30000\n";
        for width in [60, 80, 100, 140] {
            let told = rendered(PlanFormat::Terminal, &shown(text), width);
            for line in told.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
