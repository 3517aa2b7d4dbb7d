//! Takes alerts to a webhook and a command, in a thread of its own: reading never waits for them.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use plimsoll_logs::alert::Alert;
use rustix::process::{Pid, Signal, kill_process_group};

use super::webhook::Webhook;
use crate::exit::Failure;
use crate::output::tell;

/// As many alerts wait to be taken; more are dropped, and that is told.
const MOST_WAITING: usize = 1000;
/// A command may run for so long.
const COMMAND_TIME: Duration = Duration::from_secs(30);
/// At the end, what waits is taken for so long.
const END_TIME: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Messenger {
    alerts: Option<SyncSender<Alert>>,
    ended: Receiver<()>,
    dropped: u64,
}

impl Messenger {
    /// Where alerts are to go; none if nowhere.
    pub(super) fn start(webhook: Option<&str>, command: Option<&str>) -> Result<Option<Self>, Failure> {
        let webhook = webhook.map(Webhook::new).transpose()?;
        let command = command.map(ToOwned::to_owned);
        if webhook.is_none() && command.is_none() {
            return Ok(None);
        }
        let (alerts, taken) = sync_channel::<Alert>(MOST_WAITING);
        let (end, ended) = channel();
        std::thread::spawn(move || {
            let (mut webhook, mut told) = (webhook, Told::default());
            for alert in taken {
                let json = serde_json::to_string(&alert).unwrap_or_default();
                if let Some(webhook) = &mut webhook {
                    webhook.post(&json);
                }
                if let Some(command) = &command {
                    told.outcome(run(command, &alert, &json));
                }
            }
            end.send(()).ok();
        });
        Ok(Some(Self { alerts: Some(alerts), ended, dropped: 0 }))
    }

    pub(super) fn take(&mut self, alert: Alert) {
        let Some(alerts) = &self.alerts else { return };
        if let Err(TrySendError::Full(_)) = alerts.try_send(alert) {
            self.dropped += 1;
            if self.dropped == 1 {
                tell(
                    "warning: alerts come faster than the webhook or the command takes them: some are dropped",
                );
            }
        }
    }

    /// Waits for what is on its way, for a while.
    pub(super) fn end(mut self) {
        self.alerts = None;
        if self.ended.recv_timeout(END_TIME).is_err() {
            tell("warning: the webhook or the command did not take all alerts in time");
        }
        if self.dropped > 0 {
            tell(&format!("warning: {} alerts were dropped on their way", self.dropped));
        }
    }
}

/// Tells of a failure once, until it goes well again.
#[derive(Default)]
pub(super) struct Told {
    fails: bool,
}

impl Told {
    pub(super) const fn fails(&self) -> bool {
        self.fails
    }

    pub(super) fn outcome(&mut self, outcome: Result<(), String>) {
        if let Err(why) = &outcome
            && !self.fails
        {
            tell(&format!("warning: {why}; this is told once, until it goes well again"));
        }
        self.fails = outcome.is_err();
    }
}

fn run(command: &str, alert: &Alert, json: &str) -> Result<(), String> {
    let failed = |why: std::io::Error| format!("the command couldn't be run: {why}");
    // Standard output is for alerts.
    let stderr = std::io::stderr().as_fd().try_clone_to_owned().map_err(failed)?;
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("PLIMSOLL_ALERT_KIND", alert.kind)
        .env("PLIMSOLL_ALERT_TEXT", &alert.text)
        .env("PLIMSOLL_ALERT_MOMENT", &alert.moment)
        .stdin(Stdio::piped())
        .stdout(stderr)
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let process = Pid::from_child(&child);
    // Less than a pipe holds; a command needn't read it.
    child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(json.as_bytes())).unwrap_or_default();
    let deadline = Instant::now() + COMMAND_TIME;
    loop {
        match child.try_wait().map_err(failed)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("the command failed with {status}")),
            None if Instant::now() >= deadline => {
                kill_process_group(process, Signal::KILL).unwrap_or_default();
                child.wait().map_err(failed)?;
                return Err("the command ran for more than 30 s and was ended".to_owned());
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
