//! A dropped sequence that running code may still draw from.

use plimsoll_core::Severity;
use plimsoll_sql::command::ObjectKind;
use plimsoll_sql::name::quote_name;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-sequence",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-sequence")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_sequence.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    dropped::each(context, problems, &[ObjectKind::Sequence], |name| {
        let message = format!(
            "code that still draws numbers from {} fails from this moment on",
            context.schema.resolve(name)
        );
        let remedy = format!(
            "Deploy code that no longer calls nextval on it, then drop it in a later change; until then:\n\
             COMMENT ON SEQUENCE {} IS 'unused; to be dropped';",
            quote_name(name)
        );
        Some((message, remedy))
    });
}
