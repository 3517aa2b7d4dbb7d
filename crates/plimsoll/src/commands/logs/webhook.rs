//! Posts alerts to an address. The address may hold a secret and is never told.

use std::time::Duration;

use ureq::Agent;

use super::messenger::Told;
use crate::exit::Failure;

/// An answer may take so long.
const ANSWER: Duration = Duration::from_secs(5);
/// Before it is tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// See the module.
pub(super) struct Webhook {
    agent: Agent,
    url: String,
    told: Told,
}

impl Webhook {
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(Failure::input(
                "use the webhook: its address begins with neither https:// nor http://",
            ));
        }
        let agent = Agent::config_builder().timeout_global(Some(ANSWER)).max_redirects(0).build().into();
        Ok(Self { agent, url: url.to_owned(), told: Told::default() })
    }

    /// Posts an object, at the third time at the latest.
    pub(super) fn post(&mut self, json: &str) {
        let mut outcome = self.once(json);
        for pause in PAUSES {
            // While it fails, each alert is tried once: others wait behind it.
            if outcome.is_ok() || self.told.fails() {
                break;
            }
            std::thread::sleep(pause);
            outcome = self.once(json);
        }
        self.told.outcome(outcome.map_err(|why| format!("the webhook took no alert: {why}")));
    }

    fn once(&self, json: &str) -> Result<(), String> {
        let sent = self.agent.post(&self.url).header("content-type", "application/json").send(json);
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("it answered {}", answer.status().as_u16())),
            Err(ureq::Error::StatusCode(code)) => Err(format!("it answered {code}")),
            Err(ureq::Error::Timeout(_)) => Err("it didn't answer within 5 s".to_owned()),
            Err(ureq::Error::HostNotFound) => Err("its host isn't known".to_owned()),
            Err(ureq::Error::Tls(_) | ureq::Error::Rustls(_)) => Err("TLS failed".to_owned()),
            // Others may tell the address.
            Err(_) => Err("it can't be reached".to_owned()),
        }
    }
}
