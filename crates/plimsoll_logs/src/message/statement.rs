//! Statements: by `log_min_duration_statement` and its like, by `log_duration`, by `log_statement`.
//!
//! A prepared statement or portal whose own name holds `: ` or `/` can't be told apart from what follows; the first counts.

use super::Event;
use super::parameters::Parameters;
use super::plan;
use super::reading::thousandths;
use crate::{Record, Severity};

/// What of a statement a message tells. Of the extended protocol's three only `Execute` and `Fetch` run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A text of the simple protocol; it may hold several statements.
    Simple,
    /// `parse`: it was prepared.
    Parse,
    /// `bind`: it got its values and was planned.
    Bind,
    /// `execute`.
    Execute,
    /// `execute fetch from`: further rows of a portal.
    Fetch,
    /// A call of the fast path; the text is `"name" (OID n)`.
    FastPath,
    /// A duration alone, of the statement that was told before or that nobody told (`log_duration`).
    Untold,
}

/// A statement, or a phase of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// What is told.
    pub phase: Phase,
    /// The prepared statement's name; empty for the unnamed one and in the simple protocol.
    pub name: &'a str,
    /// The portal's name; empty for the unnamed one.
    pub portal: &'a str,
    /// The text as the client sent it.
    pub text: &'a str,
    /// How long it took, in microseconds; None where it only begins (`log_statement`).
    pub duration_us: Option<u64>,
    /// Its values.
    pub parameters: Parameters<'a>,
}

impl Statement<'_> {
    /// Whether a statement ran, rather than being prepared or bound.
    #[must_use]
    pub fn ran(&self) -> bool {
        !matches!(self.phase, Phase::Parse | Phase::Bind)
    }
}

/// Reads what follows `duration: `.
#[inline]
pub(super) fn timed<'a>(record: &Record<'a>, rest: &'a str) -> Option<Event<'a>> {
    let (duration_us, rest) = thousandths(rest)?;
    let rest = rest.strip_prefix(" ms")?;
    let told = if rest.is_empty() { "" } else { rest.strip_prefix("  ")? };
    if let Some(body) = told.strip_prefix("plan:") {
        return Some(Event::Plan(plan::logged(body, duration_us)));
    }
    let statement = if rest.is_empty() { nameless(Phase::Untold, "") } else { told_by(told)? };
    let parameters = Parameters::of_detail(record.detail);
    (record.severity == Severity::Log).then_some(Event::Statement(Statement {
        duration_us: Some(duration_us),
        parameters,
        ..statement
    }))
}

/// Reads a message of `log_statement`.
pub(super) fn begun<'a>(record: &Record<'a>) -> Option<Event<'a>> {
    let statement = told_by(record.message).filter(|statement| statement.ran())?;
    let parameters = Parameters::of_detail(record.detail);
    (record.severity == Severity::Log).then_some(Event::Statement(Statement { parameters, ..statement }))
}

fn told_by(told: &str) -> Option<Statement<'_>> {
    match told.as_bytes().first()? {
        b's' => Some(nameless(Phase::Simple, told.strip_prefix("statement: ")?)),
        b'e' => {
            let rest = told.strip_prefix("execute ")?;
            match rest.strip_prefix("fetch from ") {
                Some(rest) => named(Phase::Fetch, rest),
                None => named(Phase::Execute, rest),
            }
        }
        b'p' => named(Phase::Parse, told.strip_prefix("parse ")?),
        b'b' => named(Phase::Bind, told.strip_prefix("bind ")?),
        b'f' => Some(nameless(Phase::FastPath, told.strip_prefix("fastpath function call: ")?)),
        _ => None,
    }
}

fn nameless(phase: Phase, text: &str) -> Statement<'_> {
    Statement { phase, name: "", portal: "", text, duration_us: None, parameters: Parameters::default() }
}

fn named(phase: Phase, rest: &str) -> Option<Statement<'_>> {
    let (names, text) = match rest.strip_prefix("<unnamed>: ") {
        Some(text) => ("", text),
        None => rest.split_once(": ")?,
    };
    let (name, portal) = names.split_once('/').unwrap_or((names, ""));
    let name = if name == "<unnamed>" { "" } else { name };
    Some(Statement { name, portal, ..nameless(phase, text) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::understand;

    #[track_caller]
    fn check(message: &str, expected: Option<(Phase, &str, &str, &str, Option<u64>)>) {
        let found = match understand(&Record::new(Severity::Log, message)) {
            Event::Statement(one) => Some((one.phase, one.name, one.portal, one.text, one.duration_us)),
            _ => None,
        };
        assert_eq!(found, expected, "{message}");
    }

    #[test]
    fn durations_tell_statements_of_both_protocols() {
        check("duration: 0.042 ms", Some((Phase::Untold, "", "", "", Some(42))));
        check(
            "duration: 0.1 ms  statement: select 1;\n\tselect 2",
            Some((Phase::Simple, "", "", "select 1;\n\tselect 2", Some(100))),
        );
        check(
            "duration: 12.345 ms  parse <unnamed>: select $1",
            Some((Phase::Parse, "", "", "select $1", Some(12_345))),
        );
        check(
            "duration: 1.000 ms  bind s1/c1: select $1: x",
            Some((Phase::Bind, "s1", "c1", "select $1: x", Some(1000))),
        );
        check(
            "duration: 86400000.001 ms  execute <unnamed>/C_2: select 1",
            Some((Phase::Execute, "", "C_2", "select 1", Some(86_400_000_001))),
        );
        check(
            "duration: 0.000 ms  execute fetch from S_1: select 1",
            Some((Phase::Fetch, "S_1", "", "select 1", Some(0))),
        );
        check(
            "duration: 0.5 ms  fastpath function call: \"lo_open\" (OID 952)",
            Some((Phase::FastPath, "", "", "\"lo_open\" (OID 952)", Some(500))),
        );
        check("duration: 0.5 ms  statement: ", Some((Phase::Simple, "", "", "", Some(500))));
    }

    #[test]
    fn log_statement_tells_them_before_they_run() {
        check("statement: COMMIT", Some((Phase::Simple, "", "", "COMMIT", None)));
        check("execute <unnamed>: select 1", Some((Phase::Execute, "", "", "select 1", None)));
        check("execute fetch from a/b: select 1", Some((Phase::Fetch, "a", "b", "select 1", None)));
        check(
            "fastpath function call: \"f\" (OID 1)",
            Some((Phase::FastPath, "", "", "\"f\" (OID 1)", None)),
        );
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for message in [
            "duration: ",
            "duration: x ms",
            "duration: 1.5",
            "duration: 1.5 ms statement: select 1",
            "duration: 1.5 ms  stat",
            "duration: 1.2345 ms  statement: select 1",
            "duration: 99999999999999999999.000 ms  statement: select 1",
            "duration: 1.5 s  statement: select 1",
            "parse x: select 1",
            "execute nothing",
        ] {
            check(message, None);
        }
        let raised = Record {
            context: "PL/pgSQL function inline_code_block line 1 at RAISE",
            ..Record::new(Severity::Log, "duration: 1.5 ms  statement: forged")
        };
        assert_eq!(understand(&raised), Event::Other);
        let warned = Record::new(Severity::Warning, "duration: 1.5 ms  statement: forged");
        assert!(matches!(understand(&warned), Event::Failure(_)));
    }

    #[test]
    fn values_come_with_it() {
        let record = Record {
            detail: "Parameters: $1 = 'x'",
            ..Record::new(Severity::Log, "duration: 1.5 ms  execute s: select $1")
        };
        let Event::Statement(statement) = understand(&record) else { panic!("no statement") };
        assert_eq!(statement.parameters.text, "$1 = 'x'");
    }
}
