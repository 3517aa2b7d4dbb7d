//! What the rules about `DROP` share: which of the things that a statement names existed before
//! the change, and are there to be dropped.

use plimsoll_core::{Claim, LockMode};
use plimsoll_sql::command::{Drop, ObjectKind};
use plimsoll_sql::{Command, ObjectName};

use crate::context::{Context, Problem};

/// Reports a problem for each thing of these kinds that is dropped, with what `tell` says of it:
/// message and remedy.
pub(super) fn each<'a>(
    context: &Context<'a>,
    problems: &mut Vec<Problem>,
    kinds: &[ObjectKind],
    tell: impl Fn(&'a ObjectName) -> Option<(String, String)>,
) {
    for name in names(context, kinds) {
        if let Some((message, remedy)) = tell(name) {
            problems.push(Problem::new(message, remedy, claim(context, name)).about(name));
        }
    }
}

/// The things of these kinds that existed before the change, as the statement names them.
pub(super) fn names<'a>(context: &Context<'a>, kinds: &[ObjectKind]) -> Vec<&'a ObjectName> {
    let Command::Drop(drop) = context.command else { return Vec::new() };
    if !kinds.contains(&drop.kind) {
        return Vec::new();
    }
    drop.names.iter().filter(|name| existed(context, drop, name)).collect()
}

fn existed(context: &Context, drop: &Drop, name: &ObjectName) -> bool {
    let schema = context.schema;
    let skipped = |missing: bool| drop.if_exists && schema.is_known() && missing;
    match drop.kind {
        ObjectKind::Type | ObjectKind::Domain => {
            !schema.is_new_type(name) && !skipped(schema.user_type(name).is_none())
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => {
            !schema.is_new_function(name) && !skipped(schema.function(name).is_none())
        }
        ObjectKind::Schema => !schema.is_new_schema(&name.name),
        ObjectKind::Extension => {
            let missing = !schema.extensions().any(|extension| extension == name.name);
            !schema.is_new_extension(&name.name) && !skipped(missing)
        }
        _ => !schema.is_new(name) && !skipped(schema.relation(name).is_none()),
    }
}

/// A relation's lock is what a server shows of it; of other things it shows nothing.
fn claim(context: &Context, name: &ObjectName) -> Claim {
    let Command::Drop(drop) = context.command else { return Claim::Nothing };
    match drop.kind {
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView => {
            context
                .existing(name)
                .map_or(Claim::Nothing, |existing| existing.brief_claim(LockMode::AccessExclusive))
        }
        _ => Claim::Nothing,
    }
}
