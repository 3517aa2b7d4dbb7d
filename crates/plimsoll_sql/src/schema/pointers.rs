//! Which relations point at which, so that nobody has to look through all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Relation, ResolvedName, Schema};

/// For each relation, those that ever pointed at it: their partitioned table, parents, what a view reads, what a
/// foreign key references. Some may not do so any more, or be gone: whoever asks looks at the relation itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Pointers(BTreeMap<ResolvedName, BTreeSet<ResolvedName>>);

impl Pointers {
    fn note(&mut self, from: &ResolvedName, to: &ResolvedName) {
        match self.0.get_mut(to) {
            Some(known) if known.contains(from) => {}
            Some(known) => {
                known.insert(from.clone());
            }
            None => {
                self.0.insert(to.clone(), BTreeSet::from([from.clone()]));
            }
        }
    }
}

/// What a relation points at.
fn targets(relation: &Relation) -> impl Iterator<Item = &ResolvedName> {
    relation.partition_of.iter().chain(&relation.inherits).chain(&relation.reads).chain(relation.references())
}

impl Schema {
    /// Relations that may point at one, by name.
    pub(super) fn pointing_at(
        &self,
        name: &ResolvedName,
    ) -> impl Iterator<Item = (&ResolvedName, &Relation)> {
        let noted = self.pointers.0.get(name).into_iter().flatten();
        noted.filter_map(|from| self.relations.get_key_value(from))
    }

    /// Takes note of what a relation points at, after it was made, renamed, or given a new pointer.
    pub(super) fn note_pointers(&mut self, name: &ResolvedName) {
        let Some(relation) = self.relations.get(name) else { return };
        let mut targets = targets(relation).peekable();
        if targets.peek().is_none() {
            return;
        }
        let pointers = Arc::make_mut(&mut self.pointers);
        targets.for_each(|target| pointers.note(name, target));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_script;

    /// Whether every pointer that a look through all relations finds is noted.
    fn all_are_noted(schema: &Schema) -> bool {
        schema.relations.iter().all(|(from, relation)| {
            targets(relation).all(|to| schema.pointing_at(to).any(|(noted, _)| noted == from))
        })
    }

    #[test]
    fn every_pointer_is_noted() {
        let script = "
            create table ports (id int primary key);
            create table ships (id int primary key, port int references ports, home int);
            alter table ships add foreign key (home) references ports;
            alter table ships add column last int constraint last_port references ports;
            create table parts (id int references ports, at date) partition by range (at);
            create table parts_a partition of parts for values from ('2026-01-01') to ('2027-01-01');
            create table parts_b (like parts);
            alter table parts attach partition parts_b default;
            alter table parts add foreign key (id) references ships;
            create table tugs () inherits (ships);
            create table ferries (id int, port int, home int, last int);
            alter table ferries inherit ships;
            create view fleet as select * from ships join ports on true;
            create materialized view counts as select count(*) from fleet;
            create or replace view fleet as select * from tugs;
            alter table ports rename to harbours;
            create schema sea;
            alter table ships set schema sea;
            set search_path = sea;
            alter table ships rename to vessels;
            alter view public.fleet rename to all_ships;
            alter table public.tugs no inherit vessels;
            drop table public.parts_b;
            create table public.parts_b (id int references public.harbours);
            drop table public.harbours cascade;";
        let mut schema = Schema::default();
        for statement in parse_script(script).0 {
            for command in statement.commands() {
                schema.apply(command);
            }
            let sql = &script[statement.range.clone()];
            assert!(statement.command().is_some(), "{sql}");
            assert!(all_are_noted(&schema), "after {sql}: {:#?}", schema.pointers);
        }
        let vessels = ResolvedName::qualified("sea", "vessels");
        let referencing: Vec<String> =
            schema.referencing(&vessels).into_iter().map(ToString::to_string).collect();
        assert_eq!(referencing, ["public.parts", "public.parts_a"]);
        let children: Vec<String> =
            schema.descendants(&vessels).into_iter().map(ToString::to_string).collect();
        assert_eq!(children, ["public.ferries"]);
    }
}
