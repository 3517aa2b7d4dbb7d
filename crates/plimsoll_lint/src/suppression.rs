//! Comments that ignore rules, in one statement or in a file, and what is to be said of the
//! comments themselves: that one is of no use, gives no reason, names no rule.
//!
//! Only comments count, never text in a literal. A comment on a line of its own is for the next
//! statement, one behind a statement on its last line for that, one within a statement for it.
//! Other tools' comments are taken as they mean them; nothing is said of those that name what we
//! have no rule for.

mod directive;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use plimsoll_core::{Claim, Evidence, EvidenceKind, Finding, Location, Severity};
use plimsoll_sql::Migration;
use plimsoll_sql::comments::{body, comments};

use crate::names::{
    IGNORE_WITHOUT_REASON, UNKNOWN_RULE, UNUSED_IGNORE, nearest, nearest_name, resolve, resolve_of,
};
use crate::policy::{Policy, Reasons};
use crate::rule::SYNTAX_ERROR;
pub(crate) use directive::may_speak;
use directive::{Verb, parse};

/// The ignore comments of a change's files, by file.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    files: BTreeMap<String, Vec<Ignore>>,
    /// About words in comments that nothing can be made of.
    misunderstood: Vec<Finding>,
}

/// One comment that ignores rules.
#[derive(Clone, Debug)]
struct Ignore {
    /// Where the comment stands.
    location: Location,
    /// The statements that it is for; none means the whole file.
    statements: Option<Range<usize>>,
    /// Our ids; none means all.
    rules: Option<Vec<&'static str>>,
    /// The names as they are written.
    names: Vec<String>,
    /// Whether it is written in our own words.
    is_ours: bool,
    has_reason: bool,
    used: bool,
}

impl Suppressions {
    /// Takes note of a migration's comments.
    pub(crate) fn read(&mut self, migration: &Migration) {
        let text = migration.source.text();
        if !may_speak(text) {
            return;
        }
        let mut assured_from = None;
        let mut ignores = Vec::new();
        for comment in comments(text) {
            let words = body(text, comment.clone());
            let Some(directive) = parse(&text[words.clone()]) else { continue };
            let in_file = |range: &Range<usize>| words.start + range.start..words.start + range.end;
            let location = migration.source.location(comment.clone());
            let statements = match directive.verb {
                Verb::File => None,
                Verb::Statement => match statement_of(migration, &comment) {
                    Some(index) => Some(index..index + 1),
                    // The down section's comments are for nobody here.
                    None if !migration.section.contains(&comment.start) => continue,
                    None => Some(0..0),
                },
                Verb::Start => {
                    assured_from = Some((comment.end, location));
                    continue;
                }
                Verb::End => {
                    let Some((from, start)) = assured_from.take() else { continue };
                    let between = statements_between(migration, from..comment.start);
                    ignores.push(Ignore::of_all(start, between));
                    continue;
                }
                Verb::Unknown => {
                    self.misunderstood.push(unknown_verb(&text[words], location));
                    continue;
                }
            };
            let names: Vec<&str> = directive.names.iter().map(|name| &text[in_file(name)]).collect();
            let ids: Vec<Vec<&'static str>> = names
                .iter()
                .map(|name| directive.tool.map_or_else(|| resolve(name), |tool| resolve_of(tool, name)))
                .collect();
            if directive.tool.is_none() {
                let unknown = directive.names.iter().zip(&ids).filter(|(_, ids)| ids.is_empty());
                self.misunderstood.extend(unknown.map(|(name, _)| {
                    unknown_rule(&text[in_file(name)], migration.source.location(in_file(name)))
                }));
                if let Some(stray) = &directive.stray {
                    let place = migration.source.location(in_file(stray));
                    self.misunderstood.push(stray_word(&text[in_file(stray)], place));
                }
            }
            ignores.push(Ignore {
                location,
                statements,
                rules: (!names.is_empty()).then(|| ids.into_iter().flatten().collect()),
                names: names.into_iter().map(ToOwned::to_owned).collect(),
                is_ours: directive.tool.is_none(),
                has_reason: directive.reason.is_some(),
                used: false,
            });
        }
        if let Some((from, start)) = assured_from {
            ignores.push(Ignore::of_all(start, statements_between(migration, from..text.len())));
        }
        if !ignores.is_empty() {
            self.files.entry(migration.source.name()).or_default().extend(ignores);
        }
    }

    /// Whether a comment ignores this finding. All that do are taken for used.
    pub fn cover(&mut self, finding: &Finding) -> bool {
        let Some(ignores) = self.files.get_mut(&finding.location.file) else { return false };
        let mut covered = false;
        for ignore in ignores.iter_mut().filter(|ignore| ignore.covers(finding)) {
            ignore.used = true;
            covered = true;
        }
        covered
    }

    /// What is to be said of the comments, once every finding has met them.
    #[must_use]
    pub fn remarks(&self, policy: &Policy) -> Vec<Finding> {
        let general = policy.general();
        let mut remarks = self.misunderstood.clone();
        for (file, ignores) in &self.files {
            let file_policy = policy.for_file(Path::new(file), &general);
            for ignore in ignores {
                if policy.reasons == Reasons::Required && !ignore.has_reason {
                    remarks.push(without_reason(ignore));
                }
                let could_find =
                    |id: &&str| *id == SYNTAX_ERROR || crate::rule(id).is_some() && file_policy.reports(id);
                // A rule that doesn't run proves nothing, and what a server finds is met elsewhere.
                let judged =
                    ignore.rules.as_ref().is_none_or(|ids| !ids.is_empty() && ids.iter().all(could_find));
                if ignore.is_ours && !ignore.used && judged {
                    remarks.push(unused(ignore));
                }
            }
        }
        let leveled = remarks.into_iter().filter_map(|finding| {
            let path = finding.location.file.clone();
            policy.for_file(Path::new(&path), &general).leveled(finding)
        });
        leveled.collect()
    }
}

impl Ignore {
    fn of_all(location: Location, statements: Range<usize>) -> Self {
        Self {
            location,
            statements: Some(statements),
            rules: None,
            names: Vec::new(),
            is_ours: false,
            has_reason: true,
            used: false,
        }
    }

    fn covers(&self, finding: &Finding) -> bool {
        let here = match (&self.statements, finding.statement) {
            (None, _) => true,
            (Some(statements), Some(statement)) => statements.contains(&statement),
            (Some(_), None) => false,
        };
        here && self.rules.as_ref().is_none_or(|ids| ids.contains(&finding.rule.as_str()))
    }
}

/// The statement that a comment is for.
fn statement_of(migration: &Migration, comment: &Range<usize>) -> Option<usize> {
    if !migration.section.contains(&comment.start) {
        return None;
    }
    let text = migration.source.text();
    let statements = &migration.statements;
    let next = statements.partition_point(|statement| statement.range.end <= comment.start);
    let follows = statements.get(next);
    if follows.is_some_and(|statement| statement.range.start < comment.start) {
        return Some(next);
    }
    let line_end = text[comment.end..].find('\n').map_or(text.len(), |newline| comment.end + newline);
    let ends_line = text[comment.end..line_end].trim().is_empty();
    let on_its_line = |index: &usize| !text[statements[*index].range.end..comment.start].contains('\n');
    match next.checked_sub(1).filter(on_its_line) {
        Some(before) if ends_line => Some(before),
        _ => follows.map(|_| next),
    }
}

fn statements_between(migration: &Migration, range: Range<usize>) -> Range<usize> {
    let before =
        |offset: usize| migration.statements.partition_point(|statement| statement.range.start < offset);
    before(range.start)..before(range.end)
}

fn remark(rule: &str, severity: Severity, message: String, remedy: &str, location: Location) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity,
        message,
        remedy: remedy.to_owned(),
        fix: None,
        location,
        statement: None,
        evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
        claim: Claim::Nothing,
    }
}

fn unused(ignore: &Ignore) -> Finding {
    let what = match ignore.names.as_slice() {
        [] => "nothing is found that this comment could ignore".to_owned(),
        [name] => format!("`{name}` finds nothing that this comment could ignore"),
        names => format!("none of {} finds anything that this comment could ignore", names.join(", ")),
    };
    remark(UNUSED_IGNORE, Severity::Note, what, "Remove the comment.", ignore.location.clone())
}

fn without_reason(ignore: &Ignore) -> Finding {
    remark(
        IGNORE_WITHOUT_REASON,
        Severity::Warning,
        "this comment ignores a rule and doesn't say why".to_owned(),
        "Say why, behind ` -- ` in the comment.",
        ignore.location.clone(),
    )
}

fn unknown_rule(name: &str, location: Location) -> Finding {
    let hint = nearest_name(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let message = format!("there is no rule `{name}`{hint}");
    remark(UNKNOWN_RULE, Severity::Warning, message, "`plimsoll rules` lists them.", location)
}

fn unknown_verb(words: &str, location: Location) -> Finding {
    let word = words.split_once(':').map_or("", |(_, rest)| rest.trim());
    let word = word.split_whitespace().next().unwrap_or_default();
    let hint = nearest(word, ["ignore", "ignore-file"]).map(|near| format!("; did you mean `{near}`?"));
    let message = format!("`{word}` is nothing that a comment can ask for{}", hint.unwrap_or_default());
    let remedy = "Write `-- plimsoll: ignore RULE -- reason` or `-- plimsoll: ignore-file RULE -- reason`.";
    remark(UNKNOWN_RULE, Severity::Warning, message, remedy, location)
}

fn stray_word(words: &str, location: Location) -> Finding {
    let name = words.split_whitespace().next().unwrap_or_default();
    let message = format!("a comma or ` -- ` with a reason has to follow `{name}` here");
    let remedy = "Write `-- plimsoll: ignore RULE, RULE -- reason`.";
    remark(UNKNOWN_RULE, Severity::Warning, message, remedy, location)
}

#[cfg(test)]
mod tests;
