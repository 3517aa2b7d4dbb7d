//! Other values in the places of production's, in the same order, as frequent, and equal where those were equal.
//!
//! - **Numbers, dates, times, UUIDs** become others nearer to them than to their neighbours, among all values that statistics
//!   have of the same column and of columns tied to it by foreign keys or partitions. A condition `price < 100` so keeps about its
//!   selectivity. A number between two neighbours that leave no room stays: that it is in use is all it says.
//! - **Texts and bytes** become words of one length, by their rank among all texts of the database.
//! - **Booleans, enum labels and texts that the schema itself spells out** stay: they are the schema's, not anybody's.
//! - Other types' values are left out, their frequencies with them.
//!
//! Which values are taken a random key decides, which is forgotten: nobody can tell the values from the pseudonyms, nor find the
//! pseudonym of a value that a query names. (Deliberately absent: a mapping of queries' literals, which would need the key kept.)

mod domains;
mod scalar;
mod shape;
mod words;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::RandomState;

pub(crate) use shape::Types;

use domains::{Domains, Numbers};
use shape::{Kind, Shape};
use words::Words;

use crate::array;
use crate::source::{PlanSource, SchemaEntry, Slot, Values, ValuesAre};

/// A column: schema, relation, name.
pub(crate) type Column = (String, String, String);

/// What is known of columns and types.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Pairs of columns that hold each other's values.
    pub(crate) columns: Vec<(Column, Column)>,
    /// Types that aren't built in.
    pub(crate) types: Types,
}

/// `stakind` of a histogram of values.
const HISTOGRAM: i16 = 2;

/// Replaces all values in place.
pub(crate) fn replace(source: &mut PlanSource, links: &Links, key: &RandomState, except: &[String]) {
    source.left_out.extend(unknown(source, except));
    let mut pseudonyms = Pseudonyms {
        types: &links.types,
        domains: Domains::of(&links.columns),
        kept_columns: HashSet::new(),
        kept_texts: spelled_out(&source.schema),
        numbers: HashMap::new(),
        texts: Words::default(),
    };
    pseudonyms.kept_columns = except
        .iter()
        .filter_map(|name| {
            let mut parts = name.splitn(3, '.').map(ToOwned::to_owned);
            Some(pseudonyms.domains.root(&(parts.next()?, parts.next()?, parts.next()?)))
        })
        .collect();
    visit(source, |column, values, _| {
        pseudonyms.collect(&column, values);
        true
    });
    pseudonyms.choose(key);
    let mut dropped: BTreeMap<String, usize> = BTreeMap::new();
    visit(source, |column, values, kind| {
        let is_replaced = pseudonyms.replace(&column, values, kind);
        if !is_replaced {
            *dropped.entry(values.element_type.clone()).or_default() += 1;
        }
        is_replaced
    });
    let combinations = source.extended.iter_mut().filter_map(|extended| extended.most_common.take()).count();
    for (element_type, count) in dropped {
        source.left_out.push(format!(
            "values of type {element_type} in {count} statistics, for which there are no pseudonyms"
        ));
    }
    if combinations > 0 {
        source.left_out.push(format!(
            "the most common combinations of values in {combinations} extended statistics, for which there are no pseudonyms"
        ));
    }
    source.values = ValuesAre::Pseudonyms;
}

/// Columns that are to be kept, and that have no statistics.
fn unknown(source: &PlanSource, except: &[String]) -> Vec<String> {
    let is_known = |name: &String| {
        source.columns.iter().any(|known| {
            let rest = name.strip_prefix(&known.schema).and_then(|rest| rest.strip_prefix('.'));
            let rest = rest.and_then(|rest| rest.strip_prefix(&known.relation)?.strip_prefix('.'));
            rest == Some(&known.column)
        })
    };
    let unknown = except.iter().filter(|name| !is_known(name));
    unknown
        .map(|name| format!("the values of {name}, which --keep-column names: there are no statistics of such a SCHEMA.TABLE.COLUMN"))
        .collect()
}

struct Pseudonyms<'a> {
    types: &'a Types,
    domains: Domains,
    kept_columns: HashSet<Column>,
    kept_texts: HashSet<String>,
    numbers: HashMap<Column, NumbersOfKinds>,
    texts: Words,
}

/// The numbers of one set of columns, by their kind: arrays and ranges have others than the column's own.
type NumbersOfKinds = Vec<(Kind, Numbers)>;

impl Pseudonyms<'_> {
    fn collect(&mut self, column: &Column, values: &Values) {
        let root = self.domains.root(column);
        if self.kept_columns.contains(&root) {
            return;
        }
        let shape = self.types.shape(&values.element_type);
        let numbers = self.numbers.entry(root).or_default();
        let mut known = Known { numbers, texts: &mut self.texts, kept_texts: &self.kept_texts };
        for element in &values.elements {
            known.collect(&shape, element);
        }
    }

    fn choose(&mut self, key: &RandomState) {
        self.numbers.values_mut().flatten().for_each(|(_, numbers)| numbers.choose(key));
        self.texts.choose(key, &self.kept_texts);
    }

    fn replace(&mut self, column: &Column, values: &mut Values, kind: i16) -> bool {
        let root = self.domains.root(column);
        if self.kept_columns.contains(&root) {
            return true;
        }
        let shape = self.types.shape(&values.element_type);
        let numbers = self.numbers.get(&root).map_or(&[][..], Vec::as_slice);
        let known = Known { numbers, texts: &self.texts, kept_texts: &self.kept_texts };
        let replaced: Option<Vec<String>> =
            values.elements.iter().map(|element| known.replaced(&shape, element)).collect();
        let Some(mut replaced) = replaced else {
            values.elements.clear();
            return false;
        };
        if kind == HISTOGRAM && matches!(shape, Shape::Text | Shape::Bytes) {
            // Their order is that of bytes, which need not be the column's.
            replaced.sort();
        }
        values.elements = replaced;
        true
    }
}

/// What is known of the values of one column, while they are collected or replaced.
struct Known<'a, N, W> {
    numbers: N,
    texts: W,
    kept_texts: &'a HashSet<String>,
}

fn is_kept(kept_texts: &HashSet<String>, text: &str) -> bool {
    text.trim_end().is_empty() || kept_texts.contains(text.trim_end())
}

impl Known<'_, &mut NumbersOfKinds, &mut Words> {
    fn collect(&mut self, shape: &Shape, element: &str) {
        match shape {
            Shape::Kept | Shape::Unknown => {}
            Shape::Text | Shape::Bytes => {
                if !is_kept(self.kept_texts, element) {
                    self.texts.add(element);
                }
            }
            Shape::Number(kind) => {
                if !scalar::is_special(element) {
                    let at = self.numbers.iter().position(|(known, _)| known == kind);
                    let at = at.unwrap_or_else(|| {
                        self.numbers.push((*kind, Numbers::new(*kind)));
                        self.numbers.len() - 1
                    });
                    self.numbers[at].1.add(element);
                }
            }
            Shape::Array(inner) => {
                for element in array::parse(element).unwrap_or_default() {
                    self.collect(inner, &element);
                }
            }
            Shape::Range(inner) => {
                for bound in shape::range(element).into_iter().flat_map(|range| range.bounds) {
                    self.collect(inner, &bound);
                }
            }
        }
    }
}

impl Known<'_, &[(Kind, Numbers)], &Words> {
    /// `None` where there is no pseudonym.
    fn replaced(&self, shape: &Shape, element: &str) -> Option<String> {
        match shape {
            Shape::Kept => Some(element.to_owned()),
            Shape::Unknown => None,
            Shape::Text if is_kept(self.kept_texts, element) => Some(element.to_owned()),
            Shape::Text => self.texts.word(element),
            Shape::Bytes if is_kept(self.kept_texts, element) => None,
            Shape::Bytes => {
                let word = self.texts.word(element)?;
                Some(format!("\\x{}", word.bytes().map(|byte| format!("{byte:02x}")).collect::<String>()))
            }
            Shape::Number(_) if scalar::is_special(element) => Some(element.to_owned()),
            Shape::Number(kind) => self.numbers.iter().find(|(known, _)| known == kind)?.1.pseudonym(element),
            Shape::Array(inner) => {
                let elements: Option<Vec<String>> =
                    array::parse(element)?.iter().map(|element| self.replaced(inner, element)).collect();
                Some(array::format(elements?.iter().map(String::as_str)))
            }
            Shape::Range(inner) => {
                let mut range = shape::range(element)?;
                for bound in &mut range.bounds {
                    if !bound.is_empty() {
                        *bound = self.replaced(inner, bound)?;
                    }
                }
                Some(range.to_string())
            }
        }
    }
}

/// Shows all values, with their column and `stakind`; a slot whose values the visitor refuses is removed.
fn visit(source: &mut PlanSource, mut visitor: impl FnMut(Column, &mut Values, i16) -> bool) {
    for column in &mut source.columns {
        let name = (column.schema.clone(), column.relation.clone(), column.column.clone());
        visit_slots(&mut column.statistics.slots, &name, &mut visitor);
    }
    for extended in &mut source.extended {
        for (position, statistics) in extended.expressions.iter_mut().enumerate() {
            let name = (extended.schema.clone(), extended.name.clone(), format!("{}.", position + 1));
            visit_slots(&mut statistics.slots, &name, &mut visitor);
        }
    }
    for boundaries in &mut source.boundaries {
        boundaries.columns.retain_mut(|boundary| {
            let name = (boundaries.schema.clone(), boundaries.table.clone(), boundary.column.clone());
            let elements = vec![std::mem::take(&mut boundary.least), std::mem::take(&mut boundary.greatest)];
            let mut values = Values { element_type: boundary.element_type.clone(), elements };
            let is_kept = visitor(name, &mut values, HISTOGRAM);
            let mut elements = values.elements.into_iter();
            boundary.least = elements.next().unwrap_or_default();
            boundary.greatest = elements.next().unwrap_or_default();
            is_kept
        });
    }
}

fn visit_slots(
    slots: &mut Vec<Slot>,
    column: &Column,
    visitor: &mut impl FnMut(Column, &mut Values, i16) -> bool,
) {
    slots.retain_mut(|slot| {
        let kind = slot.kind;
        slot.values.as_mut().is_none_or(|values| visitor(column.clone(), values, kind))
    });
}

/// Kinds of objects whose texts are the schema's own values.
const SPELLING: [&str; 10] = [
    "TABLE",
    "CONSTRAINT",
    "CHECK CONSTRAINT",
    "DEFAULT",
    "INDEX",
    "TABLE ATTACH",
    "DOMAIN",
    "POLICY",
    "VIEW",
    "MATERIALIZED VIEW",
];

/// The texts in single quotes.
fn spelled_out(schema: &[SchemaEntry]) -> HashSet<String> {
    let mut texts = HashSet::new();
    for entry in schema.iter().filter(|entry| SPELLING.contains(&entry.kind.as_str())) {
        let mut pieces = entry.sql.split('\'');
        pieces.next();
        while let Some(piece) = pieces.next() {
            let mut text = piece.to_owned();
            let mut outside = pieces.next();
            // Two quotes are one in a text.
            while outside == Some("") {
                let Some(more) = pieces.next() else { break };
                text.push('\'');
                text.push_str(more);
                outside = pieces.next();
            }
            texts.insert(text.trim_end().to_owned());
        }
    }
    texts
}

#[cfg(test)]
mod tests;
