//! The server's answers: passed on to the program, the end of each held back until the statement was looked at.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Broken, StepSession};
use crate::tap::{ServerError, read_error};

/// How a statement was answered.
pub(super) struct Answer {
    pub(super) error: Option<ServerError>,
    /// What ends the answer and was held back: CommandComplete or the like, or ErrorResponse.
    pub(super) end: Vec<u8>,
    pub(super) started: Instant,
    pub(super) lasted: Duration,
}

impl Answer {
    /// Whether a portal has more rows. Looking would be its end.
    pub(super) fn is_suspended(&self) -> bool {
        self.end.ends_with(&crate::tap::message(b's', &[]))
    }
}

/// What the server warns of at a BEGIN within a transaction.
pub(super) const ALREADY_IN_TRANSACTION: &str = "25001";

/// What ends the answer that is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Ready,
    Executed,
    /// As the two above, for a BEGIN within a transaction that is implicit to the program, of which the server warns.
    ReadyUnwarned,
    ExecutedUnwarned,
}

impl Until {
    pub(super) fn is_execution(self) -> bool {
        matches!(self, Self::Executed | Self::ExecutedUnwarned)
    }

    pub(super) fn is_unwarned(self) -> bool {
        matches!(self, Self::ReadyUnwarned | Self::ExecutedUnwarned)
    }
}

impl<C: AsyncRead + AsyncWrite> StepSession<'_, '_, C> {
    pub(super) async fn run(&mut self, until: Until) -> Result<Answer, Broken> {
        self.run_swallowing(until, 0).await
    }

    /// Passes the answer on up to its end, which is held back.
    pub(super) async fn run_swallowing(
        &mut self,
        until: Until,
        mut swallowed: usize,
    ) -> Result<Answer, Broken> {
        self.server.flush().await?;
        let started = Instant::now();
        self.waits_no_longer(started);
        // What tells of a statement's parts is held back until it is clear that it won't be run again.
        let mut held = Vec::new();
        let mut error = None;
        let mut end = Vec::new();
        loop {
            let header = self.server.header().await?;
            match header.tag {
                b'D' | b'd' | b'c' => {
                    self.client.write_bytes(&std::mem::take(&mut held)).await?;
                    self.server.pass(header, &mut self.client).await?;
                    continue;
                }
                _ => {}
            }
            let body = self.server.body(header).await?;
            match header.tag {
                b'1' if swallowed > 0 => swallowed -= 1,
                b'1' | b'2' | b'3' | b't' | b'T' | b'n' => {
                    held.extend(crate::tap::message(header.tag, &body))
                }
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    break;
                }
                b'E' => {
                    error = Some(read_error(&body));
                    end.extend(std::mem::take(&mut held));
                    end.extend(crate::tap::message(header.tag, &body));
                    if until.is_execution() {
                        break;
                    }
                }
                b'C' | b's' | b'I' => {
                    end.extend(std::mem::take(&mut held));
                    end.extend(crate::tap::message(header.tag, &body));
                    if until.is_execution() {
                        break;
                    }
                }
                b'G' => {
                    self.client.write_bytes(&std::mem::take(&mut held)).await?;
                    self.client.write(header.tag, &body).await?;
                    self.copy_in().await?;
                }
                b'H' => {
                    self.client.write_bytes(&std::mem::take(&mut held)).await?;
                    self.client.write(header.tag, &body).await?;
                }
                b'N' if until.is_unwarned() && read_error(&body).sqlstate == ALREADY_IN_TRANSACTION => {}
                tag => self.pass_to_client(tag, &body).await?,
            }
        }
        if !until.is_execution() {
            self.client.write_bytes(&held).await?;
        } else if !held.is_empty() {
            end = [held, end].concat();
        }
        self.waits_for_us();
        // An error of a refused statement that is run again says nothing of what it would have been answered.
        Ok(Answer { error, end, started, lasted: started.elapsed() })
    }

    /// The program's rows for COPY FROM STDIN.
    pub(super) async fn copy_in(&mut self) -> Result<(), Broken> {
        self.client.flush().await?;
        loop {
            let header = self.client.header().await?;
            match header.tag {
                // The server would pass over these.
                b'H' | b'S' => drop(self.client.body(header).await?),
                tag => {
                    self.client.pass(header, &mut self.server).await?;
                    if tag != b'd' {
                        // The end of an extended query's COPY isn't sent before the server is asked for it.
                        self.server.write(b'H', &[]).await?;
                        self.server.flush().await?;
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Messages that belong to no answer, and notices as far as the program wants them.
    pub(super) async fn pass_to_client(&mut self, tag: u8, body: &[u8]) -> Result<(), Broken> {
        if tag == b'N' {
            let notice = read_error(body);
            let rank = severity_rank(&notice.severity);
            // The receiver lives as long as this does.
            self.notices.send((notice.severity, notice.message)).unwrap_or_default();
            if self.hearing.as_ref().is_some_and(|wanted| rank < severity_rank(&wanted.to_ascii_uppercase()))
            {
                return Ok(());
            }
        }
        self.client.write(tag, body).await?;
        Ok(())
    }

    pub(super) async fn discard_to_ready(&mut self) -> Result<(), Broken> {
        self.server.flush().await?;
        loop {
            let (tag, body) = self.server.message().await?;
            match tag {
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    return Ok(());
                }
                b'S' | b'A' => self.pass_to_client(tag, &body).await?,
                _ => {}
            }
        }
    }

    pub(super) async fn say_ready(&mut self) -> Result<(), Broken> {
        self.client.write(b'Z', &[self.status]).await?;
        Ok(self.client.flush().await?)
    }
}

/// How severe a message is, in the order that `client_min_messages` has it.
pub(super) fn severity_rank(severity: &str) -> u8 {
    match severity {
        "DEBUG" | "DEBUG1" | "DEBUG2" | "DEBUG3" | "DEBUG4" | "DEBUG5" => 0,
        "LOG" => 1,
        "NOTICE" => 2,
        "WARNING" => 3,
        "ERROR" => 4,
        // INFO always goes to the client.
        _ => u8::MAX,
    }
}
