//! Simple queries.

use plimsoll_sql::{Command, Statement};
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::Until;
use super::looking::Sends;
use super::text::{is_wrapped, only, parsed, statements_of};
use super::{Broken, Encoding, StepSession};
use crate::rehearse::change::refuses_transactions;

impl<C: AsyncRead + AsyncWrite> StepSession<'_, '_, C> {
    /// A query of one statement or several: each is run alone, as the server would run it within the whole.
    pub(super) async fn simple_query(&mut self, body: &[u8]) -> Result<(), Broken> {
        let body = body.strip_suffix(&[0]).unwrap_or(body);
        let (text, encoding) = match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), Encoding::Utf8),
            Err(_) => (body.iter().map(|byte| char::from(*byte)).collect(), Encoding::Bytes),
        };
        self.encoding = encoding;
        let ranges = statements_of(&text);
        if ranges.len() <= 1 {
            self.simple_statement(&text, &text, true).await?;
        } else {
            for range in &ranges {
                let alone = only(&text, range);
                if !self.simple_statement(&alone, &text[range.clone()], false).await? {
                    break;
                }
            }
        }
        self.end_wrap().await?;
        self.say_ready().await
    }

    /// Runs a statement of a simple query; false if it failed. `sent` has the statement where it stands in the query,
    /// so that the server's error points to its place.
    async fn simple_statement(&mut self, sent: &str, text: &str, is_lone: bool) -> Result<bool, Broken> {
        let parsed = parsed(text);
        let command = parsed.as_ref().and_then(Statement::command);
        let is_control = command.is_some_and(Command::is_transaction_control);
        let adopts = self.wrapped && matches!(command, Some(Command::Begin));
        let is_outside = self.status == b'I' && !is_control;
        let commits = is_outside && is_lone && self.commits(text, parsed.as_ref()).await?;
        if is_control {
            self.part_from_wrap(command).await?;
        } else if is_outside && !commits && is_wrapped(text, command, is_lone) {
            self.wrap().await?;
        }
        self.program.show(self.number, text);
        self.before(text, command).await?;
        let answer = match &parsed {
            Some(statement) if commits => self.sampled(Sends::Simple(sent), text, statement).await?,
            _ => {
                let may_be_refused = self.wrapped && is_lone;
                let written = self.encoded(sent);
                self.send_query(&written).await?;
                let until = if adopts { Until::ReadyUnwarned } else { Until::Ready };
                let answer = self.run(until).await?;
                let refused =
                    answer.error.as_ref().is_some_and(|error| refuses_transactions(&error.sqlstate));
                match &parsed {
                    Some(statement) if refused && may_be_refused => {
                        self.undo_wrap().await?;
                        self.sampled(Sends::Simple(sent), text, statement).await?
                    }
                    _ => {
                        self.record(text, parsed.as_ref(), &answer, !is_lone).await?;
                        answer
                    }
                }
            }
        };
        let failed = answer.error.is_some();
        self.client.write_bytes(&answer.end).await?;
        Ok(!failed)
    }

    /// The program's text as it wrote it.
    pub(super) fn encoded(&self, text: &str) -> Vec<u8> {
        match self.encoding {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Bytes => text.chars().map(|letter| u32::from(letter) as u8).collect(),
        }
    }

    pub(super) async fn send_query(&mut self, text: &[u8]) -> Result<(), Broken> {
        self.conversation.lose_unnamed();
        let mut body = text.to_vec();
        body.push(0);
        self.server.write(b'Q', &body).await?;
        Ok(())
    }
}
