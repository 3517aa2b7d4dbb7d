//! What the statements before one have set and hold: timeouts, locks and enum values of the
//! transaction, savepoints, and which rules have spoken already.

use plimsoll_core::LockMode;
use plimsoll_core::units::milliseconds;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, AlterTable, Drop, ObjectKind, SetParameter, TypeAction};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::effects::{Effect, Environment};
use plimsoll_sql::schema::ResolvedName;
use plimsoll_sql::transaction::Place;

use crate::Settings;
use crate::context::{Context, takes_brief_strong_lock};

/// A session's state before a statement.
#[derive(Clone)]
pub struct Session {
    lock_timeout: Timeout,
    statement_timeout: Timeout,
    idle_timeout: Timeout,
    transaction_timeout: Timeout,
    /// `SET TimeZone` of the session.
    time_zone: Option<TimeZone>,
    transaction: usize,
    /// Locks on relations that existed before the change, held by the transaction.
    held: Vec<Held>,
    /// Number of locks held at each savepoint: rolling back to it lets go of the later ones.
    savepoints: Vec<(String, usize)>,
    /// Values that the transaction added to enums, with the enum's unqualified name.
    enum_values: Vec<(String, String)>,
    /// Unqualified names of types that the transaction made.
    types_made: Vec<String>,
    /// Existing tables to which the transaction added foreign keys, with the statement.
    parents: Vec<(ResolvedName, usize)>,
    /// Whether the script opened a transaction itself.
    begun: bool,
    /// Whether a strong lock without a `lock_timeout` was met before in this file.
    unguarded_lock_seen: bool,
    /// The first statement of the file that took a strong lock, brief or not, without a
    /// `lock_timeout`.
    unguarded_statement: Option<usize>,
    /// Rules that have reported something in this file.
    told_in_file: Vec<&'static str>,
    /// Rules that have reported something in this transaction.
    told_in_transaction: Vec<&'static str>,
}

/// What a statement leaves behind for those after it.
#[derive(Default)]
pub(crate) struct Trace {
    /// What it does to relations that existed before the change.
    pub(crate) effects: Vec<Effect>,
    /// The table that the statement is about.
    pub(crate) main_table: Option<ResolvedName>,
    /// Existing tables that its new foreign keys reference.
    pub(crate) parents: Vec<ResolvedName>,
    /// Rules that reported something in it; what a comment accepts isn't told.
    pub(crate) told: Vec<&'static str>,
}

impl Trace {
    /// Takes a statement's trace once the rules have seen it.
    pub(crate) fn of(context: Context, told: Vec<&'static str>) -> Self {
        let main_table = context.main_table().map(|effect| effect.relation.clone());
        let parents = context.foreign_key_parents();
        Self { main_table, parents, effects: context.effects, told }
    }
}

/// A lock that the transaction holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// The relation.
    pub relation: ResolvedName,
    /// The mode.
    pub mode: LockMode,
    /// Index of the statement that took it.
    pub statement: usize,
    /// Whether the statement is about this relation; not where it comes along, as a partition or
    /// as the other side of a foreign key.
    pub named: bool,
    /// Whether the transaction has dropped the relation since: nobody needs to wait for it.
    pub dropped: bool,
}

/// A timeout's settings, in milliseconds; 0 means none.
#[derive(Clone, Copy, Default)]
struct Timeout {
    /// What the runner set.
    default: u64,
    session: u64,
    /// Value to which it returns when the transaction rolls back.
    at_transaction_start: u64,
    /// `SET LOCAL` of the transaction.
    local: Option<u64>,
}

impl Timeout {
    fn new(default: u64) -> Self {
        Self { default, session: default, at_transaction_start: default, local: None }
    }

    fn effective(self) -> u64 {
        self.local.unwrap_or(self.session)
    }

    fn set(&mut self, value: u64, local: bool, in_transaction: bool) {
        match (local, in_transaction) {
            (true, true) => self.local = Some(value),
            // Outside a transaction SET LOCAL warns and does nothing.
            (true, false) => {}
            (false, _) => {
                self.local = None;
                self.session = value;
                if !in_transaction {
                    self.at_transaction_start = value;
                }
            }
        }
    }

    fn transaction_ended(&mut self, rolled_back: bool) {
        self.local = None;
        match rolled_back {
            true => self.session = self.at_transaction_start,
            false => self.at_transaction_start = self.session,
        }
    }
}

impl Session {
    pub(crate) fn new(lock_timeout_ms: u64) -> Self {
        Self {
            lock_timeout: Timeout::new(lock_timeout_ms),
            statement_timeout: Timeout::default(),
            idle_timeout: Timeout::default(),
            transaction_timeout: Timeout::default(),
            time_zone: None,
            transaction: 0,
            held: Vec::new(),
            savepoints: Vec::new(),
            enum_values: Vec::new(),
            types_made: Vec::new(),
            parents: Vec::new(),
            begun: false,
            unguarded_lock_seen: false,
            unguarded_statement: None,
            told_in_file: Vec::new(),
            told_in_transaction: Vec::new(),
        }
    }

    /// Whether a statement here waits for locks without end.
    pub(crate) fn waits_forever(&self) -> bool {
        self.lock_timeout.effective() == 0
    }

    /// A timeout's value in force by its parameter's name, in milliseconds; 0 means none.
    pub(crate) fn timeout_ms(&self, parameter: &str) -> u64 {
        match parameter {
            "lock_timeout" => self.lock_timeout.effective(),
            "statement_timeout" => self.statement_timeout.effective(),
            "idle_in_transaction_session_timeout" => self.idle_timeout.effective(),
            "transaction_timeout" => self.transaction_timeout.effective(),
            _ => 0,
        }
    }

    /// Whether a strong lock was taken before without a `lock_timeout`.
    pub(crate) fn unguarded_lock_seen(&self) -> bool {
        self.unguarded_lock_seen
    }

    /// Says that the strong lock just met doesn't count: the next one is the first.
    pub(crate) fn forget_unguarded_lock(&mut self) {
        self.unguarded_lock_seen = false;
    }

    /// The first statement of the file that took a lock from `SHARE ROW EXCLUSIVE` up without a
    /// `lock_timeout`.
    pub(crate) fn unguarded_statement(&self) -> Option<usize> {
        self.unguarded_statement
    }

    /// Whether a rule has reported something in this file before.
    pub(crate) fn told_in_file(&self, rule: &str) -> bool {
        self.told_in_file.contains(&rule)
    }

    /// Whether a rule has reported something in this transaction before.
    pub(crate) fn told_in_transaction(&self, rule: &str) -> bool {
        self.told_in_transaction.contains(&rule)
    }

    /// Existing tables to which the transaction added foreign keys, with the statement.
    pub(crate) fn parents(&self) -> &[(ResolvedName, usize)] {
        &self.parents
    }

    /// The server and session for which a statement runs now.
    pub(crate) fn environment(&self, settings: &Settings) -> Environment {
        Environment {
            server_major: settings.server_major,
            time_zone: self.time_zone.unwrap_or(settings.time_zone),
        }
    }

    /// Locks on existing relations that the transaction holds.
    pub(crate) fn held(&self) -> &[Held] {
        &self.held
    }

    /// The strongest lock that the transaction holds on a relation.
    pub(crate) fn held_on(&self, relation: &ResolvedName) -> Option<&Held> {
        self.held.iter().filter(|held| held.relation == *relation).max_by_key(|held| held.mode)
    }

    /// Whether a lock is new to the transaction, so that a statement may wait for it.
    pub(crate) fn takes_newly(&self, effect: &Effect) -> bool {
        self.held_on(&effect.relation).is_none_or(|held| held.mode < effect.mode)
    }

    /// Values that the transaction added to enums, with the enum's unqualified name, and that it may
    /// not use itself. Since PostgreSQL 17 it may where it has made the enum; before, only those values
    /// are free with which the enum was made.
    pub(crate) fn unsafe_enum_values(
        &self,
        server_major: Option<u32>,
    ) -> impl Iterator<Item = &(String, String)> {
        let old = server_major.is_some_and(|major| major < 17);
        self.enum_values.iter().filter(move |(name, _)| old || !self.made_type(name))
    }

    /// Whether the transaction made a type of this unqualified name.
    pub(crate) fn made_type(&self, name: &str) -> bool {
        self.types_made.iter().any(|made| made == name)
    }

    /// Whether the script opened a transaction that is still open.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes note that the next statement runs at `place`.
    pub(crate) fn arrive(&mut self, place: Place) {
        if place.transaction != self.transaction {
            self.end_transaction(false);
            self.transaction = place.transaction;
        }
    }

    fn end_transaction(&mut self, rolled_back: bool) {
        for timeout in self.timeouts() {
            timeout.transaction_ended(rolled_back);
        }
        self.held.clear();
        self.savepoints.clear();
        self.enum_values.clear();
        self.types_made.clear();
        self.parents.clear();
        self.told_in_transaction.clear();
        self.begun = false;
    }

    fn timeouts(&mut self) -> [&mut Timeout; 4] {
        [
            &mut self.lock_timeout,
            &mut self.statement_timeout,
            &mut self.idle_timeout,
            &mut self.transaction_timeout,
        ]
    }

    fn timeout(&mut self, parameter: &str) -> Option<&mut Timeout> {
        match parameter {
            "lock_timeout" => Some(&mut self.lock_timeout),
            "statement_timeout" => Some(&mut self.statement_timeout),
            "idle_in_transaction_session_timeout" => Some(&mut self.idle_timeout),
            "transaction_timeout" => Some(&mut self.transaction_timeout),
            _ => None,
        }
    }

    /// Takes note of a statement that ran.
    pub(crate) fn run(&mut self, command: &Command, place: Place, statement: usize, trace: &Trace) {
        let strong = |effect: &Effect| effect.mode >= LockMode::ShareRowExclusive;
        if self.waits_forever() && trace.effects.iter().any(strong) {
            self.unguarded_statement.get_or_insert(statement);
        }
        self.unguarded_lock_seen |= self.waits_forever() && takes_brief_strong_lock(&trace.effects, self);
        add_new(&mut self.told_in_file, &trace.told);
        if place.in_transaction() {
            add_new(&mut self.told_in_transaction, &trace.told);
            for parent in &trace.parents {
                if !self.parents.iter().any(|(known, _)| known == parent) {
                    self.parents.push((parent.clone(), statement));
                }
            }
            self.hold(trace, statement);
            if let Command::Drop(drop) = command {
                self.mark_dropped(drop);
            }
        }
        if let Command::AlterTable(alter) = command {
            self.follow_renames(alter, &trace.effects);
        }
        match command {
            Command::Set(SetParameter { name, values, .. }) if name == "timezone" => {
                self.time_zone = values.first().map(|zone| TimeZone::named(zone));
            }
            Command::Set(SetParameter { name, values, local }) => {
                if let Some(timeout) = self.timeout(name)
                    && let Some(value) =
                        values.first().map_or(Some(timeout.default), |value| milliseconds(value))
                {
                    timeout.set(value, *local, place.in_transaction());
                }
            }
            Command::Reset { name } => {
                if name.as_deref().is_none_or(|name| name == "timezone") {
                    self.time_zone = None;
                }
                for parameter in TIMEOUTS {
                    if name.as_deref().is_none_or(|name| name == parameter)
                        && let Some(timeout) = self.timeout(parameter)
                    {
                        timeout.set(timeout.default, false, place.in_transaction());
                    }
                }
            }
            Command::AlterType { name, action: TypeAction::AddValue { value, .. } }
                if place.in_transaction() =>
            {
                self.enum_values.push((name.name.clone(), value.clone()));
            }
            Command::CreateType { name, .. } if place.in_transaction() => {
                self.types_made.push(name.name.clone());
            }
            Command::Begin => self.begun = true,
            Command::Commit { chain } => {
                self.end_transaction(false);
                self.begun = *chain;
            }
            Command::Rollback { chain } => {
                self.end_transaction(true);
                self.begun = *chain;
            }
            Command::Savepoint(name) => self.savepoints.push((name.clone(), self.held.len())),
            Command::ReleaseSavepoint(name) => {
                if let Some(at) = self.savepoint(name) {
                    self.savepoints.truncate(at);
                }
            }
            Command::RollbackTo(name) => {
                if let Some(at) = self.savepoint(name) {
                    self.held.truncate(self.savepoints[at].1);
                    self.savepoints.truncate(at + 1);
                }
            }
            _ => {}
        }
    }

    /// Takes note of the locks that a statement took.
    fn hold(&mut self, trace: &Trace, statement: usize) {
        for Effect { relation, mode, .. } in &trace.effects {
            let known = self.held.iter().any(|held| held.relation == *relation && held.mode >= *mode);
            if !known {
                let named = trace.main_table.as_ref() == Some(relation);
                self.held.push(Held {
                    relation: relation.clone(),
                    mode: *mode,
                    statement,
                    named,
                    dropped: false,
                });
            }
        }
    }

    fn mark_dropped(&mut self, drop: &Drop) {
        let is_dropped = |relation: &ResolvedName| match drop.kind {
            ObjectKind::Schema => {
                drop.names.iter().any(|schema| relation.schema.as_ref() == Some(&schema.name))
            }
            _ => drop.names.iter().any(|name| {
                name.name == relation.name && (name.schema.is_none() || name.schema == relation.schema)
            }),
        };
        for held in self.held.iter_mut().filter(|held| is_dropped(&held.relation)) {
            held.dropped = true;
        }
    }

    /// Locks stay on a relation whatever its name.
    fn follow_renames(&mut self, alter: &AlterTable, effects: &[Effect]) {
        let Some(old) = effects.first().map(|effect| &effect.relation) else { return };
        for action in &alter.actions {
            let new = match &action.kind {
                ActionKind::RenameTo { to } => ResolvedName { name: to.clone(), ..old.clone() },
                ActionKind::SetSchema { schema } => {
                    ResolvedName { schema: Some(schema.clone()), ..old.clone() }
                }
                _ => continue,
            };
            for held in self.held.iter_mut().filter(|held| held.relation == *old) {
                held.relation = new.clone();
            }
        }
    }

    fn savepoint(&self, name: &str) -> Option<usize> {
        self.savepoints.iter().rposition(|(savepoint, _)| savepoint == name)
    }
}

/// Adds the rules that aren't there yet: a file may have thousands of findings.
fn add_new(known: &mut Vec<&'static str>, told: &[&'static str]) {
    for rule in told {
        if !known.contains(rule) {
            known.push(rule);
        }
    }
}

const TIMEOUTS: [&str; 4] =
    ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"];
