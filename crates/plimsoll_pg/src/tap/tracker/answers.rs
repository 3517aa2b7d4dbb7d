//! The server's answers, and the statements that they end.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_sql::normal_form::{executed, prepared};

use super::pending::Pending;
use super::{Answer, Sink, Tracker};
use crate::tap::backend::{
    columns, command_tag, error, parameter_types, process_id, setting, transaction_status,
};
use crate::tap::frame::Frame;
use crate::tap::reader::Reader;
use crate::tap::statement::{MOST_ROW_VALUES, Outcome, Statement, TransactionStatus};
use crate::tap::value::{Format, Value};

/// The bytes of a message's kind and length.
const HEADER_BYTES: u64 = 5;

impl Tracker {
    /// A message of the server's.
    pub(super) fn answered(&mut self, frame: &Frame<'_>, now: Duration, sink: &dyn Sink) {
        self.answer.bytes += HEADER_BYTES + frame.length as u64;
        match frame.tag {
            b'D' => self.row(frame.body, now),
            b'd' => self.copied(now),
            b'C' => {
                let (tag, rows) = command_tag(frame.body);
                self.copying_in = false;
                self.complete(tag, rows, now, sink);
            }
            b'I' => self.complete("", None, now, sink),
            b's' => self.suspended(now, sink),
            b'Z' => self.ready(transaction_status(frame.body), now, sink),
            b'T' => self.described_rows(frame.body),
            b't' => {
                if let Some(Pending::DescribeStatement(prepared, _)) = self.pending.front() {
                    prepared.told_types.get_or_init(|| parameter_types(frame.body));
                }
            }
            b'1' | b'2' | b'3' | b'n' => self.pop_unless_query(),
            b'G' => self.copying_in = true,
            b'E' => self.failed(frame.body, now, sink),
            b'S' => {
                let (name, value) = setting(frame.body);
                if name == b"application_name" {
                    self.session.application_name = String::from_utf8_lossy(value).into_owned();
                }
            }
            b'K' => self.session.pid = process_id(frame.body),
            _ => {}
        }
    }

    fn pop_unless_query(&mut self) {
        if !matches!(self.pending.front(), None | Some(Pending::Query { .. } | Pending::Sync(_))) {
            self.pending.pop_front();
            self.next_answer(None);
        }
    }

    /// What comes belongs to the next of the queue.
    fn next_answer(&mut self, ended: Option<Duration>) {
        let Answer { last_end, columns, values, .. } = &mut self.answer;
        columns.clear();
        values.hashes.clear();
        values.description.clear();
        values.columns = 0;
        let last_end = ended.unwrap_or(*last_end);
        let (columns, values) = (std::mem::take(columns), std::mem::take(values));
        self.answer = Answer { columns, values, last_end, ..Answer::default() };
    }

    fn described_rows(&mut self, body: &[u8]) {
        let columns = columns(body);
        match self.pending.front() {
            Some(Pending::DescribeStatement(prepared, _)) => {
                prepared.description.get_or_init(|| body.to_vec());
                self.pop_unless_query();
            }
            Some(Pending::DescribePortal(..)) => {
                self.pop_unless_query();
                // The portal's rows follow.
                self.set_columns(columns, body);
            }
            _ => self.set_columns(columns, body),
        }
    }

    fn set_columns(&mut self, columns: Vec<(u32, i16)>, description: &[u8]) {
        self.answer.columns = columns;
        self.answer.values.description.clear();
        self.answer.values.description.extend_from_slice(description);
    }

    fn row(&mut self, body: &[u8], now: Duration) {
        let answer = &mut self.answer;
        answer.rows += 1;
        answer.first_row.get_or_insert(now);
        if answer.values.hashes.len() >= MOST_ROW_VALUES {
            return;
        }
        if answer.columns.is_empty()
            && let Some(Pending::Execute(bound, _)) = self.pending.front()
        {
            answer.columns = bound.columns();
            answer.values.description.clear();
            answer.values.description.extend_from_slice(bound.description());
        }
        let mut reader = Reader(body);
        answer.values.columns = reader.count().unwrap_or(0);
        for at in 0..answer.values.columns {
            let (oid, format) = answer.columns.get(at).copied().unwrap_or((0, 0));
            let format = if format == 1 { Format::Binary } else { Format::Text };
            let hash = reader.value().and_then(|bytes| Value { oid, format, bytes }.hash());
            answer.values.hashes.push(hash.unwrap_or(0));
        }
    }

    fn copied(&mut self, now: Duration) {
        self.answer.rows += 1;
        self.answer.first_row.get_or_insert(now);
    }

    /// One statement is complete; of a simple query more may follow.
    fn complete(&mut self, tag: &str, rows: Option<u64>, now: Duration, sink: &dyn Sink) {
        let rows = rows.unwrap_or(self.answer.rows);
        match tag {
            "PREPARE" => self.remember_prepared(),
            "DEALLOCATE ALL" | "DISCARD ALL" => self.named.clear(),
            _ => {}
        }
        self.tell(Outcome::Complete(Cow::Borrowed(tag)), rows, now, sink);
        match self.pending.front_mut() {
            Some(Pending::Query { answered, .. }) => *answered += 1,
            Some(Pending::Execute(..)) => drop(self.pending.pop_front()),
            _ => {}
        }
        self.next_answer(Some(now));
    }

    fn suspended(&mut self, now: Duration, sink: &dyn Sink) {
        self.tell(Outcome::Suspended, self.answer.rows, now, sink);
        if let Some(Pending::Execute(bound, _)) = self.pending.front() {
            bound.suspend();
            self.pending.pop_front();
        }
        self.next_answer(Some(now));
    }

    fn ready(&mut self, status: TransactionStatus, now: Duration, sink: &dyn Sink) {
        self.began = true;
        while let Some(pending) = self.pending.pop_front() {
            if matches!(pending, Pending::Query { .. } | Pending::Sync(_) | Pending::Call(_)) {
                break;
            }
        }
        self.copying_in = false;
        self.status = status;
        if status == TransactionStatus::Idle && self.pending.is_empty() {
            // The transaction's portals went with it.
            self.portals.named.clear();
        }
        self.next_answer(None);
        sink.ready(&self.session, status, now);
    }

    fn failed(&mut self, body: &[u8], now: Duration, sink: &dyn Sink) {
        let error = error(body);
        self.copying_in = false;
        let Some(front) = self.pending.front() else {
            if self.began {
                sink.trouble(&self.session, format!("the server ended the session: {}", error.message));
            } else {
                sink.refused(&self.session, &error);
            }
            return;
        };
        let is_extended = !matches!(front, Pending::Query { .. } | Pending::Sync(_) | Pending::Call(_));
        self.tell(Outcome::Failed(&error), self.answer.rows, now, sink);
        if let Some(Pending::Query { failed, .. }) = self.pending.front_mut() {
            *failed = true;
        }
        if is_extended {
            while self.pending.front().is_some_and(|pending| !matches!(pending, Pending::Sync(_))) {
                self.pending.pop_front();
            }
            self.discarding = self.pending.is_empty();
        }
        self.next_answer(Some(now));
    }

    /// Tells of what never got its answer. To be called at the session's end.
    pub fn close(&mut self, now: Duration, sink: &dyn Sink) {
        while let Some(pending) = self.pending.front() {
            let is_lost = match pending {
                Pending::Execute(..) => true,
                Pending::Query { failed, answered, .. } => !failed && *answered == 0,
                _ => false,
            };
            if is_lost && !self.lost_track {
                self.tell(Outcome::Lost, self.answer.rows, now, sink);
            }
            self.pending.pop_front();
            self.next_answer(Some(now));
        }
        sink.ended(&self.session, now);
    }

    fn remember_prepared(&mut self) {
        let Some(text) = self.pending.front().and_then(Pending::text) else { return };
        if let Some((name, query)) = prepared(&text) {
            let (name, query) = (name.to_ascii_lowercase(), Arc::from(query));
            drop(text);
            self.named.insert(name, query);
        }
    }

    /// Tells of the statement at the queue's front.
    fn tell(&mut self, outcome: Outcome<'_>, rows: u64, now: Duration, sink: &dyn Sink) {
        if let Some(front) = self.pending.front_mut() {
            front.find_parts();
        }
        let Some(front) = self.pending.front() else { return };
        let Some(text) = front.text() else { return };
        let named =
            if starts_with_execute(&text) { executed(&text).map(str::to_ascii_lowercase) } else { None };
        let (text, prepared) = match named.and_then(|name| Some((self.named.get(&name)?, name))) {
            Some((query, name)) => (Cow::Borrowed(&**query), Some(Cow::Owned(name))),
            None => (text, front.name()),
        };
        let statement = Statement {
            text,
            prepared,
            parameters: front.parameters(),
            transaction: self.status,
            started: front.sent().unwrap_or(now).max(self.answer.last_end).min(now),
            first_row: self.answer.first_row,
            ended: now,
            rows,
            bytes: self.answer.bytes,
            resumed: matches!(front, Pending::Execute(bound, _) if bound.was_suspended()),
            outcome,
            row_values: &self.answer.values,
        };
        sink.statement(&self.session, &statement);
    }
}

/// Few statements do: only they are looked at more closely.
fn starts_with_execute(text: &str) -> bool {
    let start = text.trim_ascii_start();
    start.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("execute"))
        || start.starts_with("/*")
        || start.starts_with("--")
}
