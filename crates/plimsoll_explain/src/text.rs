//! `EXPLAIN`'s text form: a node a line, its inputs below it behind `->`, its properties a line each.

mod label;
mod values;

use plimsoll_core::plan::{Jit, Plan, PlanNode, TriggerTime, Worker};

use crate::ReadError;
use crate::builder::MOST_LEVELS;
use crate::properties::{self, Property};

/// Reads the plans of EXPLAIN: several where a rule turned the statement into several, or where the outputs of several
/// statements follow each other. auto_explain's form, which begins with `Query Text`, is read too.
///
/// # Errors
/// When it isn't what EXPLAIN prints, holds no plan, or one that is deeper than [`MOST_LEVELS`].
pub fn from_text(text: &str) -> Result<Vec<Plan>, ReadError> {
    let lines: Vec<&str> = text.lines().collect();
    let mut reader = Reader::default();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim_end();
        let wrong = |message: String| {
            let column = line.chars().take_while(|one| one.is_whitespace()).count() + 1;
            ReadError { line: at + 1, column, message }
        };
        let next = lines.get(at + 1).map_or("", |line| line.trim_start());
        reader.line(line, next).map_err(wrong)?;
        at += 1;
    }
    reader.end_plan();
    if reader.plans.is_empty() {
        return Err(ReadError {
            line: lines.len().max(1),
            column: 1,
            message: "the text holds no plan".to_owned(),
        });
    }
    Ok(reader.plans)
}

#[derive(Default)]
struct Reader {
    plans: Vec<Plan>,
    plan: Option<Plan>,
    /// The path to the node that is read, with the column of each.
    path: Vec<(usize, PlanNode)>,
    /// The name of the sub-plan that comes next.
    subplan: Option<String>,
    context: Context,
    /// A property whose text goes on in the next line, since a string in it isn't closed.
    unfinished: Option<(String, String)>,
    query: Option<String>,
}

/// What the lines that follow are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Context {
    /// Nothing yet.
    #[default]
    Before,
    /// auto_explain's `Query Text`.
    Query,
    Node,
    /// A worker of the node, in this column.
    Worker(usize),
    /// Planning, in this column.
    Planning(usize),
    Jit(usize),
    Serialization(usize),
    /// What follows the last node.
    After,
}

impl Reader {
    fn line(&mut self, line: &str, next: &str) -> Result<(), String> {
        let content = line.trim_start();
        let column = line.len() - content.len();
        if self.unfinished.is_some() {
            self.go_on(line);
            return Ok(());
        }
        if content.is_empty() {
            if self.context != Context::Query && self.context != Context::Before {
                self.end_plan();
            }
            return Ok(());
        }
        if self.context == Context::Before || self.context == Context::Query {
            if self.query_text(content) {
                return Ok(());
            }
            return self.root(content, column, line);
        }
        if let Some(label) = content.strip_prefix("->") {
            return self.child(label.trim_start(), column);
        }
        if next.starts_with("->") && is_subplan(content) {
            self.close_to(column);
            self.subplan = Some(content.to_owned());
            return Ok(());
        }
        if self.whole(content, column) || self.part(content, column) {
            return Ok(());
        }
        if let Some((_, node)) = self.path.last_mut()
            && node.node_type == "ModifyTable"
            && let Some(target) = label::further_target(content)
        {
            match node.others.iter_mut().find(|(name, _)| name == "Target Tables") {
                Some((_, text)) => *text += &format!(", {target}"),
                None => node.others.push(("Target Tables".to_owned(), target)),
            }
            return Ok(());
        }
        if parted(content).is_some() {
            self.end_plan();
            return self.root(content, column, line);
        }
        Err("this line is neither a node of a plan nor a property of one".to_owned())
    }

    /// What auto_explain prints before the plan. True while it goes on.
    fn query_text(&mut self, content: &str) -> bool {
        if let Some(text) = content.strip_prefix("Query Text: ").filter(|_| self.context == Context::Before) {
            self.query = Some(text.to_owned());
            self.context = Context::Query;
            return true;
        }
        let Some(query) = self.query.as_mut().filter(|_| self.context == Context::Query) else {
            return false;
        };
        if parted(content).is_some_and(|(_, figures)| figures.contains("(cost=")) {
            return false;
        }
        if !content.starts_with("Query Parameters: ") {
            query.push('\n');
            query.push_str(content);
        }
        true
    }

    fn root(&mut self, content: &str, column: usize, line: &str) -> Result<(), String> {
        let label = content.strip_prefix("->").map_or(content, str::trim_start);
        let node = node(label)
            .ok_or_else(|| format!("expected what EXPLAIN prints, not {:?}", shortened(line.trim())))?;
        self.plan = Some(Plan { query: self.query.take(), ..Plan::default() });
        self.path.push((column, node));
        self.context = Context::Node;
        Ok(())
    }

    fn child(&mut self, label: &str, column: usize) -> Result<(), String> {
        let mut node = node(label).ok_or("expected a node of a plan behind the arrow")?;
        self.close_to(column);
        let Some((_, parent)) = self.path.last() else {
            return Err("this node is indented like none before it".to_owned());
        };
        if self.path.len() >= MOST_LEVELS {
            return Err(format!("the plan has more than {MOST_LEVELS} levels"));
        }
        node.subplan_name = self.subplan.take();
        node.parent_relationship = Some(relationship(parent, node.subplan_name.as_deref()).to_owned());
        self.path.push((column, node));
        self.context = Context::Node;
        Ok(())
    }

    /// Ends the nodes that what stands in this column can't be below.
    fn close_to(&mut self, column: usize) {
        while self.path.len() > 1 && self.path.last().is_some_and(|(depth, _)| *depth >= column) {
            self.close();
        }
    }

    fn close(&mut self) {
        let Some((_, node)) = self.path.pop() else { return };
        match (self.path.last_mut(), &mut self.plan) {
            (Some((_, parent)), _) => parent.children.push(node),
            (None, Some(plan)) => plan.root = node,
            (None, None) => {}
        }
    }

    fn end_plan(&mut self) {
        self.finish_property();
        while !self.path.is_empty() {
            self.close();
        }
        self.plans.extend(self.plan.take());
        self.subplan = None;
        self.context = Context::Before;
    }

    /// What is about the plan as a whole.
    fn whole(&mut self, content: &str, column: usize) -> bool {
        let Some(plan) = &mut self.plan else { return false };
        let ms = |value: &str| Property::Text(value.trim_end_matches(" ms").to_owned());
        let in_worker = matches!(self.context, Context::Worker(worker) if column > worker);
        if content == "Planning:" {
            self.context = Context::Planning(column);
            return true;
        }
        if content == "JIT:" {
            self.context = Context::Jit(column);
            if !in_worker {
                plan.jit = Some(Jit::default());
            }
            return true;
        }
        if let Some(rest) = content.strip_prefix("Trigger ")
            && let Some(trigger) = trigger(rest)
        {
            plan.triggers.push(trigger);
            self.context = Context::After;
            return true;
        }
        let Some((key, value)) = content.split_once(": ") else { return false };
        match key {
            "Planning Time" | "Execution Time" => properties::set_plan(plan, key, ms(value)),
            "Total runtime" => properties::set_plan(plan, "Execution Time", ms(value)),
            "Query Identifier" => properties::set_plan(plan, key, Property::Text(value.to_owned())),
            "Settings" => plan.settings = values::settings(value),
            "Serialization" => {
                let told: Vec<String> = value.split("  ").filter_map(serialized).collect();
                plan.others.push((key.to_owned(), told.join(", ")));
                self.context = Context::Serialization(column);
                return true;
            }
            _ => return false,
        }
        self.context = Context::After;
        true
    }

    /// What is about the node, the worker or the group that is read.
    fn part(&mut self, content: &str, column: usize) -> bool {
        if let Some((number, rest)) = worker_number(content) {
            let Some((_, node)) = self.path.last_mut() else { return false };
            self.context = Context::Worker(column);
            if node.workers.last().is_none_or(|worker| worker.number != number) {
                node.workers.push(Worker { number, ..Worker::default() });
            }
            let Some(worker) = node.workers.last_mut() else { return false };
            if rest.starts_with("actual ") {
                values::run(rest, &mut |key, value| properties::set_worker(worker, key, value));
            } else if let Some((key, value)) = rest.split_once(": ") {
                values::property(&node.node_type, key, value, &mut |key, value| {
                    properties::set_worker(worker, key, value);
                });
            }
            return true;
        }
        let Some((key, value)) = content.split_once(": ").or_else(|| Some((content.strip_suffix(':')?, "")))
        else {
            return false;
        };
        match self.context {
            Context::Planning(group) if column > group => self.planning(key, value),
            Context::Serialization(group) if column > group => {}
            Context::Jit(group) if column > group => self.compilation(key, value),
            Context::Worker(group) if column > group => {
                let Some((_, node)) = self.path.last_mut() else { return false };
                if let Some(worker) = node.workers.last_mut() {
                    values::property(&node.node_type, key, value, &mut |key, value| {
                        properties::set_worker(worker, key, value);
                    });
                }
            }
            Context::Node | Context::Worker(_) if label::further_target(content).is_none() => {
                self.unfinished = Some((key.to_owned(), value.to_owned()));
                self.finish_if_whole();
            }
            _ => return false,
        }
        true
    }

    fn planning(&mut self, key: &str, value: &str) {
        if let Some(plan) = &mut self.plan {
            values::property("", key, value, &mut |key, value| properties::set_planning(plan, key, value));
        }
    }

    fn compilation(&mut self, key: &str, value: &str) {
        let Some(jit) = self.plan.as_mut().and_then(|plan| plan.jit.as_mut()) else { return };
        if key == "Functions" {
            properties::set_jit(jit, key, &Property::Text(value.to_owned()));
        }
        if key != "Timing" {
            return;
        }
        // 17 parts the time of generation: `Generation 0.5 ms (Deform 0.1 ms), Inlining …`.
        for part in value.split(", ") {
            let part = part.split(" (").next().unwrap_or_default();
            if let Some((name, time)) = part.trim_end_matches(" ms").split_once(' ') {
                properties::set_jit(jit, name, &Property::Text(time.to_owned()));
            }
        }
    }

    fn go_on(&mut self, line: &str) {
        if let Some((_, text)) = &mut self.unfinished {
            text.push('\n');
            text.push_str(line);
        }
        self.finish_if_whole();
    }

    fn finish_if_whole(&mut self) {
        let whole = self.unfinished.as_ref().is_none_or(|(_, text)| text.matches('\'').count() % 2 == 0);
        if whole {
            self.finish_property();
        }
    }

    fn finish_property(&mut self) {
        let Some((key, value)) = self.unfinished.take() else { return };
        if let Some((_, node)) = self.path.last_mut() {
            let node_type = node.node_type.clone();
            values::property(&node_type, &key, &value, &mut |key, value| properties::set(node, key, value));
        }
    }
}

/// A node's line.
fn node(content: &str) -> Option<PlanNode> {
    let (label, figures) = parted(content)?;
    let mut node = label::read(label)?;
    values::figures(figures, &mut |key, value| properties::set(&mut node, key, value)).then_some(node)
}

/// A node's line as its label and its figures. None where it can't be one.
fn parted(content: &str) -> Option<(&str, &str)> {
    let marks = [" (cost=", " (actual ", " (never executed)"];
    let at = marks.iter().filter_map(|mark| content.find(mark)).min().unwrap_or(content.len());
    let (label, figures) = content.split_at(at);
    label::read(label).map(|_| (label, figures))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(59).chain(['…']).collect() }
}

fn is_subplan(content: &str) -> bool {
    ["InitPlan ", "SubPlan ", "CTE "].iter().any(|word| content.starts_with(word))
}

fn relationship(parent: &PlanNode, subplan: Option<&str>) -> &'static str {
    match subplan {
        Some(name) if name.starts_with("SubPlan") => return "SubPlan",
        Some(_) => return "InitPlan",
        None => {}
    }
    match parent.node_type.as_str() {
        "Append" | "Merge Append" | "BitmapAnd" | "BitmapOr" => "Member",
        "Subquery Scan" => "Subquery",
        _ if parent.children.iter().all(|child| child.subplan_name.is_some()) => "Outer",
        _ => "Inner",
    }
}

/// `Worker 0:  actual …`.
fn worker_number(content: &str) -> Option<(u32, &str)> {
    let (number, rest) = content.strip_prefix("Worker ")?.split_once(':')?;
    Some((number.parse().ok()?, rest.trim_start()))
}

/// `for constraint a_fkey on a: time=0.1 calls=2`, `b on a: calls=2`, `b for constraint c on a: …`.
fn trigger(rest: &str) -> Option<TriggerTime> {
    let (head, figures) = rest.rsplit_once(": ")?;
    let mut trigger = TriggerTime::default();
    for part in figures.split(' ') {
        match part.split_once('=')? {
            ("time", time) => properties::set_trigger(&mut trigger, "Time", Property::Text(time.to_owned())),
            ("calls", calls) => {
                properties::set_trigger(&mut trigger, "Calls", Property::Text(calls.to_owned()))
            }
            _ => return None,
        }
    }
    let (head, relation) = match head.rsplit_once(" on ") {
        Some((head, relation)) => (head, Some(relation.to_owned())),
        None => (head, None),
    };
    trigger.relation = relation;
    match head.split_once("for constraint ") {
        Some((name, constraint)) => {
            name.trim().clone_into(&mut trigger.name);
            trigger.constraint = Some(constraint.to_owned());
        }
        None => head.clone_into(&mut trigger.name),
    }
    Some(trigger)
}

/// `time=0.01 ms`, `output=1kB`, `format=text`, as the other formats tell them.
fn serialized(part: &str) -> Option<String> {
    let (name, value) = part.split_once('=')?;
    Some(match name {
        "time" => format!("Time: {}", value.trim_end_matches(" ms")),
        "output" => format!("Output Volume: {}", value.trim_end_matches("kB")),
        _ => format!("Format: {value}"),
    })
}
