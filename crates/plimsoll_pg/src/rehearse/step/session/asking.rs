//! Commands of ours in the program's session, whose answers go to nobody.

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Broken, StepSession};
use crate::tap::{ServerError, read_error};

/// What came of a command of ours.
#[derive(Default)]
pub(super) struct Ran {
    /// With the message that told of it.
    pub(super) refusal: Option<(ServerError, Vec<u8>)>,
    /// The first value of the last row.
    pub(super) value: Option<String>,
}

/// How long the server is to be talkative.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// To the end of the transaction, at most.
    Transaction,
    /// Until it is told otherwise.
    Session,
}

impl Span {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Transaction => "SET LOCAL",
            Self::Session => "SET",
        }
    }
}

impl<C: AsyncRead + AsyncWrite> StepSession<'_, '_, C> {
    /// Runs a command of ours; its answer goes to nobody.
    pub(super) async fn command(&mut self, text: &str) -> Result<Ran, Broken> {
        self.send_query(text.as_bytes()).await?;
        self.server.flush().await?;
        let mut ran = Ran::default();
        loop {
            let (tag, body) = self.server.message().await?;
            match tag {
                b'Z' => {
                    self.status = body.first().copied().unwrap_or(b'I');
                    return Ok(ran);
                }
                b'E' => ran.refusal = Some((read_error(&body), crate::tap::message(tag, &body))),
                b'D' => ran.value = first_value(&body),
                b'S' | b'A' | b'N' => self.pass_to_client(tag, &body).await?,
                _ => {}
            }
        }
    }

    pub(super) async fn flush_counters(&mut self) -> Result<(), Broken> {
        self.command(crate::rehearse::inside::FLUSH_COUNTERS).await?;
        Ok(())
    }

    /// The server is to tell of its work; what of that the program hasn't asked for isn't passed on.
    pub(super) async fn hear(&mut self, span: Span) -> Result<(), Broken> {
        if self.hearing.is_none() {
            self.hearing = self.command(&talkative(span)).await?.value;
        }
        Ok(())
    }

    /// The setting is again what the program has it at. A transaction that failed puts it back by itself.
    pub(super) async fn hear_no_more(&mut self, span: Span) -> Result<(), Broken> {
        if let Some(level) = self.hearing.take()
            && self.status != b'E'
        {
            self.command(&format!("{} client_min_messages = {level}", span.word())).await?;
        }
        Ok(())
    }
}

/// The query that makes the server talkative, and answers with what it was at before.
pub(super) fn talkative(span: Span) -> String {
    format!("SHOW client_min_messages; {} client_min_messages = debug1", span.word())
}

/// The first value of a row.
pub(super) fn first_value(row: &[u8]) -> Option<String> {
    let length = u32::from_be_bytes(row.get(2..6)?.try_into().ok()?) as usize;
    String::from_utf8(row.get(6..6 + length)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rows_first_value_is_read() {
        assert_eq!(first_value(b"\0\x01\0\0\0\x06notice").as_deref(), Some("notice"));
        assert_eq!(first_value(b"\0\x01\xff\xff\xff\xff"), None);
    }
}
