//! `plimsoll trunk`: every kind of source, and that nothing of a source is touched by what is cut from it.

use crate::production::Production;
use crate::project::programs;
use crate::stateful::Stateful;

/// With everything that could lead a naive copy back to it.
fn with_everything(major: u32) -> Production {
    let production = Production::start(
        major,
        "wal_level = logical\nmax_connections = 130\nmax_prepared_transactions = 5\nwork_mem = 17MB\nrandom_page_cost = 1.3\nautovacuum = off\n\
         archive_mode = on\narchive_command = 'cp %p archive/%f'\nprimary_conninfo = 'host=/nowhere user=boss'\n",
    );
    std::fs::create_dir_all(production.data().join("archive")).unwrap();
    production.make_folder("tablespace");
    let host = production.path().display().to_string();
    production.psql(
        "postgres",
        "create database shop; create database other; create role app login password 'app-secret'",
    );
    production.psql(
        "shop",
        &format!(
            "create tablespace fast location '{host}/tablespace';
             create table t (id int primary key, v text); insert into t select g, 'v' || g from generate_series(1, 1000) g;
             create table far_away (id int) tablespace fast; insert into far_away select generate_series(1, 500);
             create unlogged table lost (id int); insert into lost values (1);
             create extension postgres_fdw; create extension dblink;
             create server itself foreign data wrapper postgres_fdw options (host '{host}', dbname 'shop');
             create user mapping for boss server itself options (user 'boss', password 'fdw-secret');
             create foreign table ft (id int, v text) server itself options (table_name 't');
             create publication p for table t;
             select pg_create_logical_replication_slot('sub', 'pgoutput');"
        ),
    );
    production.psql(
        "other",
        &format!(
            "create table t (id int primary key, v text);
             create subscription sub connection 'host={host} dbname=shop user=boss' publication p with (create_slot = false, slot_name = 'sub', copy_data = false);"
        ),
    );
    production.psql("shop", "analyze pg_authid");
    production.psql("postgres", "create database closed");
    production.psql(
        "closed",
        "create extension postgres_fdw; create server far foreign data wrapper postgres_fdw options (host 'far.example');
         create user mapping for boss server far options (user 'boss', password 'fdw-secret')",
    );
    production.psql("postgres", "alter database closed allow_connections false");
    production.psql("shop", "begin; insert into t values (-1, 'prepared'); prepare transaction 'waiting'");
    production
}

/// What a copy that reaches back would change.
fn touched(production: &Production) -> (String, Vec<String>, usize) {
    let state = production.psql(
        "shop",
        "select (select count(*) from t), (select count(*) from far_away), (select confirmed_flush_lsn is not null from pg_replication_slots where slot_name = 'sub'), \
         (select count(*) from pg_replication_slots), (select count(*) from pg_prepared_xacts), (select count(*) from pg_stat_activity where application_name like 'plimsoll%')",
    );
    let mut files: Vec<String> = std::fs::read_dir(production.path().join("tablespace"))
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    files.sort();
    (state, files, std::fs::read_dir(production.data().join("archive")).unwrap().count())
}

fn check_isolated(major: u32) {
    let production = with_everything(major);
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let made = stateful.succeed(&[
        "trunk",
        "create",
        "prod",
        "--from",
        &production.url("shop"),
        "--fast-checkpoint",
        "--max-rate",
        "900M",
    ]);
    for said in [
        "running pg_basebackup on database shop",
        "1 unlogged tables",
        "1 subscriptions are disabled",
        "1 prepared transactions in shop were rolled back",
    ] {
        assert!(made.stderr.contains(said), "{said}: {}", made.shown());
    }
    let before = touched(&production);
    stateful.succeed(&["branch", "create", "a"]);
    let query = |sql: &str| stateful.query("a", sql);
    assert_eq!(
        query("select count(*), (select count(*) from far_away), (select count(*) from lost) from t"),
        "1000|500|0"
    );
    assert_eq!(query("show work_mem"), "17MB");
    assert_eq!(query("show random_page_cost"), "1.3");
    for (setting, expected) in [
        ("archive_mode", "off"),
        ("primary_conninfo", ""),
        ("listen_addresses", ""),
        ("max_logical_replication_workers", "0"),
        ("shared_preload_libraries", ""),
    ] {
        assert_eq!(query(&format!("show {setting}")), expected, "{setting}");
    }
    assert_eq!(
        query("select pg_tablespace_location(oid) from pg_tablespace where spcname = 'fast'").chars().next(),
        Some('p')
    );
    assert_eq!(query("select count(*) from pg_replication_slots"), "0");
    assert_eq!(query("select count(*) from pg_user_mappings"), "0");
    assert_eq!(query("select datallowconn from pg_database where datname = 'closed'"), "f");
    assert_eq!(query("select count(*) from pg_authid where rolpassword is not null"), "0");
    assert!(!query("select srvoptions from pg_foreign_server").contains("host="));
    assert!(stateful.try_query("a", "select * from ft").is_err());
    let listed = stateful.listed("a").unwrap();
    if listed["isolated"] == true {
        let why =
            stateful.try_query("a", "select dblink_connect('host=127.0.0.1 port=9 user=x')").unwrap_err();
        assert!(why.contains("unreachable"), "{why}");
    }
    // The machine's own server is where no host leads.
    let why = stateful.try_query("a", "select dblink_connect('dbname=postgres')").unwrap_err();
    assert!(why.contains("branches/a/data/.s.PGSQL.5432"), "{why}");
    // What production would feel, were it reached.
    query(
        "insert into far_away select generate_series(1, 1000); truncate t; checkpoint; select pg_switch_wal()",
    );
    stateful.succeed(&[
        "branch",
        "psql",
        "a",
        "--",
        "-XAtq",
        "-d",
        "other",
        "-c",
        "alter subscription sub set (slot_name = none)",
        "-c",
        "drop subscription sub",
    ]);
    stateful.succeed(&["branch", "reset", "a"]);
    assert_eq!(stateful.query("a", "select count(*) from t"), "1000");
    stateful.succeed(&["trunk", "refresh", "prod", "--fast-checkpoint"]);
    let mut after = touched(&production);
    // A refresh ends a segment of the WAL, which production itself archives.
    after.2 = before.2;
    assert_eq!(before, after);
    let links =
        std::process::Command::new("find").arg(stateful.state()).args(["-type", "l"]).output().unwrap();
    assert!(links.stdout.is_empty(), "{}", String::from_utf8_lossy(&links.stdout));
    let secrets = std::process::Command::new("grep")
        .args(["-rlaE", "fdw-secret|SCRAM-SHA-256\\$|dbname=shop user=boss"])
        .arg(stateful.state())
        .output()
        .unwrap();
    assert!(secrets.stdout.is_empty(), "{}", String::from_utf8_lossy(&secrets.stdout));
}

#[test]
fn a_branch_touches_nothing_outside_on_15() {
    check_isolated(15);
}

#[test]
fn a_branch_touches_nothing_outside_on_18() {
    check_isolated(18);
}

#[test]
fn a_stopped_server_is_taken_with_its_tablespaces() {
    let production = with_everything(18);
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let data = production.data();
    let data = data.to_str().unwrap();
    stateful.run(&["trunk", "create", "prod", "--from", data]).fails(2, &["its server runs", "--from URL"]);
    production.stop();
    stateful.succeed(&["trunk", "create", "prod", "--from", data]);
    stateful.succeed(&["branch", "create", "a"]);
    // A stopped server has its unlogged rows still.
    let query = "select count(*), (select count(*) from far_away), (select count(*) from lost) from t";
    assert_eq!(stateful.query("a", query), "1000|500|1");
    assert_eq!(stateful.query("a", "show work_mem"), "17MB");
    stateful.query("a", "truncate far_away; checkpoint");
    production.start_again();
    assert_eq!(production.psql("shop", "select count(*) from far_away"), "500");
    // From a standby's point of view: another trunk of that trunk.
    stateful.succeed(&["trunk", "create", "twin", "--from", "prod"]);
    stateful.succeed(&["branch", "create", "b", "--from", "twin"]);
    assert_eq!(stateful.query("b", "select count(*) from far_away"), "500");
}

#[test]
fn every_form_of_dump_is_loaded() {
    let production = Production::start(18, "");
    production.psql("postgres", "create role clerk; create database shop");
    production.psql(
        "shop",
        "create table t (id int primary key, v text); alter table t owner to clerk; insert into t select g, 'GRANT x TO y;' from generate_series(1, 300) g; \
         create materialized view m as select count(*) from t; grant select on t to public",
    );
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let out = |name: &str| production.path().join(name).display().to_string();
    for (name, format) in [("custom", "c"), ("folder", "d"), ("tar", "t"), ("plain", "p")] {
        production.tool("pg_dump", &["-F", format, "-f", &out(name), "shop"]);
        let made = stateful.succeed(&["trunk", "create", name, "--from", &out(name), "--postgres", "18"]);
        assert!(!made.stderr.contains("not loaded"), "{}", made.shown());
        stateful.succeed(&["branch", "create", &format!("of-{name}"), "--from", name]);
        let query = "select count(*), (select count from m), pg_get_userbyid(relowner) from t, pg_class where relname = 't' group by relowner";
        assert_eq!(stateful.query(&format!("of-{name}"), query), "300|300|clerk", "{name}");
    }
    production.tool("pg_dump", &["-C", "-F", "c", "-f", &out("named"), "shop"]);
    let made = stateful.succeed(&["trunk", "create", "named", "--from", &out("named"), "--postgres", "18"]);
    assert!(made.stderr.contains("database shop"), "{}", made.shown());
    // What isn't one.
    stateful.project.write("broken.dump", "PGDMP and then nothing");
    stateful.run(&["trunk", "create", "x", "--from", "broken.dump"]).fails(2, &["load the dump"]);
    stateful.project.write("packed.sql.gz", [0x1f, 0x8b, 8, 0]);
    stateful.run(&["trunk", "create", "x", "--from", "packed.sql.gz"]).fails(2, &["unpack it first"]);
    for (name, text) in [("empty.sql", ""), ("letter.sql", "Dear all,\nhere is the dump;\n")] {
        stateful.project.write(name, text);
        stateful.run(&["trunk", "create", "x", "--from", name]).fails(2, &["nothing of it became a table"]);
    }
    let plain = std::fs::read_to_string(out("plain")).unwrap();
    stateful.project.write("half.sql", &plain[..plain.find("GRANT x TO y").unwrap()]);
    stateful.run(&["trunk", "create", "x", "--from", "half.sql"]).fails(2, &["it ends in the midst"]);
    stateful.run(&["trunk", "create", "x", "--from", "/dev/null"]).fails(2, &["neither a file nor a folder"]);
    std::fs::create_dir(stateful.project.path().join("empty")).unwrap();
    stateful.run(&["trunk", "create", "x", "--from", "empty"]).fails(2, &["toc.dat"]);
    let failing = stateful.project.path().join("failing.sql");
    std::fs::write(
        failing,
        "create table ok (id int); create table bad (x nonesuch); create extension nonesuch;\n\
         CREATE EXTENSION IF NOT EXISTS strange WITH SCHEMA public;\n",
    )
    .unwrap();
    let made = stateful.succeed(&["trunk", "create", "partly", "--from", "failing.sql"]);
    assert!(made.stderr.contains("not loaded: ") && made.stderr.contains("nonesuch"), "{}", made.shown());
    // Before anything is loaded.
    let (before, _) = made.stderr.split_once("loading ").unwrap();
    assert!(before.contains("on this machine: strange; what uses them fails"), "{}", made.shown());
}

#[test]
fn a_standby_is_a_source_too() {
    let production = Production::start(18, "");
    production.psql("postgres", "create database shop");
    production.psql("shop", "create table t (id int); insert into t select generate_series(1, 700)");
    let standby = production.path().join("standby");
    let standby_text = standby.display().to_string();
    production.tool("pg_basebackup", &["-D", &standby_text, "-R", "-X", "stream", "-c", "fast"]);
    let sockets = production.make_folder("standby-sockets");
    let options = format!("-c unix_socket_directories={}", sockets.display());
    let log = production.path().join("standby.log").display().to_string();
    production.tool("pg_ctl", &["-D", &standby_text, "-o", &options, "-l", &log, "-w", "-s", "start"]);
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let url = format!("postgres://boss@/shop?host={}", sockets.display());
    let made = stateful.run(&["trunk", "create", "prod", "--from", &url, "--fast-checkpoint"]);
    production.tool("pg_ctl", &["-D", &standby_text, "-m", "immediate", "-s", "stop"]);
    made.fails(0, &["a base backup of a standby"]);
    stateful.succeed(&["branch", "create", "a"]);
    assert_eq!(stateful.query("a", "select count(*), pg_is_in_recovery() from t"), "700|f");
}

#[test]
fn a_role_that_may_not_is_told_so() {
    let production = Production::start(18, "");
    production.psql("postgres", "create role reader login");
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let url = format!("postgres://reader@/postgres?host={}", production.path().display());
    stateful
        .run(&["trunk", "create", "prod", "--from", &url])
        .fails(3, &["role reader may not", "REPLICATION"]);
    assert!(programs(18).join("pg_basebackup").exists());
    assert!(stateful.entries("trunks").is_empty() && stateful.entries("building").is_empty());
}

#[test]
fn a_base_backup_ends_with_the_program() {
    use rustix::process::Signal;
    let production = Production::start(18, "");
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let url = production.url("postgres");
    let arguments = ["trunk", "create", "prod", "--from", &url, "--fast-checkpoint", "--max-rate", "1M"];
    let senders = || production.psql("postgres", "select count(*) from pg_stat_replication");
    let wait_for = |expected: &str| {
        let began = std::time::Instant::now();
        while senders() != expected {
            assert!(began.elapsed().as_secs() < 20, "{} senders, not {expected}", senders());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    for signal in [Signal::KILL, Signal::TERM] {
        let running = stateful.plimsoll(&arguments).start();
        // The files, and the WAL.
        wait_for("2");
        running.signal(signal);
        running.end();
        wait_for("0");
        assert_eq!(production.psql("postgres", "select count(*) from pg_replication_slots"), "0");
    }
}

#[test]
fn what_sessions_begin_with_stops_no_trunk() {
    let production = Production::start(18, "");
    production.psql("postgres", "create database shop");
    production.psql(
        "shop",
        "create table t (id int); insert into t values (1);
         create function refuse() returns event_trigger language plpgsql as $$ begin
            if current_setting('application_name') = 'plimsoll' then raise exception 'no'; end if; end $$;
         create event trigger e on login execute function refuse(); alter event trigger e enable always",
    );
    production.psql(
        "shop",
        "create role reader login replication; alter role reader set statement_timeout = 0;
         alter database shop set default_transaction_read_only = on; alter database shop set statement_timeout = '1min';
         alter role all set statement_timeout = '1ms'; alter role all set lock_timeout = '1ms';
         alter role boss in database shop set session_preload_libraries = 'nonesuch'",
    );
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    stateful.succeed(&[
        "trunk",
        "create",
        "prod",
        "--from",
        &production.url("postgres"),
        "--fast-checkpoint",
    ]);
    stateful.succeed(&["branch", "create", "a"]);
    let query = "select current_setting('default_transaction_read_only'), current_setting('statement_timeout') from t";
    let asked = stateful.succeed(&["branch", "psql", "a", "--", "-XAtq", "-d", "shop", "-c", query]);
    assert_eq!(asked.stdout.trim(), "on|1min");
}
