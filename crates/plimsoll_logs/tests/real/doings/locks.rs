//! Waits for locks: one that ends, one on a row, one that is given up, a deadlock, and one that doesn't wait.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{Scene, pause, process};

/// Who waited for whom; the numbers are processes.
pub(crate) struct Waits {
    /// The relation's OID.
    pub(crate) ships: u32,
    /// `waiter` waited for `holder`'s lock on the relation and got it.
    pub(crate) got: (u32, u32),
    /// `row_waiter` waited for the transaction of `row_holder` and got its row.
    pub(crate) row: (u32, u32),
    /// `impatient` waited for `holder`'s lock until `lock_timeout`.
    pub(crate) gave_up: (u32, u32),
    /// `first` and `second` waited for each other's transactions.
    pub(crate) deadlocked: [u32; 2],
    /// What each of the two ran then.
    pub(crate) deadlocked_queries: [&'static str; 2],
    /// `hasty` didn't wait for `holder`'s lock.
    pub(crate) hasty: (u32, u32),
}

/// Longer than `deadlock_timeout`, after which a wait is told.
const LONG_ENOUGH_MS: u64 = 400;

pub(crate) async fn wait(scene: &Scene) -> Waits {
    let holder = scene.session("holder").await;
    let row = holder.query_one("select 'ships'::regclass::oid", &[]).await.unwrap();
    let ships = row.get(0);
    let held_by = process(&holder).await;
    let got = (relation(scene, &holder).await, held_by);
    let gave_up = (impatient(scene, &holder).await, held_by);
    let hasty = (hasty(scene, &holder).await, held_by);
    let row = row_wait(scene).await;
    let (deadlocked, deadlocked_queries) = deadlock(scene).await;
    Waits { ships, got, row, gave_up, deadlocked, deadlocked_queries, hasty }
}

const LOCK: &str = "begin; lock table ships in access exclusive mode";

async fn relation(scene: &Scene, holder: &Client) -> u32 {
    let waiter = scene.session("waiter").await;
    let waits = process(&waiter).await;
    holder.batch_execute(LOCK).await.unwrap();
    let release = async {
        pause(LONG_ENOUGH_MS).await;
        holder.batch_execute("commit").await.unwrap();
    };
    let (result, ()) = tokio::join!(waiter.batch_execute("select count(*) from ships"), release);
    result.unwrap();
    waits
}

async fn impatient(scene: &Scene, holder: &Client) -> u32 {
    let impatient = scene.session("impatient").await;
    let waits = process(&impatient).await;
    impatient.batch_execute("set lock_timeout = '400ms'").await.unwrap();
    holder.batch_execute(LOCK).await.unwrap();
    let error = impatient.batch_execute("delete from ships").await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE));
    holder.batch_execute("commit").await.unwrap();
    waits
}

async fn hasty(scene: &Scene, holder: &Client) -> u32 {
    let hasty = scene.session("hasty").await;
    let waits = process(&hasty).await;
    holder.batch_execute("begin; select * from ships where id = 1 for update").await.unwrap();
    let error = hasty.batch_execute("select * from ships where id = 1 for update nowait").await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE));
    holder.batch_execute("commit").await.unwrap();
    waits
}

async fn row_wait(scene: &Scene) -> (u32, u32) {
    let (holder, waiter) = (scene.session("row_holder").await, scene.session("row_waiter").await);
    let update = "update ships set name = name where id = 7";
    holder.batch_execute(&format!("begin; {update}")).await.unwrap();
    let release = async {
        pause(LONG_ENOUGH_MS).await;
        holder.batch_execute("commit").await.unwrap();
    };
    let (result, ()) = tokio::join!(waiter.batch_execute(update), release);
    result.unwrap();
    (process(&waiter).await, process(&holder).await)
}

async fn deadlock(scene: &Scene) -> ([u32; 2], [&'static str; 2]) {
    let (first, second) = (scene.session("first").await, scene.session("second").await);
    let queries = ["update ships set name = 'a'\nwhere id = 12", "update ships set name = 'b' where id = 11"];
    first.batch_execute("begin; update ships set name = 'a' where id = 11").await.unwrap();
    second.batch_execute("begin; update ships set name = 'b' where id = 12").await.unwrap();
    let processes = [process(&first).await, process(&second).await];
    let (one, other) = tokio::join!(first.batch_execute(queries[0]), second.batch_execute(queries[1]));
    let failures: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].code(), Some(&SqlState::T_R_DEADLOCK_DETECTED));
    first.batch_execute("rollback").await.unwrap();
    second.batch_execute("rollback").await.unwrap();
    (processes, queries)
}
