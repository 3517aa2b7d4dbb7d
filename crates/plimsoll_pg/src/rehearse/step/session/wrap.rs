//! Blocks of ours around statements that the program sends outside a transaction.

use plimsoll_sql::Command;
use tokio::io::{AsyncRead, AsyncWrite};

use super::asking::{Span, talkative};
use super::{Broken, StepSession};

impl<C: AsyncRead + AsyncWrite> StepSession<'_, '_, C> {
    /// Begins a block of ours around what follows.
    pub(super) async fn wrap(&mut self) -> Result<(), Broken> {
        if self.wrapped {
            return Ok(());
        }
        let photograph = self.program.stage.lock().await.first_photograph().await?;
        self.hearing = self.command(&format!("BEGIN; {}", talkative(Span::Transaction))).await?.value;
        self.wrapped = true;
        self.open = Some((photograph, self.program.next_transaction()));
        Ok(())
    }

    /// Ends our block. What its COMMIT refuses, the program is told as the statement's own failure.
    pub(super) async fn end_wrap(&mut self) -> Result<(), Broken> {
        if !self.wrapped {
            return Ok(());
        }
        if self.status == b'E' {
            return self.undo_wrap().await;
        }
        let refusal = self.command("COMMIT").await?.refusal;
        let transaction = self.open.as_ref().map(|(_, number)| *number);
        (self.wrapped, self.open, self.hearing) = (false, None, None);
        if let Some((error, message)) = refusal {
            self.program.stage.lock().await.blame_last_of(transaction, &error);
            self.client.write_bytes(&message).await?;
        }
        self.flush_counters().await
    }

    pub(super) async fn undo_wrap(&mut self) -> Result<(), Broken> {
        self.command("ROLLBACK").await?;
        (self.wrapped, self.open, self.hearing) = (false, None, None);
        self.flush_counters().await
    }

    /// Before a statement that controls transactions, within one that is implicit to the program: BEGIN makes that one the
    /// program's own, COMMIT and ROLLBACK end it, and savepoints are refused there, which undoes it.
    pub(super) async fn part_from_wrap(&mut self, command: Option<&Command>) -> Result<(), Broken> {
        if !self.wrapped {
            return Ok(());
        }
        match command {
            Some(Command::Begin) => {
                self.hear_no_more(Span::Transaction).await?;
                self.wrapped = false;
                Ok(())
            }
            Some(Command::Commit { .. }) => self.end_wrap().await,
            _ => self.undo_wrap().await,
        }
    }
}
