//! The same query on two servers in turn, for the times of pairs.

use std::time::{Duration, Instant};

use plimsoll_regress::pairs::Pair;

use super::measure::{self, MeasureError, PreparedQuery};
use super::session::MeasuringSession;

/// Runs a query on both sides in pairs, the sides' order within a pair by chance. Nothing where either side fails.
///
/// Times are those of the whole statement as the client sees it, without EXPLAIN, whose clock costs time itself.
///
/// # Errors
/// When a server is gone.
pub async fn time_pairs(
    before: (&MeasuringSession<'_>, &PreparedQuery),
    after: (&MeasuringSession<'_>, &PreparedQuery),
    pairs: usize,
    timeout: Duration,
    mut chance: u64,
) -> Result<Option<Vec<Pair>>, MeasureError> {
    // Both are warmed up, and prepared in sessions of their own.
    let (Some(old), Some(new)) = (Timed::of(before, timeout).await?, Timed::of(after, timeout).await?) else {
        return Ok(None);
    };
    let mut taken = Vec::with_capacity(pairs);
    for _ in 0..pairs {
        // SplitMix64 (Steele, Lea, Flood, 2014): the next bit is all that is needed.
        chance = chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (chance ^ (chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let old_first = (mixed >> 63) == 0;
        let (first, second) = if old_first { (&old, &new) } else { (&new, &old) };
        let (Some(first), Some(second)) = (first.run().await?, second.run().await?) else { return Ok(None) };
        let (before_ms, after_ms) = if old_first { (first, second) } else { (second, first) };
        taken.push(Pair { before_ms, after_ms });
    }
    Ok(Some(taken))
}

struct Timed<'a> {
    session: &'a MeasuringSession<'a>,
    query: &'a PreparedQuery,
    execute: String,
}

impl<'a> Timed<'a> {
    async fn of(
        (session, query): (&'a MeasuringSession<'a>, &'a PreparedQuery),
        timeout: Duration,
    ) -> Result<Option<Self>, MeasureError> {
        let execute = match measure::prepare(session.client(), query, timeout).await {
            Ok(execute) => execute,
            Err(error) if error.as_db_error().is_some() => return Ok(None),
            Err(error) => return Err(session.interrupted(&query.query.name, &error).await),
        };
        let timed = Self { session, query, execute };
        Ok(timed.run().await?.map(|_| timed))
    }

    /// Milliseconds of one run; nothing if it fails.
    async fn run(&self) -> Result<Option<f64>, MeasureError> {
        let client = self.session.client();
        let run = measure::rolled_back(client, async || {
            let began = Instant::now();
            client.simple_query(&self.execute).await?;
            Ok::<_, tokio_postgres::Error>(began.elapsed().as_secs_f64() * 1000.0)
        });
        match run.await {
            Ok(ms) => Ok(Some(ms)),
            Err(error) if error.as_db_error().is_some() => Ok(None),
            Err(error) => Err(self.session.interrupted(&self.query.query.name, &error).await),
        }
    }
}
