//! Each node's own share of a run: its time and buffers without those of the nodes below it.
//!
//! EXPLAIN's figures include what is below a node. An InitPlan and a CTE hang on the node that owns them, but run where they are
//! asked for: their time is within that node's, and is taken off there. Below a Gather, times are those of one process.

use plimsoll_core::plan::PlanNode;

/// A node with what is its own.
#[derive(Clone, Debug)]
pub struct Figure<'a> {
    /// The node.
    pub node: &'a PlanNode,
    /// The place of its parent in the list.
    pub parent: Option<usize>,
    /// How many nodes it is below; 0 for the root.
    pub depth: usize,
    /// Its place among its parent's children.
    pub place: usize,
    /// Milliseconds by it and what is below it, over all loops; below a Gather as a clock on the wall has it.
    pub total_ms: Option<f64>,
    /// Milliseconds by it alone.
    pub own_ms: Option<f64>,
    /// Shared blocks that it alone found in shared buffers.
    pub own_hit: u64,
    /// Shared blocks that it alone read.
    pub own_read: u64,
    /// Blocks of temporary files that it alone read or wrote.
    pub own_temp: u64,
    /// The planner's cost of it alone.
    pub own_cost: f64,
    /// Its part of the plan: of time where that is known, else of buffers, else of cost; from 0 to 1.
    pub share: f64,
    /// Processes that it ran in.
    processes: f64,
}

impl Figure<'_> {
    /// Shared blocks that it alone touched.
    #[must_use]
    pub fn own_shared(&self) -> u64 {
        self.own_hit + self.own_read
    }
}

/// What the nodes' shares are parts of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Milliseconds.
    Time,
    /// Shared and temporary blocks.
    Buffers,
    /// The planner's cost.
    Cost,
}

/// The nodes of a plan, parents first.
#[derive(Clone, Debug)]
pub struct Figures<'a> {
    /// The nodes.
    pub nodes: Vec<Figure<'a>>,
    /// What [`Figure::share`] is a part of.
    pub measure: Measure,
}

impl<'a> Figures<'a> {
    /// Works out the figures of a plan.
    #[must_use]
    pub fn of(root: &'a PlanNode) -> Self {
        let mut figures = Self { nodes: flattened(root), measure: Measure::Cost };
        let owners = figures.owners();
        figures.subtract(&owners);
        figures.measure = figures.measured();
        figures.part();
        figures
    }

    /// The way to a node: places among children, from the root.
    #[must_use]
    pub fn path(&self, mut node: usize) -> Vec<usize> {
        let mut path = Vec::new();
        while let Some(parent) = self.nodes[node].parent {
            path.push(self.nodes[node].place);
            node = parent;
        }
        path.reverse();
        path
    }

    /// The places of a node's ancestors, its parent first.
    pub fn ancestors(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.nodes[node].parent, |node| self.nodes[*node].parent)
    }

    /// The places of a node and of what is below it.
    #[must_use]
    pub fn below(&self, node: usize) -> std::ops::Range<usize> {
        let depth = self.nodes[node].depth;
        let further = self.nodes[node + 1..].iter().take_while(|one| one.depth > depth).count();
        node..node + 1 + further
    }

    /// The part of the plan that a node and what is below it make, from 0 to 1.
    #[must_use]
    pub fn share_below(&self, node: usize) -> f64 {
        self.nodes[self.below(node)].iter().map(|one| one.share).sum::<f64>().min(1.0)
    }

    /// For each node, from which nodes' figures its own are to be taken off.
    fn owners(&self) -> Vec<Vec<usize>> {
        let mut owners: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (index, figure) in self.nodes.iter().enumerate() {
            let Some(parent) = figure.parent else { continue };
            let name = figure.node.subplan_name.as_deref().unwrap_or_default();
            let askers = if let Some(cte) = name.strip_prefix("CTE ") {
                self.scans_of(cte, parent)
            } else if name.starts_with("InitPlan") {
                self.askers_for(name, index, parent)
            } else {
                vec![parent]
            };
            owners[index] = if askers.is_empty() { vec![parent] } else { askers };
        }
        owners
    }

    fn scans_of(&self, cte: &str, owner: usize) -> Vec<usize> {
        let is_scan = |place: &usize| {
            let node = self.nodes[*place].node;
            node.node_type == "CTE Scan" && node.source.as_deref() == Some(cte)
        };
        self.below(owner).filter(is_scan).collect()
    }

    /// The first node that names an InitPlan's result: `$0` up to 16, `(InitPlan 1).col1` from 17.
    fn askers_for(&self, name: &str, plan: usize, owner: usize) -> Vec<usize> {
        let (short, returns) = name.split_once(" (returns ").unwrap_or((name, ""));
        let parameters: Vec<&str> =
            returns.trim_end_matches(')').split(',').filter(|one| !one.is_empty()).collect();
        let own = self.below(plan);
        let asks = |place: &usize| {
            let node = self.nodes[*place].node;
            let mut texts = node.conditions.iter().map(|one| &one.text).chain(&node.output);
            !own.contains(place)
                && texts.any(|text| {
                    text.contains(&format!("({short})"))
                        || parameters.iter().any(|one| names_parameter(text, one))
                })
        };
        // Ancestors pass on what a node below them has worked out.
        self.below(owner).rev().find(asks).into_iter().collect()
    }

    fn subtract(&mut self, owners: &[Vec<usize>]) {
        for (index, owners) in owners.iter().enumerate() {
            let Figure { total_ms, node, .. } = self.nodes[index];
            let mut rest = (total_ms.unwrap_or_default(), node.buffers.shared_hit, node.buffers.shared_read);
            let mut temp = node.buffers.temp();
            if let Some(parent) = self.nodes[index].parent {
                self.nodes[parent].own_cost -= node.total_cost.unwrap_or_default();
            }
            for owner in owners {
                let owner = &mut self.nodes[*owner];
                if let Some(own) = &mut owner.own_ms {
                    let taken = own.min(rest.0);
                    *own -= taken;
                    rest.0 -= taken;
                }
                take(&mut owner.own_hit, &mut rest.1);
                take(&mut owner.own_read, &mut rest.2);
                take(&mut owner.own_temp, &mut temp);
            }
        }
        for figure in &mut self.nodes {
            figure.own_cost = figure.own_cost.max(0.0);
        }
    }

    fn measured(&self) -> Measure {
        let root = &self.nodes[0];
        if root.total_ms.is_some_and(|ms| ms > 0.0) {
            Measure::Time
        } else if root.node.actual.is_some() && root.node.buffers.shared() + root.node.buffers.temp() > 0 {
            Measure::Buffers
        } else {
            Measure::Cost
        }
    }

    fn part(&mut self) {
        let measure = self.measure;
        let value = |one: &Figure<'_>| match measure {
            Measure::Time => one.own_ms.unwrap_or_default(),
            Measure::Buffers => (one.own_shared() + one.own_temp) as f64,
            Measure::Cost => one.own_cost,
        };
        let all: f64 = self.nodes.iter().map(value).sum();
        for figure in &mut self.nodes {
            figure.share = if all > 0.0 { value(figure) / all } else { 0.0 };
        }
    }
}

fn take(own: &mut u64, rest: &mut u64) {
    let taken = (*own).min(*rest);
    *own -= taken;
    *rest -= taken;
}

/// Whether a text names a parameter such as `$1`, and not `$10`.
fn names_parameter(text: &str, parameter: &str) -> bool {
    text.match_indices(parameter)
        .any(|(at, found)| !text[at + found.len()..].starts_with(|next: char| next.is_ascii_digit()))
}

fn flattened(root: &PlanNode) -> Vec<Figure<'_>> {
    let mut nodes: Vec<Figure<'_>> = Vec::new();
    let mut next: Vec<(&PlanNode, Option<usize>, usize)> = vec![(root, None, 0)];
    while let Some((node, parent, place)) = next.pop() {
        let above = parent.map(|parent| &nodes[parent]);
        let (depth, mut processes) = above.map_or((0, 1.0), |above| (above.depth + 1, above.processes));
        if let Some(above) = above
            && above.node.workers_launched.is_some_and(|workers| workers > 0)
            && node.subplan_name.is_none()
        {
            let loops = node.loops() as f64 / above.node.loops().max(1) as f64;
            processes *= loops.max(1.0);
        }
        let total_ms = node.total_ms().map(|ms| ms / processes);
        let buffers = &node.buffers;
        nodes.push(Figure {
            node,
            parent,
            depth,
            place,
            total_ms,
            own_ms: total_ms,
            own_hit: buffers.shared_hit,
            own_read: buffers.shared_read,
            own_temp: buffers.temp(),
            own_cost: node.total_cost.unwrap_or_default(),
            share: 0.0,
            processes,
        });
        let index = nodes.len() - 1;
        next.extend(node.children.iter().enumerate().rev().map(|(place, child)| (child, Some(index), place)));
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str) -> Vec<(String, f64, u64)> {
        let plan = crate::read(text).unwrap().remove(0);
        let figures = Figures::of(&plan.root);
        let rounded = |ms: f64| (ms * 1000.0).round() / 1000.0;
        figures
            .nodes
            .iter()
            .map(|one| (one.node.label(), rounded(one.own_ms.unwrap()), one.own_shared()))
            .collect()
    }

    #[test]
    fn a_cte_is_counted_where_it_is_asked_for() {
        let text = "\
Nested Loop  (actual time=0..10 rows=1 loops=1)
  Buffers: shared hit=10
  CTE x
    ->  Seq Scan on a  (actual time=0..6 rows=1 loops=1)
          Buffers: shared hit=7
  ->  CTE Scan on x  (actual time=0..7 rows=1 loops=1)
        Buffers: shared hit=7
  ->  CTE Scan on x x_1  (actual time=0..1 rows=1 loops=2)
";
        let names = ["Nested Loop", "Seq Scan on a", "CTE Scan on x", "CTE Scan on x x_1"].map(str::to_owned);
        let [a, b, c, d] = names;
        assert_eq!(own(text), [(a, 1.0, 3), (b, 6.0, 7), (c, 1.0, 0), (d, 2.0, 0)]);
    }

    #[test]
    fn an_init_plan_is_counted_where_it_is_asked_for() {
        let text = "\
Sort  (actual time=0..10 rows=1 loops=1)
  InitPlan 1 (returns $1)
    ->  Seq Scan on a  (actual time=0..6 rows=1 loops=1)
  ->  Seq Scan on b  (actual time=0..9 rows=1 loops=1)
        Filter: (x = $1)
";
        let own: Vec<f64> = own(text).into_iter().map(|one| one.1).collect();
        assert_eq!(own, [1.0, 6.0, 3.0]);
    }

    #[test]
    fn workers_share_the_time_and_nothing_is_negative() {
        let text = "\
Gather  (actual time=0..10 rows=1 loops=1)
  Workers Planned: 2
  Workers Launched: 2
  ->  Hash Join  (actual time=0..9 rows=1 loops=3)
        ->  Parallel Seq Scan on b  (actual time=0..6 rows=1 loops=3)
        ->  Hash  (actual time=0..4 rows=1 loops=3)
";
        let own: Vec<f64> = own(text).into_iter().map(|one| one.1).collect();
        assert_eq!(own, [1.0, 0.0, 6.0, 4.0]);
    }
}
