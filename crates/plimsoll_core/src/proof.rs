//! Where claims meet facts: what a rehearsal says about each finding, and the hazards that it
//! saw and no rule had claimed.

use crate::finding::{Claim, Evidence, EvidenceKind, Finding, Severity, Work};
use crate::lock::{Blocks, LockMode};
use crate::rehearsal::{HeldLock, Outcome, Rehearsal, StatementRecord};
use crate::source::Location;
use crate::units::{bytes, count, duration_ms};

/// Id of the finding about a hazard that a rehearsal saw and no rule had claimed.
pub const UNCLAIMED_HAZARD: &str = "unclaimed-hazard";

/// Id of the finding about a statement that failed and no rule had said so.
pub const STATEMENT_FAILS: &str = "statement-fails";

/// Id of the finding about a program that ended badly though no statement of its failed.
pub const PROGRAM_FAILS: &str = "program-fails";

/// Id of the rule about SQL that is put together at run time.
const OPAQUE_DYNAMIC_SQL: &str = "opaque-dynamic-sql";

/// Gives each finding the rehearsal's evidence, and adds what only the rehearsal saw.
///
/// A refuted finding becomes a note. `locate` gives the place of a statement by its file and index.
#[must_use]
pub fn prove(
    findings: Vec<Finding>,
    rehearsal: &Rehearsal,
    locate: impl Fn(&StatementRecord) -> Location,
) -> Vec<Finding> {
    prove_knowing(findings, Vec::new(), rehearsal, locate).findings
}

/// What a rehearsal makes of claims, and what it saw that nobody had claimed.
#[derive(Clone, Debug, Default)]
pub struct Proven {
    /// What is to be reported.
    pub findings: Vec<Finding>,
    /// What a team has accepted.
    pub accepted: Vec<Finding>,
    /// What rules should have claimed. A failure that the program goes back from isn't among it.
    pub missed: Vec<Missed>,
}

/// What a rehearsal saw of a statement, and no rule had claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Id of the finding that tells of it.
    pub finding: &'static str,
    /// The file.
    pub file: String,
    /// Index of the statement in its file, from 0.
    pub statement: usize,
    /// What a rule should have claimed.
    pub claim: Claim,
}

/// As [`prove`], where a team has accepted some findings: they aren't reported, but what they
/// claim has been said, and isn't news when the rehearsal sees it.
#[must_use]
pub fn prove_knowing(
    findings: Vec<Finding>,
    accepted: Vec<Finding>,
    rehearsal: &Rehearsal,
    locate: impl Fn(&StatementRecord) -> Location,
) -> Proven {
    let reported = findings.len();
    let mut proven: Vec<Finding> =
        findings.into_iter().chain(accepted).map(|finding| proven(finding, rehearsal, &locate)).collect();
    let (mut seen, mut missed) = (Vec::new(), Vec::new());
    for record in &rehearsal.statements {
        let observed = match record.outcome {
            Outcome::Error => failure(record, &proven),
            Outcome::Ok => hazard(record, rehearsal, &proven),
        };
        let Some(observed) = observed else { continue };
        missed.extend(observed.missed(record));
        seen.push(observed.finding(record, &locate));
    }
    let accepted = proven.split_off(reported);
    proven.extend(seen);
    Proven { findings: proven, accepted, missed }
}

/// What only the rehearsal saw.
struct Observation {
    rule: &'static str,
    severity: Severity,
    message: String,
    remedy: String,
    /// What a rule should have claimed.
    claim: Claim,
}

impl Observation {
    fn missed(&self, record: &StatementRecord) -> Option<Missed> {
        (self.severity > Severity::Note).then(|| Missed {
            finding: self.rule,
            file: record.file.clone(),
            statement: record.statement,
            claim: self.claim.clone(),
        })
    }

    fn finding(self, record: &StatementRecord, locate: impl Fn(&StatementRecord) -> Location) -> Finding {
        Finding {
            fix: None,
            rule: self.rule.to_owned(),
            severity: self.severity,
            message: self.message,
            remedy: self.remedy,
            location: failing_place(record, locate(record), locate(record)),
            statement: Some(record.statement),
            evidence: Evidence { kind: EvidenceKind::Observed, facts: facts(record) },
            claim: Claim::Nothing,
        }
    }
}

fn proven(
    mut finding: Finding,
    rehearsal: &Rehearsal,
    locate: impl Fn(&StatementRecord) -> Location,
) -> Finding {
    let Some(record) = record_of(&finding, rehearsal) else { return finding };
    if finding.rule == OPAQUE_DYNAMIC_SQL && record.outcome == Outcome::Ok {
        // Nobody can read what it does; now it was seen.
        finding.severity = Severity::Note;
        finding.evidence = Evidence { kind: EvidenceKind::Observed, facts: facts(record) };
        return finding;
    }
    let holds = match (&finding.claim, record.outcome) {
        (Claim::Nothing, _) => return finding,
        (Claim::Fails, outcome) => outcome == Outcome::Error,
        (Claim::Lock { .. }, Outcome::Error) => {
            finding.evidence.facts = facts(record);
            return finding;
        }
        (Claim::Lock { relation, mode, work }, Outcome::Ok) => {
            let held = held_at(record, rehearsal);
            let locked = held.iter().any(|lock| lock.relation == *relation && lock.mode >= *mode);
            locked && work.is_none_or(|work| did(record, work, relation, *mode, &held))
        }
    };
    let facts = match finding.claim {
        Claim::Lock { work: None, .. } if record.error.is_none() => lock_facts(record),
        _ => facts(record),
    };
    let facts = facts.into_iter().chain(stronger_lock(&finding.claim, record, rehearsal)).collect();
    finding.evidence =
        Evidence { kind: if holds { EvidenceKind::Confirmed } else { EvidenceKind::Refuted }, facts };
    if !holds {
        finding.severity = Severity::Note;
    } else if finding.claim == Claim::Fails {
        finding.location = failing_place(record, locate(record), finding.location);
    }
    finding
}

/// A stronger lock on the claimed relation that an earlier statement of the transaction took.
fn stronger_lock(claim: &Claim, record: &StatementRecord, rehearsal: &Rehearsal) -> Option<String> {
    let Claim::Lock { relation, mode, .. } = claim else { return None };
    let held = held_at(record, rehearsal);
    let strongest = held.iter().filter(|lock| lock.relation == *relation).max_by_key(|lock| lock.mode)?;
    (strongest.mode > *mode && !record.locks.contains(strongest)).then(|| {
        format!("{} on {relation} still held from earlier in the transaction", strongest.mode.pg_locks())
    })
}

fn record_of<'a>(finding: &Finding, rehearsal: &'a Rehearsal) -> Option<&'a StatementRecord> {
    let statement = finding.statement?;
    rehearsal
        .statements
        .iter()
        .find(|record| record.statement == statement && record.file == finding.location.file)
}

/// Whether the statement did the claimed work on the relation, or on its partitions, which are
/// locked as strongly.
fn did(record: &StatementRecord, work: Work, relation: &str, mode: LockMode, held: &[HeldLock]) -> bool {
    let locked_alike =
        |other: &str| held.iter().any(|lock| lock.existing && lock.relation == other && lock.mode >= mode);
    worked_on(record, work).any(|other| other == relation || locked_alike(other))
}

/// Existing relations on which the statement did this work.
fn worked_on(record: &StatementRecord, work: Work) -> impl Iterator<Item = &str> {
    let rewrites =
        (work == Work::Rewrite).then_some(&record.rewrites).into_iter().flatten().map(String::as_str);
    let scans = (work == Work::Scan)
        .then_some(&record.scans)
        .into_iter()
        .flatten()
        .map(|scan| scan.relation.as_str());
    let builds = (work == Work::IndexBuild).then_some(&record.index_builds).into_iter().flatten();
    let builds = builds.filter(|build| build.existing).map(|build| build.relation.as_str());
    rewrites.chain(scans).chain(builds)
}

/// Locks that the transaction holds once the statement has run, by the names that relations had
/// before it.
fn held_at(record: &StatementRecord, rehearsal: &Rehearsal) -> Vec<HeldLock> {
    let mut held: Vec<HeldLock> = Vec::new();
    let here = rehearsal.statements.iter().position(|other| std::ptr::eq(other, record)).unwrap_or(0);
    for earlier in &rehearsal.statements[..here] {
        let is_undone = earlier.undone_by.is_some_and(|by| by < here);
        if !record.in_transaction || earlier.transaction != record.transaction || is_undone {
            continue;
        }
        held.extend(earlier.locks.iter().cloned());
        for (from, to) in &earlier.renames {
            held.iter_mut()
                .filter(|lock| lock.relation == *from)
                .for_each(|lock| lock.relation.clone_from(to));
        }
    }
    held.extend(record.locks.iter().cloned());
    held
}

fn failure(record: &StatementRecord, findings: &[Finding]) -> Option<Observation> {
    let claimed = findings.iter().any(|finding| is_about(finding, record) && finding.claim == Claim::Fails);
    let error = record.error.as_ref().filter(|_| !claimed)?;
    let message = format!("this statement fails: {} (SQLSTATE {})", error.message, error.sqlstate);
    let observed = |severity, message, remedy| {
        Some(Observation { rule: STATEMENT_FAILS, severity, message, remedy, claim: Claim::Fails })
    };
    if record.undone_by.is_some() {
        let message = format!("{message}; the program goes back to its savepoint and goes on");
        return observed(Severity::Note, message, "Nothing, if it is meant to.".to_owned());
    }
    let remedy = error.hint.clone().unwrap_or_else(|| "Mend the statement before you deploy.".to_owned());
    observed(Severity::Error, message, remedy)
}

fn hazard(record: &StatementRecord, rehearsal: &Rehearsal, findings: &[Finding]) -> Option<Observation> {
    let about = || findings.iter().filter(|finding| is_about(finding, record));
    let claimed = about().any(|finding| {
        matches!(finding.claim, Claim::Lock { work: Some(_), .. })
            && finding.evidence.kind == EvidenceKind::Confirmed
    });
    if !claimed && let Some(found) = blocking_work(record, rehearsal) {
        return Some(found);
    }
    // One finding asks for a file.
    let asked = findings
        .iter()
        .any(|finding| finding.location.file == record.file && finding.asks_for_lock_timeout());
    if asked
        || record.lock_timeout_ms > 0
        || about().any(|finding| matches!(finding.claim, Claim::Lock { .. }))
    {
        return None;
    }
    let strong = |lock: &&HeldLock| {
        lock.mode >= LockMode::ShareRowExclusive && !(lock.mode == LockMode::Exclusive && refreshes(record))
    };
    let lock = record.blocking_locks().into_iter().find(strong)?;
    let message = format!(
        "this takes {} on {} and may wait for it without end, with others queued behind it; no rule had said so",
        lock.mode.sql(),
        lock.relation
    );
    let remedy = "Give up early and try again instead of making everybody wait; at the file's head:\nSET lock_timeout = '2s';";
    Some(Observation {
        rule: UNCLAIMED_HAZARD,
        severity: Severity::Warning,
        message,
        remedy: remedy.to_owned(),
        claim: Claim::Lock { relation: lock.relation.clone(), mode: lock.mode, work: None },
    })
}

/// Work on an existing relation under a lock that blocks its readers or writers.
fn blocking_work(record: &StatementRecord, rehearsal: &Rehearsal) -> Option<Observation> {
    if record.works_concurrently {
        return None;
    }
    let held = held_at(record, rehearsal);
    let refreshes = refreshes(record);
    let keeps_out = |mode: LockMode| match mode {
        LockMode::Exclusive => !refreshes,
        mode => mode.blocks() != Blocks::Nothing,
    };
    let blocking = |relation: &str| {
        held.iter()
            .filter(|lock| lock.existing && lock.relation == relation && keeps_out(lock.mode))
            .map(|lock| lock.mode)
            .max()
    };
    for work in [Work::Rewrite, Work::Scan, Work::IndexBuild] {
        let Some((relation, mode)) = worked_on(record, work).find_map(|name| Some((name, blocking(name)?)))
        else {
            continue;
        };
        let message = format!(
            "this {} {relation} under {}, which {}; no rule had said so",
            work.verb(),
            mode.sql(),
            mode.blocks().phrase()
        );
        let remedy = "Do the work in a transaction of its own and in a form that takes no such lock: CONCURRENTLY for \
                      indexes, NOT VALID and a later VALIDATE for constraints, batches for rows.";
        return Some(Observation {
            rule: UNCLAIMED_HAZARD,
            severity: Severity::Error,
            message,
            remedy: remedy.to_owned(),
            claim: Claim::Lock { relation: relation.to_owned(), mode, work: Some(work) },
        });
    }
    None
}

/// Whether the statement is a `REFRESH`: nobody but another writes to a materialized view, and readers
/// go on under `EXCLUSIVE`.
fn refreshes(record: &StatementRecord) -> bool {
    record.sql.trim_start().get(..8).is_some_and(|word| word.eq_ignore_ascii_case("refresh "))
}

fn is_about(finding: &Finding, record: &StatementRecord) -> bool {
    finding.statement == Some(record.statement) && finding.location.file == record.file
}

/// A failing statement is pointed at where the server points; `otherwise`, if it points nowhere.
fn failing_place(record: &StatementRecord, whole: Location, otherwise: Location) -> Location {
    match &record.error {
        Some(error) if (error.line, error.column) > (whole.line, whole.column) => {
            Location { line: error.line, column: error.column, ..whole }
        }
        _ => otherwise,
    }
}

/// What a rehearsal saw of a statement, in words, the weightiest first.
#[must_use]
pub fn facts(record: &StatementRecord) -> Vec<String> {
    if record.error.is_some() {
        return failure_facts(record);
    }
    let mut facts: Vec<String> =
        record.rewrites.iter().map(|relation| format!("rewrote {relation}")).collect();
    facts.extend(
        record.scans.iter().map(|scan| format!("scanned {} ({} rows)", scan.relation, count(scan.rows))),
    );
    facts.extend(index_facts(record));
    facts.extend(lock_facts(record));
    if record.wal_bytes >= 1 << 20 {
        facts.push(format!("wrote {} of WAL", bytes(record.wal_bytes)));
    }
    facts
}

fn failure_facts(record: &StatementRecord) -> Vec<String> {
    let Some(error) = &record.error else { return Vec::new() };
    let failed = format!("failed: {} (SQLSTATE {})", error.message, error.sqlstate);
    let detail = error.detail.iter().map(|detail| format!("detail: {detail}"));
    std::iter::once(failed).chain(detail).collect()
}

/// `built index i on t`, or how many where a rewrite rebuilt them all.
fn index_facts(record: &StatementRecord) -> Vec<String> {
    let mut facts = Vec::new();
    let mut builds = record.index_builds.iter().peekable();
    while let Some(first) = builds.next() {
        let mut more = 0;
        while builds.next_if(|build| build.relation == first.relation).is_some() {
            more += 1;
        }
        facts.push(match more {
            0 => format!("built index {} on {}", first.index, first.relation),
            more => format!("built {} indexes on {}", more + 1, first.relation),
        });
    }
    facts
}

/// Locks on existing relations, stronger than every query takes; those on indexes that were built
/// go without saying. Last, how long the statement took.
fn lock_facts(record: &StatementRecord) -> Vec<String> {
    let is_built = |lock: &HeldLock| record.index_builds.iter().any(|build| build.index == lock.relation);
    let told = |lock: &&HeldLock| lock.existing && lock.mode > LockMode::RowExclusive && !is_built(lock);
    let locks = record.strongest_locks().into_iter().filter(told);
    let mut facts: Vec<String> =
        locks.map(|lock| format!("{} on {}", lock.mode.pg_locks(), lock.relation)).collect();
    facts.push(format!("took {}", duration_ms(record.duration_ms)));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records_for_tests::{lock, rehearsal};
    use crate::rehearsal::{Scan, StatementError};

    fn place(column: usize) -> Location {
        Location { file: "m.sql".into(), line: 1, column, end_line: 1, end_column: 80 }
    }

    fn record(statement: usize) -> StatementRecord {
        StatementRecord { lock_timeout_ms: 2000, ..crate::records_for_tests::record(statement) }
    }

    fn claim(claim: Claim) -> Finding {
        Finding {
            fix: None,
            rule: "a-rule".into(),
            severity: Severity::Error,
            message: String::new(),
            remedy: String::new(),
            location: place(1),
            statement: Some(0),
            evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
            claim,
        }
    }

    /// Each finding as `rule severity kind`.
    fn check(findings: Vec<Finding>, statements: Vec<StatementRecord>, expected: &[&str]) {
        let shown: Vec<String> = prove(findings, &rehearsal(statements), |_| place(1))
            .iter()
            .map(|f| format!("{} {} {}", f.rule, f.severity.word(), f.evidence.kind.word()))
            .collect();
        assert_eq!(shown, expected);
    }

    fn scan_claim() -> Finding {
        let (relation, mode) = ("public.t".into(), LockMode::AccessExclusive);
        claim(Claim::Lock { relation, mode, work: Some(Work::Scan) })
    }

    fn scanning(relation: &str) -> StatementRecord {
        StatementRecord {
            locks: vec![lock("public.t", LockMode::AccessExclusive)],
            scans: vec![Scan { relation: relation.into(), rows: 7 }],
            ..record(0)
        }
    }

    #[test]
    fn a_seen_scan_confirms() {
        check(vec![scan_claim()], vec![scanning("public.t")], &["a-rule error confirmed"]);
    }

    #[test]
    fn a_lock_without_the_work_refutes() {
        let locked = StatementRecord { scans: Vec::new(), ..scanning("public.t") };
        check(vec![scan_claim()], vec![locked], &["a-rule note refuted"]);
    }

    #[test]
    fn work_on_a_partition_locked_alike_confirms() {
        let mut partition = scanning("public.t_1");
        check(vec![scan_claim()], vec![partition.clone()], &["a-rule note refuted"]);
        partition.locks.push(lock("public.t_1", LockMode::AccessExclusive));
        check(vec![scan_claim()], vec![partition], &["a-rule error confirmed"]);
    }

    #[test]
    fn a_lock_of_an_earlier_statement_counts() {
        let altering =
            StatementRecord { locks: vec![lock("public.t", LockMode::AccessExclusive)], ..record(0) };
        let updating = StatementRecord {
            locks: vec![lock("public.t", LockMode::RowExclusive)],
            scans: vec![Scan { relation: "public.t".into(), rows: 7 }],
            ..record(1)
        };
        check(Vec::new(), vec![altering.clone(), updating.clone()], &["unclaimed-hazard error observed"]);
        let alone = StatementRecord { transaction: 1, ..updating };
        check(Vec::new(), vec![altering, alone], &[]);
    }

    #[test]
    fn locks_follow_renames() {
        let renaming = StatementRecord {
            locks: vec![lock("public.old", LockMode::AccessExclusive)],
            renames: vec![("public.old".into(), "public.t".into())],
            ..record(1)
        };
        let scanning = StatementRecord { locks: Vec::new(), ..scanning("public.t") };
        check(vec![scan_claim()], vec![renaming, scanning], &["a-rule error confirmed"]);
    }

    #[test]
    fn what_no_rule_claimed_is_observed() {
        check(Vec::new(), vec![scanning("public.t")], &["unclaimed-hazard error observed"]);
        let concurrent = StatementRecord { works_concurrently: true, ..scanning("public.t") };
        check(Vec::new(), vec![concurrent], &[]);
        let brief = StatementRecord { scans: Vec::new(), lock_timeout_ms: 0, ..scanning("public.t") };
        check(Vec::new(), vec![brief], &["unclaimed-hazard warning observed"]);
    }

    #[test]
    fn a_concurrent_refresh_keeps_nobody_out() {
        let refreshing = StatementRecord {
            sql: "REFRESH MATERIALIZED VIEW CONCURRENTLY t".into(),
            locks: vec![lock("public.t", LockMode::Exclusive)],
            ..scanning("public.t")
        };
        let brief = StatementRecord { lock_timeout_ms: 0, scans: Vec::new(), ..refreshing.clone() };
        check(Vec::new(), vec![refreshing], &[]);
        check(Vec::new(), vec![brief], &[]);
    }

    #[test]
    fn a_lock_timeout_is_asked_for_once_a_file() {
        let brief = || StatementRecord { lock_timeout_ms: 0, scans: Vec::new(), ..scanning("public.t") };
        let asking = Finding {
            remedy: "SET lock_timeout = '2s';".into(),
            statement: Some(1),
            ..claim(Claim::Nothing)
        };
        check(
            vec![asking],
            vec![brief(), StatementRecord { statement: 1, ..brief() }],
            &["a-rule error claimed"],
        );
    }

    #[test]
    fn what_was_accepted_is_no_news() {
        let rehearsal = Rehearsal {
            server_version: "18".into(),
            seeded: true,
            statements: vec![scanning("public.t")],
            notes: Vec::new(),
        };
        let accepted = prove_knowing(Vec::new(), vec![scan_claim()], &rehearsal, |_| place(1));
        assert!(accepted.findings.is_empty() && accepted.missed.is_empty());
        assert_eq!(accepted.accepted[0].evidence.kind, EvidenceKind::Confirmed);
        let both = prove_knowing(vec![scan_claim()], vec![scan_claim()], &rehearsal, |_| place(1));
        assert_eq!((both.findings.len(), both.accepted.len()), (1, 1));
    }

    #[test]
    fn what_no_rule_claimed_was_missed() {
        let missed = |record: StatementRecord| {
            prove_knowing(Vec::new(), Vec::new(), &rehearsal(vec![record]), |_| place(1)).missed
        };
        let scanned = missed(scanning("public.t"));
        let (relation, mode) = ("public.t".to_owned(), LockMode::AccessExclusive);
        assert_eq!(scanned[0].claim, Claim::Lock { relation, mode, work: Some(Work::Scan) });
        let error = StatementError {
            sqlstate: "42703".into(),
            message: "no".into(),
            detail: None,
            hint: None,
            line: 1,
            column: 1,
        };
        let failing = StatementRecord { outcome: Outcome::Error, error: Some(error), ..record(0) };
        assert_eq!(missed(failing.clone())[0].claim, Claim::Fails);
        assert!(missed(StatementRecord { undone_by: Some(1), ..failing }).is_empty());
    }

    #[test]
    fn failures_confirm_claims_or_stand_alone() {
        let error = StatementError {
            sqlstate: "25001".into(),
            message: "no".into(),
            detail: None,
            hint: None,
            line: 1,
            column: 1,
        };
        let failing = StatementRecord { outcome: Outcome::Error, error: Some(error), ..record(0) };
        check(vec![claim(Claim::Fails)], vec![failing.clone()], &["a-rule error confirmed"]);
        check(vec![scan_claim()], vec![failing], &["a-rule error claimed", "statement-fails error observed"]);
        check(vec![claim(Claim::Fails)], vec![record(0)], &["a-rule note refuted"]);
    }
}
