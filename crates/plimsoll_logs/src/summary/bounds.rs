//! Bounded room, whatever is read: when too many different things come, the lightest are folded into one, and what that may
//! hide is kept as a bound.
//!
//! This is lossy counting (Manku and Motwani, "Approximate Frequency Counts over Data Streams", VLDB 2002) by batches: a
//! query that isn't listed, and what a listed one lacks, is at most the sum of the heaviest that each batch folded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Figures, Stream, Summary, Who};

/// What stands for queries that aren't told apart; who ran them is still told.
pub const UNLISTED: u64 = 0;
/// Of more different queries, the heaviest are kept: half by time, half by calls.
pub(super) const MOST_QUERIES: usize = 5000;
/// More may come before some are folded.
const ROOM: usize = MOST_QUERIES + MOST_QUERIES / 2;
/// More streams count without who ran them.
const MOST_STREAMS: usize = 30_000;
/// Of other things, so many.
const MOST_OTHERS: usize = 5000;

/// What was folded for room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    /// How often a query was folded; the same one may come again.
    pub queries: u64,
    /// A query's calls may be short by this many; one that isn't listed has at most so many.
    pub calls: u64,
    /// A query's time may be short by this much, in microseconds.
    pub time_us: u64,
    /// Kinds of problems, locks, sessions and the like that were left out.
    pub others: u64,
}

impl Folded {
    pub(super) fn merge(&mut self, other: &Self) {
        self.queries += other.queries;
        self.calls += other.calls;
        self.time_us += other.time_us;
        self.others += other.others;
    }
}

impl Summary {
    /// Folds what is too much.
    pub(crate) fn make_room(&mut self) {
        if self.queries.len() > ROOM {
            self.fold_queries();
        }
        if self.streams.len() > MOST_STREAMS {
            self.fold_streams();
        }
        let mut others = 0;
        others += lightest_out(&mut self.sessions, |one| one.connections + one.refused + one.ended.calls);
        others += lightest_out(&mut self.problems, |one| one.count);
        others += lightest_out(&mut self.failed, |count| *count);
        others += lightest_out(&mut self.lock_waits, |one| one.waits + one.given_up);
        others += lightest_out(&mut self.lock_edges, |one| one.waits);
        others += lightest_out(&mut self.deadlocks, |one| one.count);
        others += lightest_out(&mut self.temporary_files, |one| one.bytes);
        others += lightest_out(&mut self.vacuums, |one| one.calls);
        others += lightest_out(&mut self.bursts, |one| one.statements);
        others += lightest_out(&mut self.requests, |one| one.statements);
        self.folded.others += others;
    }

    fn fold_queries(&mut self) {
        let mut weights: BTreeMap<u64, (u64, u64)> =
            self.queries.keys().map(|query| (*query, (0, 0))).collect();
        for (stream, figures) in &self.streams {
            if let Some((time_us, calls)) = weights.get_mut(&stream.query) {
                *time_us += figures.total_us;
                *calls += figures.calls;
            }
        }
        let mut by_time: Vec<(u64, u64, u64)> =
            weights.iter().map(|(query, (time_us, calls))| (*time_us, *calls, *query)).collect();
        by_time.sort_unstable_by(|one, other| other.cmp(one));
        let mut by_calls = by_time.clone();
        by_calls
            .sort_unstable_by_key(|(time_us, calls, query)| std::cmp::Reverse((*calls, *time_us, *query)));
        let heaviest = by_time.iter().take(MOST_QUERIES / 2).chain(by_calls.iter().take(MOST_QUERIES / 2));
        let kept: BTreeSet<u64> = heaviest.map(|(_, _, query)| *query).collect();
        let folded = || by_time.iter().filter(|(_, _, query)| !kept.contains(query));
        self.folded.queries += folded().count() as u64;
        self.folded.time_us += folded().map(|one| one.0).max().unwrap_or(0);
        self.folded.calls += folded().map(|one| one.1).max().unwrap_or(0);
        self.queries.retain(|query, _| kept.contains(query));
        let mut folded: BTreeMap<Stream, Figures> = BTreeMap::new();
        self.streams.retain(|stream, figures| {
            let stays = kept.contains(&stream.query) || stream.query == UNLISTED;
            if !stays {
                let who = Stream { query: UNLISTED, ..stream.clone() };
                folded.entry(who).or_default().merge(figures);
            }
            stays
        });
        for (stream, figures) in folded {
            self.streams.entry(stream).or_default().merge(&figures);
        }
    }

    /// The lighter half of the streams count for their role and database, and the next time for their queries alone.
    fn fold_streams(&mut self) {
        let mut calls: Vec<u64> = self.streams.values().map(|figures| figures.calls).collect();
        let middle = MOST_STREAMS / 2;
        calls.sort_unstable_by(|one, other| other.cmp(one));
        let least = calls[middle];
        let mut folded: BTreeMap<Stream, Figures> = BTreeMap::new();
        self.streams.retain(|stream, figures| {
            let stays = figures.calls > least;
            if !stays {
                folded.entry(wider(stream)).or_default().merge(figures);
            }
            stays
        });
        for (stream, figures) in folded {
            self.streams.entry(stream).or_default().merge(&figures);
        }
    }
}

/// A stream without what tells most streams apart.
fn wider(stream: &Stream) -> Stream {
    let Stream { query, who: Who { application, user, database, host }, route } = stream;
    let is_wide = [application, host, route].iter().all(|name| name.is_empty());
    let who = if is_wide {
        Who::default()
    } else {
        Who { user: user.clone(), database: database.clone(), ..Who::default() }
    };
    Stream { query: *query, who, route: String::new() }
}

/// Takes out what is lightest once there is half as much again as may stay; returns how many.
fn lightest_out<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, weight: impl Fn(&V) -> u64) -> u64 {
    if map.len() <= MOST_OTHERS + MOST_OTHERS / 2 {
        return 0;
    }
    let mut weights: Vec<(u64, &K)> = map.iter().map(|(key, value)| (weight(value), key)).collect();
    weights.sort_unstable_by(|one, other| other.cmp(one));
    let out: BTreeSet<K> = weights.into_iter().skip(MOST_OTHERS).map(|(_, key)| key.clone()).collect();
    map.retain(|key, _| !out.contains(key));
    out.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Query;

    #[test]
    fn the_heaviest_stay_and_the_rest_is_bounded() {
        let mut summary = Summary::default();
        for query in 0..=ROOM as u64 {
            summary.queries.insert(query, Query::default());
            let figures = summary.streams.entry(Stream { query, ..Stream::default() }).or_default();
            for _ in 0..=query / 1000 {
                figures.add(Some(query));
            }
        }
        let calls = |summary: &Summary| summary.streams.values().map(|figures| figures.calls).sum::<u64>();
        let before = calls(&summary);
        summary.make_room();
        assert!(summary.queries.len() <= MOST_QUERIES && summary.queries.contains_key(&(ROOM as u64)));
        assert_eq!(calls(&summary), before);
        let lightest = ROOM as u64 - MOST_QUERIES as u64 / 2;
        assert_eq!(summary.folded.calls, lightest / 1000 + 1);
        assert!(summary.folded.time_us <= lightest * (lightest / 1000 + 1));
    }

    #[test]
    fn too_many_streams_keep_their_roles() {
        let mut summary = Summary::default();
        summary.queries.insert(1, Query::default());
        for number in 0..=MOST_STREAMS {
            let who = Who { application: format!("app {number}"), user: "ann".to_owned(), ..Who::default() };
            summary.streams.entry(Stream { query: 1, who, route: String::new() }).or_default().add(Some(5));
        }
        summary.make_room();
        assert_eq!(summary.streams.len(), 1);
        let (stream, figures) = summary.streams.first_key_value().unwrap();
        assert_eq!((stream.who.user.as_str(), figures.calls), ("ann", MOST_STREAMS as u64 + 1));
    }

    #[test]
    fn many_kinds_leave_the_lightest_out() {
        let mut summary = Summary::default();
        for number in 0..8000_u64 {
            summary.failed.insert((number, String::new()), number);
        }
        summary.make_room();
        assert_eq!((summary.failed.len(), summary.folded.others), (MOST_OTHERS, 3000));
        assert!(summary.failed.contains_key(&(7999, String::new())));
    }
}
