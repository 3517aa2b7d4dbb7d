//! What a change gives and takes of rights, as one finding: see [`crate::privilege_difference`], which compares the
//! states before and after it. No statement alone says that.

use plimsoll_core::Severity;

use crate::rule::{Group, Rule};

pub(crate) const RULE: Rule = Rule {
    id: "privilege-difference",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Note,
    page: include_str!("privilege_difference.md"),
    check: |_, _| {},
};
