//! One statement with what lint reported of it: which rewrite is asked, and what becomes of each finding.

use std::ops::Range;

use plimsoll_core::Finding;
use plimsoll_sql::command::{AlterTable, TableAction};
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Command, Migration, Schema};

use super::site::{Mended, Refusal, Site};
use super::{Answer, Rewrite, Run, Step, action_rewrite, asks_for_lock_timeout, plan, statement_rewrite};
use crate::Settings;

/// Rewrites one statement.
pub(super) struct Rewriter<'a> {
    pub(super) schema: Schema,
    pub(super) migration: &'a Migration,
    pub(super) index: usize,
    pub(super) settings: &'a Settings,
    pub(super) answers: Vec<(usize, Answer)>,
}

impl Rewriter<'_> {
    pub(super) fn rewrite(&mut self, findings: &[(usize, &Finding)]) -> Option<Rewrite> {
        let statement = &self.migration.statements[self.index];
        let command = statement.command()?;
        let sql = &self.migration.source.text()[statement.range.clone()];
        let mut rest = Vec::new();
        for (number, finding) in findings {
            match self.answer_without_rewrite(command, finding) {
                Some(answer) => self.answers.push((*number, answer)),
                None => rest.push((*number, *finding)),
            }
        }
        if rest.is_empty() {
            return None;
        }
        let mut rewrite = Rewrite {
            statement: self.index,
            titles: Vec::new(),
            rules: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
        };
        let (whole, of_actions): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(_, finding)| statement_rewrite(&finding.rule).is_some());
        if let Some((_, first)) = whole.first() {
            let mend = statement_rewrite(&first.rule)?;
            let mended = mend(&self.site(command, sql));
            self.take(&mut rewrite, &whole, mended);
        } else if let Command::AlterTable(alter) = command {
            self.actions(&mut rewrite, alter, sql, &of_actions);
        }
        (!rewrite.steps.is_empty()).then_some(rewrite)
    }

    fn site<'b>(&'b self, command: &'b Command, sql: &'b str) -> Site<'b> {
        Site { schema: &self.schema, settings: self.settings, command, sql }
    }

    /// What is said of a finding that no rewrite is tried for.
    fn answer_without_rewrite(&self, command: &Command, finding: &Finding) -> Option<Answer> {
        if asks_for_lock_timeout(finding) && action_rewrite(&finding.rule).is_none() {
            return Some(Answer::Guarded);
        }
        if matches!(command, Command::Do { .. }) {
            return Some(Answer::Unmended(
                "it stands in a DO block, which is not rewritten: take it out first".into(),
            ));
        }
        let own = statement_rewrite(&finding.rule).is_some() || action_rewrite(&finding.rule).is_some();
        let templated = self.migration.placeholders().next().is_some();
        match (own, plan::of(&finding.rule)) {
            // Ranges in its commands are those of what is sent.
            (false, Some(_)) if templated => Some(Answer::Planned(finding.remedy.clone())),
            (false, Some(plan)) => {
                let statement = &self.migration.statements[self.index];
                let sql = &self.migration.source.text()[statement.range.clone()];
                let range = self.within(finding);
                let planned = plan(&self.site(command, sql), &range);
                Some(planned.map_or_else(|| Answer::Planned(finding.remedy.clone()), Answer::Planned))
            }
            (false, None) => Some(Answer::Unmended("no form of it is known that blocks nobody".into())),
            (true, _) if templated => {
                Some(Answer::Unmended("the file is a template: render it first, and fix the result".into()))
            }
            (true, _) => None,
        }
    }

    /// Bytes of the statement at which a finding points.
    fn within(&self, finding: &Finding) -> Range<usize> {
        let start = self.migration.statements[self.index].range.start;
        let range = self.migration.source.range(&finding.location);
        range.start.saturating_sub(start)..range.end.saturating_sub(start)
    }

    fn actions(
        &mut self,
        rewrite: &mut Rewrite,
        alter: &AlterTable,
        sql: &str,
        findings: &[(usize, &Finding)],
    ) {
        if alter.if_exists && self.schema.relation(&alter.name).is_none() {
            let why =
                Err(Refusal("its IF EXISTS may skip it: whether the table exists isn't known here".into()));
            self.take(rewrite, findings, why);
            return;
        }
        let command = Command::AlterTable(alter.clone());
        let of = |action: &TableAction| -> Vec<(usize, &Finding)> {
            let own = |finding: &Finding| {
                let at = self.within(finding);
                action.range.start <= at.start && at.start < action.range.end
            };
            findings.iter().filter(|(_, finding)| own(finding)).copied().collect()
        };
        let by_action: Vec<Vec<(usize, &Finding)>> = alter.actions.iter().map(of).collect();
        let head = sql[..alter.actions.first().map_or(0, |action| action.range.start)].trim_end().to_owned();
        let mut kept: Vec<String> = Vec::new();
        let mut mended: Vec<(usize, Mended)> = Vec::new();
        // What stays of the statement runs first, as PostgreSQL adds columns before constraints.
        let alone = |action: &TableAction| {
            Command::AlterTable(AlterTable { actions: vec![action.clone()], ..alter.clone() })
        };
        for (action, _) in alter.actions.iter().zip(&by_action).filter(|(_, own)| own.is_empty()) {
            self.schema.apply(&alone(action));
        }
        for (at, (action, own)) in alter.actions.iter().zip(&by_action).enumerate() {
            let text = sql[action.range.clone()].to_owned();
            let Some((_, first)) = own.first() else {
                kept.push(text);
                continue;
            };
            let mend = action_rewrite(&first.rule);
            let result = mend.map_or_else(
                || Err(Refusal("no form of it is known that blocks nobody".into())),
                |mend| mend(&self.site(&command, sql), action),
            );
            match result {
                Ok(one) => {
                    kept.extend(one.kept.clone());
                    if let Some(kept) = &one.kept {
                        self.apply(&format!("{head} {kept}"));
                    }
                    for step in &one.steps {
                        self.apply(&step.sql);
                    }
                    mended.push((at, one));
                }
                Err(refusal) => {
                    kept.push(text);
                    self.schema.apply(&alone(action));
                    self.take(rewrite, own, Err(refusal));
                }
            }
        }
        if mended.is_empty() {
            return;
        }
        if !kept.is_empty() {
            rewrite.steps.push(Step { sql: format!("{head} {}", kept.join(", ")), run: Run::Along });
        }
        for (at, one) in mended {
            self.take(rewrite, &by_action[at], Ok(one));
        }
    }

    /// Applies a step to the schema in memory.
    fn apply(&mut self, sql: &str) {
        for statement in parse_script(sql).0 {
            if let Some(command) = statement.command() {
                self.schema.apply(command);
            }
        }
    }

    fn take(
        &mut self,
        rewrite: &mut Rewrite,
        findings: &[(usize, &Finding)],
        mended: Result<Mended, Refusal>,
    ) {
        match mended {
            Ok(mended) => {
                if !rewrite.titles.contains(&mended.title) {
                    rewrite.titles.push(mended.title);
                }
                rewrite.steps.extend(mended.steps);
                rewrite.notes.extend(mended.notes);
                for (number, finding) in findings {
                    if !rewrite.rules.contains(&finding.rule) {
                        rewrite.rules.push(finding.rule.clone());
                    }
                    self.answers.push((*number, Answer::Rewritten(0)));
                }
            }
            Err(refusal) => {
                let answer = Answer::Unmended(refusal.0);
                self.answers.extend(findings.iter().map(|(number, _)| (*number, answer.clone())));
            }
        }
    }
}
