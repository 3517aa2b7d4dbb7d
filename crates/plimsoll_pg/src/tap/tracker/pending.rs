//! What was asked and isn't answered yet.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use plimsoll_sql::split::{Piece, split};

use crate::tap::backend::{columns, parameter_types};
use crate::tap::reader::Reader;
use crate::tap::statement::{Parameters, format_at, formats};
use crate::tap::value::Format;

/// A statement prepared by the protocol.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// Empty for the unnamed one.
    pub(super) name: Vec<u8>,
    pub(super) text: Vec<u8>,
    /// Types of its parameters, as the client gave them; 0 for what it leaves to the server.
    given_types: Vec<u32>,
    /// Types of its parameters, as the server told them.
    pub(super) told_types: OnceLock<Vec<u32>>,
    /// The body of the RowDescription that the server told.
    pub(super) description: OnceLock<Vec<u8>>,
}

impl Prepared {
    /// Reads Parse behind its name.
    pub(super) fn read(name: &[u8], mut body: Reader<'_>) -> Self {
        let text = body.string().to_vec();
        let given_types = parameter_types(body.0);
        Self { name: name.to_vec(), text, given_types, ..Self::default() }
    }

    fn types(&self) -> &[u32] {
        self.told_types.get().unwrap_or(&self.given_types)
    }
}

/// A portal.
#[derive(Debug, Default)]
pub(super) struct Bound {
    pub(super) prepared: Arc<Prepared>,
    /// The body of Bind behind its names.
    body: Vec<u8>,
    /// Formats of its columns.
    result_formats: Vec<Format>,
    /// Whether it has given rows already.
    pub(super) is_suspended: AtomicBool,
}

/// Reads Bind behind its names.
pub(super) fn parsed_bind(prepared: Arc<Prepared>, body: Reader<'_>) -> Bound {
    let mut rest = body;
    let mut read = || {
        formats(&mut rest)?;
        for _ in 0..rest.count()? {
            rest.value()?;
        }
        formats(&mut rest)
    };
    let result_formats = read().unwrap_or_default();
    Bound { prepared, body: body.0.to_vec(), result_formats, is_suspended: AtomicBool::new(false) }
}

impl Bound {
    pub(super) fn parameters(&self) -> Parameters<'_> {
        Parameters { bound: &self.body, types: self.prepared.types() }
    }

    /// Types and formats of its columns, as far as they are known without their description.
    pub(super) fn columns(&self) -> Vec<(u32, i16)> {
        let described = columns(self.description());
        let format = |at| if format_at(&self.result_formats, at) == Format::Binary { 1 } else { 0 };
        described.iter().enumerate().map(|(at, (oid, _))| (*oid, format(at))).collect()
    }

    pub(super) fn description(&self) -> &[u8] {
        self.prepared.description.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn suspend(&self) {
        self.is_suspended.store(true, Ordering::Relaxed);
    }

    pub(super) fn was_suspended(&self) -> bool {
        self.is_suspended.load(Ordering::Relaxed)
    }
}

/// A message that waits for its answer, and when it came.
#[derive(Debug)]
pub(super) enum Pending {
    /// A simple query: its text, and of the statements in it those that are answered.
    Query {
        text: Vec<u8>,
        sent: Duration,
        answered: usize,
        parts: Vec<Range<usize>>,
        failed: bool,
    },
    Parse(Arc<Prepared>, Duration),
    Bind(Arc<Bound>, Duration),
    DescribeStatement(Arc<Prepared>, Duration),
    DescribePortal(Arc<Bound>, Duration),
    Execute(Arc<Bound>, Duration),
    Close,
    /// A call of a function by its oid, which the protocol still has.
    Call(Duration),
    Sync(Duration),
}

impl Pending {
    pub(super) fn query(text: &[u8], sent: Duration) -> Self {
        Self::Query { text: text.to_vec(), sent, answered: 0, parts: Vec::new(), failed: false }
    }

    /// When it came; `None` for what nobody waits for.
    pub(super) fn sent(&self) -> Option<Duration> {
        match self {
            Self::Query { sent, .. }
            | Self::Parse(_, sent)
            | Self::Bind(_, sent)
            | Self::DescribeStatement(_, sent)
            | Self::DescribePortal(_, sent)
            | Self::Execute(_, sent)
            | Self::Call(sent)
            | Self::Sync(sent) => Some(*sent),
            Self::Close => None,
        }
    }

    /// Finds the statements of a simple query's text, if that holds several.
    pub(super) fn find_parts(&mut self) {
        if let Self::Query { text, parts: known, .. } = self
            && known.is_empty()
            && memchr::memchr(b';', text).is_some()
        {
            *known = std::str::from_utf8(text).map(parts).unwrap_or_default();
        }
    }

    /// The text of the statement that is being answered.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Query { text, parts, answered, .. } => {
                let part = parts.get(*answered).and_then(|range| text.get(range.clone()));
                Some(text_of(part.unwrap_or(text)))
            }
            // At the end of an implicit transaction deferred constraints are checked.
            Self::Sync(_) => Some("COMMIT".into()),
            other => other.prepared().map(|prepared| text_of(&prepared.text)),
        }
    }

    /// The name that it was prepared under.
    pub(super) fn name(&self) -> Option<Cow<'_, str>> {
        let prepared = self.prepared().filter(|prepared| !prepared.name.is_empty())?;
        Some(String::from_utf8_lossy(&prepared.name))
    }

    /// The prepared statement that it is about.
    pub(super) fn prepared(&self) -> Option<&Prepared> {
        match self {
            Self::Parse(prepared, _) | Self::DescribeStatement(prepared, _) => Some(prepared),
            Self::Bind(bound, _) | Self::DescribePortal(bound, _) | Self::Execute(bound, _) => {
                Some(&bound.prepared)
            }
            _ => None,
        }
    }

    /// Values for the statement's parameters.
    pub(super) fn parameters(&self) -> Parameters<'_> {
        match self {
            Self::Bind(bound, _) | Self::Execute(bound, _) => bound.parameters(),
            _ => Parameters::NONE,
        }
    }
}

/// Nearly all texts are valid UTF-8, for which this check is the quicker one.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The statements of a simple query's text; none if it is one statement alone.
fn parts(text: &str) -> Vec<Range<usize>> {
    let trimmed = text.trim_end_matches(|letter: char| letter.is_ascii_whitespace() || letter == ';');
    if memchr::memchr(b';', trimmed.as_bytes()).is_none() {
        return Vec::new();
    }
    let pieces = split(text).into_iter();
    pieces.map(|(Piece::Statement { range, .. } | Piece::MetaCommand { range })| range).collect()
}
