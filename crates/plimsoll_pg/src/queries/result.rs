//! A result's hash, taken while its rows arrive: in their order, and in any.

use std::pin::pin;

use futures_util::TryStreamExt;
use plimsoll_regress::ResultSum;
use plimsoll_regress::record::ResultHash;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use twox_hash::XxHash3_64;

/// How far a result is the same when a query is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// The same rows in the same order.
    InOrder,
    /// The same rows.
    AsASet,
    /// Not at all: it hangs on the moment, on chance, or on the plan.
    Not,
}

/// Both hashes of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    rows: u64,
    in_order: u64,
    as_a_set: u64,
}

impl Sums {
    /// Runs a statement and hashes what it returns.
    pub(super) async fn of(client: &Client, sql: &str) -> Result<Self, tokio_postgres::Error> {
        let mut stream = pin!(client.simple_query_raw(sql).await?);
        let mut sums = Self::default();
        let mut bytes = Vec::new();
        while let Some(message) = stream.try_next().await? {
            match message {
                SimpleQueryMessage::Row(row) => {
                    let hash = hash(&row, &mut bytes);
                    sums.in_order = chained(sums.in_order, hash);
                    sums.as_a_set = sums.as_a_set.wrapping_add(hash);
                    sums.rows += 1;
                }
                // What returns no rows says how many it changed.
                SimpleQueryMessage::CommandComplete(changed) => sums.rows = sums.rows.max(changed),
                _ => {}
            }
        }
        Ok(sums)
    }

    /// How far another run of the same query gave the same.
    pub(super) fn repeats(&self, other: &Self, is_ordered: bool) -> Repeats {
        if self == other && is_ordered {
            Repeats::InOrder
        } else if (self.rows, self.as_a_set) == (other.rows, other.as_a_set) {
            Repeats::AsASet
        } else {
            Repeats::Not
        }
    }

    /// What is recorded of it.
    pub(super) fn recorded(&self, repeats: Repeats) -> ResultSum {
        let hash = match repeats {
            Repeats::InOrder => Some(ResultHash::Ordered {
                in_order: format!("{:016x}", self.in_order),
                as_a_set: format!("{:016x}", self.as_a_set),
            }),
            Repeats::AsASet => Some(ResultHash::Unordered(format!("{:016x}", self.as_a_set))),
            Repeats::Not => None,
        };
        ResultSum { rows: self.rows, hash }
    }
}

/// A hash that hangs on all hashes before it.
fn chained(before: u64, hash: u64) -> u64 {
    XxHash3_64::oneshot(&[before.to_le_bytes(), hash.to_le_bytes()].concat())
}

/// Each value with its length before it, so that `a, bc` isn't `ab, c`; NULL is no text. `bytes` is room to write in.
fn hash(row: &SimpleQueryRow, bytes: &mut Vec<u8>) -> u64 {
    bytes.clear();
    for column in 0..row.len() {
        let value = row.get(column);
        let length = value.map_or(u64::MAX, |value| value.len() as u64);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(value.unwrap_or_default().as_bytes());
    }
    XxHash3_64::oneshot(bytes)
}
