//! What of an event becomes a row.

use plimsoll_logs::message::{Checkpoint, Connection, Event, understand};
use plimsoll_logs::normalised::normal_form;
use plimsoll_logs::{Record, Severity, kind, object};
use plimsoll_sql::NormalForm;
use plimsoll_sql::sqlcommenter;

/// An event.
pub(crate) struct Row<'a> {
    pub(crate) time_us: Option<i64>,
    pub(crate) severity: &'static str,
    pub(crate) sqlstate: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) process: u32,
    pub(crate) session: &'a str,
    pub(crate) user: &'a str,
    pub(crate) database: &'a str,
    pub(crate) application: &'a str,
    pub(crate) host: &'a str,
    pub(crate) backend: &'a str,
    pub(crate) fingerprint: String,
    pub(crate) query: String,
    pub(crate) route: String,
    pub(crate) duration_us: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) lock_mode: &'a str,
    pub(crate) lock_object: String,
    pub(crate) message: String,
}

impl<'a> Row<'a> {
    pub(crate) fn of(record: &Record<'a>, form: &mut NormalForm) -> Self {
        let event = understand(record);
        let text = match &event {
            Event::Statement(statement) => statement.text,
            _ => record.statement,
        };
        let (mut fingerprint, mut query, mut route) = (String::new(), String::new(), String::new());
        if !text.is_empty() {
            fingerprint = form.of(text).to_string();
            query = form.text().to_owned();
            route = route_of(text);
        }
        let (lock_mode, lock_object) = match &event {
            Event::LockWait(wait) => (wait.mode, object(&wait.object)),
            _ => ("", String::new()),
        };
        Self {
            time_us: record.time_us,
            severity: record.severity.word(),
            sqlstate: record.sqlstate,
            kind: kind(&event),
            process: record.process,
            session: record.session,
            user: record.user,
            database: record.database,
            application: record.application,
            host: record.host,
            backend: record.backend,
            fingerprint,
            query,
            route,
            duration_us: duration_us(&event),
            bytes: match &event {
                Event::TemporaryFile(file) => Some(file.bytes),
                _ => None,
            },
            lock_mode,
            lock_object,
            message: if record.severity >= Severity::Warning {
                normal_form(record.message)
            } else {
                String::new()
            },
        }
    }
}

fn route_of(text: &str) -> String {
    if !text.contains("/*") {
        return String::new();
    }
    let tags = sqlcommenter::tags(text);
    let tag = |name: &str| tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match (tag("route"), tag("controller"), tag("action")) {
        (Some(route), ..) => route.to_owned(),
        (None, Some(controller), Some(action)) => format!("{controller}#{action}"),
        _ => String::new(),
    }
}

fn duration_us(event: &Event<'_>) -> Option<u64> {
    match event {
        Event::Statement(statement) => statement.duration_us,
        Event::Plan(plan) => Some(plan.duration_us),
        Event::LockWait(wait) => wait.waited_us,
        Event::Connection(Connection::Ended { session_us, .. }) => Some(*session_us),
        Event::AutomaticWork(work) => work.figures().elapsed_us,
        Event::Checkpoint(Checkpoint::Complete(complete)) => complete.figures().total_us,
        _ => None,
    }
}
