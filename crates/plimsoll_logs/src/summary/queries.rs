//! Queries: what they are, when they ran, their slowest plan, and how many a request needs.

use plimsoll_core::traffic::BurstKind;
use plimsoll_traffic::Histogram;
use serde::{Deserialize, Serialize};

use super::Trend;

/// A query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The normal form, which holds no literals.
    pub text: String,
    /// When it ran.
    pub trend: Trend,
    /// The slowest plan that auto_explain told.
    pub plan: Option<SlowPlan>,
}

/// A plan without literals. The slowest orders first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlowPlan {
    /// How long the statement ran, in microseconds.
    pub duration_us: u64,
    /// The plan in EXPLAIN's textual format.
    pub text: String,
}

/// Who runs something. What the log doesn't tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Who {
    /// `application_name`.
    pub application: String,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The client's address.
    pub host: String,
}

/// One query from one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stream {
    /// The fingerprint.
    pub query: u64,
    /// Who ran it.
    pub who: Who,
    /// The route of its sqlcommenter tags.
    pub route: String,
}

/// Bursts of one query from one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Burst {
    /// What they are.
    pub kind: BurstKind,
    /// The query's fingerprint.
    pub query: u64,
    /// The fingerprint of the query that ran before; 0 if there was none.
    pub before: u64,
    /// `application_name`.
    pub application: String,
    /// The route.
    pub route: String,
}

/// Figures of bursts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bursts {
    /// How many bursts.
    pub bursts: u64,
    /// Their statements in all.
    pub statements: u64,
    /// The statements of the largest.
    pub most: u64,
    /// Time in the database, in microseconds.
    pub in_database_us: u64,
    /// Time between their statements.
    pub between_us: u64,
    /// When they began; calls are statements.
    pub trend: Trend,
}

/// Requests of one route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// How many requests.
    pub requests: u64,
    /// Of how many a trace told what belongs to them.
    pub traced: u64,
    /// Their statements in all.
    pub statements: u64,
    /// Statements of the largest.
    pub most: u64,
    /// Requests by their statements, to 1/32.
    pub sizes: Histogram,
}

impl Query {
    pub(crate) fn merge(&mut self, other: Self) {
        // A fingerprint's text is the same everywhere, but where two hashes meet, the order must not count.
        if other.text > self.text {
            self.text = other.text;
        }
        self.trend.merge(&other.trend);
        self.see(other.plan);
    }

    /// Keeps the slower one.
    pub(crate) fn see(&mut self, plan: Option<SlowPlan>) {
        self.plan = self.plan.take().max(plan);
    }
}

impl Bursts {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.bursts += other.bursts;
        self.statements += other.statements;
        self.most = self.most.max(other.most);
        self.in_database_us = self.in_database_us.saturating_add(other.in_database_us);
        self.between_us = self.between_us.saturating_add(other.between_us);
        self.trend.merge(&other.trend);
    }
}

impl Requests {
    /// Counts one of so many statements.
    pub(crate) fn add(&mut self, statements: u64, is_traced: bool) {
        self.requests += 1;
        self.traced += u64::from(is_traced);
        self.statements += statements;
        self.most = self.most.max(statements);
        self.sizes.add(statements);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.traced += other.traced;
        self.statements += other.statements;
        self.most = self.most.max(other.most);
        self.sizes.merge(&other.sizes);
    }
}
