//! A dropped table that running code may still use.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::command::ObjectKind;
use plimsoll_sql::{Command, ObjectName};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-table",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[("squawk", "ban-drop-table"), ("strong_migrations", "drop_table")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_table.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Drop(drop) = context.command else { return };
    let of_schemas: Vec<ObjectName>;
    let names = match drop.kind {
        ObjectKind::Table => &drop.names,
        ObjectKind::Schema => {
            let dropped = |name: &&ObjectName| {
                drop.names.iter().any(|schema| name.schema.as_ref() == Some(&schema.name))
            };
            of_schemas = context.schema.relations().map(|(name, _)| name).filter(dropped).cloned().collect();
            &of_schemas
        }
        _ => return,
    };
    for name in names {
        let Some(table) = context.existing(name) else { continue };
        if drop.if_exists && context.known_missing(name) {
            continue;
        }
        problems.push(Problem {
            range: None,
            message: format!("code that still uses {} fails from this moment on, and its rows are gone", table.name),
            remedy: "Deploy code that no longer names the table, keep a dump of its rows, then drop it in a later change."
                .into(),
            claim: table.brief_claim(LockMode::AccessExclusive),
            subject: Some(name.to_string()),
            ..Problem::default()
        });
    }
}
