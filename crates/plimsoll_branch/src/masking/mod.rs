//! Replaces personal values in a trunk before anybody can branch from it, by rules, and looks whether any is left.
//!
//! It runs while a copy's server does, which nobody else can reach. Each rule becomes an expression of SQL, or, where SQL
//! would be slow, values that are made here, and each table one `UPDATE`; then the table and its indexes are
//! written anew, so that no page has a row of before. The key of a run is in memory alone.

mod catalogue;
mod check;
mod expression;
mod fake;
mod made;
mod personal;
mod plan;
mod rules;
mod run;
mod scan;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::branch::{Origin, Say};
use crate::error::{BranchError, file_error};
use crate::manifest::Parent;
use crate::running::Address;
use crate::state::State;

use check::Samples;
use plan::Plan;
use run::Connector;

pub use rules::{BadRule, How, Key, Matches, Rule};

/// What is to be masked, and what has to be.
#[derive(Clone, Debug, Default)]
pub struct Masking {
    /// The rules, in the order in which they were written.
    pub rules: Vec<Rule>,
    /// What the masked values depend on; drawn anew for each run if none is given.
    pub key: Option<Key>,
    /// Whether a trunk is refused that has columns which look personal and have no rule.
    pub required: Required,
}

/// Whether a trunk that isn't masked is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Required {
    /// It isn't.
    #[default]
    No,
    /// It is.
    Yes,
}

/// What was done to a trunk's columns. Never a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masked {
    /// The columns that a rule covers, in order.
    pub columns: Vec<MaskedColumn>,
    /// Columns that look personal, or were found to have values of masked ones, and that no rule covers:
    /// `database: schema.table.column`.
    pub unmasked: Vec<String>,
}

/// A column that a rule covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MaskedColumn {
    /// Its database.
    pub database: String,
    /// `schema.table.column`.
    pub column: String,
    /// What the rule does, as it is written: `hash`, for example.
    pub with: String,
    /// Where the rule is.
    pub rule: String,
}

/// What is asked of one run.
pub(crate) struct Request<'a> {
    pub(crate) masking: &'a Masking,
    /// What is masked already, where the copy is one of a trunk.
    pub(crate) already: &'a Masked,
}

/// What a run has done.
pub(crate) struct Done {
    pub(crate) masked: Masked,
    pub(crate) notes: Vec<String>,
    samples: Samples,
}

impl Done {
    /// Whether anything was changed.
    fn has_changed(&self) -> bool {
        !self.samples.is_untouched
    }
}

/// Masks every database, or refuses before anything is changed.
pub(crate) async fn mask(
    address: &Address<'_>,
    databases: &[String],
    request: &Request<'_>,
    data: &Path,
    say: &dyn Say,
) -> Result<Done, BranchError> {
    let key = match &request.masking.key {
        Some(key) => key.clone(),
        None => Key::random().map_err(file_error("draw a key from", Path::new("/dev/urandom")))?,
    };
    let connector = Connector::new(address, &key);
    let mut plans = Vec::new();
    for database in databases {
        plans.push(plan::read(&connector, database, request).await?);
    }
    let mut notes = Vec::new();
    let mut masked = told(&plans, request.already);
    refuse_wrong(&plans)?;
    refuse_unmasked(request.masking, &masked)?;
    for rule in &request.masking.rules {
        if !plans.iter().any(|plan| plan.matched.contains(&rule.place)) {
            notes.push(format!("masking rule {} ({}) matches no column", rule.place, rule.matches));
        }
    }
    notes.extend(plans.iter().flat_map(|plan| plan.notes.clone()));
    let mut samples = Samples::untouched();
    for plan in plans.iter().filter(|plan| !plan.columns.is_empty()) {
        say.say(format!("masking {} columns of database {}", plan.columns.len(), plan.database));
        run::run(&connector, plan, &mut samples, &mut notes).await?;
    }
    if !samples.is_untouched {
        say.say("looking for values that are left".to_owned());
        let copies = check::look(&connector, &plans, &mut samples, data).await?;
        masked.unmasked.extend(copies);
        masked.unmasked.sort();
        masked.unmasked.dedup();
        refuse_unmasked(request.masking, &masked)?;
        notes.push(samples.in_words());
    }
    notes.extend(unmasked_note(&masked));
    Ok(Done { masked, notes, samples })
}

/// After the server's shutdown: what lies about in files that aren't tables' goes.
pub(crate) fn finish(done: &Done, data: &Path) -> Result<(), BranchError> {
    if done.has_changed() { check::clear_files(&done.samples, data) } else { Ok(()) }
}

fn told(plans: &[Plan], already: &Masked) -> Masked {
    let mut masked = Masked { columns: already.columns.clone(), unmasked: Vec::new() };
    for plan in plans {
        masked.columns.extend(plan.columns.iter().map(|column| MaskedColumn {
            database: plan.database.clone(),
            column: column.name.clone(),
            with: column.how.word().to_owned(),
            rule: column.rule.clone(),
        }));
        masked.columns.extend(plan.kept.iter().map(|(column, rule)| MaskedColumn {
            database: plan.database.clone(),
            column: column.clone(),
            with: How::Keep.word().to_owned(),
            rule: rule.clone(),
        }));
        masked.unmasked.extend(plan.personal.iter().map(|column| format!("{}: {column}", plan.database)));
    }
    masked.columns.sort();
    masked.columns.dedup();
    masked
}

fn refuse_wrong(plans: &[Plan]) -> Result<(), BranchError> {
    let wrong: Vec<String> = plans
        .iter()
        .flat_map(|plan| plan.wrong.iter().map(|why| format!("{why} (database {})", plan.database)))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(BranchError::Refused(format!("mask the trunk: {}", wrong.join("\n  "))))
}

fn refuse_unmasked(masking: &Masking, masked: &Masked) -> Result<(), BranchError> {
    if masking.required == Required::No {
        return Ok(());
    }
    if masked.columns.is_empty() {
        let why = "make a trunk that is masked: there are no rules; write [masking] in plimsoll.toml";
        return Err(BranchError::Refused(why.to_owned()));
    }
    if masked.unmasked.is_empty() {
        return Ok(());
    }
    Err(BranchError::Refused(format!(
        "make a trunk that is masked: these columns look personal, or have values of masked ones, and have no rule; write \
         one for each, if only with = \"keep\":\n  {}",
        masked.unmasked.join("\n  ")
    )))
}

/// Refuses where a branch would show values that aren't masked.
///
/// # Errors
/// When the trunk that it comes from isn't masked as a whole, or can't be told any more.
pub fn require_masked(state: &State, origin: &Origin) -> Result<(), BranchError> {
    let refused = |why: String| Err(BranchError::Refused(format!("branch from what is masked: {why}")));
    let mut origin = origin.clone();
    let mut wanted = None;
    loop {
        let name = match &origin {
            Origin::Branch(name) => name.clone(),
            Origin::Server(address) => return refused(format!("{} has no trunk", address.url)),
            Origin::Trunk(name) => {
                let trunk = state.known_trunk(name)?;
                if wanted.is_some_and(|version| version != trunk.version) {
                    return refused(format!(
                        "version {} of trunk {name} isn't the current one",
                        wanted.unwrap_or_default()
                    ));
                }
                return match (trunk.masked, &trunk.masking.unmasked[..]) {
                    (false, _) => refused(format!(
                        "trunk {name} isn't; write rules in [masking] of plimsoll.toml, and run `plimsoll trunk refresh {name}`"
                    )),
                    (true, []) => Ok(()),
                    (true, unmasked) => refused(format!(
                        "trunk {name} has columns without a rule:\n  {}",
                        unmasked.join("\n  ")
                    )),
                };
            }
        };
        origin = match state.known_branch(&name)?.parent {
            Parent::Server { url } => {
                return refused(format!("branch {name} is one of {url}, which has no trunk"));
            }
            Parent::Trunk { name, version } => {
                wanted = Some(version);
                Origin::Trunk(name)
            }
            Parent::Branch { name } => Origin::Branch(name),
            Parent::Plans { .. } => return Ok(()),
        };
    }
}

/// As many columns as a person reads.
const SHOWN: usize = 8;

fn unmasked_note(masked: &Masked) -> Option<String> {
    let names = &masked.unmasked;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty())
        .then(|| format!("{} columns look personal and have no masking rule: {shown}{rest}", names.len()))
}

/// A file of a data directory, relative to it.
type DataFile = PathBuf;
