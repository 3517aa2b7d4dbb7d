//! What is seen of a statement: by a photograph behind it, or by samples while it runs.

use plimsoll_sql::{Command, Statement};
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::{Answer, Until};
use super::asking::Span;
use super::text::is_quiet;
use super::{Broken, StepSession};
use crate::rehearse::deed::Deed;
use crate::rehearse::notices::Told;
use crate::rehearse::photograph::Photograph;
use crate::rehearse::step::conversation::Message;
use crate::rehearse::step::stage::Run;

/// A statement as the program sent it.
#[derive(Clone, Copy)]
pub(super) enum Sends<'a> {
    /// A simple query's text.
    Simple(&'a str),
    /// An Execute, and what the server needs before it.
    Extended { batch: &'a [Message], execute: &'a [u8] },
}

impl<C: AsyncRead + AsyncWrite> StepSession<'_, '_, C> {
    /// What is to be seen before a statement of the program's own transaction.
    pub(super) async fn before(&mut self, text: &str, command: Option<&Command>) -> Result<(), Broken> {
        if self.open.is_none() && (self.status == b'T' || matches!(command, Some(Command::Begin))) {
            let photograph = self.program.stage.lock().await.first_photograph().await?;
            self.open = Some((photograph, self.program.next_transaction()));
        }
        // A savepoint keeps the setting of its moment.
        if is_quiet(text) || command.is_some_and(Command::is_transaction_control) {
            self.hear_no_more(Span::Transaction).await?;
        } else if self.status == b'T' {
            self.hear(Span::Transaction).await?;
        }
        Ok(())
    }

    /// Photographs the session behind a statement, and writes down what it did.
    pub(super) async fn record(
        &mut self,
        text: &str,
        statement: Option<&Statement>,
        answer: &Answer,
        is_one_of_several: bool,
    ) -> Result<(), Broken> {
        let program = self.program;
        let command = statement.and_then(Statement::command);
        let is_control = command.is_some_and(Command::is_transaction_control);
        let in_block = self.status == b'T';
        let is_outside = self.status == b'I';
        let mut stage = program.stage.lock().await;
        let told = self.session.notices.told();
        let (mut deed, transaction) = match &mut self.open {
            Some((photograph, transaction))
                if in_block
                    && answer.error.is_none()
                    && !is_control
                    && !is_quiet(text)
                    && !answer.is_suspended() =>
            {
                let asking = stage.photograph(&self.session, told, command, photograph);
                let deed = self.aside.while_asking(&mut self.server, &mut self.status, asking).await??;
                self.conversation.lose_unnamed();
                (deed, *transaction)
            }
            Some((_, transaction)) => (Deed::of_told(told), *transaction),
            None => (Deed::of_told(told), program.next_transaction()),
        };
        deed.duration = answer.lasted;
        let in_transaction =
            !self.wrapped && (!is_outside || is_control) || (self.wrapped && is_one_of_several);
        let run = Run {
            text,
            statement,
            in_transaction,
            transaction,
            session: self.number,
            started: answer.started,
        };
        program.record(&mut stage, run, answer.error.as_ref(), deed);
        let ended = answer.error.is_none().then_some(command).flatten();
        if let Some(Command::RollbackTo(savepoint)) = ended {
            stage.undo(savepoint);
        }
        if let Some(Command::Commit { chain: true } | Command::Rollback { chain: true }) = ended {
            // The next transaction is open already.
            self.open = Some((Photograph::default(), program.next_transaction()));
        }
        if matches!(
            ended,
            Some(Command::Commit { chain: true } | Command::Rollback { .. } | Command::RollbackTo(_))
        ) {
            let open = self.open.as_mut().map(|(photograph, _)| photograph);
            let asking = stage.forget_undone(&self.session, open.filter(|_| in_block));
            self.aside.while_asking(&mut self.server, &mut self.status, asking).await??;
        }
        drop(stage);
        if self.status == b'I' {
            self.open = None;
            if is_control {
                self.flush_counters().await?;
            }
        }
        if !self.wrapped && (self.status != b'T' || answer.error.is_some()) {
            // The transaction's end has put the setting back, or will.
            self.hearing = None;
        }
        self.overhead.statements += 1;
        Ok(())
    }

    /// Whether a statement commits on its way, as far as that is known beforehand.
    pub(super) async fn commits(
        &mut self,
        text: &str,
        statement: Option<&Statement>,
    ) -> Result<bool, Broken> {
        let Some(statement) = statement else { return Ok(false) };
        Ok(self.program.stage.lock().await.commits(text, statement).await?)
    }

    /// Runs a statement that commits by itself, with samples of what it does. Meanwhile the program's other sessions go on.
    pub(super) async fn sampled(
        &mut self,
        sends: Sends<'_>,
        text: &str,
        statement: &Statement,
    ) -> Result<Answer, Broken> {
        let program = self.program;
        let sampler = program.take_sampler().await?;
        let before = {
            let stage = program.stage.lock().await;
            let asking = stage.before_sampling(&self.session);
            self.aside.while_asking(&mut self.server, &mut self.status, asking).await??
        };
        let sent = program.sent();
        let is_alone = || before.is_alone && program.sent() == sent;
        let pid = self.session.pid;
        self.hear(Span::Session).await?;
        let running = self.send_whole(sends);
        let (answer, sampled) = sampler.sample(&before, pid, statement, running, &is_alone).await?;
        program.give_back(sampler);
        let answer = answer?;
        if answer.error.is_some() && matches!(sends, Sends::Extended { .. }) {
            self.pass_over_to_ready().await?;
        }
        self.hear_no_more(Span::Session).await?;
        let mut stage = program.stage.lock().await;
        let was_alone = is_alone();
        if !was_alone {
            program.note_company(text);
        }
        let asking = stage.after_sampling(&self.session.client, &before, sampled, was_alone);
        let deed = self.aside.while_asking(&mut self.server, &mut self.status, asking).await??;
        self.conversation.lose_unnamed();
        let Told { temp_files, messages, .. } = self.session.notices.told();
        let transaction = program.next_transaction();
        let run = Run {
            text,
            statement: Some(statement),
            in_transaction: false,
            transaction,
            session: self.number,
            started: answer.started,
        };
        let deed = Deed { temp_files, messages, ..deed };
        program.record(&mut stage, run, answer.error.as_ref(), deed);
        self.overhead.statements += 1;
        Ok(answer)
    }

    /// Sends a statement and passes its answer on up to its end.
    async fn send_whole(&mut self, sends: Sends<'_>) -> Result<Answer, Broken> {
        match sends {
            Sends::Simple(sent) => {
                let written = self.encoded(sent);
                self.send_query(&written).await?;
                self.run(Until::Ready).await
            }
            Sends::Extended { batch, execute } => self.send_and_run(batch, execute, Until::Executed).await,
        }
    }
}
