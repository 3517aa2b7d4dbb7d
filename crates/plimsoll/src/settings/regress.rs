//! `[regress]`: from where on queries count as worse.

use std::path::PathBuf;

use plimsoll_core::{Location, Thresholds};
use toml::Value;

use super::Resolver;
use crate::config::{self, Threshold, complaint};
use crate::exit::Failure;

/// From where on queries count as worse.
pub(crate) struct RegressSettings {
    /// The file of the queries' history, if one is kept.
    pub(crate) history: Option<PathBuf>,
    /// Where nothing is said of any query.
    usual: Thresholds,
    /// Keys of [`Thresholds`] that are set for all queries, and their values.
    keys: Vec<(&'static str, String)>,
    /// The ratio that was typed, which wins over all that is configured.
    typed_ratio: Option<f64>,
    /// What is said of named queries.
    queries: Vec<OfQuery>,
}

/// What is said of one query.
struct OfQuery {
    name: String,
    /// Where it is named.
    location: Location,
    /// Keys of [`Thresholds`] that are set, and their values.
    keys: Vec<(&'static str, String)>,
}

impl RegressSettings {
    /// The thresholds of a query, as far as the configuration says.
    pub(crate) fn thresholds(&self, query: &str) -> Thresholds {
        let mut thresholds = self.usual;
        let of_query = self.queries.iter().filter(|one| one.name == query);
        for (key, value) in self.keys.iter().chain(of_query.flat_map(|one| &one.keys)) {
            thresholds.set(key, value).expect("it was checked when the configuration was read");
        }
        thresholds
    }

    /// Sets from which growth of buffers and rows on a query is worse, where the configuration doesn't say.
    pub(crate) fn set_usual_ratio(&mut self, ratio: f64) {
        self.usual = Thresholds { buffers_ratio: ratio, rows_ratio: ratio, ..self.usual };
    }

    /// Sets it whatever the configuration and comments over queries say.
    pub(crate) fn set_typed_ratio(&mut self, ratio: f64) {
        self.typed_ratio = Some(ratio);
    }

    /// A query's thresholds, of which comments over it may have set some, with what was typed.
    pub(crate) fn with_typed(&self, thresholds: Thresholds) -> Thresholds {
        match self.typed_ratio {
            Some(ratio) => Thresholds { buffers_ratio: ratio, rows_ratio: ratio, ..thresholds },
            None => thresholds,
        }
    }

    /// Whether a key of [`Thresholds`] is set for all queries.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.keys.iter().any(|(set, _)| *set == key)
    }

    /// The queries that the configuration names, and where.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&str, &Location)> {
        self.queries.iter().map(|one| (one.name.as_str(), &one.location))
    }
}

impl Resolver {
    pub(super) fn regress(&self, regress: &config::Regress) -> Result<RegressSettings, Failure> {
        let mut thresholds = Thresholds::default();
        let keys = self.checked(regress.thresholds(), &mut thresholds)?;
        let queries = regress.queries.iter().map(|(name, of_query)| {
            let keys = self.checked(of_query.thresholds(), &mut thresholds.clone())?;
            let location = self.source.location(name.span());
            Ok::<_, Failure>(OfQuery { name: name.get_ref().clone(), location, keys })
        });
        let queries = queries.collect::<Result<_, _>>()?;
        let history = regress.history.as_ref().map(|path| self.path(path));
        Ok(RegressSettings { history, queries, usual: Thresholds::default(), keys, typed_ratio: None })
    }

    /// Sets the keys, and returns those that are there.
    fn checked(
        &self,
        all: [(&'static str, &Option<Threshold>); Thresholds::KEYS.len()],
        thresholds: &mut Thresholds,
    ) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut keys = Vec::new();
        for (key, threshold) in all {
            let Some(threshold) = threshold else { continue };
            let text = match threshold.get_ref() {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            thresholds.set(key, &text).map_err(|why| complaint(&self.source, threshold, &why))?;
            keys.push((key, text));
        }
        Ok(keys)
    }
}
