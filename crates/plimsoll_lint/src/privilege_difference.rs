//! Who may do what after a change that could not before it, and the other way round.
//!
//! Two states of a schema are compared, so that what a change gives and takes back says nothing. What an owner may do
//! with what the change makes, and that everybody may call a new function, is nobody's surprise.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::{Claim, Evidence, EvidenceKind, Finding, Severity};
use plimsoll_sql::command::{ActionKind, ObjectChange, ObjectKind};
use plimsoll_sql::schema::{Grantable, PUBLIC, Relation, ResolvedName};
use plimsoll_sql::{Command, Migration, Schema};

use crate::schema_rules::PolicyClauses;

/// Lines that a finding's message has; its evidence has all.
const LINES_SHOWN: usize = 3;
/// Objects that a line names.
const OBJECTS_SHOWN: usize = 3;

/// The state before a change that may touch rights.
pub(crate) struct Watch {
    before: Schema,
}

/// One difference.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    text: String,
    /// Whether somebody gains something on what existed, or everybody gains anything.
    warns: bool,
}

impl Watch {
    /// Begins to watch, if any statement of the change may touch rights.
    pub(crate) fn begin(schema: &Schema, migrations: &[&Migration]) -> Option<Self> {
        let has_defaults = schema.privileges().has_defaults();
        let mut commands = migrations.iter().flat_map(|one| &one.statements).flat_map(|one| one.commands());
        commands.any(|command| touches_rights(command, has_defaults)).then(|| Self { before: schema.clone() })
    }

    /// What is to be told of a change, placed at the first statement that touches rights.
    pub(crate) fn finding(&self, after: &Schema, migrations: &[&Migration], id: &str) -> Option<Finding> {
        let differences = differences(&self.before, after);
        let has_defaults = after.privileges().has_defaults();
        let (migration, index) = migrations.iter().find_map(|migration| {
            let touches = |statement: &plimsoll_sql::Statement| {
                statement.commands().any(|command| touches_rights(command, has_defaults))
            };
            Some((migration, migration.statements.iter().position(touches)?))
        })?;
        if differences.is_empty() {
            return None;
        }
        let mut shown: Vec<&str> =
            differences.iter().take(LINES_SHOWN).map(|one| one.text.as_str()).collect();
        let more = format!("{} more", differences.len().saturating_sub(LINES_SHOWN));
        if differences.len() > LINES_SHOWN {
            shown.push(&more);
        }
        let warns = differences.iter().any(|one| one.warns);
        Some(Finding {
            rule: id.to_owned(),
            severity: if warns { Severity::Warning } else { Severity::Note },
            message: format!("rights change: {}", shown.join("; ")),
            remedy: "See that each of these is meant.".to_owned(),
            fix: None,
            location: migration.source.location(migration.statements[index].range.clone()),
            statement: Some(index),
            evidence: Evidence {
                kind: EvidenceKind::Claimed,
                facts: differences.into_iter().map(|one| one.text).collect(),
            },
            claim: Claim::Nothing,
        })
    }
}

fn touches_rights(command: &Command, has_defaults: bool) -> bool {
    match command {
        Command::Grant(_) => true,
        Command::Object(ObjectChange { kind: ObjectKind::DefaultPrivileges, .. }) => true,
        Command::Object(ObjectChange {
            kind: ObjectKind::Function | ObjectKind::Procedure, words, ..
        }) => words.contains(" security "),
        Command::AlterTable(alter) => alter
            .actions
            .iter()
            .any(|action| matches!(action.kind, ActionKind::OwnerTo { .. } | ActionKind::RowSecurity { .. })),
        Command::AlterAttachment(attachment) => attachment.kind == ObjectKind::Policy,
        Command::CreateFunction(function) => function.security_definer || has_defaults,
        Command::CreateTable(_)
        | Command::CreateTableAs { .. }
        | Command::CreateView(_)
        | Command::CreateSequence { .. } => has_defaults,
        _ => false,
    }
}

fn differences(before: &Schema, after: &Schema) -> Vec<Difference> {
    let mut found = granted(before, after);
    found.extend(memberships(before, after));
    for (name, relation) in after.relations() {
        if !after.is_new(name)
            && let Some(old) = before.relation(&name_before(before, after, name))
        {
            found.extend(owners(name, old, relation));
            found.extend(row_security(name, old, relation));
        }
    }
    found.extend(definers(before, after));
    found
}

/// A relation's name before the renames of the change.
fn name_before(before: &Schema, after: &Schema, name: &ResolvedName) -> ResolvedName {
    let renames = after.privileges().renames_since(before.privileges());
    renames.iter().rev().fold(name.clone(), |name, (from, to)| if *to == name { from.clone() } else { name })
}

/// Rights by grants: lines that differ in the object alone are one.
fn granted(before: &Schema, after: &Schema) -> Vec<Difference> {
    let old = before.privileges().granted_under_names_of(after.privileges());
    let new = &after.privileges().granted;
    let objects: BTreeSet<&Grantable> = old.keys().chain(new.keys()).collect();
    // Role, whether it gains, whether the objects existed, rights.
    let mut lines: BTreeMap<(String, bool, bool, Vec<&str>), Vec<String>> = BTreeMap::new();
    let nothing = BTreeMap::new();
    for object in objects {
        let (held, holds) = (old.get(object).unwrap_or(&nothing), new.get(object).unwrap_or(&nothing));
        let roles: BTreeSet<&String> = held.keys().chain(holds.keys()).collect();
        for role in roles {
            let of = |rights: &'_ BTreeMap<String, BTreeSet<String>>| {
                rights.get(role).cloned().unwrap_or_default()
            };
            let (held, holds) = (of(held), of(holds));
            let gained: Vec<&str> = new_rights(&holds, &held, new, object, role);
            let lost: Vec<&str> = new_rights(&held, &holds, &old, object, role);
            let existed = existed(after, object);
            let shown = shown(after, object);
            if !gained.is_empty() && !is_usual(after, object, role, existed) {
                lines.entry((role.clone(), true, existed, gained)).or_default().push(shown.clone());
            }
            if !lost.is_empty() && existed && !is_gone(before, after, object) {
                lines.entry((role.clone(), false, existed, lost)).or_default().push(shown);
            }
        }
    }
    let line = |((role, gains, existed, rights), objects): ((String, bool, bool, Vec<&str>), Vec<String>)| {
        let verb = if gains { "gains" } else { "loses" };
        let fresh = if existed { "" } else { "new " };
        Difference {
            warns: gains && (existed || role == PUBLIC),
            text: format!("{role} {verb} {} on {fresh}{}", rights.join(", "), listed(&objects)),
        }
    };
    lines.into_iter().map(line).collect()
}

/// Rights that one has and the other hasn't, as they are kept in `of`.
fn new_rights<'a>(
    has: &BTreeSet<String>,
    hasnt: &BTreeSet<String>,
    of: &'a plimsoll_sql::schema::Granted,
    object: &Grantable,
    role: &str,
) -> Vec<&'a str> {
    let kept = of.get(object).and_then(|roles| roles.get(role));
    let kept = kept.into_iter().flatten().map(String::as_str);
    kept.filter(|right| has.contains(*right) && !hasnt.contains(*right)).collect()
}

fn existed(after: &Schema, object: &Grantable) -> bool {
    match object {
        Grantable::Relation(name) | Grantable::Column(name, _) => !after.is_new(name),
        Grantable::Function(name) => !after.is_new_function(name),
        Grantable::Schema(name) => !after.is_new_schema(name),
        Grantable::Other(..) => true,
    }
}

/// What nobody wonders at: an owner's rights, and that everybody may call a new function.
fn is_usual(after: &Schema, object: &Grantable, role: &str, existed: bool) -> bool {
    match object {
        Grantable::Relation(name) | Grantable::Column(name, _) => {
            after.relation(name).is_some_and(|relation| relation.owner.as_deref() == Some(role))
        }
        Grantable::Function(name) => {
            let definer = after.function(name).is_some_and(|function| function.security_definer);
            !existed && role == PUBLIC && !definer
        }
        Grantable::Schema(_) | Grantable::Other(..) => false,
    }
}

/// Whether the object itself was dropped.
fn is_gone(before: &Schema, after: &Schema, object: &Grantable) -> bool {
    match object {
        Grantable::Relation(name) => before.has(&name_before(before, after, name)) && !after.has(name),
        Grantable::Column(name, column) => {
            after.relation(name).is_none_or(|table| table.columns_known && table.column(column).is_none())
        }
        Grantable::Function(name) => after.function(name).is_none(),
        Grantable::Schema(_) | Grantable::Other(..) => false,
    }
}

fn shown(after: &Schema, object: &Grantable) -> String {
    match object {
        Grantable::Function(name)
            if after.function(name).is_some_and(|function| function.security_definer) =>
        {
            format!("{object}, which runs with its owner's rights")
        }
        _ => object.to_string(),
    }
}

fn listed(objects: &[String]) -> String {
    let mut shown: Vec<String> = objects.iter().take(OBJECTS_SHOWN).cloned().collect();
    if objects.len() > OBJECTS_SHOWN {
        shown.push(format!("{} more", objects.len() - OBJECTS_SHOWN));
    }
    shown.join(", ")
}

/// Who became a member of what, with what that brings.
fn memberships(before: &Schema, after: &Schema) -> Vec<Difference> {
    let nothing = BTreeSet::new();
    let (old, new) = (&before.privileges().memberships, &after.privileges().memberships);
    let members: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut found = Vec::new();
    for member in members {
        let (was, is) = (old.get(member).unwrap_or(&nothing), new.get(member).unwrap_or(&nothing));
        for role in is.difference(was) {
            let brings = rights_of(after, role);
            let brings =
                if brings.is_empty() { String::new() } else { format!(", with {}", listed(&brings)) };
            found.push(Difference {
                warns: true,
                text: format!("{member} becomes a member of {role}{brings}"),
            });
        }
        for role in was.difference(is) {
            found
                .push(Difference { warns: false, text: format!("{member} is no longer a member of {role}") });
        }
    }
    found
}

/// What a role may do by grants to it, or to a role that it is.
fn rights_of(schema: &Schema, role: &str) -> Vec<String> {
    let privileges = schema.privileges();
    let roles = privileges.roles_of(role);
    let of = |object: &Grantable| {
        let rights: BTreeSet<&str> = roles
            .iter()
            .filter_map(|role| privileges.of(object, role))
            .flatten()
            .map(String::as_str)
            .collect();
        let rights: Vec<&str> = rights.into_iter().collect();
        (!rights.is_empty()).then(|| format!("{} on {object}", rights.join(", ")))
    };
    privileges.granted.keys().filter_map(of).collect()
}

fn owners(name: &ResolvedName, old: &Relation, new: &Relation) -> Option<Difference> {
    let owner = new.owner.as_ref().filter(|owner| old.owner.as_ref() != Some(owner))?;
    let was = old.owner.as_ref().map(|was| format!(", and {was} loses it")).unwrap_or_default();
    Some(Difference { warns: true, text: format!("{owner} gains everything on {name}, as its owner{was}") })
}

fn row_security(name: &ResolvedName, old: &Relation, new: &Relation) -> Vec<Difference> {
    let one = |warns: bool, text: String| Difference { warns, text };
    match (old.row_security, new.row_security) {
        (true, false) => {
            return vec![one(
                true,
                format!("every role that may read {name} sees all of its rows: no policy counts any more"),
            )];
        }
        (false, true) => {
            return vec![one(
                false,
                format!("roles other than its owner see only rows of {name} that a policy shows them"),
            )];
        }
        (false, false) => return Vec::new(),
        (true, true) => {}
    }
    let mut found = Vec::new();
    for policy in &new.policies {
        let clauses = PolicyClauses::read(&policy.clauses);
        let whom = format!("{} ({})", clauses.roles.join(", "), clauses.command);
        match old.policies.iter().find(|known| known.name == policy.name) {
            None if clauses.permissive => {
                found.push(one(true, format!("the policy {} shows {whom} more rows of {name}", policy.name)));
            }
            None => {
                found.push(one(false, format!("the policy {} hides rows of {name} from {whom}", policy.name)))
            }
            Some(known) if known.clauses != policy.clauses => {
                found.push(one(
                    true,
                    format!("the policy {} shows {whom} other rows of {name} than before", policy.name),
                ));
            }
            Some(_) => {}
        }
    }
    for policy in old.policies.iter().filter(|policy| new.policies.iter().all(|one| one.name != policy.name))
    {
        let clauses = PolicyClauses::read(&policy.clauses);
        let whom = format!("{} ({})", clauses.roles.join(", "), clauses.command);
        found.push(match clauses.permissive {
            true => one(false, format!("{whom} no longer sees rows of {name} by the policy {}", policy.name)),
            false => one(true, format!("{whom} sees rows of {name} that the policy {} hid", policy.name)),
        });
    }
    found
}

/// Functions that began or ceased to run with their owners' rights.
fn definers(before: &Schema, after: &Schema) -> Vec<Difference> {
    let mut found = Vec::new();
    for function in after.functions().filter(|function| !after.is_new_function(&function.name)) {
        let was = before.function(&function.name).map(|known| known.security_definer);
        match (was, function.security_definer) {
            (Some(false), true) => found.push(Difference {
                warns: true,
                text: format!("who may call {}() does so with its owner's rights", function.name),
            }),
            (Some(true), false) => found.push(Difference {
                warns: false,
                text: format!("who may call {}() does so with his own rights", function.name),
            }),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use plimsoll_core::{ChangeScope, SourceFile};
    use plimsoll_sql::TransactionHabit;

    use super::*;
    use crate::{Settings, lint};

    fn findings(schema: &str, sql: &str) -> Vec<Finding> {
        let migration = |sql: &str| {
            Migration::new(SourceFile::new("m.sql", sql), 0..sql.len(), TransactionHabit::Statement)
        };
        let mut state = Schema::default();
        state.apply_script(&migration(schema).statements);
        let change = migration(sql);
        let found = lint(&mut state, &[&change], ChangeScope::Together, &Settings::default());
        found.into_iter().filter(|finding| finding.rule == "privilege-difference").collect()
    }

    /// What a change to some tables says of rights, a line a difference; a warning's begins with an exclamation mark.
    fn check(sql: &str, expected: &[&str]) {
        let schema = "create table ships (id bigint primary key, owner text); create table calls (id bigint primary key);
                      grant select on ships to reader; grant app to boss; grant update on calls to app;
                      create function touch() returns int language sql as 'select 1';
                      alter table calls enable row level security; create policy own on calls for select to app using (id > 0);
                      alter default privileges in schema public grant select on tables to auditor;";
        let found = findings(schema, sql);
        let lines: Vec<String> = found
            .iter()
            .flat_map(|one| {
                let sign = if one.severity == Severity::Warning { "! " } else { "" };
                one.evidence.facts.iter().map(move |fact| format!("{sign}{fact}"))
            })
            .collect();
        assert_eq!(lines, expected, "{sql}");
    }

    #[test]
    fn who_gains_and_who_loses_is_told_once_a_change() {
        check(
            "grant select, insert on ships, calls to writer",
            &["! writer gains insert, select on public.calls, public.ships"],
        );
        check("revoke select on ships from reader", &["reader loses select on public.ships"]);
        check("grant select on ships to public", &["! public gains select on public.ships"]);
        check("grant update (id) on ships to reader", &["! reader gains update on public.ships (id)"]);
        check("revoke select on ships from reader; grant select on ships to reader", &[]);
        check("grant select on ships to reader", &[]);
        check("alter table ships rename to vessels", &[]);
        check("drop table ships", &[]);
        check(
            "alter table ships rename to vessels; revoke select on vessels from reader",
            &["reader loses select on public.vessels"],
        );
    }

    #[test]
    fn new_objects_are_told_as_far_as_others_gain_on_them() {
        check("create table logs (id bigint primary key)", &["auditor gains select on new public.logs"]);
        check("create table logs (id bigint primary key); revoke select on logs from auditor", &[]);
        check("create function f() returns int language sql as 'select 1'", &[]);
        check(
            "create function f() returns int language sql security definer set search_path = '' as 'select 1'",
            &["! public gains execute on new public.f(), which runs with its owner's rights"],
        );
    }

    #[test]
    fn memberships_owners_policies_and_definers_count() {
        check("grant app to clerk", &["! clerk becomes a member of app, with update on public.calls"]);
        check("revoke app from boss", &["boss is no longer a member of app"]);
        check(
            "alter table ships owner to captain",
            &["! captain gains everything on public.ships, as its owner"],
        );
        check(
            "alter function touch() security definer",
            &["! who may call public.touch() does so with its owner's rights"],
        );
        check(
            "alter table calls disable row level security",
            &["! every role that may read public.calls sees all of its rows: no policy counts any more"],
        );
        check(
            "alter table ships enable row level security; create policy p on ships using (true)",
            &["roles other than its owner see only rows of public.ships that a policy shows them"],
        );
        check(
            "create policy p on calls for select using (true)",
            &["! the policy p shows public (select) more rows of public.calls"],
        );
        check(
            "drop policy own on calls",
            &["app (select) no longer sees rows of public.calls by the policy own"],
        );
        check(
            "alter policy own on calls using (true)",
            &["! the policy own shows app (select) other rows of public.calls than before"],
        );
    }

    #[test]
    fn a_finding_stands_at_the_first_statement_that_touches_rights() {
        let found = findings(
            "create table t ()",
            "select 1;\ngrant select on t to a;\ngrant select on t to b, c, d, e;",
        );
        let [finding] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((finding.location.line, finding.statement), (2, Some(1)));
        assert_eq!(
            finding.message,
            "rights change: a gains select on public.t; b gains select on public.t; c gains select on public.t; 2 more"
        );
    }
}
