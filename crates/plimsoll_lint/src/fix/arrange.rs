//! Where the steps of rewrites go: into the file itself, behind a COMMIT, or into files of their own, as the tool's
//! transactions ask for.
//!
//! The statements keep their order, whatever becomes of them.

mod chunks;

use plimsoll_sql::command::SetParameter;
use plimsoll_sql::layout::Wrapping;
use plimsoll_sql::{Command, Migration, Statement, TransactionHabit};

use super::{Rewrite, Run, Step};
use chunks::{Chunk, Chunks};

/// A file's forward part, as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How it runs; none for the file itself where that stays as it is.
    pub wrapping: Option<Wrapping>,
    /// Its text. The first part's takes the place of the file's section.
    pub section: String,
}

/// What the tool and the team ask for.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// What the tool does with a file whose transaction is turned off; none if nothing turns it off.
    pub turned_off: Option<TransactionHabit>,
    /// A `lock_timeout` to set before the first strong lock, such as `2s`.
    pub lock_timeout: Option<&'a str>,
    /// A statement with its semicolon, as the tool's own splitter needs it.
    pub written: &'a dyn Fn(&str) -> String,
}

/// Puts rewrites into their file, and into further ones that run right after it.
///
/// # Errors
/// When the tool's transactions can't be arranged so; says why.
pub fn arrange(migration: &Migration, rewrites: &[&Rewrite], terms: Terms) -> Result<Vec<Part>, String> {
    let cuts = migration.habit != TransactionHabit::Statement
        && rewrites.iter().flat_map(|rewrite| &rewrite.steps).any(|step| step.run != Run::Along)
        && !(migration.habit == TransactionHabit::Batch && is_lone(migration, rewrites));
    if cuts {
        check_cuttable(migration)?;
    }
    let chunks = Chunks::of(migration);
    let mut arranger = Arranger::new(migration.habit, cuts, terms);
    for (index, (statement, chunk)) in migration.statements.iter().zip(chunks.chunks).enumerate() {
        match rewrites.iter().find(|rewrite| rewrite.statement == index) {
            Some(rewrite) => arranger.rewritten(&rewrite.steps, &chunk)?,
            None => arranger.original(statement, &chunk)?,
        }
    }
    Ok(arranger.finish(&chunks.tail))
}

/// Whether the file stays a query of one statement, which runs in no transaction.
fn is_lone(migration: &Migration, rewrites: &[&Rewrite]) -> bool {
    migration.statements.len() == 1 && matches!(rewrites, [rewrite] if rewrite.steps.len() == 1)
}

/// Refuses a file whose statements lean on being in one.
fn check_cuttable(migration: &Migration) -> Result<(), String> {
    let name = "the file has to be cut in several";
    if !migration.meta_commands.is_empty() {
        return Err(format!("{name}, and its psql commands hold for the whole"));
    }
    for statement in &migration.statements {
        let why = match statement.command() {
            Some(Command::Savepoint(_) | Command::RollbackTo(_) | Command::ReleaseSavepoint(_)) => {
                "it sets savepoints"
            }
            Some(Command::Rollback { .. }) => "it rolls back",
            Some(Command::Begin | Command::Commit { .. }) if migration.habit == TransactionHabit::File => {
                "it opens or ends transactions itself within the tool's"
            }
            Some(Command::CreateTable(table)) if table.temporary => "it makes a temporary table",
            Some(Command::CreateTableAs { temporary: true, .. }) => "it makes a temporary table",
            _ => continue,
        };
        return Err(format!("{name}, and {why}"));
    }
    Ok(())
}

/// A statement on its way into a file.
struct Piece {
    lead: String,
    sql: String,
    trail: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Begin,
    Set,
    Fresh,
    Other,
}

#[derive(Default)]
struct Building {
    wrapping: Option<Wrapping>,
    pieces: Vec<Piece>,
}

impl Building {
    /// Whether nothing in it has taken a lock that blocks.
    fn is_idle(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece.kind, Kind::Set | Kind::Fresh))
    }

    fn holds_only_settings(&self) -> bool {
        self.pieces.iter().all(|piece| piece.kind == Kind::Set)
    }
}

struct Arranger<'a> {
    habit: TransactionHabit,
    cuts: bool,
    terms: Terms<'a>,
    parts: Vec<Building>,
    /// `SET` so far, for the files and transactions to come.
    settings: Vec<SetParameter>,
    /// Whether the script's own transaction is open.
    begun: bool,
    /// Whether it was closed for a step and has to be opened again.
    interrupted: bool,
    /// Whether our own `SET lock_timeout` is in force.
    guarded: bool,
    /// Text before a statement that was left out.
    orphan: String,
}

impl<'a> Arranger<'a> {
    fn new(habit: TransactionHabit, cuts: bool, terms: Terms<'a>) -> Self {
        Self {
            habit,
            cuts,
            terms,
            parts: vec![Building::default()],
            settings: Vec::new(),
            begun: false,
            interrupted: false,
            guarded: false,
            orphan: String::new(),
        }
    }

    fn part(&mut self) -> &mut Building {
        if self.parts.is_empty() {
            self.parts.push(Building::default());
        }
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }

    fn is_turned_off(&mut self) -> bool {
        self.cuts && self.part().wrapping == Some(Wrapping::TurnedOff)
    }

    fn push(&mut self, mut piece: Piece) {
        piece.lead.insert_str(0, &std::mem::take(&mut self.orphan));
        self.part().pieces.push(piece);
    }

    fn push_made(&mut self, sql: impl Into<String>, kind: Kind) {
        let sql = sql.into();
        self.part().pieces.push(Piece { lead: String::new(), sql, trail: "\n".into(), kind });
    }

    fn original(&mut self, statement: &Statement, chunk: &Chunk) -> Result<(), String> {
        let piece = |kind| Piece {
            lead: chunk.lead.clone(),
            sql: chunk.sql.clone(),
            trail: chunk.trail.clone(),
            kind,
        };
        match statement.command() {
            Some(Command::Begin) => {
                if self.is_turned_off() {
                    self.open(Wrapping::Usual, self.habit)?;
                }
                self.begun = true;
                self.push(piece(Kind::Begin));
            }
            Some(Command::Commit { chain: false } | Command::Rollback { chain: false }) => {
                self.begun = false;
                match std::mem::take(&mut self.interrupted) {
                    true => self.orphan.push_str(&chunk.lead),
                    false => self.push(piece(Kind::Other)),
                }
                self.settings.retain(|set| !set.local);
            }
            Some(Command::Set(set)) => {
                self.settings.retain(|known| known.name != set.name || known.local != set.local);
                self.settings.push(set.clone());
                match self.interrupted || self.is_turned_off() {
                    // It is set where it is needed.
                    true => self.orphan.push_str(&chunk.lead),
                    false => self.push(piece(Kind::Set)),
                }
            }
            _ => {
                self.ready(Run::Along, false)?;
                self.push(piece(Kind::Other));
            }
        }
        Ok(())
    }

    fn rewritten(&mut self, steps: &[Step], chunk: &Chunk) -> Result<(), String> {
        let mut lead = chunk.lead_of(steps.iter().map(|step| step.sql.as_str()));
        for (at, step) in steps.iter().enumerate() {
            self.ready(step.run, true)?;
            let lead = std::mem::take(&mut lead);
            let trail = if at + 1 == steps.len() { chunk.trail.clone() } else { "\n".to_owned() };
            let kind = if step.run == Run::Fresh { Kind::Fresh } else { Kind::Other };
            self.push(Piece { lead, sql: step.sql.clone(), trail, kind });
        }
        Ok(())
    }

    /// Makes the place for a statement to come.
    fn ready(&mut self, run: Run, made: bool) -> Result<(), String> {
        match self.cuts {
            true => self.ready_in_files(run, made)?,
            false => self.ready_in_file(run),
        }
        if run == Run::Along {
            self.guard();
        }
        Ok(())
    }

    fn ready_in_file(&mut self, run: Run) {
        if run == Run::Along {
            self.resume();
            return;
        }
        self.interrupt();
        if run == Run::Outside && std::mem::take(&mut self.guarded) {
            // A concurrent build waits for older transactions, however long that takes: it blocks nobody.
            self.push_made("RESET lock_timeout", Kind::Set);
        }
    }

    /// Closes the script's own transaction, or takes it back where it has done nothing.
    fn interrupt(&mut self) {
        if !self.begun || self.interrupted {
            return;
        }
        self.interrupted = true;
        let pieces = &mut self.part().pieces;
        let idle = pieces.iter().rposition(|piece| piece.kind != Kind::Set);
        match idle.filter(|at| pieces[*at].kind == Kind::Begin) {
            Some(at) => {
                let leads: String = pieces.drain(at..).map(|piece| piece.lead).collect();
                self.orphan.push_str(&leads);
            }
            None => self.push_made("COMMIT", Kind::Other),
        }
    }

    /// Opens the script's own transaction again.
    fn resume(&mut self) {
        if !std::mem::take(&mut self.interrupted) {
            return;
        }
        self.push_made("BEGIN", Kind::Begin);
        let local: Vec<String> = self.settings.iter().filter(|set| set.local).map(set_statement).collect();
        for sql in local {
            self.push_made(sql, Kind::Set);
        }
    }

    fn ready_in_files(&mut self, run: Run, made: bool) -> Result<(), String> {
        let turned_off = self.terms.turned_off;
        let in_turned_off = self.is_turned_off();
        let shares = in_turned_off && turned_off == Some(TransactionHabit::Statement);
        match run {
            Run::Outside if shares => {
                if std::mem::take(&mut self.guarded) {
                    self.push_made("RESET lock_timeout", Kind::Set);
                }
            }
            Run::Outside => {
                let Some(habit) = turned_off else {
                    return Err(
                        "the tool wraps every file in a transaction, and nothing turns that off".into()
                    );
                };
                self.open(Wrapping::TurnedOff, habit)?;
            }
            Run::Fresh if shares || (!in_turned_off && self.part().is_idle()) => {}
            Run::Along if shares && made => {}
            Run::Along if !in_turned_off => {}
            Run::Fresh | Run::Along => self.open(Wrapping::Usual, self.habit)?,
        }
        if run == Run::Along {
            self.resume();
        }
        Ok(())
    }

    /// Goes on in another file.
    fn open(&mut self, wrapping: Wrapping, habit: TransactionHabit) -> Result<(), String> {
        self.interrupt();
        self.guarded = false;
        let alone = wrapping == Wrapping::TurnedOff && habit == TransactionHabit::Batch;
        let other = self.settings.iter().find(|set| !is_timeout(&set.name));
        if let Some(set) = other.filter(|_| alone) {
            return Err(format!(
                "a file of one statement can't set {}, which the file sets before it",
                set.name
            ));
        }
        if self.part().holds_only_settings() && self.parts.len() == 1 {
            // The file itself: what it set is set where it is needed.
            let part = self.part();
            let leads: String = part.pieces.drain(..).map(|piece| piece.lead).collect();
            part.wrapping = Some(wrapping).filter(|_| wrapping == Wrapping::TurnedOff);
            self.orphan.push_str(&leads);
        } else {
            self.parts.push(Building { wrapping: Some(wrapping), pieces: Vec::new() });
        }
        let kept = |set: &&SetParameter| match wrapping {
            Wrapping::Usual => true,
            Wrapping::TurnedOff => !alone && !is_timeout(&set.name),
        };
        let sets: Vec<String> = self
            .settings
            .iter()
            .filter(kept)
            .filter(|set| !(self.interrupted && set.local))
            .map(|set| match wrapping {
                Wrapping::Usual => set_statement(set),
                Wrapping::TurnedOff => set_statement(&SetParameter { local: false, ..set.clone() }),
            })
            .collect();
        for sql in sets {
            self.push_made(sql, Kind::Set);
        }
        Ok(())
    }

    /// Sets `lock_timeout` before a statement that may wait for a strong lock.
    fn guard(&mut self) {
        let Some(value) = self.terms.lock_timeout.filter(|_| !self.guarded) else { return };
        self.guarded = true;
        let wrapped = match self.part().wrapping {
            Some(Wrapping::TurnedOff) => false,
            Some(Wrapping::Usual) => true,
            None => self.habit != TransactionHabit::Statement,
        };
        let local = if wrapped { "LOCAL " } else { "" };
        self.push_made(format!("SET {local}lock_timeout = '{value}'"), Kind::Set);
    }

    fn finish(mut self, tail: &str) -> Vec<Part> {
        let written = self.terms.written;
        let orphan = std::mem::take(&mut self.orphan);
        let parts = std::mem::take(&mut self.parts);
        let mut finished = Vec::new();
        for (number, mut building) in parts.into_iter().enumerate() {
            if let [first, second, ..] = building.pieces.as_mut_slice()
                && number == 0
                && first.lead.is_empty()
            {
                // What heads the file stays at its head.
                std::mem::swap(&mut first.lead, &mut second.lead);
            }
            let mut section = String::new();
            let mut at_head = number > 0;
            for piece in &building.pieces {
                let lead = match at_head {
                    true => piece.lead.trim_start_matches(['\n', '\r']),
                    false => &piece.lead,
                };
                if !section.is_empty() && !section.ends_with('\n') && !lead.starts_with('\n') {
                    section.truncate(section.trim_end_matches(' ').len());
                    section.push('\n');
                }
                at_head &= piece.kind == Kind::Set;
                section.push_str(lead);
                section.push_str(&written(&format!("{};", piece.sql)));
                section.push_str(&piece.trail);
            }
            if number == 0 {
                section.push_str(&orphan);
                section.push_str(tail);
            } else if !section.ends_with('\n') {
                section.push('\n');
            }
            finished.push(Part { wrapping: building.wrapping, section });
        }
        finished
    }
}

/// Whether a parameter only ends what takes too long.
fn is_timeout(name: &str) -> bool {
    name.ends_with("_timeout")
}

fn set_statement(set: &SetParameter) -> String {
    let local = if set.local { "LOCAL " } else { "" };
    let value = |value: &String| format!("'{}'", value.replace('\'', "''"));
    let values: Vec<String> = set.values.iter().map(value).collect();
    let values = if values.is_empty() { "DEFAULT".to_owned() } else { values.join(", ") };
    match set.name.as_str() {
        "timezone" => format!("SET {local}TIME ZONE {values}"),
        name => format!("SET {local}{name} = {values}"),
    }
}
