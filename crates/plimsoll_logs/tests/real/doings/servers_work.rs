//! What the server does by itself or when it is told to: files it spills to, autovacuum, checkpoints, archiving, a crash.

use tokio_postgres::Client;

use super::{Scene, pause, process, signal};

/// What was done.
pub(crate) struct ServersWork {
    /// Temporary files, as the server counted them.
    pub(crate) temporary_files: u64,
    /// Their bytes.
    pub(crate) temporary_bytes: u64,
    /// Rows of `public.dirty` that were deleted before it was vacuumed.
    pub(crate) deleted: u64,
    /// How often the server vacuumed that table by itself.
    pub(crate) vacuums: u64,
    /// How often it analyzed it by itself.
    pub(crate) analyzes: u64,
    /// Checkpoints that were asked for.
    pub(crate) checkpoints: u64,
    /// The process that was killed, and what it ran.
    pub(crate) killed: Option<(u32, &'static str)>,
}

pub(crate) async fn work(scene: &Scene, director: &Client) -> ServersWork {
    let (temporary_files, temporary_bytes) = spill(scene, director).await;
    let (deleted, vacuums, analyzes) = clean(director).await;
    for _ in 0..3 {
        director.batch_execute("checkpoint").await.unwrap();
    }
    fail_to_archive(scene, director).await;
    let checkpoints = 3;
    ServersWork { temporary_files, temporary_bytes, deleted, vacuums, analyzes, checkpoints, killed: None }
}

async fn spill(scene: &Scene, director: &Client) -> (u64, u64) {
    let spiller = scene.session("spiller").await;
    spiller.batch_execute("set work_mem = '64kB'").await.unwrap();
    for rows in [20_000, 50_000, 80_000] {
        let text = format!(
            "select count(*) from (select n from generate_series(1, {rows}) n order by md5(n::text) offset 0) x"
        );
        spiller.batch_execute(&text).await.unwrap();
    }
    spiller.batch_execute("select pg_stat_force_next_flush()").await.unwrap();
    let counted = "select sum(temp_files)::int8, sum(temp_bytes)::int8 from pg_stat_database";
    let row = director.query_one(counted, &[]).await.unwrap();
    let count = |column| u64::try_from(row.get::<_, i64>(column)).unwrap();
    assert!(count(0) > 0);
    (count(0), count(1))
}

/// Lets autovacuum find a table with dead rows.
async fn clean(director: &Client) -> (u64, u64, u64) {
    director
        .batch_execute(
            "create table dirty (id int primary key) with (autovacuum_vacuum_threshold = 10, autovacuum_vacuum_scale_factor = 0, \
             autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 10, autovacuum_analyze_scale_factor = 0, \
             autovacuum_enabled = off); insert into dirty select generate_series(1, 1000);",
        )
        .await
        .unwrap();
    director.batch_execute("delete from dirty where id <= 600").await.unwrap();
    director.batch_execute("alter table dirty set (autovacuum_enabled = on)").await.unwrap();
    let counted =
        "select autovacuum_count, autoanalyze_count from pg_stat_user_tables where relname = 'dirty'";
    loop {
        let row = director.query_one(counted, &[]).await.unwrap();
        let counts: (i64, i64) = (row.get(0), row.get(1));
        if counts.0 > 0 && counts.1 > 0 {
            director.batch_execute("alter table dirty set (autovacuum_enabled = off)").await.unwrap();
            return (600, counts.0.unsigned_abs(), counts.1.unsigned_abs());
        }
        pause(100).await;
    }
}

async fn fail_to_archive(scene: &Scene, director: &Client) {
    director.batch_execute("create table archived (); select pg_switch_wal()").await.unwrap();
    scene.until_logged("failed too many times", 1).await;
    director.batch_execute("alter system set archive_command = 'true'").await.unwrap();
    director.batch_execute("select pg_reload_conf()").await.unwrap();
}

/// Kills a process of the server, which then starts anew; returns it, and what it ran.
pub(crate) async fn crash(scene: &Scene) -> (u32, &'static str) {
    let text = "select pg_sleep(600)";
    let victim = scene.session("victim").await;
    let process = process(&victim).await;
    let kill = async {
        pause(200).await;
        signal("-KILL", process);
    };
    let (result, ()) = tokio::join!(victim.batch_execute(text), kill);
    result.unwrap_err();
    scene.until_logged("is ready to accept connections", 2).await;
    (process, text)
}
