//! Objects, lists and values, in the order in which a structured format has them, to plans.
//!
//! It keeps its own stack, so that a deep plan costs no stack of the program.

use plimsoll_core::plan::{Condition, Jit, Plan, PlanNode, TriggerTime, Worker};

use crate::properties::{self, Property};

/// The deepest plan that is read, in levels. What walks over a plan may call itself once a level.
pub const MOST_LEVELS: usize = 1_000;

/// How deep a value may nest that no reader knows.
const MOST_NESTING: usize = 32;

/// What is wrong; the reader knows where.
pub(crate) type Wrong = String;

/// Plans in the making.
#[derive(Default)]
pub(crate) struct Builder {
    open: Vec<Frame>,
    plans: Vec<Plan>,
    levels: usize,
}

enum Frame {
    Plans,
    Plan(Box<Plan>, Root),
    Node(Box<PlanNode>),
    Nodes,
    Workers,
    Worker(Worker),
    Triggers,
    Trigger(TriggerTime),
    Jit(Jit),
    /// Times of just-in-time compilation, with the group that they part.
    Times(Option<String>),
    Settings,
    Planning,
    GroupingSets,
    GroupingSet,
    /// What isn't known by name.
    Other(Option<String>, Vec<Property>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Awaited,
    Read,
}

impl Builder {
    /// Begins an object or a list. What stands in a list has no key.
    pub(crate) fn open(&mut self, key: Option<&str>) -> Result<(), Wrong> {
        let name = key.unwrap_or_default();
        let frame = match self.open.last() {
            None => return Err("expected what EXPLAIN prints".to_owned()),
            Some(Frame::Plans) => Frame::Plan(Box::default(), Root::Awaited),
            Some(Frame::Plan(..)) => match name {
                "Plan" => self.node()?,
                "Triggers" => Frame::Triggers,
                "JIT" => Frame::Jit(Jit::default()),
                "Settings" => Frame::Settings,
                "Planning" => Frame::Planning,
                _ => self.other(key)?,
            },
            Some(Frame::Node(_)) => match name {
                "Plans" => Frame::Nodes,
                "Workers" => Frame::Workers,
                "Grouping Sets" => Frame::GroupingSets,
                _ => self.other(key)?,
            },
            Some(Frame::Nodes) => self.node()?,
            Some(Frame::Workers) => Frame::Worker(Worker::default()),
            Some(Frame::Triggers) => Frame::Trigger(TriggerTime::default()),
            Some(Frame::GroupingSets) => Frame::GroupingSet,
            Some(Frame::Jit(_)) if name == "Timing" => Frame::Times(None),
            Some(Frame::Times(None)) => Frame::Times(Some(name.to_owned())),
            Some(_) => self.other(key)?,
        };
        self.open.push(frame);
        Ok(())
    }

    /// Begins the list of plans.
    pub(crate) fn open_plans(&mut self) {
        self.open.push(Frame::Plans);
    }

    /// Begins a plan that no list is around, as auto_explain prints it.
    pub(crate) fn open_plan(&mut self) {
        self.open.push(Frame::Plan(Box::default(), Root::Awaited));
    }

    fn node(&mut self) -> Result<Frame, Wrong> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            return Err(format!("the plan has more than {MOST_LEVELS} levels"));
        }
        Ok(Frame::Node(Box::default()))
    }

    fn other(&self, key: Option<&str>) -> Result<Frame, Wrong> {
        let others = self.open.iter().rev().take_while(|frame| matches!(frame, Frame::Other(..))).count();
        if others >= MOST_NESTING {
            return Err("a property is nested too deeply".to_owned());
        }
        Ok(Frame::Other(key.map(str::to_owned), Vec::new()))
    }

    /// A property, or with no key an item of a list.
    pub(crate) fn value(&mut self, key: Option<&str>, value: Property) -> Result<(), Wrong> {
        let name = key.unwrap_or_default();
        match self.open.last_mut() {
            None | Some(Frame::Plans) => return Err("expected what EXPLAIN prints".to_owned()),
            Some(Frame::Plan(plan, _)) => match name {
                "Plan" => return Err("the Plan is no object".to_owned()),
                "Triggers" | "JIT" | "Settings" | "Planning" => {}
                _ => properties::set_plan(plan, name, value),
            },
            Some(Frame::Node(node)) => match name {
                "Plans" | "Workers" | "Grouping Sets" => {}
                _ => properties::set(node, name, value),
            },
            Some(Frame::Nodes) => return Err("a node of the plan is no object".to_owned()),
            Some(Frame::Worker(worker)) => properties::set_worker(worker, name, value),
            Some(Frame::Trigger(trigger)) => properties::set_trigger(trigger, name, value),
            Some(Frame::Jit(jit)) => properties::set_jit(jit, name, &value),
            Some(Frame::Times(group)) => {
                let name = group.as_ref().map_or_else(|| name.to_owned(), |group| format!("{group} {name}"));
                self.with_jit(|jit| properties::set_jit(jit, &name, &value));
            }
            Some(Frame::Settings) => {
                self.with_plan(|plan| plan.settings.push((name.to_owned(), value.text())))
            }
            Some(Frame::Planning) => self.with_plan(|plan| properties::set_planning(plan, name, value)),
            Some(Frame::GroupingSet) => self.grouping(name, value),
            Some(Frame::Workers | Frame::Triggers | Frame::GroupingSets) => {}
            Some(Frame::Other(_, parts)) => parts.push(match key {
                Some(key) => Property::Text(format!("{key}: {}", value.text())),
                None => value,
            }),
        }
        Ok(())
    }

    /// Ends what was opened last.
    pub(crate) fn close(&mut self) -> Result<(), Wrong> {
        match self.open.pop() {
            Some(Frame::Plan(plan, Root::Read)) => self.plans.push(*plan),
            Some(Frame::Plan(_, Root::Awaited)) => return Err("the object holds no Plan".to_owned()),
            Some(Frame::Node(node)) => {
                self.levels -= 1;
                if node.node_type.is_empty() {
                    return Err("a node of the plan has no Node Type".to_owned());
                }
                match self.open.last_mut() {
                    Some(Frame::Plan(plan, root)) => {
                        plan.root = *node;
                        *root = Root::Read;
                    }
                    _ => self.with_node(|parent| parent.children.push(*node)),
                }
            }
            Some(Frame::Worker(worker)) => self.with_node(|node| node.workers.push(worker)),
            Some(Frame::Trigger(trigger)) => self.with_plan(|plan| plan.triggers.push(trigger)),
            Some(Frame::Jit(jit)) => self.with_plan(|plan| plan.jit = Some(jit)),
            Some(Frame::Other(key, parts)) => return self.value(key.as_deref(), Property::List(parts)),
            _ => {}
        }
        Ok(())
    }

    /// The plans, once everything is closed.
    pub(crate) fn finish(self) -> Result<Vec<Plan>, Wrong> {
        if self.plans.is_empty() { Err("the list holds no plan".to_owned()) } else { Ok(self.plans) }
    }

    fn with_plan(&mut self, change: impl FnOnce(&mut Plan)) {
        if let Some(plan) = self.open.iter_mut().rev().find_map(Frame::plan) {
            change(plan);
        }
    }

    fn with_node(&mut self, change: impl FnOnce(&mut PlanNode)) {
        if let Some(node) = self.open.iter_mut().rev().find_map(Frame::node) {
            change(node);
        }
    }

    fn with_jit(&mut self, change: impl FnOnce(&mut Jit)) {
        if let Some(Frame::Jit(jit)) = self.open.iter_mut().rev().find(|frame| matches!(frame, Frame::Jit(_)))
        {
            change(jit);
        }
    }

    /// Sets of keys that a grouping works through, a condition each, as EXPLAIN's text form has a line each.
    fn grouping(&mut self, name: &str, value: Property) {
        let kind = name.strip_suffix('s').unwrap_or(name).to_owned();
        let texts: Vec<String> = match value {
            Property::List(sets) if name.ends_with('s') => sets.into_iter().map(Property::text).collect(),
            other => vec![other.text()],
        };
        self.with_node(|node| {
            for text in texts {
                let text = if text.is_empty() { "()".to_owned() } else { text };
                node.conditions.push(Condition { kind: kind.clone(), text });
            }
        });
    }
}

impl Frame {
    fn plan(&mut self) -> Option<&mut Plan> {
        match self {
            Self::Plan(plan, _) => Some(plan),
            _ => None,
        }
    }

    fn node(&mut self) -> Option<&mut PlanNode> {
        match self {
            Self::Node(node) => Some(node),
            _ => None,
        }
    }
}
