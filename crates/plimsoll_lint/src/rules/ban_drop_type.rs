//! A dropped type that running code may still name.

use plimsoll_core::Severity;
use plimsoll_sql::command::ObjectKind;
use plimsoll_sql::name::quote_name;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-type",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-type")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_type.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    dropped::each(context, problems, &[ObjectKind::Type], |name| {
        let message = format!("code that still casts to {name} or declares it fails from this moment on");
        let remedy = format!(
            "Deploy code that no longer names the type, then drop it in a later change; until then:\n\
             COMMENT ON TYPE {} IS 'unused; to be dropped';",
            quote_name(name)
        );
        Some((message, remedy))
    });
}
