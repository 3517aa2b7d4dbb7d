//! A choice of rewrites as files: the migration itself, and those that run right after it.

use std::path::{Path, PathBuf};

use plimsoll_core::paths::seen_from;
use plimsoll_core::{Finding, Severity};
use plimsoll_lint::fix::arrange::{Part, Terms, arrange};
use plimsoll_lint::fix::{Rewrite, asks_for_lock_timeout};
use plimsoll_sql::layout::{PlacedFile, Wrapping};
use plimsoll_sql::{InputFile, Migration};

use super::proven::RewrittenFile;
use super::{Subject, judged};
use crate::project::Project;
use crate::settings::Settings;

/// How long a statement may wait for a lock, where nobody has said so.
const LOCK_TIMEOUT: &str = "2s";

/// The migrations folder, in which candidates are made.
pub(crate) struct Workshop<'a> {
    pub(crate) project: &'a Project,
    pub(crate) settings: &'a Settings,
    /// All its files that the layout looks at.
    pub(crate) files: Vec<InputFile>,
}

/// Files that are to be tried.
pub(crate) struct Candidate {
    pub(crate) files: Vec<RewrittenFile>,
    /// The migrations that they are, in their order.
    pub(crate) migrations: Vec<Migration>,
}

impl Workshop<'_> {
    /// Makes files of a choice of rewrites, `taken` being what other candidates put into the folder.
    pub(crate) fn candidate(
        &self,
        subject: &Subject,
        rewrites: &[&Rewrite],
        taken: &[RewrittenFile],
    ) -> Result<Candidate, String> {
        let unguarded = self.candidate_with(subject, rewrites, taken, None)?;
        let findings = self.judged(subject, &unguarded);
        let candidate = match findings.iter().any(asks_for_lock_timeout) {
            true => self.candidate_with(subject, rewrites, taken, Some(LOCK_TIMEOUT))?,
            false => unguarded,
        };
        self.require_mended(subject, rewrites, &candidate)?;
        Ok(candidate)
    }

    fn judged(&self, subject: &Subject, candidate: &Candidate) -> Vec<Finding> {
        let migrations: Vec<&Migration> = candidate.migrations.iter().collect();
        judged(&subject.before, &migrations, self.project, self.settings)
    }

    /// Refuses what lint still tells of, or tells of anew.
    fn require_mended(
        &self,
        subject: &Subject,
        rewrites: &[&Rewrite],
        candidate: &Candidate,
    ) -> Result<(), String> {
        let before = judged(&subject.before, &[subject.migration], self.project, self.settings);
        let after = self.judged(subject, candidate);
        let count = |findings: &[Finding], rule: &str| findings.iter().filter(|one| one.rule == rule).count();
        for finding in &after {
            let rule = finding.rule.as_str();
            let mends = rewrites.iter().any(|rewrite| rewrite.rules.iter().any(|own| own == rule));
            let (old, new) = (count(&before, rule), count(&after, rule));
            let worse = finding.severity == Severity::Error && new > old;
            if worse || (mends && new >= old) {
                return Err(format!("lint says of the result: {} [{rule}]", finding.message));
            }
        }
        Ok(())
    }

    fn candidate_with(
        &self,
        subject: &Subject,
        rewrites: &[&Rewrite],
        taken: &[RewrittenFile],
        lock_timeout: Option<&str>,
    ) -> Result<Candidate, String> {
        let (layout, habit) = (self.project.layout(), self.settings.habit);
        let written = |sql: &str| layout.written(sql);
        let terms = Terms { turned_off: layout.habit_turned_off(habit), lock_timeout, written: &written };
        let parts = arrange(subject.migration, rewrites, terms)?;
        let original = self.original(subject.migration)?;
        let mut all: Vec<InputFile> = self.files.clone();
        all.extend(
            taken.iter().filter(|file| file.before.is_none()).map(|file| self.input(&file.path, &file.after)),
        );
        let placed = self.placed(subject.migration, original, &parts, &all)?;
        let mut files: Vec<RewrittenFile> = Vec::new();
        let keeps_carriage_returns = ends_lines_with_carriage_returns(&original.text);
        for PlacedFile { path, mut text } in placed {
            if keeps_carriage_returns {
                text = text.replace("\r\n", "\n").replace('\n', "\r\n");
            }
            let before = self.files.iter().find(|file| file.path == path).map(|file| file.text.to_string());
            if before.as_deref() != Some(text.as_str()) {
                files.push(RewrittenFile { path, before, after: text });
            }
        }
        let migrations = self.migrations(original, &files);
        Ok(Candidate { files, migrations })
    }

    /// The migration's file in the folder.
    fn original(&self, migration: &Migration) -> Result<&InputFile, String> {
        let found = self.files.iter().find(|file| file.shown == migration.source.path());
        let found = found.filter(|file| self.project.layout().is_migration(&file.path));
        found.ok_or_else(|| {
            "it lies outside the migrations folder, or isn't named as its tool names migrations".to_owned()
        })
    }

    fn placed(
        &self,
        migration: &Migration,
        original: &InputFile,
        parts: &[Part],
        all: &[InputFile],
    ) -> Result<Vec<PlacedFile>, String> {
        let layout = self.project.layout();
        let Some((first, rest)) = parts.split_first() else { return Err("nothing is left of it".into()) };
        let text = migration.source.text();
        let (head, tail) = (&text[..migration.section.start], &text[migration.section.end..]);
        let mut own = format!("{head}{}{tail}", first.section);
        let mut placed = Vec::new();
        if first.wrapping == Some(Wrapping::TurnedOff) {
            let beside = layout.side_path(&original.path);
            let beside = all.iter().find(|file| Some(&file.path) == beside.as_ref());
            placed.extend(layout.turn_off(&mut own, &original.path, beside.map(|file| &*file.text)));
        }
        placed.insert(0, PlacedFile { path: original.path.clone(), text: own });
        let paths = layout.paths_after(&original.path, rest.len(), all).ok_or_else(|| {
            format!(
                "it has to be cut in {}, and there is no room for further versions before the next migration: renumber that",
                parts.len()
            )
        })?;
        for (path, part) in paths.iter().zip(rest) {
            let wrapping = part.wrapping.unwrap_or(Wrapping::Usual);
            placed.extend(layout.new_files(path, &part.section, wrapping, &original.path));
            placed.extend(layout.down_file(path, &original.path, all));
        }
        Ok(placed)
    }

    /// The migrations that the files are, as their tool reads them.
    fn migrations(&self, original: &InputFile, files: &[RewrittenFile]) -> Vec<Migration> {
        let mut all: Vec<InputFile> =
            self.files.iter().filter(|file| files.iter().all(|new| new.path != file.path)).cloned().collect();
        all.extend(files.iter().map(|file| self.input(&file.path, &file.after)));
        let is_own = |migration: &Migration| {
            let path = migration.source.path();
            original.shown == path || files.iter().any(|file| self.shown(&file.path) == path)
        };
        let settings = self.settings;
        let migrations = self.project.layout().migrations_with(&all, settings.habit, &settings.placeholders);
        migrations.into_iter().filter(is_own).collect()
    }

    fn input(&self, path: &Path, text: &str) -> InputFile {
        InputFile { path: path.to_owned(), shown: self.shown(path), text: text.into() }
    }

    /// The absolute path of a file below the migrations folder.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        self.project.folder().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// A path below the migrations folder, as seen from the current one.
    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        seen_from(&self.absolute(path), &self.settings.current)
    }
}

/// Whether every line of a text ends as Windows ends lines.
fn ends_lines_with_carriage_returns(text: &str) -> bool {
    text.contains("\r\n") && text.matches("\r\n").count() == text.matches('\n').count()
}
