//! What is told of the rewrites: text for people, JSON for programs.

use std::fmt::Write as _;

use plimsoll_core::units::{duration_ms, plural};
use plimsoll_lint::fix::{Answer, Rewrite};
use serde_json::{Value, json};
use similar::TextDiff;

use super::Subject;
use super::candidate::Workshop;
use super::proven::{KeptOut, Outcome, RewrittenFile};
use crate::advice;

/// Version of the JSON's form.
const FORMAT_VERSION: u32 = 1;

/// How to go on after a `lock_timeout`.
const RETRY: &str = "A statement that lock_timeout stops has changed nothing: run the migration again, a few times with a pause \
                     between.";

/// The same where statements before it aren't undone with it.
const GO_ON: &str = "A statement that lock_timeout stops has changed nothing: run it again, a few times with a pause between. A file \
                     without a transaction can't run again as a whole: what stands before that statement is done, and has to be left \
                     out.";

/// After a build that failed.
const DROP_INVALID: &str = "A concurrent build that failed leaves an invalid index: drop it first.";

/// All that is to be told.
pub(super) struct Report<'a> {
    pub(super) workshop: &'a Workshop<'a>,
    pub(super) subjects: &'a [Subject<'a>],
    pub(super) outcomes: &'a [Outcome],
    pub(super) notes: Vec<String>,
    pub(super) written: bool,
}

impl Report<'_> {
    fn pairs(&self) -> impl Iterator<Item = (&Subject<'_>, &Outcome)> {
        self.subjects.iter().zip(self.outcomes)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (subject, outcome) in self.pairs().filter(|(subject, _)| !subject.proposal.answers.is_empty()) {
            self.file(&mut text, subject, outcome);
        }
        let tells = !text.is_empty();
        let mut files = self.outcomes.iter().flat_map(|outcome| &outcome.files);
        if files.any(|file| file.after.contains("lock_timeout")) {
            let halfway = self.outcomes.iter().any(|outcome| outcome.stops_halfway);
            line(&mut text, &format!("{} {DROP_INVALID}", if halfway { GO_ON } else { RETRY }));
        }
        for note in &self.notes {
            line(&mut text, note);
        }
        match (tells, self.written) {
            (false, _) => line(&mut text, "Nothing to rewrite."),
            (true, true) => line(&mut text, "Written. Read the difference before you commit it."),
            (true, false) if self.outcomes.iter().any(|outcome| !outcome.files.is_empty()) => {
                line(&mut text, "Nothing was written: run it with --write to change the files.");
            }
            (true, false) => line(&mut text, "Nothing was written."),
        }
        text
    }

    fn file(&self, text: &mut String, subject: &Subject, outcome: &Outcome) {
        line(text, &subject.migration.source.name());
        match &outcome.untried {
            Some(why) => line(text, &format!("  nothing was tried: {why}")),
            None => {
                for (index, rewrite) in subject.proposal.rewrites.iter().enumerate() {
                    rewritten(text, subject, outcome, index, rewrite);
                }
            }
        }
        let guards = subject.proposal.wants_guard();
        if guards && outcome.compared.is_some() {
            line(
                text,
                &format!("  sets lock_timeout before the first strong lock [{}]", guarded_rules(subject)),
            );
        } else if let Some((None, why)) =
            outcome.unproven.first().filter(|_| guards && subject.proposal.rewrites.is_empty())
        {
            line(text, &format!("  UNPROVEN, not offered: sets lock_timeout: {why}"));
        }
        for (number, answer) in &subject.proposal.answers {
            let finding = &subject.findings[*number];
            let place = format!("  line {}: ", finding.location.line);
            match answer {
                Answer::Rewritten(_) | Answer::Guarded => {}
                Answer::Unmended(why) => {
                    line(text, &format!("{place}not rewritten: {why} [{}]", finding.rule));
                    indented(text, &finding.remedy, 4);
                }
                Answer::Planned(plan) => {
                    let what = "takes several deploys; a plan, which isn't proven and isn't written";
                    line(text, &format!("{place}{what} [{}]", finding.rule));
                    indented(text, plan, 4);
                }
            }
        }
        if let Some(compared) = &outcome.compared {
            proof(text, compared, outcome.seeded);
        }
        let proven = subject.proposal.rewrites.iter().enumerate();
        let proven = proven.filter(|(index, _)| outcome.is_proven(*index)).map(|(_, rewrite)| rewrite);
        if let Some(advice) =
            advice::of_rewrites(&self.workshop.settings.root, self.workshop.project.layout(), proven)
        {
            line(text, &format!("  {advice}"));
        }
        for file in &outcome.files {
            text.push('\n');
            text.push_str(&self.difference(file));
        }
        text.push('\n');
    }

    /// The difference that a rewrite makes to a file, as git shows it.
    fn difference(&self, file: &RewrittenFile) -> String {
        let name = self.workshop.shown(&file.path).display().to_string();
        let before = file.before.as_deref().unwrap_or_default();
        let old = if file.before.is_some() { format!("a/{name}") } else { "/dev/null".to_owned() };
        TextDiff::from_lines(before, &file.after)
            .unified_diff()
            .header(&old, &format!("b/{name}"))
            .to_string()
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let files: Vec<Value> =
            self.pairs().map(|(subject, outcome)| self.file_json(subject, outcome)).collect();
        let whole = json!({
            "format_version": FORMAT_VERSION,
            "written": self.written,
            "notes": self.notes,
            "migrations": files,
        });
        format!("{whole:#}\n")
    }

    fn file_json(&self, subject: &Subject, outcome: &Outcome) -> Value {
        let rewrites: Vec<Value> = subject
            .proposal
            .rewrites
            .iter()
            .enumerate()
            .map(|(index, rewrite)| {
                json!({
                    "statement": rewrite.statement,
                    "line": subject.line(rewrite.statement),
                    "rules": rewrite.rules,
                    "titles": rewrite.titles,
                    "steps": rewrite.steps.iter().map(|step| &step.sql).collect::<Vec<_>>(),
                    "notes": rewrite.notes,
                    "proven": outcome.is_proven(index),
                    "doubt": if outcome.is_proven(index) { None } else { outcome.doubt(index) },
                })
            })
            .collect();
        let others: Vec<Value> = subject
            .proposal
            .answers
            .iter()
            .filter_map(|(number, answer)| {
                let finding = &subject.findings[*number];
                let (what, said) = match answer {
                    Answer::Rewritten(_) => return None,
                    Answer::Guarded => ("lock_timeout", None),
                    Answer::Planned(plan) => ("plan", Some(plan)),
                    Answer::Unmended(why) => ("none", Some(why)),
                };
                Some(json!({ "rule": finding.rule, "line": finding.location.line, "answer": what, "text": said }))
            })
            .collect();
        let files = outcome.files.iter().map(|file| {
            json!({
                "path": self.workshop.shown(&file.path).display().to_string(),
                "is_new": file.before.is_none(),
                "text": file.after,
            })
        });
        json!({
            "file": subject.migration.source.name(),
            "rewrites": rewrites,
            "others": others,
            "files": files.collect::<Vec<_>>(),
            "proof": outcome.compared.as_ref().map(|compared| {
                let (before, after) = (KeptOut::by(&compared.original), KeptOut::by(&compared.rewritten));
                let times = |kept: &KeptOut| json!({
                    "longest_hold_ms": kept.longest, "writers_ms": kept.writers, "readers_ms": kept.readers,
                });
                json!({
                    "server_version": compared.original.server_version,
                    "objects": compared.objects,
                    "tables": compared.tables,
                    "rows": compared.rows,
                    "seeded": outcome.seeded,
                    "unsteady_columns": compared.unsteady,
                    "blocked_before": times(&before),
                    "blocked_after": times(&after),
                })
            }),
        })
    }
}

/// The rules that a `lock_timeout` satisfies, each once.
fn guarded_rules(subject: &Subject) -> String {
    let mut rules: Vec<&str> = Vec::new();
    for (number, answer) in &subject.proposal.answers {
        let rule = subject.findings[*number].rule.as_str();
        if *answer == Answer::Guarded && !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules.join(", ")
}

fn rewritten(text: &mut String, subject: &Subject, outcome: &Outcome, index: usize, rewrite: &Rewrite) {
    let titles: Vec<&str> = rewrite.titles.to_vec();
    let what = format!(
        "line {}: {} [{}]",
        subject.line(rewrite.statement),
        titles.join("; "),
        rewrite.rules.join(", ")
    );
    match outcome.is_proven(index) {
        true => line(text, &format!("  {what}")),
        false => {
            line(text, &format!("  UNPROVEN, not offered: {what}"));
            let doubt = |index| outcome.doubt(index).unwrap_or("it was not tried");
            let earlier = (0..index).find(|one| !outcome.is_proven(*one) && doubt(*one) == doubt(index));
            match earlier.and_then(|one| subject.proposal.rewrites.get(one)) {
                Some(other) => line(text, &format!("    as for line {}", subject.line(other.statement))),
                None => line(text, &format!("    because {}", doubt(index))),
            }
            for step in &rewrite.steps {
                indented(text, &format!("{};", step.sql), 4);
            }
        }
    }
    for note in &rewrite.notes {
        indented(text, note, 4);
    }
}

fn proof(text: &mut String, compared: &plimsoll_pg::equality::Compared, seeded: bool) {
    let version = compared.original.server_version.split(' ').next().unwrap_or_default();
    line(
        text,
        &format!(
            "  proven on PostgreSQL {version}: {} and {} in {} come out the same",
            plural(compared.objects, "object"),
            plural(usize::try_from(compared.rows).unwrap_or(usize::MAX), "row"),
            plural(compared.tables, "table"),
        ),
    );
    if !compared.unsteady.is_empty() {
        let columns = compared.unsteady.join(", ");
        line(
            text,
            &format!("  of {columns}, whose values differ from run to run, only which are NULL was compared"),
        );
    }
    let (before, after) = (KeptOut::by(&compared.original), KeptOut::by(&compared.rewritten));
    let times =
        |before: f64, after: f64| format!("{} before, {} after", duration_ms(before), duration_ms(after));
    line(text, &format!("  longest lock that blocks: {}", times(before.longest, after.longest)));
    line(text, &format!("  writers kept out: {}", times(before.writers, after.writers)));
    line(text, &format!("  readers kept out: {}", times(before.readers, after.readers)));
    if !seeded && compared.rows == 0 {
        line(text, "  no rows were loaded: times mean nothing");
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a String can't fail.
    writeln!(text, "{line}").unwrap_or_default();
}

fn indented(text: &mut String, block: &str, columns: usize) {
    for one in block.lines() {
        line(text, format!("{:columns$}{one}", "").trim_end());
    }
}
