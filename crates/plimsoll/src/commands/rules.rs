//! `plimsoll rules`: every rule with its group, its severity, and whether it runs here.

use std::path::Path;

use plimsoll_core::Severity;
use plimsoll_lint::names::OTHER_FINDINGS;
use plimsoll_lint::policy::Standing;
use plimsoll_lint::{Group, RULES, SCHEMA_RULES};

use crate::exit::{CLEAN, Failure};
use crate::output::print;
use crate::settings::Settings;

pub(crate) fn run(config: Option<&Path>) -> Result<u8, Failure> {
    let settings = Settings::load(config, None)?;
    let policy = settings.lint.policy.general();
    let mut rows: Vec<[&str; 5]> = vec![["RULE", "GROUP", "SEVERITY", "", ""]];
    for rule in RULES {
        let (severity, runs) = match policy.standing(rule) {
            Standing::Reported => (rule.severity, "on"),
            Standing::ReportedAt(severity) => (severity, "on"),
            Standing::Accepted | Standing::Off => (rule.severity, "off"),
        };
        rows.push([rule.id, rule.group.word(), severity.word(), runs, rule.summary()]);
    }
    for rule in SCHEMA_RULES {
        let runs = if policy.reports(rule.id) { "on" } else { "off" };
        let severity = policy.severity(rule.id).unwrap_or(rule.severity);
        rows.push([rule.id, Group::Schema.word(), severity.word(), runs, rule.summary()]);
    }
    for finding in OTHER_FINDINGS {
        let runs = if policy.reports(finding.id) { "on" } else { "off" };
        let severity: Severity = policy.severity(finding.id).unwrap_or(finding.severity);
        rows.push([finding.id, "-", severity.word(), runs, finding.summary]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let lines: String = rows
        .iter()
        .map(|row| {
            let line = format!(
                "{:4$}  {:5$}  {:6$}  {:7$}  ",
                row[0], row[1], row[2], row[3], widths[0], widths[1], widths[2], widths[3]
            );
            format!("{}\n", format!("{line}{}", row[4].replace('\n', " ")).trim_end())
        })
        .collect();
    print(&lines)?;
    Ok(CLEAN)
}
