//! `plimsoll lint`: the rules alone, without a server.

use std::path::Path;

use plimsoll_core::{Finding, Report};

use crate::args::{ColorChoice, ReportArguments};
use crate::exit::Failure;
use crate::output::deliver;
use crate::project::Project;
use crate::settings::Settings;

pub(crate) fn run(
    arguments: &ReportArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let settings = Settings::load(config, arguments.postgres)?;
    let project = Project::load(&settings, arguments)?;
    let findings = findings(&project, &settings);
    let report = Report::new(findings, None, None, project.notes.clone());
    deliver(&report, &project.sources(), arguments, color)
}

/// What the rules say of the change.
pub(crate) fn findings(project: &Project, settings: &Settings) -> Vec<Finding> {
    let new: Vec<_> = project.new.iter().collect();
    if new.is_empty() {
        return Vec::new();
    }
    plimsoll_lint::lint(&mut project.schema_before(), &new, project.scope, &settings.lint)
}
