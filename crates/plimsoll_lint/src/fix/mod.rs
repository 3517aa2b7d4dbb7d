//! Changes rewritten so that they block nobody for long: for each hazard with a known safer form, that form.
//!
//! Pure: a migration and what lint reported of it go in, steps come out, and [`arrange`] puts the steps into files.
//! Whether a rewrite comes to the same schema isn't decided here: a server shows that.

mod added_column;
pub mod arrange;
mod backfill;
mod batches;
mod check;
mod foreign_key;
mod index;
mod key;
mod made_names;
mod not_null;
mod partition;
mod partitioned_index;
mod plan;
mod rewriter;
mod site;

use plimsoll_core::{Claim, Finding, Severity};
use plimsoll_sql::command::{AlterTable, TableAction};
use plimsoll_sql::name::quote_name;
use plimsoll_sql::{Migration, Schema};

use crate::Settings;
use rewriter::Rewriter;
use site::{Mended, Refusal, Site};

/// A statement in the place of a hazardous one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its text, without a semicolon at its end.
    pub sql: String,
    /// In which transaction it may run.
    pub run: Run,
}

/// In which transaction a step may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// In that of the statements around it.
    Along,
    /// In one that holds no lock from before it: it works for long under a weak lock.
    Fresh,
    /// In none with other statements: PostgreSQL refuses it there, or it commits itself.
    Outside,
}

/// The steps that take a statement's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Index of the statement in its file, from 0.
    pub statement: usize,
    /// What it does, in a few words each.
    pub titles: Vec<&'static str>,
    /// The rules whose findings it mends.
    pub rules: Vec<String>,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What its reader must know besides.
    pub notes: Vec<String>,
}

/// What becomes of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A rewrite mends it, by its index.
    Rewritten(usize),
    /// A `lock_timeout` at the file's head mends it.
    Guarded,
    /// It takes several deploys, and ends in another schema on the way: SQL and words.
    Planned(String),
    /// It isn't rewritten, and why.
    Unmended(String),
}

/// What becomes of a file's findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The rewrites, in the order of their statements.
    pub rewrites: Vec<Rewrite>,
    /// Findings, by their index among those given, and what becomes of them. A finding that tells of nothing that blocks
    /// or breaks isn't among them.
    pub answers: Vec<(usize, Answer)>,
}

impl Proposal {
    /// Whether a `lock_timeout` is called for.
    #[must_use]
    pub fn wants_guard(&self) -> bool {
        self.answers.iter().any(|(_, answer)| *answer == Answer::Guarded)
    }
}

/// Whether a finding is that a `lock_timeout` is missing, and a `SET` mends it.
#[must_use]
pub fn asks_for_lock_timeout(finding: &Finding) -> bool {
    finding.fix.as_ref().is_some_and(
        |fix| matches!(fix.edits.as_slice(), [edit] if edit.text.starts_with("SET lock_timeout")),
    )
}

/// Rewrites a file. `schema` is the state before it, of which it is said that the change has begun, and is left as the
/// state after it; `findings` are what lint reports of the file.
#[must_use]
pub fn propose(
    schema: &mut Schema,
    migration: &Migration,
    findings: &[Finding],
    settings: &Settings,
) -> Proposal {
    schema.begin_session();
    let mut proposal = Proposal::default();
    for (index, statement) in migration.statements.iter().enumerate() {
        let of_statement: Vec<(usize, &Finding)> = findings
            .iter()
            .enumerate()
            .filter(|(_, finding)| finding.statement == Some(index) && concerns(finding))
            .collect();
        if !of_statement.is_empty() {
            let mut rewriter =
                Rewriter { schema: schema.clone(), migration, index, settings, answers: Vec::new() };
            let rewrite = rewriter.rewrite(&of_statement);
            let number = proposal.rewrites.len();
            proposal.answers.extend(rewriter.answers.into_iter().map(|(finding, answer)| match answer {
                Answer::Rewritten(_) => (finding, Answer::Rewritten(number)),
                answer => (finding, answer),
            }));
            proposal.rewrites.extend(rewrite);
        }
        for command in statement.commands() {
            schema.apply(command);
        }
    }
    proposal
}

/// Whether a finding is of something that blocks, or of what this module has an answer to.
fn concerns(finding: &Finding) -> bool {
    let works = matches!(finding.claim, Claim::Lock { work: Some(_), .. });
    finding.severity > Severity::Note
        && (works || asks_for_lock_timeout(finding) || is_answered(&finding.rule))
}

fn is_answered(rule: &str) -> bool {
    plan::of(rule).is_some() || statement_rewrite(rule).is_some() || action_rewrite(rule).is_some()
}

type RewriteStatement = fn(&Site) -> Result<Mended, Refusal>;
type RewriteAction = fn(&Site, &TableAction) -> Result<Mended, Refusal>;

/// What rewrites a whole statement, by the rule that tells of it.
fn statement_rewrite(rule: &str) -> Option<RewriteStatement> {
    Some(match rule {
        "require-concurrent-index-creation" => index::create,
        "require-concurrent-index-deletion" => index::drop,
        "require-concurrent-reindex" => index::reindex,
        "require-concurrent-refresh-matview" => index::refresh,
        "ban-concurrent-in-transaction" | "concurrent-in-implicit-transaction" => index::outside,
        "index-on-partitioned-parent" => partitioned_index::create,
        "require-concurrent-partition-detach" => partition::detach,
        "attach-partition-without-check" => partition::attach,
        "validate-in-same-transaction" => check::validate_later,
        "backfill-with-ddl" | "ban-update-without-where" | "ban-delete-without-where" => backfill::in_batches,
        _ => return None,
    })
}

/// What rewrites one action of an `ALTER TABLE`, by the rule that tells of it.
fn action_rewrite(rule: &str) -> Option<RewriteAction> {
    Some(match rule {
        "adding-foreign-key-constraint" => foreign_key::add,
        "constraint-missing-not-valid" => check::add,
        "adding-not-nullable-field" => not_null::set,
        "not-null-constraint-not-valid" => not_null::add_constraint,
        "disallowed-unique-constraint" | "adding-primary-key-constraint" | "pk-using-nullable-index" => {
            key::add
        }
        "adding-field-with-default"
        | "add-column-with-check"
        | "add-column-unique"
        | "add-column-references"
        | "add-serial-column" => added_column::add,
        _ => return None,
    })
}

/// `ALTER TABLE name`, with what the statement says before its first action.
fn alter_head(alter: &AlterTable) -> String {
    let only = if alter.only { "ONLY " } else { "" };
    format!("ALTER TABLE {only}{}", quote_name(&alter.name))
}

#[cfg(test)]
mod tests;
