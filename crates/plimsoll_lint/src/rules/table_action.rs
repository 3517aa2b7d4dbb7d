//! What the rules about single actions of `ALTER TABLE` share: which relation and action, and the
//! brief lock that a server shows.

use plimsoll_sql::command::{ActionKind, AlterTable};
use plimsoll_sql::effects::action_lock;

use crate::context::{Context, Existing, Problem};

/// Reports a problem for each action on a relation that existed before the change, with what `tell`
/// says of it: message and remedy.
pub(super) fn each(
    context: &Context,
    problems: &mut Vec<Problem>,
    tell: impl Fn(&AlterTable, &Existing, &ActionKind) -> Option<(String, String)>,
) {
    let Some((alter, table)) = context.altered() else { return };
    for action in &alter.actions {
        let Some((message, remedy)) = tell(alter, &table, &action.kind) else { continue };
        let claim = table.brief_claim(action_lock(&action.kind));
        problems.push(Problem::new(message, remedy, claim).at(&action.range));
    }
}
