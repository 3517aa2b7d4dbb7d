//! A dropped domain that running code may still name.

use plimsoll_core::Severity;
use plimsoll_sql::command::ObjectKind;
use plimsoll_sql::name::quote_name;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-domain",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-domain")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_domain.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    dropped::each(context, problems, &[ObjectKind::Domain], |name| {
        let message =
            format!("code that still casts to the domain {name} or declares it fails from this moment on");
        let remedy = format!(
            "Deploy code that names the base type, change the columns to it (which rewrites nothing), then drop the domain in \
             a later change; until then:\nCOMMENT ON DOMAIN {} IS 'unused; to be dropped';",
            quote_name(name)
        );
        Some((message, remedy))
    });
}
