//! `plimsoll lint`: the rules alone, without a server.

use std::path::Path;

use plimsoll_core::{Claim, Evidence, EvidenceKind, Finding, Location, Report, Severity};
use plimsoll_lint::Judgement;
use plimsoll_lint::names::UNREADABLE_FILE;

use crate::args::{ColorChoice, LintArguments, ReportArguments};
use crate::baseline;
use crate::commands::import;
use crate::exit::{CLEAN, Failure};
use crate::inputs::Unreadable;
use crate::output::{deliver, print};
use crate::project::Project;
use crate::settings::Settings;

/// What the rules say of a change, and what is to be said of that.
pub(crate) struct Linted {
    pub(crate) judgement: Judgement,
    pub(crate) notes: Vec<String>,
}

pub(crate) fn run(
    arguments: &LintArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    if let Some(file) = &arguments.import {
        return import::run(
            file,
            config,
            if arguments.force { import::To::Config } else { import::To::Stdout },
        );
    }
    let settings = Settings::load(config, arguments.report.postgres)?;
    let mut project = Project::load(&settings, &arguments.report)?;
    let judgement = project.judge_and_release(&settings);
    if let Some(path) = &arguments.write_baseline {
        let findings = Linted::without_baseline(judgement, &project, &settings).judgement.findings;
        let count = baseline::write(findings, &settings.current.join(path), &project.judged(), &settings)?;
        let what = if count == 1 { "finding" } else { "findings" };
        print(&format!("wrote {}: {count} {what}\n", path.display()))?;
        return Ok(CLEAN);
    }
    let Linted { judgement, mut notes } = Linted::of(judgement, &project, &settings, &arguments.report)?;
    if project.knows_nothing() && judgement.touches_unknown {
        notes.push(
            "Nothing is known of the tables before the change, so they were judged at their worst: keep the earlier \
             migrations beside it, or give a dump of the schema by [database] schema, or a snapshot of a server by [lint] snapshot."
                .into(),
        );
    }
    let mut findings = judgement.findings;
    findings.extend(judgement.suppressions.remarks(&settings.lint.policy));
    let report = Report::new(findings, None, None, notes);
    deliver(&report, &project.sources(), &arguments.report, color)
}

impl Linted {
    /// What a judgement of the change comes to: leaves out what the baseline has.
    pub(crate) fn of(
        judgement: Judgement,
        project: &Project,
        settings: &Settings,
        arguments: &ReportArguments,
    ) -> Result<Self, Failure> {
        let mut linted = Self::without_baseline(judgement, project, settings);
        let path = arguments.baseline.as_ref().map(|path| settings.current.join(path));
        if let Some(path) = path.as_ref().or(settings.baseline.as_ref()) {
            let met = baseline::leave_out(linted.judgement.findings, path, &project.judged(), settings)?;
            linted.judgement.findings = met.new;
            linted.judgement.accepted.extend(met.known);
            linted.notes.extend(met.notes);
        }
        Ok(linted)
    }

    fn without_baseline(mut judgement: Judgement, project: &Project, settings: &Settings) -> Self {
        let mut notes = project.notes.clone();
        notes.extend(project.placeholder_note());
        let policy = &settings.lint.policy;
        let general = policy.general();
        let unreadable = project.unreadable.iter().filter_map(|one| {
            let path = Path::new(&one.location.file);
            let finding = unreadable(one);
            policy.judges(path).then(|| policy.for_file(path, &general).leveled(finding)).flatten()
        });
        judgement.findings.extend(unreadable);
        notes.extend(project.unreadable_before.iter().map(|one| {
            let Location { file, line, column, .. } = &one.location;
            format!("{file}:{line}:{column} can't be read, so what the file makes isn't known: {}.", one.why)
        }));
        match project.new.iter().filter(|migration| !policy.judges(migration.source.path())).count() {
            0 => {}
            1 => notes.push("1 file was not judged, as [lint] include and exclude say.".into()),
            count => notes.push(format!("{count} files were not judged, as [lint] include and exclude say.")),
        }
        Self { judgement, notes }
    }
}

fn unreadable(unreadable: &Unreadable) -> Finding {
    Finding {
        rule: UNREADABLE_FILE.to_owned(),
        severity: Severity::Error,
        message: format!("this file can't be read: {}", unreadable.why),
        remedy: "Mend the file; the others were judged without it.".to_owned(),
        fix: None,
        location: unreadable.location.clone(),
        statement: None,
        evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
        claim: Claim::Nothing,
    }
}
