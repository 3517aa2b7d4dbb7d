//! Reports for those who know the checkout and not the folder that the program ran in: code scanning, annotations on a
//! pull request and GitLab's widget look paths up from its root.
//!
//! git isn't asked: the root is the nearest folder with a `.git`, which is a file in worktrees and submodules.

use std::path::Path;

use plimsoll_core::paths::seen_from;
use plimsoll_core::{Location, Report, SourceFile};
use plimsoll_report::Format;

/// A report and its sources, with paths as seen from the root of the checkout.
pub(crate) struct FromRoot {
    pub(crate) report: Report,
    pub(crate) sources: Vec<SourceFile>,
}

/// Whether those who read the format look paths up from the root of the checkout.
pub(crate) const fn is_read_at_root(format: Format) -> bool {
    matches!(format, Format::Sarif | Format::Github | Format::Gitlab)
}

impl FromRoot {
    /// The same report for the root; none where `current` is the root, or where there is no checkout.
    pub(crate) fn of(report: &Report, sources: &[SourceFile], current: &Path) -> Option<Self> {
        let root = current.ancestors().find(|folder| folder.join(".git").exists())?;
        if root == current {
            return None;
        }
        let moved = |file: &str| seen_from(&current.join(file), root).to_string_lossy().into_owned();
        let mut report = report.clone();
        each_location(&mut report, |location| location.file = moved(&location.file));
        for record in report.rehearsal.iter_mut().flat_map(|rehearsal| &mut rehearsal.statements) {
            record.file = moved(&record.file);
        }
        let sources = sources.iter().map(|source| SourceFile::new(moved(&source.name()), source.text()));
        Some(Self { report, sources: sources.collect() })
    }
}

fn each_location(report: &mut Report, change: impl Fn(&mut Location)) {
    for finding in &mut report.findings {
        change(&mut finding.location);
        for edit in finding.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
            change(&mut edit.location);
        }
    }
    for query in report.queries.iter_mut().flatten() {
        change(&mut query.location);
    }
}
