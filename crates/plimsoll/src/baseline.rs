//! A baseline: a file of findings that are known and left out, so that only new ones are told.
//!
//! One line a finding, sorted: file, rule, fingerprint, and the first words of what is marked,
//! which are for people. Lines that moved keep their fingerprint, as in the reports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use plimsoll_core::paths::{normal, seen_from};
use plimsoll_core::{Finding, SourceFile};
use plimsoll_report::fingerprint::{Print, fingerprints_of};

use crate::exit::Failure;
use crate::inputs::read_text;
use crate::output::write_file;
use crate::settings::Settings;

/// The first line, with the version of the format.
const HEAD: &str = "# plimsoll baseline, format 1";

/// What stands below it.
const EXPLANATION: &str = "# Findings that are left out of reports: file, rule, fingerprint, and the words that are marked.\n\
                           # Written by `plimsoll lint --write-baseline`; a line that is removed is reported again.\n";

/// Characters of the marked text that a line shows.
const WORDS_SHOWN: usize = 60;

/// A finding in a baseline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The file as seen from the project's folder, with forward slashes.
    file: String,
    rule: String,
    fingerprint: String,
    words: String,
}

/// What a run judges.
pub(crate) struct Judged {
    /// The texts that its findings point into.
    pub(crate) sources: Vec<SourceFile>,
    /// Files that it couldn't read.
    pub(crate) unreadable: Vec<PathBuf>,
    /// Whether it can find what a rule of this id tells.
    pub(crate) finds: fn(&str) -> bool,
}

/// How findings met a baseline.
pub(crate) struct Met {
    /// Those that it doesn't have.
    pub(crate) new: Vec<Finding>,
    /// Those that it has.
    pub(crate) known: Vec<Finding>,
    /// What is to be said of it.
    pub(crate) notes: Vec<String>,
}

/// Leaves out what a baseline has.
pub(crate) fn leave_out(
    findings: Vec<Finding>,
    path: &Path,
    judged: &Judged,
    settings: &Settings,
) -> Result<Met, Failure> {
    let shown = seen_from(path, &settings.current);
    let baseline = read(path, settings)?;
    let mut left: BTreeSet<(&str, &str, &str)> = baseline
        .iter()
        .map(|entry| (entry.file.as_str(), entry.rule.as_str(), entry.fingerprint.as_str()))
        .collect();
    let mut met = Met { new: Vec::new(), known: Vec::new(), notes: Vec::new() };
    let findings = in_order(findings);
    let entries = entries(&findings, judged, settings);
    for (finding, entry) in findings.into_iter().zip(&entries) {
        match left.remove(&(entry.file.as_str(), entry.rule.as_str(), entry.fingerprint.as_str())) {
            true => met.known.push(finding),
            false => met.new.push(finding),
        }
    }
    let files = judged_files(judged, settings);
    let gone = |file: &str| files.contains(file) || !settings.root.join(file).exists();
    let stale = left.iter().filter(|(file, rule, _)| (judged.finds)(rule) && gone(file)).count();
    match met.known.len() {
        0 => {}
        1 => met.notes.push(format!("1 finding is in the baseline {} and left out.", shown.display())),
        count => {
            met.notes.push(format!("{count} findings are in the baseline {} and left out.", shown.display()))
        }
    }
    if stale > 0 {
        let what = if stale == 1 { "1 entry".to_owned() } else { format!("{stale} entries") };
        let verb = if stale == 1 { "occurs" } else { "occur" };
        met.notes.push(format!(
            "{what} of the baseline {shown} no longer {verb}: write it again with --write-baseline {shown}.",
            shown = shown.display()
        ));
    }
    Ok(met)
}

/// Writes the findings as a baseline. What it has on files that this run didn't judge stays.
/// Returns how many it has then.
pub(crate) fn write(
    findings: Vec<Finding>,
    path: &Path,
    judged: &Judged,
    settings: &Settings,
) -> Result<usize, Failure> {
    let files = judged_files(judged, settings);
    let mut all: BTreeSet<Entry> = match path.exists() {
        true => read(path, settings)?
            .into_iter()
            .filter(|entry| {
                !(judged.finds)(&entry.rule)
                    || !files.contains(&entry.file) && settings.root.join(&entry.file).exists()
            })
            .collect(),
        false => BTreeSet::new(),
    };
    all.extend(entries(&in_order(findings), judged, settings));
    let lines: String = all
        .iter()
        .map(|entry| {
            format!(
                "{}\t{}\t{}\t{}\n",
                escaped(&entry.file),
                entry.rule,
                entry.fingerprint,
                escaped(&entry.words)
            )
        })
        .collect();
    write_file(path, &format!("{HEAD}\n{EXPLANATION}{lines}"))?;
    Ok(all.len())
}

fn read(path: &Path, settings: &Settings) -> Result<Vec<Entry>, Failure> {
    let shown = seen_from(path, &settings.current);
    let text = read_text(path, &settings.current)?;
    let wrong = |line: usize, why: &str| Failure::input(format!("read {}:{line}:1: {why}", shown.display()));
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        let why = format!("it doesn't begin with `{HEAD}`; write it anew with --write-baseline");
        return Err(wrong(1, &why));
    }
    let mut entries = Vec::new();
    for (at, line) in lines.enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let mut fields = line.split('\t');
        let (Some(file), Some(rule), Some(fingerprint)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(wrong(
                at + 2,
                "a file, a rule and a fingerprint are to stand here, with tabs between",
            ));
        };
        let words = fields.next().unwrap_or_default().to_owned();
        entries.push(Entry {
            file: unescaped(file),
            rule: rule.to_owned(),
            fingerprint: fingerprint.to_owned(),
            words,
        });
    }
    Ok(entries)
}

/// The order of a report, by which equal findings are told apart.
fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
    findings
}

fn entries(findings: &[Finding], judged: &Judged, settings: &Settings) -> Vec<Entry> {
    let by_name: std::collections::BTreeMap<String, _> =
        judged.sources.iter().map(|source| (source.name(), source)).collect();
    let marked = |finding: &Finding| {
        let text = by_name.get(&finding.location.file).and_then(|source| {
            let range = source.range(&finding.location);
            source.text().get(range)
        });
        text.unwrap_or(&finding.message).to_owned()
    };
    let parts: Vec<(String, String)> = findings
        .iter()
        .map(|finding| (from_root(Path::new(&finding.location.file), settings), marked(finding)))
        .collect();
    let prints = findings.iter().zip(&parts).map(|(finding, (file, marked))| Print {
        rule: &finding.rule,
        file,
        marked,
    });
    let fingerprints = fingerprints_of(prints);
    findings
        .iter()
        .zip(&parts)
        .zip(fingerprints)
        .map(|((finding, (file, marked)), fingerprint)| Entry {
            file: file.clone(),
            rule: finding.rule.clone(),
            fingerprint,
            words: first_words(marked),
        })
        .collect()
}

fn first_words(text: &str) -> String {
    let line = text.split_whitespace().take(WORDS_SHOWN).collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|character| !character.is_control()).collect();
    match line.char_indices().nth(WORDS_SHOWN) {
        Some((at, _)) => format!("{}…", line[..at].trim_end()),
        None => line,
    }
}

/// The files that a run judges, as a baseline names them.
fn judged_files(judged: &Judged, settings: &Settings) -> BTreeSet<String> {
    let read = judged.sources.iter().map(|source| source.path().to_owned());
    read.chain(judged.unreadable.iter().cloned()).map(|path| from_root(&path, settings)).collect()
}

fn from_root(path: &Path, settings: &Settings) -> String {
    let path = seen_from(&normal(&settings.current.join(path)), &settings.root);
    path.to_string_lossy().replace('\\', "/")
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\t', "%09")
        .replace('\n', "%0A")
        .replace('\r', "%0D")
        .replace('#', "%23")
}

fn unescaped(text: &str) -> String {
    text.replace("%23", "#")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%09", "\t")
        .replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for name in ["a b.sql", "#a%09\t.sql", "x\ny%250A"] {
            assert_eq!(unescaped(&escaped(name)), name);
        }
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(first_words("drop\n\ttable a"), "drop table a");
        assert_eq!(first_words(&"x".repeat(100)).chars().count(), WORDS_SHOWN + 1);
    }
}
