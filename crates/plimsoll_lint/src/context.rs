//! What a rule sees of a statement, and what it says about it.

use std::ops::Range;

use plimsoll_core::lock::Blocks;
use plimsoll_core::{Claim, Edit, Evidence, EvidenceKind, Finding, Fix, LockMode, Severity, Work, units};
use plimsoll_sql::command::{
    ActionKind, AlterTable, Constraint, ConstraintKind, ObjectChange, ObjectKind, TableAction, Verb,
};
use plimsoll_sql::effects::{Cause, Effect, Environment};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::{Relation, RelationKind, ResolvedName};
use plimsoll_sql::transaction::{Block, Place};
use plimsoll_sql::{Command, Migration, ObjectName, Schema};

use crate::Settings;
use crate::added_column::AddedColumn;
use crate::outline::Outline;
use crate::rule::Rule;
use crate::session::{Held, Session};

/// A statement and all that is known when it runs.
pub struct Context<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) settings: &'a Settings,
    pub(crate) session: &'a Session,
    pub(crate) place: Place,
    pub(crate) migration: &'a Migration,
    /// Index of the statement in its file.
    pub(crate) index: usize,
    pub(crate) command: &'a Command,
    /// Bytes in the file: a statement's, or those of one inside a DO block.
    pub(crate) range: Range<usize>,
    /// Whether ranges within the command are bytes behind `range.start`.
    pub(crate) ranges_hold: bool,
    /// What the command does to relations that existed before the change.
    pub(crate) effects: Vec<Effect>,
    /// Which statements of the file are about which relation.
    pub(crate) outline: &'a Outline,
}

/// What a rule found wrong with a statement.
#[derive(Default)]
pub struct Problem {
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// Edits that mend it.
    pub fix: Option<StatementFix>,
    /// Bytes in the statement; none means the whole of it.
    pub range: Option<Range<usize>>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do instead.
    pub remedy: String,
    /// What a server will show.
    pub claim: Claim,
    /// The object that it is about, where a statement may be about several: one of another rule
    /// about the same object may speak instead (`precedence.rs`).
    pub subject: Option<String>,
}

/// Edits of a statement.
pub struct StatementFix {
    /// What they do, in a few words.
    pub title: String,
    /// Bytes in the statement, and the text that takes their place.
    pub edits: Vec<(Range<usize>, String)>,
}

/// A relation that existed before the change, or isn't known to be new.
pub(crate) struct Existing<'a> {
    /// As `schema.name`.
    pub(crate) name: String,
    /// As SQL writes it.
    pub(crate) sql: String,
    /// What is known of it.
    pub(crate) relation: Option<&'a Relation>,
}

/// Effects of one cause at one place: work on a relation, and on others with it.
pub(crate) struct Hazard<'a> {
    /// The first of them, which the finding names and claims.
    pub(crate) effect: &'a Effect,
    /// Further relations that are locked as strongly for the same cause.
    pub(crate) others: Vec<&'a ResolvedName>,
}

impl Problem {
    /// A problem of the whole statement, at the rule's severity.
    pub(crate) fn new(message: impl Into<String>, remedy: impl Into<String>, claim: Claim) -> Self {
        Self { message: message.into(), remedy: remedy.into(), claim, ..Self::default() }
    }

    /// Places it at bytes of the statement.
    pub(crate) fn at(self, range: &Range<usize>) -> Self {
        Self { range: Some(range.clone()), ..self }
    }

    /// Places it where a hazard's effect comes from.
    pub(crate) fn of(self, hazard: &Hazard) -> Self {
        Self { range: hazard.effect.range.clone(), ..self }
    }

    /// Names the one of several objects that it is about.
    pub(crate) fn about(self, subject: &ObjectName) -> Self {
        Self { subject: Some(subject.to_string()), ..self }
    }

    /// Gives it another severity than the rule's.
    pub(crate) fn severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// Gives it edits that mend it, where there are any.
    pub(crate) fn maybe_fix(self, title: &str, edits: Option<Vec<(Range<usize>, String)>>) -> Self {
        match edits {
            Some(edits) if !edits.is_empty() => self.fix(title, edits),
            _ => self,
        }
    }

    /// Gives it an edit that mends it.
    pub(crate) fn fix(self, title: &str, edits: Vec<(Range<usize>, String)>) -> Self {
        Self { fix: Some(StatementFix { title: title.to_owned(), edits }), ..self }
    }
}

impl<'a> Context<'a> {
    /// The name of an object of a kind that the command alters, other than by a new name.
    pub(crate) fn altered_object(&self, wanted: ObjectKind) -> Option<String> {
        match self.command {
            Command::Object(ObjectChange { verb: Verb::Alter, kind, name, rename_to: None, .. })
                if *kind == wanted =>
            {
                Some(name.as_ref().map(ToString::to_string).unwrap_or_default())
            }
            _ => None,
        }
    }

    /// The relation, unless the change itself made it: then it is empty and private.
    pub(crate) fn existing(&self, name: &ObjectName) -> Option<Existing<'a>> {
        if self.schema.is_new(name) {
            return None;
        }
        let relation = self.schema.relation(name);
        Some(Existing { name: self.schema.resolve(name).to_string(), sql: quote_name(name), relation })
    }

    /// Whether PostgreSQL would find nothing of that name, and skip an `IF EXISTS`.
    pub(crate) fn known_missing(&self, name: &ObjectName) -> bool {
        self.schema.is_known() && self.schema.relation(name).is_none()
    }

    /// Whether the command is the statement's own, and not one inside a DO block or function.
    fn is_own(&self) -> bool {
        self.migration.statements[self.index].range == self.range
    }

    /// The `ALTER TABLE` of a relation that existed before the change, unless PostgreSQL skips it.
    pub(crate) fn altered(&self) -> Option<(&'a AlterTable, Existing<'a>)> {
        let Command::AlterTable(alter) = self.command else { return None };
        if alter.if_exists && self.known_missing(&alter.name) {
            return None;
        }
        Some((alter, self.existing(&alter.name)?))
    }

    /// Whether a column existed before the change, or isn't known to be new or missing.
    pub(crate) fn is_old_column(&self, table: &ObjectName, column: &str) -> bool {
        let missing = |relation: &Relation| relation.columns_known && relation.column(column).is_none();
        !self.schema.is_new_column(table, column) && !self.schema.relation(table).is_some_and(missing)
    }

    /// Whether the statement surely runs as it stands: not a command on a branch of a DO block, or
    /// in a function.
    pub(crate) fn surely_runs(&self) -> bool {
        self.ranges_hold && self.is_own()
    }

    /// Later commands of the file that are about a relation of this name.
    pub(crate) fn later(&self, name: &ObjectName) -> impl Iterator<Item = &'a Command> + use<'a> {
        let index = self.index;
        let about = self.outline.about(self.migration, name).into_iter();
        about.filter(move |(at, _)| *at > index).map(|(_, command)| command)
    }

    /// Earlier commands of the file that are about a relation of this name, with their statements.
    pub(crate) fn earlier(&self, name: &ObjectName) -> impl Iterator<Item = (usize, &'a Command)> + use<'a> {
        let index = self.index;
        let about = self.outline.about(self.migration, name).into_iter();
        about.filter(move |(at, _)| *at < index)
    }

    /// The words of the statement in lower case, single spaces between them; cut at 500 bytes.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        for word in self.sql().split_whitespace() {
            if words.len() > 500 {
                break;
            }
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&word.to_ascii_lowercase());
        }
        words
    }

    /// The statement's text.
    pub(crate) fn sql(&self) -> &'a str {
        match self.is_own() {
            true => self.migration.sql(&self.migration.statements[self.index]),
            false => &self.migration.source.text()[self.range.clone()],
        }
    }

    /// Work under locks for one of these causes, one hazard for each place in the statement.
    pub(crate) fn hazards(&self, causes: &[Cause]) -> Vec<Hazard<'_>> {
        self.grouped(|effect| effect.work.is_some() && causes.contains(&effect.cause))
    }

    /// Brief locks for one of these causes, one hazard for each place in the statement.
    pub(crate) fn brief_locks(&self, causes: &[Cause]) -> Vec<Hazard<'_>> {
        self.grouped(|effect| effect.work.is_none() && causes.contains(&effect.cause))
    }

    fn grouped(&self, wanted: impl Fn(&Effect) -> bool) -> Vec<Hazard<'_>> {
        let mut hazards: Vec<Hazard> = Vec::new();
        for effect in self.effects.iter().filter(|effect| wanted(effect)) {
            let same = |hazard: &&mut Hazard| {
                hazard.effect.cause == effect.cause && hazard.effect.range == effect.range
            };
            match hazards.iter_mut().find(same) {
                Some(hazard) if hazard.effect.relation == effect.relation => {}
                Some(hazard) => hazard.others.push(&effect.relation),
                None => hazards.push(Hazard { effect, others: Vec::new() }),
            }
        }
        hazards
    }

    /// What the statement's rows make it read in full while an earlier statement's lock keeps users of it out.
    pub(crate) fn read_under_lock(&self) -> Option<(&Effect, &'a Held)> {
        let reads = |effect: &&Effect| effect.cause == Cause::Data && effect.work.is_some();
        self.effects.iter().filter(reads).find_map(|effect| {
            let held = self.session.held_on(&effect.relation)?;
            let earlier = held.statement < self.index;
            (earlier && held.mode.blocks() != Blocks::Nothing).then_some((effect, held))
        })
    }

    /// The server and session for which the statement runs.
    pub(crate) fn environment(&self) -> Environment {
        self.session.environment(self.settings)
    }

    /// Whether this statement is the first of its file that takes a brief strong lock without a
    /// `lock_timeout`, and the lock has no better cure than one: one such finding tells a file.
    pub(crate) fn waits_unguarded(&self) -> bool {
        self.session.waits_forever()
            && !self.session.unguarded_lock_seen()
            // That rule has told of the SET that switches it off.
            && !self.session.told_in_file("lock-timeout-ineffective")
            && takes_brief_strong_lock(&self.effects, self.session)
    }

    /// The severity of a brief strong lock that another way of writing the statement avoids.
    pub(crate) fn brief_severity(&self) -> Severity {
        if self.session.waits_forever() { Severity::Warning } else { Severity::Note }
    }

    /// The first lock that keeps everybody out of an existing table: that of the table which the
    /// statement is about.
    pub(crate) fn main_table(&self) -> Option<&Effect> {
        let is_table = |name: &ResolvedName| {
            let kind = self.schema.relation(name).map(|known| known.kind);
            kind.is_none_or(|kind| matches!(kind, RelationKind::Table | RelationKind::PartitionedTable))
        };
        let keeps_out = |effect: &&Effect| effect.mode == LockMode::AccessExclusive;
        self.effects.iter().filter(keeps_out).find(|effect| is_table(&effect.relation))
    }

    /// Existing tables that the statement's new foreign keys reference, other than its own table.
    pub(crate) fn foreign_key_parents(&self) -> Vec<ResolvedName> {
        let (own, constraints): (&ObjectName, Vec<&Constraint>) = match self.command {
            Command::CreateTable(table) => {
                let inline = table.columns.iter().flat_map(|column| &column.constraints);
                (&table.name, table.constraints.iter().chain(inline).collect())
            }
            Command::AlterTable(alter) => {
                let of = |action: &'a TableAction| match &action.kind {
                    ActionKind::AddConstraint(constraint) => vec![constraint],
                    ActionKind::AddColumn { column, .. } => column.constraints.iter().collect(),
                    _ => Vec::new(),
                };
                (&alter.name, alter.actions.iter().flat_map(of).collect())
            }
            _ => return Vec::new(),
        };
        let mut parents: Vec<ResolvedName> = Vec::new();
        for constraint in constraints {
            let ConstraintKind::ForeignKey { references, .. } = &constraint.kind else { continue };
            let parent = self.schema.resolve(references);
            let locked = self.effects.iter().any(|effect| effect.relation == parent);
            if locked && parent != self.schema.resolve(own) && !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        parents
    }

    /// Bytes of the statement as text, where ranges in it hold.
    pub(crate) fn text(&self, range: &Range<usize>) -> Option<&'a str> {
        self.sql().get(range.clone()).filter(|_| self.ranges_hold)
    }

    /// The bytes just behind the statement's leading words, if it begins with them.
    pub(crate) fn behind(&self, words: &[&str]) -> Option<usize> {
        let sql = self.sql();
        let mut at = 0;
        for word in words {
            at += sql[at..].len() - sql[at..].trim_start().len();
            let end = at + word.len();
            let found = sql.get(at..end)?.eq_ignore_ascii_case(word);
            let next = sql[end..].chars().next();
            if !found || next.is_some_and(|next| next.is_alphanumeric() || next == '_') {
                return None;
            }
            at = end;
        }
        self.ranges_hold.then_some(at)
    }

    /// How the statement gets into another transaction.
    pub(crate) fn elsewhere(&self) -> &'static str {
        match self.place.block {
            Block::Tool => "in a migration file of its own, since the tool runs each file in one transaction",
            Block::Batch => "in a migration file of its own, since the tool sends each file as one query",
            Block::Explicit => "behind the COMMIT, in a transaction of its own",
            Block::None => "in a transaction of its own",
        }
    }

    /// Where each of several changes goes, to be in a transaction of its own.
    pub(crate) fn apart(&self) -> &'static str {
        match self.place.block {
            Block::Tool => "in a migration file of its own (the tool runs each file in one transaction)",
            Block::Batch => "in a migration file of its own (the tool sends each file as one query)",
            Block::Explicit | Block::None => "in a transaction of its own",
        }
    }

    /// `outside a transaction` with what that asks for here.
    pub(crate) fn outside(&self) -> &'static str {
        match self.place.block {
            Block::Tool => {
                "outside a transaction (in a migration file of its own, with the tool's transaction turned off)"
            }
            Block::Batch => "outside a transaction (alone in a migration file)",
            Block::Explicit => "outside a transaction (behind the COMMIT)",
            Block::None => "outside a transaction",
        }
    }

    /// The action of an `ALTER TABLE` that a hazard comes from.
    pub(crate) fn action_of(&self, hazard: &Hazard) -> Option<&'a TableAction> {
        let Command::AlterTable(alter) = self.command else { return None };
        let range = hazard.effect.range.as_ref()?;
        alter.actions.iter().find(|action| action.range == *range)
    }

    /// The new column that a hazard comes from, with its action, and its constraint if it is that.
    pub(crate) fn added_column(&self, hazard: &Hazard) -> Option<AddedColumn<'a>> {
        let Command::AlterTable(alter) = self.command else { return None };
        let range = hazard.effect.range.as_ref()?;
        alter.actions.iter().find_map(|action| {
            let ActionKind::AddColumn { column, .. } = &action.kind else { return None };
            let constraint = column.constraints.iter().find(|constraint| constraint.range == *range);
            (action.range == *range || constraint.is_some()).then_some(AddedColumn {
                table: &alter.name,
                action,
                column,
                constraint,
            })
        })
    }

    /// A relation's name with its size, where that is known: `public.ships (84 GB)`.
    pub(crate) fn sized(&self, relation: &ResolvedName) -> String {
        match self.schema.relation(relation).and_then(|known| known.size_bytes) {
            Some(bytes) => format!("{relation} ({})", units::bytes(bytes)),
            None => relation.to_string(),
        }
    }

    /// Whom a lock on a relation keeps out, with the stronger one that the transaction may hold
    /// already: `nobody can read or write it`.
    pub(crate) fn kept_out(&self, relation: &ResolvedName, mode: LockMode) -> String {
        let held = self.session.held_on(relation);
        let stronger = held.filter(|held| held.mode > mode);
        let blocked = kept_out_by(stronger.map_or(mode, |held| held.mode));
        match stronger {
            Some(held) => format!(
                "{blocked} ({} is held since line {})",
                held.mode.sql(),
                self.line_of_statement(held.statement)
            ),
            None => blocked.to_owned(),
        }
    }

    /// The line on which a statement of the file starts, from 1.
    pub(crate) fn line_of_statement(&self, statement: usize) -> usize {
        let start = self.migration.statements.get(statement).map_or(0, |statement| statement.range.start);
        self.migration.source.line_column(start).0
    }

    pub(crate) fn finding(&self, rule: &Rule, problem: Problem) -> Finding {
        let migration = self.migration;
        let own = self.is_own();
        let holds = self.ranges_hold && (own || migration.placeholders().next().is_none());
        let in_file = |range: Range<usize>| match own {
            true => migration.in_file(self.index, range),
            false => self.range.start + range.start..self.range.start + range.end,
        };
        let range = problem.range.filter(|_| holds).map_or_else(|| self.range.clone(), in_file);
        let source = &migration.source;
        // An edit of what isn't in the file can't be made.
        let is_original = |fix: &StatementFix| {
            holds && fix.edits.iter().all(|(range, _)| !own || migration.is_original(self.index, range))
        };
        let fix = problem.fix.filter(is_original).map(|fix| Fix {
            title: fix.title,
            edits: fix
                .edits
                .into_iter()
                .map(|(range, text)| Edit {
                    location: source.location(in_file(range)),
                    text: migration.restored(text),
                })
                .collect(),
        });
        let severity = problem.severity.unwrap_or(rule.severity);
        Finding {
            rule: rule.id.to_owned(),
            severity: if self.is_small(&problem.claim) { Severity::Note } else { severity },
            message: migration.restored(problem.message),
            remedy: migration.restored(problem.remedy),
            fix,
            location: source.location(range),
            statement: Some(self.index),
            evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
            claim: problem.claim,
        }
    }

    /// Whether the claimed work is on a relation that is known to be small.
    fn is_small(&self, claim: &Claim) -> bool {
        let Claim::Lock { relation, work: Some(_), .. } = claim else { return false };
        let known = self.schema.relation_shown_as(relation).and_then(|known| known.size_bytes);
        known.is_some_and(|bytes| bytes <= self.settings.small_bytes)
    }
}

impl<'a> Hazard<'a> {
    /// What a server will show.
    pub(crate) fn claim(&self) -> Claim {
        Claim::Lock {
            relation: self.effect.relation.to_string(),
            mode: self.effect.mode,
            work: self.effect.work,
        }
    }

    /// What it locks.
    pub(crate) fn relation(&self) -> &'a ResolvedName {
        &self.effect.relation
    }

    /// ` and public.a, public.b`, or nothing.
    pub(crate) fn and_others(&self) -> String {
        match self.others.as_slice() {
            [] => String::new(),
            others if others.len() > 3 => format!(" and {} more", others.len()),
            others => {
                let names: Vec<String> = others.iter().map(ToString::to_string).collect();
                format!(" and {}", names.join(", "))
            }
        }
    }
}

impl Existing<'_> {
    /// Whether row-level security is known to be off on it, so that its policies do nothing.
    pub(crate) fn policies_are_idle(&self) -> bool {
        self.relation.is_some_and(|relation| !relation.row_security)
    }

    /// The claim that a brief lock is taken on it.
    pub(crate) fn brief_claim(&self, mode: LockMode) -> Claim {
        Claim::Lock { relation: self.name.clone(), mode, work: None }
    }

    /// The claim that a lock is taken on it, with work under the lock.
    pub(crate) fn claim(&self, mode: LockMode, work: Work) -> Claim {
        Claim::Lock { relation: self.name.clone(), mode, work: Some(work) }
    }
}

/// Whom a lock keeps out of its relation.
pub(crate) fn kept_out_by(mode: LockMode) -> &'static str {
    match mode.blocks() {
        Blocks::ReadsAndWrites => "nobody can read or write it",
        Blocks::Writes => "nobody can write to it",
        Blocks::Nothing => "others can read and write it",
    }
}

/// Whether a lock waits behind writers and lets them queue. Statements that take SHARE of themselves work under it, of
/// which other rules tell.
pub(crate) fn is_strong(effect: &Effect) -> bool {
    let asks_for_share = effect.cause == Cause::LockTable && effect.mode == LockMode::Share;
    effect.mode >= LockMode::ShareRowExclusive || asks_for_share
}

/// Whether a statement takes a strong lock that only a `lock_timeout` makes harmless: not one under
/// which it works, not one that another way of writing it avoids, and not one that its transaction
/// holds already.
pub(crate) fn takes_brief_strong_lock(effects: &[Effect], session: &Session) -> bool {
    let strong = |effect: &&Effect| is_strong(effect) && session.takes_newly(effect);
    let avoidable = |effect: &Effect| {
        (effect.work.is_some() && effect.mode.blocks() != Blocks::Nothing)
            || matches!(
                effect.cause,
                Cause::DropIndex | Cause::DetachPartition | Cause::CreatePartition | Cause::Truncate
            )
    };
    effects.iter().any(|effect| strong(&effect)) && !effects.iter().any(avoidable)
}

/// A column list as SQL writes it.
pub(crate) fn column_list(columns: &[String]) -> String {
    columns.iter().map(|column| quote_identifier(column)).collect::<Vec<_>>().join(", ")
}

/// An update of the rows that meet a condition, in batches.
pub(crate) fn batch_update(table: &str, set: &str, condition: &str) -> String {
    format!(
        "-- again and again, each time in a transaction of its own, until it finds no row:\n\
         UPDATE {table} SET {set}\n\
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT 10000));"
    )
}

/// A name within PostgreSQL's 63 bytes, as SQL writes it.
pub(crate) fn made_up_name(parts: &[&str]) -> String {
    let mut name = parts.join("_");
    while name.len() > 63 {
        name.pop();
    }
    quote_identifier(&name)
}
