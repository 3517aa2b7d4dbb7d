//! A pgbench database that pgbench itself has filled, and a migration added to it.

use crate::project::{MAJORS, Project, programs};
use crate::report::text;

/// What `pgbench -i` makes (its documentation, "Initialization Options").
const TABLES: &str = "\
create table pgbench_branches (bid int not null primary key, bbalance int, filler char(88)) with (fillfactor = 100);
create table pgbench_tellers (tid int not null primary key, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
create table pgbench_accounts (aid int not null primary key, bid int, abalance int, filler char(84)) with (fillfactor = 100);
create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
";

const CHANGE: &str = "\
set lock_timeout = '2s';
create index accounts_bid on pgbench_accounts (bid);
alter table pgbench_accounts alter column bid set not null;
alter table pgbench_accounts alter column abalance type bigint;
create index concurrently accounts_abalance on pgbench_accounts (abalance);
alter table pgbench_history add constraint history_account foreign key (aid) references pgbench_accounts (aid) not valid;
alter table pgbench_history validate constraint history_account;
";

/// pgbench's own statements (its documentation, "What Is the “Transaction” Actually Performed in pgbench?"),
/// and one that the new index serves.
const QUERIES: &str = "\
-- name: read
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
-- name: pay
UPDATE pgbench_accounts SET abalance = abalance + :delta::int WHERE aid = :aid;
-- name: branch
SELECT count(*) FROM pgbench_accounts WHERE bid = :bid;
";

#[test]
fn a_migration_of_half_a_million_accounts() {
    for major in MAJORS {
        let pgbench = programs(major).join("pgbench");
        // Steps: generate the rows; the tables and keys are the migrations'.
        let seed = format!("'{}' --initialize --init-steps=g --quiet --scale=5", pgbench.display());
        let project = Project::new([
            ("migrations/1_pgbench.sql", TABLES),
            ("migrations/2_new.sql", CHANGE),
            ("queries/bench.sql", QUERIES),
            (
                "queries/bench.toml",
                "[read]\naid = 70000\n[pay]\naid = 70000\ndelta = -3\n[branch]\nbid = 3\n",
            ),
        ]);
        let config =
            format!("[database]\nseed_command = \"{seed}\"\n[queries]\npath = \"queries\"\nruns = 2\n");
        project.write("plimsoll.toml", config);
        let report = project.check(major, &["migrations/2_new.sql"]);
        assert_eq!(
            report.findings(),
            [
                "2 require-concurrent-index-creation error confirmed",
                "3 adding-not-nullable-field error confirmed",
                "4 changing-column-type error confirmed",
            ]
        );
        let accounts = "public.pgbench_accounts";
        assert_eq!(
            report.deeds()[..4],
            [
                String::new(),
                format!("ShareLock {accounts}, scanned {accounts} 500000, built public.accounts_bid"),
                format!("AccessExclusiveLock {accounts}, scanned {accounts} 500000"),
                format!(
                    "ShareLock {accounts}, AccessExclusiveLock {accounts}, AccessExclusiveLock {accounts}_pkey, rewrote \
                 {accounts}, scanned {accounts} 500000, built public.accounts_bid, built {accounts}_pkey"
                ),
            ]
        );
        let concurrent = report.statement("concurrently");
        assert_eq!(concurrent["scans"][0]["relation"], accounts);
        assert_eq!(concurrent["index_builds"][0], "public.accounts_abalance");
        // 500,000 rows of some 120 bytes were written anew.
        assert!(report.statement("type bigint")["wal_bytes"].as_u64() > Some(50 << 20));
        assert_eq!(report.queries(), ["read same", "pay same", "branch better"]);
        assert_eq!(report.query("branch")["before"]["rows"], 1);
        assert_eq!(
            text(&report.query("pay")["before"]["plan"]["label"]),
            "Update on public.pgbench_accounts"
        );
    }
}
