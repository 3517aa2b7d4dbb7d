//! `plimsoll rule`: a rule's page, or the list of rules.

use plimsoll_lint::RULES;

use crate::args::RuleArguments;
use crate::config::nearest;
use crate::exit::{CLEAN, Failure};
use crate::output::print;

pub(crate) fn run(arguments: &RuleArguments) -> Result<u8, Failure> {
    let Some(id) = &arguments.id else {
        let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
        let lines = RULES.iter().map(|rule| {
            let severity = rule.severity.word();
            let summary = rule.summary().replace('\n', " ");
            format!("{:width$}  {severity:7}  {summary}\n", rule.id)
        });
        print(&lines.collect::<String>())?;
        return Ok(CLEAN);
    };
    let Some(rule) = plimsoll_lint::rule(id) else {
        let near = nearest(id, RULES.iter().map(|rule| rule.id));
        let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Err(Failure::input(format!(
            "explain {id}: there is no such rule{hint} (`plimsoll rule` lists them)"
        )));
    };
    print(&rule.whole_page())?;
    Ok(CLEAN)
}
