//! What a real server's query identifiers say of pairs of statements that were analysed in one and the same state of the
//! database. Across states, an identifier differs with the numbers of tables and functions, whatever the text.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use plimsoll_sql::NormalForm;

use crate::session::Session;
use crate::variants::{self, variants};

/// Statements of one fingerprint that are looked at again in a later state of the database.
const MOST_REPRESENTATIVES: usize = 4;
const PATIENCE: &str = "SET statement_timeout = '2s'; SET lock_timeout = '500ms'";

/// Two statements on which the fingerprint and the identifier disagree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Difference {
    pub(crate) one: String,
    pub(crate) other: String,
}

/// All that was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Statements that the server gave an identifier.
    pub(crate) statements: usize,
    /// Rewritten statements that it gave an identifier.
    pub(crate) variants: usize,
    /// Pairs of different texts that were compared in one state of the database.
    pub(crate) pairs: usize,
    pub(crate) fingerprints: HashSet<u64>,
    pub(crate) identifiers: HashSet<i64>,
    /// One fingerprint, two identifiers.
    pub(crate) merges: Vec<Difference>,
    /// One identifier, two fingerprints.
    pub(crate) splits: Vec<Difference>,
    /// How often statements of each identifier ran to their end.
    pub(crate) ran: HashMap<i64, u64>,
}

/// A server's two sessions: one that runs statements, one that asks what the first ran last.
pub(crate) struct Observer<'a> {
    socket: &'a Path,
    session: Session,
    witness: Session,
    form: NormalForm,
    by_fingerprint: HashMap<u64, Vec<(String, i64)>>,
    by_identifier: HashMap<i64, Vec<(String, u64)>>,
    pub(crate) seen: Seen,
}

impl<'a> Observer<'a> {
    pub(crate) fn open(socket: &'a Path) -> Self {
        let mut observer = Self {
            socket,
            session: patiently(socket),
            witness: patiently(socket),
            form: NormalForm::default(),
            by_fingerprint: HashMap::new(),
            by_identifier: HashMap::new(),
            seen: Seen::default(),
        };
        observer.witness.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").expect("the extension");
        observer
    }

    /// A new session, as each script of the corpus has.
    pub(crate) fn renew(&mut self) {
        self.session = patiently(self.socket);
        self.witness = patiently(self.socket);
        self.session.run(PATIENCE).expect("settings");
    }

    /// Looks at a statement, then runs it.
    pub(crate) fn take(&mut self, statement: &str) {
        if let Some(identifier) = self.identifier(statement) {
            self.seen.statements += 1;
            self.compare(statement, identifier);
            if self.session.status == b'I' {
                self.compare_variants(statement);
            }
        }
        let answer = self.session.run(statement);
        match answer {
            Ok(answer) if !answer.failed => {
                if let Some(identifier) = self.last_identifier() {
                    *self.seen.ran.entry(identifier).or_default() += 1;
                }
            }
            Ok(_) => {}
            // Some scripts end their own session.
            Err(_) => self.renew(),
        }
    }

    /// What `pg_stat_statements` counted of statements that clients sent: calls by identifier.
    pub(crate) fn counted(&mut self) -> HashMap<i64, u64> {
        let counted = "SELECT queryid, sum(calls) FROM pg_stat_statements WHERE toplevel GROUP BY 1";
        let rows = self.witness.run(counted).expect("the view").rows;
        rows.iter().map(|row| (row[0].parse().unwrap_or(0), row[1].parse().unwrap_or(0))).collect()
    }

    fn compare(&mut self, statement: &str, identifier: i64) {
        let fingerprint = self.form.of(statement).0;
        self.seen.fingerprints.insert(fingerprint);
        self.seen.identifiers.insert(identifier);
        self.note_split(statement, fingerprint, identifier);
        let known = self.by_fingerprint.entry(fingerprint).or_default();
        if known.iter().any(|(_, other)| *other == identifier) {
            self.seen.pairs += 1;
            return;
        }
        let known = known.clone();
        for (text, _) in &known {
            if text != statement
                && let Some(now) = self.identifier(text)
            {
                self.seen.pairs += 1;
                if now != identifier {
                    self.seen.merges.push(Difference { one: text.clone(), other: statement.to_owned() });
                }
            }
        }
        if known.len() < MOST_REPRESENTATIVES {
            let known = self.by_fingerprint.entry(fingerprint).or_default();
            known.push((statement.to_owned(), identifier));
        }
    }

    fn note_split(&mut self, statement: &str, fingerprint: u64, identifier: i64) {
        let known = self.by_identifier.entry(identifier).or_default();
        if known.iter().any(|(_, other)| *other == fingerprint) {
            return;
        }
        if let Some((other, _)) = known.first() {
            self.seen.splits.push(Difference { one: other.clone(), other: statement.to_owned() });
        }
        known.push((statement.to_owned(), fingerprint));
    }

    fn compare_variants(&mut self, statement: &str) {
        // What the comparisons sent may have changed what the server has cached, not what it says.
        let Some(identifier) = self.identifier(statement) else { return };
        let fingerprint = self.form.of(statement);
        for variant in variants(statement) {
            let Some(other) = self.identifier(&variant) else { continue };
            self.seen.variants += 1;
            self.seen.pairs += 1;
            let same = self.form.of(&variant) == fingerprint;
            let difference = || Difference { one: statement.to_owned(), other: variant.clone() };
            match (same, identifier == other) {
                (true, false) => self.seen.merges.push(difference()),
                (false, true) => self.seen.splits.push(difference()),
                _ => {}
            }
        }
    }

    /// The identifier that the server gives a statement now; none if it can't be analysed.
    pub(crate) fn identifier(&mut self, statement: &str) -> Option<i64> {
        if self.session.status == b'E' || variants::ends_transaction(statement) {
            return None;
        }
        let in_transaction = self.session.status == b'T';
        if in_transaction {
            self.session.run("SAVEPOINT before_analysis").ok()?;
        }
        let answer = self.session.analyse(statement);
        let identifier = match answer {
            Ok(answer) if !answer.failed => self.last_identifier(),
            Ok(_) => None,
            Err(_) => {
                self.renew();
                return None;
            }
        };
        if in_transaction {
            self.session.run("ROLLBACK TO SAVEPOINT before_analysis").ok()?;
            self.session.run("RELEASE SAVEPOINT before_analysis").ok()?;
        }
        identifier
    }

    fn last_identifier(&mut self) -> Option<i64> {
        let asked = format!("SELECT query_id FROM pg_stat_get_activity({})", self.session.process);
        let rows = self.witness.run(&asked).ok()?.rows;
        rows.first()?[0].parse().ok()
    }
}

/// A session as soon as the server gives one: some scripts bring a server down, which starts again.
fn patiently(socket: &Path) -> Session {
    for _ in 0..200 {
        if let Ok(session) = Session::open(socket) {
            return session;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the server gave no session within 10 s");
}
