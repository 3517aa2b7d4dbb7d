//! `plimsoll rule`: a rule's page, by its id or by what another tool calls it.

use std::path::Path;

use plimsoll_lint::names::{OTHER_FINDINGS, nearest_name, resolve};

use crate::args::RuleArguments;
use crate::commands::rules;
use crate::exit::{CLEAN, Failure};
use crate::output::print;

pub(crate) fn run(arguments: &RuleArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let Some(name) = &arguments.id else { return rules::run(config) };
    let ids = resolve(name);
    if ids.is_empty() {
        let near = nearest_name(name);
        let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Err(Failure::input(format!(
            "explain {name}: there is no such rule{hint} (`plimsoll rules` lists them)"
        )));
    }
    let pages: Vec<String> = ids.into_iter().map(page).collect();
    print(&pages.join("\n"))?;
    Ok(CLEAN)
}

fn page(id: &str) -> String {
    if let Some(rule) = plimsoll_lint::rule(id) {
        return rule.whole_page();
    }
    if let Some(rule) = plimsoll_lint::schema_rule(id) {
        return rule.whole_page();
    }
    let other = OTHER_FINDINGS.iter().find(|finding| finding.id == id);
    let (severity, summary) = other.map_or(("", ""), |finding| (finding.severity.word(), finding.summary));
    format!(
        "# {id}\n\n{summary}\n\nNo rule makes this finding. Its severity is {severity}; `[lint.rules]` sets another.\n"
    )
}
