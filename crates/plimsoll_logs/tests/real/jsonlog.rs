//! Records out of a jsonlog, read by a general reader of JSON.

use plimsoll_logs::{Record, Severity};
use serde::Deserialize;

/// A line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) pid: u32,
    pub(crate) application_name: String,
    user: String,
    dbname: String,
    remote_host: String,
    session_id: String,
    ps: String,
    error_severity: String,
    state_code: String,
    message: String,
    detail: String,
    hint: String,
    internal_query: String,
    context: String,
    statement: String,
    backend_type: String,
}

/// All lines of a log.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

impl Line {
    pub(crate) fn record(&self) -> Record<'_> {
        let severity = Severity::of(&self.error_severity).expect(&self.error_severity);
        Record {
            sqlstate: &self.state_code,
            process: self.pid,
            session: &self.session_id,
            user: &self.user,
            database: &self.dbname,
            application: &self.application_name,
            host: &self.remote_host,
            backend: &self.backend_type,
            command_tag: &self.ps,
            detail: &self.detail,
            hint: &self.hint,
            context: &self.context,
            statement: &self.statement,
            query: &self.internal_query,
            ..Record::new(severity, &self.message)
        }
    }
}
