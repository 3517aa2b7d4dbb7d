//! Holds what lint says of real histories against what a server shows: `cargo run --release -p plimsoll_pg --example
//! accuracy -- FOLDER [MAJOR]`, where FOLDER holds a folder of SQL files for each history.
//!
//! Each file is a change to the state that the files before it left. A statement is a hazard where the recorder saw work
//! proportional to the size of a relation that existed before the change, under a lock that blocks its readers or
//! writers. It is flagged where lint, knowing the earlier files only, claims that with an error. Files that end in
//! `.dependency.sql` belong to the state alone: they run and aren't counted. `scripts/accuracy` makes such folders.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use plimsoll_core::proof::{UNCLAIMED_HAZARD, facts, prove};
use plimsoll_core::{
    ChangeScope, Claim, Finding, Outcome, Rehearsal, Severity, SourceFile, StatementRecord, gathered,
};
use plimsoll_lint::{Settings, lint};
use plimsoll_pg::rehearse::rehearse;
use plimsoll_pg::server::{
    Cache, Environment, PrivateServer, SearchPlaces, ServerUser, StartOptions, Wanted, find,
};
use plimsoll_sql::{Migration, Schema, TransactionHabit};

/// The version that histories are replayed on unless another is asked for.
const MAJOR: u32 = 18;
/// The file in a history's folder that asks for a version.
const MAJOR_FILE: &str = "postgres-version";
/// What a file's name ends with where it belongs to the state alone.
const DEPENDENCY: &str = ".dependency.sql";
/// Characters of a statement that a listing shows.
const LONGEST_STATEMENT: usize = 240;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: accuracy FOLDER [MAJOR]")?;
    let major = arguments.next().map_or(Ok(MAJOR), |major| major.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut servers: BTreeMap<u32, PrivateServer> = BTreeMap::new();
    let (mut total, mut rows) = (Score::default(), String::new());
    for history in folders(Path::new(&folder))? {
        let name = history.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let major = match std::fs::read_to_string(history.join(MAJOR_FILE)) {
            Ok(text) => text.trim().parse()?,
            Err(_) => major,
        };
        let server = match servers.entry(major) {
            Entry::Occupied(running) => running.into_mut(),
            Entry::Vacant(place) => place.insert(start(major)?),
        };
        let score = runtime.block_on(examine(server, major, &name, &history))?;
        rows.push_str(&score.row(&name, major));
        total.add(score);
    }
    let all = total.row("**all**", major);
    let alone = total.a_file(total.told_file_by_file);
    print_out(&format!("\n{HEADER}{rows}{all}\nfindings a file in a run of its own: {alone:.2}\n"));
    print_out(&format!("\nfindings by rule:\n{}", total.rules()));
    Ok(ExitCode::SUCCESS)
}

fn start(major: u32) -> Result<PrivateServer, Box<dyn Error>> {
    let environment = Environment::read();
    let cache = Cache::locate(&environment)?;
    let user = ServerUser::choose(&environment)?;
    let binaries = find(Wanted::Major(major), &SearchPlaces::new(&environment, &cache, None), &user)?;
    Ok(PrivateServer::start(&binaries, &StartOptions::new(&environment, cache, user))?)
}

fn folders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

/// The history's files in the order of their names.
fn migrations(folder: &Path) -> std::io::Result<Vec<Migration>> {
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    let read = paths.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path)?;
        let whole = 0..text.len();
        // The tools write their BEGIN and COMMIT.
        Ok(Migration::new(SourceFile::new(path, text), whole, TransactionHabit::Statement))
    });
    read.collect()
}

/// A statement: its file's name and its index there.
type Place = (String, usize);

async fn examine(
    server: &PrivateServer,
    major: u32,
    name: &str,
    folder: &Path,
) -> Result<Score, Box<dyn Error>> {
    let migrations = migrations(folder)?;
    let all: Vec<&Migration> = migrations.iter().collect();
    let database = name.replace('-', "_");
    server.create_database(&database).await?;
    let settings = Settings { server_major: Some(major), ..Settings::default() };
    let findings = lint(&mut Schema::default(), &all, ChangeScope::EachFile, &settings);
    let rehearsal = rehearse(server, &database, &all, ChangeScope::EachFile, &|_, _, _| {}).await?;
    let mut score =
        Score { files: all.iter().filter(|one| counts(&one.source.name())).count(), ..Score::default() };
    score.count_findings(&findings);
    score.compare(name, &findings, &rehearsal);
    Ok(score)
}

fn counts(file: &str) -> bool {
    !file.ends_with(DEPENDENCY)
}

/// Whether the finding says that a statement does work under a lock that blocks.
fn claims_work(finding: &Finding) -> bool {
    finding.severity == Severity::Error && matches!(finding.claim, Claim::Lock { work: Some(_), .. })
}

/// Statements that did work under a lock that blocks: what a rehearsal tells where nobody said anything before.
fn hazards(rehearsal: &Rehearsal) -> BTreeSet<Place> {
    let whole = SourceFile::new("", "").location(0..0);
    let locate = |record: &StatementRecord| {
        let mut location = whole.clone();
        location.file.clone_from(&record.file);
        location
    };
    prove(Vec::new(), rehearsal, locate)
        .into_iter()
        .filter(|finding| finding.rule == UNCLAIMED_HAZARD && finding.severity == Severity::Error)
        .filter_map(|finding| Some((finding.location.file, finding.statement?)))
        .collect()
}

#[derive(Default)]
struct Score {
    files: usize,
    statements: usize,
    failed: usize,
    agreed: usize,
    missed: usize,
    invented: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    places: usize,
    /// Findings where each file is judged in a run of its own.
    told_file_by_file: usize,
    by_rule: BTreeMap<String, OfRule>,
}

/// How often a rule speaks, and at how many places.
#[derive(Clone, Copy, Default)]
struct OfRule {
    findings: usize,
    places: usize,
}

const HEADER: &str = "| history | PostgreSQL | files | statements | hazards | recall | precision | errors | warnings | notes | places | findings a file |\n\
                      |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";

impl Score {
    /// Counts them as a report tells them, and their places.
    fn count_findings(&mut self, findings: &[Finding]) {
        let counted: Vec<Finding> =
            findings.iter().filter(|finding| counts(&finding.location.file)).cloned().collect();
        self.places += counted.len();
        let in_files = counted.chunk_by(|a, b| a.location.file == b.location.file);
        self.told_file_by_file += in_files.map(|in_file| gathered(in_file).len()).sum::<usize>();
        for told in gathered(&counted) {
            let Finding { severity, rule, .. } = told.first;
            match severity {
                Severity::Error => self.errors += 1,
                Severity::Warning => self.warnings += 1,
                Severity::Note => self.notes += 1,
            }
            let of_rule = self.by_rule.entry(format!("{} {rule}", severity.word())).or_default();
            of_rule.findings += 1;
            of_rule.places += 1 + told.further.len();
        }
    }

    fn compare(&mut self, history: &str, findings: &[Finding], rehearsal: &Rehearsal) {
        let hazards = hazards(rehearsal);
        for record in rehearsal.statements.iter().filter(|record| counts(&record.file)) {
            self.statements += 1;
            let place = (record.file.clone(), record.statement);
            let said: Vec<&Finding> = findings
                .iter()
                .filter(|finding| {
                    finding.location.file == record.file && finding.statement == Some(record.statement)
                })
                .filter(|finding| claims_work(finding))
                .collect();
            let verdict = match (record.outcome, hazards.contains(&place), said.is_empty()) {
                (Outcome::Error, ..) => {
                    self.failed += 1;
                    "failed"
                }
                (Outcome::Ok, true, false) => {
                    self.agreed += 1;
                    continue;
                }
                (Outcome::Ok, true, true) => {
                    self.missed += 1;
                    "missed"
                }
                (Outcome::Ok, false, false) => {
                    self.invented += 1;
                    "invented"
                }
                (Outcome::Ok, false, true) => continue,
            };
            list(verdict, history, record, &said);
        }
    }

    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.statements += other.statements;
        self.failed += other.failed;
        self.agreed += other.agreed;
        self.missed += other.missed;
        self.invented += other.invented;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
        self.places += other.places;
        self.told_file_by_file += other.told_file_by_file;
        for (rule, more) in other.by_rule {
            let of_rule = self.by_rule.entry(rule).or_default();
            of_rule.findings += more.findings;
            of_rule.places += more.places;
        }
    }

    fn row(&self, name: &str, major: u32) -> String {
        let of = |part: usize, whole: usize| match whole {
            0 => "–".to_owned(),
            _ => format!("{:.3}", part as f64 / whole as f64),
        };
        let hazards = self.agreed + self.missed;
        format!(
            "| {name} | {major} | {} | {} | {hazards} | {} | {} | {} | {} | {} | {} | {:.2} |\n",
            self.files,
            self.statements - self.failed,
            of(self.agreed, hazards),
            of(self.agreed, self.agreed + self.invented),
            self.errors,
            self.warnings,
            self.notes,
            self.places,
            self.a_file(self.errors + self.warnings + self.notes)
        )
    }

    fn a_file(&self, count: usize) -> f64 {
        count as f64 / self.files.max(1) as f64
    }

    fn rules(&self) -> String {
        let line = |(rule, of_rule): (&String, &OfRule)| {
            format!("{:6} {rule}, {} places\n", of_rule.findings, of_rule.places)
        };
        self.by_rule.iter().map(line).collect()
    }
}

/// Lists a statement on which lint and server differ, or that fails.
fn list(verdict: &str, history: &str, record: &StatementRecord, said: &[&Finding]) {
    let file = Path::new(&record.file).file_name().unwrap_or_default().to_string_lossy();
    let sql: String = record.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let sql: String = sql.chars().take(LONGEST_STATEMENT).collect();
    let mut text = format!("{verdict}: {history}/{file}:{}: {sql}\n", record.line);
    for finding in said {
        text.push_str(&format!("    said: {}: {}\n", finding.rule, finding.message));
    }
    let error = record.error.as_ref().map(|error| format!("{} {}", error.sqlstate, error.message));
    for fact in error.into_iter().chain(facts(record)) {
        text.push_str(&format!("    seen: {fact}\n"));
    }
    print_out(&text);
}

#[expect(clippy::print_stdout, reason = "an example tells what it does")]
fn print_out(text: &str) {
    print!("{text}");
}
