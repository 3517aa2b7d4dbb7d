//! The proof: original and rewritten migration on two copies of one database, and what they leave compared.

use plimsoll_lint::fix::Rewrite;
use plimsoll_pg::equality::{Compared, Original};
use plimsoll_pg::rehearse::{RehearseError, replay};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::{Command, Migration, Statement, StatementKind, TransactionHabit};

use super::Subject;
use super::candidate::{Candidate, Workshop};
use super::proven::{Outcome, RewrittenFile};
use crate::exit::Failure;
use crate::private_database::{Rows, bring_to_state_before, in_script, start};
use crate::progress::Progress;

/// Tries each file's rewrites, in the order of the files.
pub(super) async fn outcomes(
    workshop: &Workshop<'_>,
    subjects: &[Subject<'_>],
    no_seed: bool,
) -> Result<Vec<Outcome>, Failure> {
    let progress = Progress::new();
    progress.step("starting a private server");
    let server = start(workshop.settings, 0).await?;
    let (project, settings) = (workshop.project, workshop.settings);
    let rows = if no_seed { Rows::None } else { Rows::Seeded };
    let rows = bring_to_state_before(&server, &settings.database, project, settings, rows, &progress).await?;
    let bench = Bench { server: &server, workshop, progress: &progress, seeded: rows == Rows::Seeded };
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut broken: Option<String> = None;
    for (at, subject) in subjects.iter().enumerate() {
        let taken: Vec<RewrittenFile> = outcomes.iter().flat_map(|outcome| outcome.files.clone()).collect();
        outcomes.push(match (&broken, subject.is_rewritten()) {
            (_, false) => Outcome::default(),
            (Some(why), true) => untried(why.clone()),
            (None, true) => bench.outcome(subject, &taken).await?,
        });
        let more = subjects[at + 1..].iter().any(Subject::is_rewritten);
        if more && broken.is_none() {
            progress.step(format!("replaying {}", subject.migration.source.name()));
            match replay(&server, &settings.database, subject.migration.as_sent()).await {
                Ok(()) => {}
                Err(error @ RehearseError::Script { .. }) => {
                    broken = Some(format!("the migration before it fails: {error}"));
                }
                Err(error) => return Err(Failure::environment(error)),
            }
        }
    }
    Ok(outcomes)
}

fn untried(why: String) -> Outcome {
    Outcome { untried: Some(why), ..Outcome::default() }
}

struct Bench<'a> {
    server: &'a PrivateServer,
    workshop: &'a Workshop<'a>,
    progress: &'a Progress,
    seeded: bool,
}

/// A choice of rewrites that is proven.
struct Proven {
    candidate: Candidate,
    compared: Compared,
}

impl Bench<'_> {
    /// All rewrites of a file together; where they can't be proven so, as many as can.
    async fn outcome(&self, subject: &Subject<'_>, taken: &[RewrittenFile]) -> Result<Outcome, Failure> {
        if let Some(line) = unparsed(subject.migration) {
            return Ok(untried(format!("line {line} of the file doesn't parse: mend that first")));
        }
        let as_it_is = [subject.migration.as_sent()];
        let observer = self.observer();
        let original =
            Original::run(self.server, &self.workshop.settings.database, &as_it_is, &observer).await;
        let original = original.map_err(|error| in_script(error, "the proof"))?;
        if let Some(failure) = original.failure() {
            return Ok(untried(format!("{failure}; mend that first")));
        }
        let rewrites: Vec<&Rewrite> = subject.proposal.rewrites.iter().collect();
        let all: Vec<usize> = (0..rewrites.len()).collect();
        let together = self.attempt(subject, &original, &rewrites, taken).await?;
        let whole_why = match together {
            Ok(proven) => return Ok(self.settled(proven, all, Vec::new())),
            Err(why) => why,
        };
        if rewrites.len() < 2 {
            return Ok(Outcome { unproven: vec![(None, whole_why)], ..Outcome::default() });
        }
        let mut chosen: Vec<usize> = Vec::new();
        let mut last: Option<Proven> = None;
        let mut doubts: Vec<(Option<usize>, String)> = Vec::new();
        for index in all {
            let tried: Vec<&Rewrite> = chosen.iter().chain([&index]).map(|at| rewrites[*at]).collect();
            match self.attempt(subject, &original, &tried, taken).await? {
                Ok(proven) => {
                    chosen.push(index);
                    last = Some(proven);
                }
                Err(why) => doubts.push((Some(index), why)),
            }
        }
        Ok(match last {
            Some(proven) => self.settled(proven, chosen, doubts),
            None => Outcome { unproven: doubts, ..Outcome::default() },
        })
    }

    fn settled(&self, proven: Proven, chosen: Vec<usize>, unproven: Vec<(Option<usize>, String)>) -> Outcome {
        let stops_halfway = proven.candidate.migrations.iter().any(|migration| {
            let works = |statement: &&Statement| {
                !matches!(statement.command(), Some(Command::Set(_) | Command::Reset { .. }))
            };
            migration.habit == TransactionHabit::Statement
                && migration.statements.iter().filter(works).count() > 1
        });
        Outcome {
            files: proven.candidate.files,
            proven: chosen,
            unproven,
            compared: Some(proven.compared),
            seeded: self.seeded,
            stops_halfway,
            ..Outcome::default()
        }
    }

    /// Tells of each statement that is tried.
    fn observer(&self) -> impl Fn(&Migration, usize, &str) {
        |migration, index, sql| {
            let line = migration.source.line_column(migration.statements[index].range.start).0;
            self.progress.step(format!("proving {}:{line} {sql}", migration.source.name()));
        }
    }

    /// Tries a choice of rewrites; says why it isn't proven.
    async fn attempt(
        &self,
        subject: &Subject<'_>,
        original: &Original<'_>,
        rewrites: &[&Rewrite],
        taken: &[RewrittenFile],
    ) -> Result<Result<Proven, String>, Failure> {
        let candidate = match self.workshop.candidate(subject, rewrites, taken) {
            Ok(candidate) => candidate,
            Err(why) => return Ok(Err(why)),
        };
        if candidate.files.is_empty() {
            return Ok(Err("its tool's form leaves no place for it".into()));
        }
        let rewritten: Vec<&Migration> = candidate.migrations.iter().map(Migration::as_sent).collect();
        let compared = original.compare(&rewritten, &self.observer()).await;
        let compared = compared.map_err(|error| in_script(error, "the proof"))?;
        Ok(match compared.differences.as_slice() {
            [] => Ok(Proven { candidate, compared }),
            differences => Err(differences.join("; ")),
        })
    }
}

/// The line of the first statement that doesn't parse.
fn unparsed(migration: &Migration) -> Option<usize> {
    let invalid = migration.statements.iter().find(|one| matches!(one.kind, StatementKind::Invalid(_)))?;
    Some(migration.source.line_column(invalid.range.start).0)
}
