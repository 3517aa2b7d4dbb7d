//! `[workload]`: what a service sends, and how a load of it is run.

use std::path::PathBuf;
use std::time::Duration;

use plimsoll_core::Location;
use plimsoll_core::workload::parse_rate;
use toml::Value;

use super::Resolver;
use crate::config::{self, complaint};
use crate::exit::Failure;

const DEFAULT_CONNECTIONS: usize = 20;
const MOST_CONNECTIONS: usize = 500;
const DEFAULT_LEAD: Duration = Duration::from_secs(2);

/// What a service sends, and how a load of it is run.
pub(crate) struct WorkloadSettings {
    /// A workload file, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// Rates of named queries.
    pub(crate) rates: Vec<QueryRate>,
    /// Connections that the requests share.
    pub(crate) connections: usize,
    /// How long the load runs before the change, and after it.
    pub(crate) lead: Duration,
}

/// How often a query is sent.
pub(crate) struct QueryRate {
    /// The query's name.
    pub(crate) query: String,
    /// Requests a second.
    pub(crate) rate_per_s: f64,
    /// Where that is said.
    pub(crate) location: Location,
}

impl Resolver {
    pub(super) fn workload(&self, workload: &config::Workload) -> Result<WorkloadSettings, Failure> {
        let connections = match &workload.connections {
            None => DEFAULT_CONNECTIONS,
            Some(connections) if (1..=MOST_CONNECTIONS).contains(connections.get_ref()) => {
                *connections.get_ref()
            }
            Some(connections) => {
                let message = format!(
                    "connections = {} is not between 1 and {MOST_CONNECTIONS}",
                    connections.get_ref()
                );
                return Err(complaint(&self.source, connections, &message));
            }
        };
        let rates = workload.rates.iter().map(|(query, value)| {
            let text = match value.get_ref() {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let rate_per_s = parse_rate(&text).map_err(|why| complaint(&self.source, value, &why))?;
            let location = self.source.location(query.span());
            Ok(QueryRate { query: query.get_ref().clone(), rate_per_s, location })
        });
        Ok(WorkloadSettings {
            file: workload.file.as_ref().map(|path| self.file(path)).transpose()?,
            rates: rates.collect::<Result<_, Failure>>()?,
            connections,
            lead: workload.lead.as_ref().map_or(Ok(DEFAULT_LEAD), |text| self.duration(text))?,
        })
    }
}
