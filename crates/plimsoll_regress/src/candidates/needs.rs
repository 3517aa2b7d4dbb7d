//! What a plan asks of a relation: what it compares, orders and returns, by the scan that does it.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::PlanNode;

use super::expression::{Constants, Piece, Text, unquoted};
use super::{Ground, Table};
use crate::indexes::Key;

/// What one scan of a plan asks of its relation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Need {
    /// The relation, or the partitioned one that it belongs to.
    pub(super) relation: String,
    /// Blocks that the scan touched.
    pub(super) blocks: u64,
    /// Compared with values for equality.
    pub(super) equal: Vec<Key>,
    /// Compared with other relations' columns for equality.
    pub(super) joins: Vec<Key>,
    /// Compared otherwise.
    pub(super) ranges: Vec<Key>,
    /// What the rows are ordered or grouped by.
    pub(super) order: Vec<Key>,
    /// Conditions that the query's own text holds, with the key that each is about.
    pub(super) constants: Vec<(Key, String)>,
    /// Columns that the query uses, as SQL writes them.
    pub(super) columns: BTreeSet<String>,
}

/// Conditions that an index may serve.
const CONDITIONS: [&str; 6] =
    ["Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter"];

/// What a plan asks of each relation, the scan that touched most blocks first.
pub(super) fn needs(plan: &PlanNode, sql: &str, ground: &Ground) -> Vec<Need> {
    let mut reader = Reader { ground, constants: Constants::of(sql), needs: BTreeMap::new() };
    plan.walk(&mut |node| reader.scan(node));
    plan.walk(&mut |node| reader.read(node));
    for output in &plan.output {
        reader.uses(output);
    }
    let mut needs: Vec<Need> = reader.needs.into_values().collect();
    needs.sort_by_key(|need| std::cmp::Reverse(need.blocks));
    needs
}

struct Reader<'a> {
    ground: &'a Ground<'a>,
    constants: Constants,
    /// By alias, without quotes.
    needs: BTreeMap<String, Need>,
}

impl Reader<'_> {
    fn scan(&mut self, node: &PlanNode) {
        let (Some(relation), Some(alias)) = (node.qualified(), &node.alias) else { return };
        if !node.node_type.ends_with("Scan") {
            return;
        }
        let Some(Table { root, .. }) = self.ground.tables.get(&relation) else { return };
        let need = self.needs.entry(alias.clone()).or_default();
        need.relation.clone_from(root);
        need.blocks += node.buffers.shared();
        // An index that was taken for its order alone, with a filter beside it: the order is wanted.
        if node.condition("Index Cond").is_none() && node.condition("Filter").is_some() {
            let name = node.index.as_deref().unwrap_or_default();
            let taken = self.ground.indexes.iter().find(|one| one.name == *name && one.relation == relation);
            need.order = taken.map(|index| index.keys.clone()).unwrap_or_default();
        }
    }

    fn read(&mut self, node: &PlanNode) {
        for condition in &node.conditions {
            self.uses(&condition.text);
            let text = Text::new(&condition.text);
            match condition.kind.as_str() {
                kind if CONDITIONS.contains(&kind) => {
                    for one in text.whole().conjuncts() {
                        self.conjunct(one);
                    }
                }
                "Sort Key" | "Group Key" => self.order(text.whole()),
                _ => {}
            }
        }
        // A scan may return columns that nothing asks for, where that is cheaper than to leave them out.
        if !node.node_type.ends_with("Scan") {
            for output in &node.output {
                self.uses(output);
                self.extreme(output);
            }
        }
    }

    fn uses(&mut self, text: &str) {
        for reference in Text::new(text).whole().references() {
            if let Some(need) = self.needs.get_mut(&unquoted(reference.alias)) {
                need.columns.insert(reference.column.to_owned());
            }
        }
    }

    fn conjunct(&mut self, one: Piece) {
        let one = one.unwrapped();
        if let Some((what, is_null)) = one.null_test() {
            if let Some((alias, key)) = self.key(what) {
                let need = self.needs.entry(alias).or_default();
                if is_null {
                    add(&mut need.equal, key.clone());
                }
                add_constant(need, key, one.without_alias());
            }
            return;
        }
        let Some((left, operator, right)) = one.comparison() else {
            return self.boolean(one);
        };
        match operator {
            "=" if right.begins_with("ANY") => self.compared(left, right, operator, one),
            "=" => {
                self.compared(left, right, operator, one);
                self.compared(right, left, operator, one);
            }
            "<" | "<=" | ">" | ">=" => {
                self.compared(left, right, operator, one);
                self.compared(right, left, operator, one);
            }
            "~~" | "^@" => self.compared(left, right, operator, one),
            _ => {}
        }
    }

    /// A column that is true or false.
    fn boolean(&mut self, one: Piece) {
        let column = one.negated().unwrap_or(one).unwrapped();
        let Some(reference) = column.column() else { return };
        let is_constant = !self.constants.has_parameter_for(reference.column);
        let Some((alias, key)) = self.key(column) else { return };
        let need = self.needs.entry(alias).or_default();
        add(&mut need.equal, key.clone());
        if is_constant {
            add_constant(need, key, one.without_alias());
        }
    }

    fn compared(&mut self, what: Piece, with: Piece, operator: &str, whole: Piece) {
        let Some((alias, mut key)) = self.key(what) else { return };
        let others: Vec<String> = with.references().iter().map(|one| unquoted(one.alias)).collect();
        if others.contains(&alias) {
            return;
        }
        let is_constant = operator == "="
            && others.is_empty()
            && what.references().first().is_some_and(|one| self.constants.compares(one.column, with));
        let collation = self.collation(&alias, &key);
        let need = self.needs.entry(alias).or_default();
        match operator {
            "=" if others.is_empty() => {
                add(&mut need.equal, key.clone());
                if is_constant {
                    add_constant(need, key, whole.without_alias());
                }
            }
            "=" => add(&mut need.joins, key),
            "~~" | "^@" => {
                // A pattern that begins with a wildcard has no range.
                let begins = with.string().and_then(|pattern| pattern.chars().next());
                if begins.is_some_and(|first| !matches!(first, '%' | '_')) {
                    let is_plain = matches!(collation.as_deref(), Some("C" | "POSIX"));
                    key.operator_class = (!is_plain).then(|| "text_pattern_ops".to_owned());
                    add(&mut need.ranges, key);
                }
            }
            _ => add(&mut need.ranges, key),
        }
    }

    fn order(&mut self, keys: Piece) {
        let mut order = Vec::new();
        let mut of: Option<String> = None;
        for key in keys.list() {
            let (key, nulls) =
                match (key.without_suffix(&["NULLS", "FIRST"]), key.without_suffix(&["NULLS", "LAST"])) {
                    (Some(key), _) => (key, Some(true)),
                    (_, Some(key)) => (key, Some(false)),
                    _ => (key, None),
                };
            let (key, descending) = match key.without_suffix(&["DESC"]) {
                Some(key) => (key, true),
                None => (key, false),
            };
            let Some((alias, mut key)) = self.key(key) else { return };
            if of.get_or_insert_with(|| alias.clone()) != &alias {
                return;
            }
            key.descending = descending;
            key.nulls_first = nulls.unwrap_or(descending);
            add(&mut order, key);
        }
        // An index is read backwards as well as forwards.
        if order.iter().all(|key| key.descending) && order.iter().all(|key| key.nulls_first) {
            for key in &mut order {
                (key.descending, key.nulls_first) = (false, false);
            }
        }
        if let Some(need) = of.and_then(|alias| self.needs.get_mut(&alias))
            && need.order.len() < order.len()
        {
            need.order = order;
        }
    }

    /// `max(o.total)`: the end of an order.
    fn extreme(&mut self, output: &str) {
        let text = Text::new(output);
        let call = text.whole().unwrapped();
        if call.is_call() && (call.begins_with("min") || call.begins_with("max")) {
            self.order(call.arguments());
        }
    }

    /// The key that an operand is, and the alias of the relation that it is of.
    fn key(&self, operand: Piece) -> Option<(String, Key)> {
        let operand = operand.unwrapped();
        let references = operand.references();
        let first = *references.first()?;
        let alias = unquoted(first.alias);
        let relation = &self.needs.get(&alias)?.relation;
        for reference in &references {
            let column = format!("{relation}.{}", unquoted(reference.column));
            if reference.alias != first.alias || !self.ground.facts.columns.contains_key(&column) {
                return None;
            }
        }
        let data_type =
            &self.ground.facts.columns[&format!("{relation}.{}", unquoted(first.column))].data_type;
        let column = match (operand.column(), operand.cast_column()) {
            (Some(column), _) => Some(column),
            // Relabelled, not converted: the same bytes.
            (_, Some((column, "text"))) if data_type.starts_with("character varying") => Some(column),
            _ => None,
        };
        let sql = match column {
            Some(column) => column.column.to_owned(),
            None if !self.constants.hold(operand) || operand.sql().contains("SubPlan") => return None,
            None if operand.is_call() => operand.without_alias(),
            None => format!("({})", operand.without_alias()),
        };
        Some((alias, Key { sql, ..Key::default() }))
    }

    fn collation(&self, alias: &str, key: &Key) -> Option<String> {
        let relation = &self.needs.get(alias)?.relation;
        let column = format!("{relation}.{}", unquoted(&key.sql));
        self.ground.facts.columns.get(&column)?.collation.clone()
    }
}

fn add(keys: &mut Vec<Key>, key: Key) {
    if keys.iter().all(|known| known.sql != key.sql) {
        keys.push(key);
    }
}

fn add_constant(need: &mut Need, key: Key, predicate: String) {
    if need.constants.iter().all(|(_, known)| *known != predicate) {
        need.constants.push((key, predicate));
    }
}
