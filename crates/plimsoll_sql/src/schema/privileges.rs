//! Who may do what, as far as statements say: grants, default privileges, memberships of roles.
//!
//! What an owner may do without a grant isn't written down here, nor what superusers may. Which role runs the
//! statements isn't known, so that default privileges of every role count for every new object.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{ResolvedName, Schema};
use crate::command::{Command, Grant, ObjectChange, ObjectKind, Verb};
use crate::name::ObjectName;

/// The role that every role is.
pub const PUBLIC: &str = "public";

/// What rights are held on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantable {
    /// A table, view or sequence.
    Relation(ResolvedName),
    /// A column.
    Column(ResolvedName, String),
    /// A function or procedure, all of its overloads.
    Function(ResolvedName),
    /// A schema.
    Schema(String),
    /// Anything else: its kind and its name.
    Other(String, String),
}

impl std::fmt::Display for Grantable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Relation(name) => write!(f, "{name}"),
            Self::Column(table, column) => write!(f, "{table} ({column})"),
            Self::Function(name) => write!(f, "{name}()"),
            Self::Schema(name) => write!(f, "schema {name}"),
            Self::Other(kind, name) => write!(f, "{kind} {name}"),
        }
    }
}

/// Rights by object and role.
pub type Granted = BTreeMap<Grantable, BTreeMap<String, BTreeSet<String>>>;

/// All that statements have said about rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// Rights by object and role.
    pub granted: Granted,
    /// Which roles a role is a member of.
    pub memberships: BTreeMap<String, BTreeSet<String>>,
    defaults: Vec<DefaultPrivilege>,
    /// Relations that were renamed, in order.
    pub(super) renamed: Vec<(ResolvedName, ResolvedName)>,
}

/// What a new object gets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DefaultPrivilege {
    /// The schema where it holds; none for all.
    schema: Option<String>,
    /// `tables`, `sequences`, `functions`, `schemas` or `types`.
    kind: String,
    role: String,
    privileges: BTreeSet<String>,
    /// Whether it takes away what PostgreSQL itself gives to everybody.
    revoked: bool,
}

impl Privileges {
    /// The rights before, under the names that their objects have now.
    #[must_use]
    pub fn granted_under_names_of(&self, later: &Self) -> Granted {
        let mut granted = self.granted.clone();
        for (from, to) in later.renames_since(self) {
            rename(&mut granted, from, to);
        }
        granted
    }

    /// Relations that were renamed since an earlier state, from and to, in order.
    #[must_use]
    pub fn renames_since(&self, earlier: &Self) -> &[(ResolvedName, ResolvedName)] {
        self.renamed.get(earlier.renamed.len()..).unwrap_or_default()
    }

    /// Whether anything is said about what new objects get.
    #[must_use]
    pub fn has_defaults(&self) -> bool {
        !self.defaults.is_empty()
    }

    /// Every role that a role is, itself included.
    #[must_use]
    pub fn roles_of<'a>(&'a self, role: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([role]);
        let mut open = vec![role];
        while let Some(role) = open.pop() {
            for of in self.memberships.get(role).into_iter().flatten() {
                if found.insert(of) {
                    open.push(of);
                }
            }
        }
        found
    }

    /// What a role may do with an object by a grant to it alone.
    #[must_use]
    pub fn of(&self, object: &Grantable, role: &str) -> Option<&BTreeSet<String>> {
        self.granted.get(object).and_then(|roles| roles.get(role)).filter(|rights| !rights.is_empty())
    }

    fn grant(&mut self, object: Grantable, role: &str, rights: impl IntoIterator<Item = String>) {
        self.granted.entry(object).or_default().entry(role.to_owned()).or_default().extend(rights);
    }

    fn revoke(&mut self, object: &Grantable, role: &str, rights: &BTreeSet<String>) {
        let Some(roles) = self.granted.get_mut(object) else { return };
        if let Some(held) = roles.get_mut(role) {
            held.retain(|right| !rights.contains(right));
        }
        roles.retain(|_, held| !held.is_empty());
        if roles.is_empty() {
            self.granted.remove(object);
        }
    }

    /// Gives a new object what it gets by default.
    fn provide(&mut self, object: &Grantable, kind: &str, schema: Option<&str>) {
        let holds = |one: &&DefaultPrivilege| {
            one.kind == kind && one.schema.as_deref().is_none_or(|within| Some(within) == schema)
        };
        let by_default: Vec<DefaultPrivilege> = self.defaults.iter().filter(holds).cloned().collect();
        if kind == "functions" && !by_default.iter().any(|one| one.revoked && one.role == PUBLIC) {
            self.grant(object.clone(), PUBLIC, ["execute".to_owned()]);
        }
        for one in by_default.into_iter().filter(|one| !one.revoked) {
            self.grant(object.clone(), &one.role, one.privileges);
        }
    }

    fn alter_defaults(&mut self, words: &str) {
        let verb =
            [" grant ", " revoke "].into_iter().filter_map(|verb| Some((words.find(verb)?, verb))).min();
        let Some((at, verb)) = verb else { return };
        let (head, rest) = (&words[..at], &words[at + verb.len()..]);
        let revoke = verb == " revoke ";
        let rest = rest.strip_prefix("grant option for ").unwrap_or(rest);
        let Some((rights, rest)) = rest.split_once(" on ") else { return };
        let Some((kind, roles)) = rest.split_once(if revoke { " from " } else { " to " }) else { return };
        let kind = if kind == "routines" { "functions" } else { kind };
        let schemas = head.split_once(" in schema ").map(|(_, list)| listed(list));
        let schemas: Vec<Option<String>> = match schemas {
            Some(schemas) => schemas.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let roles = roles.split(" with ").next().unwrap_or_default();
        let roles = roles.trim_end_matches(" cascade").trim_end_matches(" restrict");
        let privileges = expanded(&listed(rights), kind.trim_end_matches('s'));
        for schema in schemas {
            for role in listed(roles) {
                let same =
                    |one: &DefaultPrivilege| one.schema == schema && one.kind == kind && one.role == role;
                if revoke {
                    for one in self.defaults.iter_mut().filter(|one| same(one)) {
                        one.privileges.retain(|right| !privileges.contains(right));
                    }
                    self.defaults.retain(|one| one.revoked || !one.privileges.is_empty());
                } else {
                    self.defaults.retain(|one| !(one.revoked && same(one)));
                }
                // In one schema, PostgreSQL can only add to what all schemas have.
                if revoke && (role != PUBLIC || schema.is_some() || kind != "functions") {
                    continue;
                }
                self.defaults.push(DefaultPrivilege {
                    schema: schema.clone(),
                    kind: kind.to_owned(),
                    role,
                    privileges: privileges.clone(),
                    revoked: revoke,
                });
            }
        }
    }
}

impl Schema {
    /// All that statements have said about rights.
    #[must_use]
    pub fn privileges(&self) -> &Privileges {
        &self.privileges
    }

    /// Takes note of what a command is about to say of rights, or to give to what it makes.
    pub(super) fn note_privileges(&mut self, command: &Command) {
        match command {
            Command::Grant(grant) if grant.object_kind.is_empty() => self.note_membership(grant),
            Command::Grant(grant) => self.note_grant(grant),
            Command::Object(ObjectChange { kind: ObjectKind::DefaultPrivileges, words, .. }) => {
                Arc::make_mut(&mut self.privileges).alter_defaults(words);
            }
            Command::CreateTable(table) if !table.temporary => self.note_new_relation(&table.name, "tables"),
            Command::CreateTableAs { name, temporary: false, .. } => self.note_new_relation(name, "tables"),
            Command::CreateView(view) if !view.temporary => self.note_new_relation(&view.name, "tables"),
            Command::CreateSequence { name } => self.note_new_relation(name, "sequences"),
            Command::CreateFunction(function) => {
                let name = self.place(&function.name);
                if self.functions.get(&name.name).is_none_or(|known| known.name != name) {
                    let schema = name.schema.clone();
                    let object = Grantable::Function(name);
                    Arc::make_mut(&mut self.privileges).provide(&object, "functions", schema.as_deref());
                }
            }
            _ => {}
        }
    }

    /// Forgets rights on what is no longer there, after objects of a kind were dropped.
    pub(super) fn forget_dropped_privileges(&mut self, kind: ObjectKind) {
        if matches!(kind, ObjectKind::Index | ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule) {
            return;
        }
        let (relations, functions) = (&self.relations, &self.functions);
        let is_there = |object: &Grantable| match object {
            Grantable::Relation(name) | Grantable::Column(name, _) => relations.contains_key(name),
            Grantable::Function(name) => functions.contains_key(&name.name),
            Grantable::Schema(_) | Grantable::Other(..) => true,
        };
        // Every function is granted to PUBLIC when it is made; they stand behind relations and columns.
        let drops_functions = !matches!(
            kind,
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence
        );
        let is_function = |object: &Grantable| matches!(object, Grantable::Function(_));
        let mut looked_at =
            self.privileges.granted.keys().take_while(|object| drops_functions || !is_function(object));
        if !looked_at.all(is_there) {
            Arc::make_mut(&mut self.privileges).granted.retain(|object, _| is_there(object));
        }
    }

    /// A relation's rights follow it to its new name.
    pub(super) fn rename_privileges(&mut self, from: &ResolvedName, to: &ResolvedName) {
        let privileges = Arc::make_mut(&mut self.privileges);
        rename(&mut privileges.granted, from, to);
        privileges.renamed.push((from.clone(), to.clone()));
    }

    fn note_new_relation(&mut self, name: &ObjectName, kind: &str) {
        if !self.privileges.has_defaults() {
            return;
        }
        let name = self.place(name);
        if !self.relations.contains_key(&name) {
            let schema = name.schema.clone();
            let object = Grantable::Relation(name);
            Arc::make_mut(&mut self.privileges).provide(&object, kind, schema.as_deref());
        }
    }

    fn note_membership(&mut self, grant: &Grant) {
        // Only the right to pass it on is taken.
        if grant.revoke && grant.with_option {
            return;
        }
        let privileges = Arc::make_mut(&mut self.privileges);
        for member in &grant.roles {
            let of = privileges.memberships.entry(member.clone()).or_default();
            for role in &grant.privileges {
                let role = crate::parse::fold_identifier(role);
                if grant.revoke {
                    of.remove(&role)
                } else {
                    of.insert(role)
                };
            }
        }
        privileges.memberships.retain(|_, roles| !roles.is_empty());
    }

    fn note_grant(&mut self, grant: &Grant) {
        if grant.revoke && grant.with_option {
            return;
        }
        let objects = self.granted_objects(grant);
        let kind = grant.object_kind.trim_start_matches("all ").split(' ').next().unwrap_or_default();
        let kind = kind.trim_end_matches('s');
        let privileges = Arc::make_mut(&mut self.privileges);
        for object in objects {
            for written in &grant.privileges {
                let (right, columns) = match written.split_once('(') {
                    Some((right, columns)) => (right.trim(), listed(columns.trim_end_matches(')').trim())),
                    None => (written.as_str(), Vec::new()),
                };
                let rights = expanded(&[right.to_owned()], kind);
                let of_columns = columns.into_iter().filter_map(|column| match &object {
                    Grantable::Relation(name) => Some(Grantable::Column(name.clone(), column)),
                    _ => None,
                });
                let mut targets: Vec<Grantable> = of_columns.collect();
                if targets.is_empty() {
                    targets.push(object.clone());
                }
                for target in targets {
                    for role in &grant.roles {
                        match grant.revoke {
                            true => privileges.revoke(&target, role, &rights),
                            false => privileges.grant(target.clone(), role, rights.clone()),
                        }
                    }
                }
            }
        }
    }

    fn granted_objects(&self, grant: &Grant) -> Vec<Grantable> {
        let schemas: Vec<&str> = grant.objects.iter().map(|name| name.name.as_str()).collect();
        let inside =
            |name: &&ResolvedName| name.schema.as_deref().is_some_and(|schema| schemas.contains(&schema));
        let sequence = |name: &ResolvedName| {
            self.relations.get(name).is_some_and(|known| known.kind == super::RelationKind::Sequence)
        };
        match grant.object_kind.as_str() {
            "all tables in schema" => {
                let tables = self.relations.keys().filter(inside).filter(|name| !sequence(name));
                tables.cloned().map(Grantable::Relation).collect()
            }
            "all sequences in schema" => {
                let sequences = self.relations.keys().filter(inside).filter(|name| sequence(name));
                sequences.cloned().map(Grantable::Relation).collect()
            }
            "all functions in schema" | "all procedures in schema" | "all routines in schema" => {
                let functions = self.functions.values().map(|function| &function.name).filter(inside);
                functions.cloned().map(Grantable::Function).collect()
            }
            "table" | "sequence" => {
                grant.objects.iter().map(|name| Grantable::Relation(self.resolve(name))).collect()
            }
            "function" | "procedure" | "routine" => {
                let function = |name: &ObjectName| match (&name.schema, self.functions.get(&name.name)) {
                    (None, Some(known)) => known.name.clone(),
                    _ => self.place(name),
                };
                grant.objects.iter().map(|name| Grantable::Function(function(name))).collect()
            }
            "schema" => grant.objects.iter().map(|name| Grantable::Schema(name.name.clone())).collect(),
            kind => {
                let other = |name: &ObjectName| Grantable::Other(kind.to_owned(), name.to_string());
                grant.objects.iter().map(other).collect()
            }
        }
    }

    /// `ALTER FUNCTION`: whose rights it runs with, where it looks for names, whose it is.
    pub(super) fn alter_function(&mut self, change: &ObjectChange) {
        let Some(name) = change.name.as_ref().filter(|_| change.verb == Verb::Alter) else { return };
        if !self.functions.contains_key(&name.name) {
            return;
        }
        let Some(function) = Arc::make_mut(&mut self.functions).get_mut(&name.name) else { return };
        let words = change.words.as_str();
        if words.contains(" security definer") {
            function.security_definer = true;
        }
        if words.contains(" security invoker") {
            function.security_definer = false;
        }
        if words.contains(" set search_path ") {
            function.sets_search_path = true;
        }
        if words.contains(" reset search_path") || words.contains(" reset all") {
            function.sets_search_path = false;
        }
        if let Some((_, owner)) = words.rsplit_once(" owner to ") {
            function.owner = Some(crate::parse::fold_identifier(owner));
        }
    }
}

fn rename(granted: &mut Granted, from: &ResolvedName, to: &ResolvedName) {
    let moved: Vec<Grantable> = granted
        .keys()
        .filter(
            |object| matches!(object, Grantable::Relation(name) | Grantable::Column(name, _) if name == from),
        )
        .cloned()
        .collect();
    for object in moved {
        let Some(roles) = granted.remove(&object) else { continue };
        let object = match object {
            Grantable::Column(_, column) => Grantable::Column(to.clone(), column),
            _ => Grantable::Relation(to.clone()),
        };
        granted.insert(object, roles);
    }
}

/// Names between commas.
fn listed(words: &str) -> Vec<String> {
    words
        .split(',')
        .map(|word| crate::parse::fold_identifier(word.trim()))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Privileges with what `ALL` stands for (documentation, "Privileges").
fn expanded(privileges: &[String], kind: &str) -> BTreeSet<String> {
    let all: &[&str] = match kind {
        "table" => &["delete", "insert", "references", "select", "trigger", "truncate", "update"],
        "sequence" => &["select", "update", "usage"],
        "function" | "procedure" | "routine" => &["execute"],
        "schema" => &["create", "usage"],
        "database" => &["connect", "create", "temporary"],
        _ => &["usage"],
    };
    let one = |right: &String| match right.as_str() {
        "all" | "all privileges" => all.iter().map(|right| (*right).to_owned()).collect(),
        "temp" => vec!["temporary".to_owned()],
        right => vec![right.to_owned()],
    };
    privileges.iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_script;

    /// What a script leaves, a line a right.
    fn check(sql: &str, expected: &[&str]) {
        let mut schema = Schema::default();
        schema.apply_script(&parse_script(sql).0);
        let mut lines = Vec::new();
        for (object, roles) in &schema.privileges().granted {
            for (role, rights) in roles {
                let rights: Vec<&str> = rights.iter().map(String::as_str).collect();
                lines.push(format!("{role}: {} on {object}", rights.join(", ")));
            }
        }
        assert_eq!(lines, expected, "{sql}");
    }

    #[test]
    fn grants_and_revokes_are_followed() {
        check(
            "create table t (); grant select, update on t to a, \"B\"; revoke update on t from a",
            &["B: select, update on public.t", "a: select on public.t"],
        );
        check(
            "create table t (a int); grant select (a), update (a, b) on t to x",
            &["x: select, update on public.t (a)", "x: update on public.t (b)"],
        );
        check("create table t (); grant all on t to a; revoke all on t from a", &[]);
        check(
            "create table t (); grant select on t to a with grant option; revoke grant option for select on t from a",
            &["a: select on public.t"],
        );
        check(
            "create schema s; create table s.a (); create sequence s.q; grant select on all tables in schema s to x",
            &["x: select on s.a"],
        );
        check(
            "create table t (); grant select on t to a; alter table t rename to u; create table v (); grant select on v to a; drop table v",
            &["a: select on public.u"],
        );
    }

    #[test]
    fn everybody_may_call_a_new_function() {
        check(
            "create function f() returns int language sql as 'select 1'",
            &["public: execute on public.f()"],
        );
        check(
            "create function f() returns int language sql as 'select 1'; revoke execute on function f() from public",
            &[],
        );
        check(
            "alter default privileges revoke execute on functions from public; create function f() returns int language sql as 'select 1'",
            &[],
        );
    }

    #[test]
    fn new_objects_get_default_privileges() {
        let default =
            "alter default privileges for role o in schema s grant select, insert on tables to a, b;";
        check(
            &format!("{default} create table s.t (); create table other ()"),
            &["a: insert, select on s.t", "b: insert, select on s.t"],
        );
        check(
            &format!(
                "{default} alter default privileges in schema s revoke insert on tables from a; create view s.v as select 1"
            ),
            &["a: select on s.v", "b: insert, select on s.v"],
        );
    }

    #[test]
    fn memberships_are_followed_to_their_end() {
        let mut schema = Schema::default();
        schema.apply_script(&parse_script("grant a, b to c; grant d to a; grant c to d; revoke b from c").0);
        let roles: Vec<&str> = schema.privileges().roles_of("c").into_iter().collect();
        assert_eq!(roles, ["a", "c", "d"]);
    }
}
