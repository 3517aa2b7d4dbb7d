//! Whatever else the server complains of: a message of WARNING or above that has no event of its own.

use super::parameters::Parameters;
use crate::{Record, Severity, normalised};

/// A warning or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// WARNING or above.
    pub severity: Severity,
    /// Five characters; empty where the log doesn't say.
    pub sqlstate: &'a str,
    /// The message with all that it quotes.
    pub message: &'a str,
    /// What the statement was sent with, if the context says (`log_parameter_max_length_on_error`).
    pub parameters: Parameters<'a>,
}

impl Failure<'_> {
    /// Writes the message's normal form: the same for all errors of one kind, without anybody's data.
    pub fn write_normal_form(&self, into: &mut String) {
        normalised::write_normal_form(self.message, into);
    }
}

pub(super) fn told<'a>(record: &Record<'a>) -> Option<Failure<'a>> {
    (record.severity >= Severity::Warning).then(|| Failure {
        severity: record.severity,
        sqlstate: record.sqlstate,
        message: record.message,
        parameters: Parameters::of_context(record.context),
    })
}
