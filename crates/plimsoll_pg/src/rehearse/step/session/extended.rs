//! The extended protocol: what comes before an Execute is kept back, so that a block of ours can be put before it.

use std::io;
use std::time::Instant;

use plimsoll_sql::{Command, Statement};
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::{Answer, Until};
use super::looking::Sends;
use super::text::{is_wrapped, parsed};
use super::{Broken, StepSession};
use crate::rehearse::change::refuses_transactions;
use crate::rehearse::step::conversation::Message;
use crate::tap::{message, read_error};

impl<C: AsyncRead + AsyncWrite> StepSession<'_, '_, C> {
    /// Runs what a portal holds.
    pub(super) async fn execute(&mut self, execute: Vec<u8>) -> Result<(), Broken> {
        let text = self.conversation.text_of(&execute).to_owned();
        let script = self.conversation.script_of(&execute);
        let parsed = parsed(&text);
        let command = parsed.as_ref().and_then(Statement::command);
        let is_control = command.is_some_and(Command::is_transaction_control);
        // A batch that went to the server already can't be wrapped any more: its portal would go.
        let binds = self.batch.iter().any(|(tag, _)| *tag == b'B');
        let is_outside = self.status == b'I' && !self.wrapped && binds && !is_control;
        let adopts = self.wrapped && matches!(command, Some(Command::Begin));
        let commits = is_outside && self.commits(&text, parsed.as_ref()).await?;
        let wraps = is_outside && !commits && is_wrapped(&text, command, true);
        if is_control {
            self.part_from_wrap(command).await?;
        } else if wraps {
            self.wrap().await?;
        }
        self.program.show(self.number, &text);
        if binds {
            self.before(&text, command).await?;
        }
        let batch = std::mem::take(&mut self.batch);
        let sends = Sends::Extended { batch: &batch, execute: &execute };
        let answer = match &parsed {
            Some(statement) if commits => self.sampled(sends, &script, statement).await?,
            _ => {
                let until = if adopts { Until::ExecutedUnwarned } else { Until::Executed };
                let answer = self.send_and_run(&batch, &execute, until).await?;
                if is_control && answer.error.is_none() {
                    // Whether a transaction is open now the server says behind a Sync, or a simple query.
                    self.command("").await?;
                }
                let refused =
                    answer.error.as_ref().is_some_and(|error| refuses_transactions(&error.sqlstate));
                match &parsed {
                    Some(statement) if refused && wraps => {
                        self.pass_over_to_ready().await?;
                        self.undo_wrap().await?;
                        self.sampled(sends, &script, statement).await?
                    }
                    _ => {
                        self.record(&script, parsed.as_ref(), &answer, false).await?;
                        answer
                    }
                }
            }
        };
        self.client.write_bytes(&answer.end).await?;
        if answer.error.is_some() { self.skip_to_sync().await } else { Ok(()) }
    }

    pub(super) async fn send_and_run(
        &mut self,
        batch: &[Message],
        execute: &[u8],
        until: Until,
    ) -> Result<Answer, Broken> {
        let swallowed = self.send_batch(batch).await?;
        self.server.write(b'E', execute).await?;
        self.server.write(b'H', &[]).await?;
        self.run_swallowing(until, swallowed).await
    }

    /// After an error the server passes over everything up to the next Sync, which is ours.
    pub(super) async fn pass_over_to_ready(&mut self) -> Result<(), Broken> {
        self.server.write(b'S', &[]).await?;
        self.discard_to_ready().await
    }

    /// Flush: the program wants what there is so far.
    pub(super) async fn flush_batch(&mut self) -> Result<(), Broken> {
        if self.deliver(b'H').await? { self.skip_to_sync().await } else { Ok(()) }
    }

    pub(super) async fn sync(&mut self) -> Result<(), Broken> {
        self.deliver(b'S').await?;
        self.conversation.synchronize();
        self.end_wrap().await?;
        self.say_ready().await
    }

    /// Sends what was kept back and runs nothing, with Flush or Sync behind it, and passes the answers on. Returns whether
    /// something of it failed, which is recorded of its statement.
    async fn deliver(&mut self, end: u8) -> Result<bool, Broken> {
        let batch = std::mem::take(&mut self.batch);
        let mut swallowed = self.send_batch(&batch).await?;
        self.server.write(end, &[]).await?;
        self.server.flush().await?;
        let started = Instant::now();
        let mut unanswered = batch.iter();
        let mut failure = None;
        while end == b'S' || swallowed + unanswered.len() > 0 {
            let (tag, body) = self.server.message().await?;
            match tag {
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    break;
                }
                b'1' if swallowed > 0 => {
                    swallowed -= 1;
                    continue;
                }
                b't' => self.conversation.learn_types(&body),
                b'1' | b'2' | b'3' | b'n' | b'T' => drop(unanswered.next()),
                b'E' => {
                    failure = Some((read_error(&body), message(tag, &body), unanswered.next()));
                    if end == b'H' {
                        break;
                    }
                    continue;
                }
                _ => {}
            }
            self.pass_to_client(tag, &body).await?;
        }
        let Some((error, told, failed)) = failure else { return Ok(false) };
        if let Some((tag, body)) = failed {
            let text = self.conversation.text_of_message(*tag, body).to_owned();
            self.program.show(self.number, &text);
            let answer = Answer { error: Some(error), end: Vec::new(), started, lasted: started.elapsed() };
            self.record(&text, parsed(&text).as_ref(), &answer, false).await?;
        }
        self.client.write_bytes(&told).await?;
        Ok(true)
    }

    /// Sends messages of the extended protocol; returns how many answers the program doesn't expect.
    async fn send_batch(&mut self, batch: &[Message]) -> Result<usize, Broken> {
        let mut swallowed = 0;
        for (tag, body) in batch {
            if let Some(parse) = self.conversation.needed_before(*tag, body) {
                self.server.write(b'P', &parse).await?;
                swallowed += 1;
            }
            self.server.write(*tag, body).await?;
        }
        Ok(swallowed)
    }

    /// After an error: what comes before the next Sync goes to nobody.
    async fn skip_to_sync(&mut self) -> Result<(), Broken> {
        self.batch.clear();
        self.client.flush().await?;
        loop {
            let header = self.client.header().await?;
            let body = self.client.body(header).await?;
            match header.tag {
                b'S' => break,
                b'X' => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                _ => drop(body),
            }
        }
        self.pass_over_to_ready().await?;
        self.conversation.synchronize();
        self.end_wrap().await?;
        self.say_ready().await
    }
}
