//! A server's ordinary life: start, use, stop.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use plimsoll_pg::server::{PrivateServer, ServerError, ServerUser};

use crate::support::{Ground, MAJORS, binaries, start, user};

async fn one_text(server: &PrivateServer, query: &str) -> String {
    let client = server.connect("postgres").await.unwrap();
    client.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_server_starts_answers_and_stops_without_a_trace() {
    for major in MAJORS {
        let ground = Ground::new();
        let server = ground.start(major);
        assert_eq!(server.server_version().major, major);
        assert!(server.is_alive());
        let version = one_text(&server, "SELECT current_setting('server_version_num')").await;
        assert!(version.starts_with(&major.to_string()), "{version}");
        server.stop().unwrap();
        ground.check_nothing_remains();
    }
}

#[test]
fn dropping_a_server_stops_it() {
    for major in MAJORS {
        let ground = Ground::new();
        drop(ground.start(major));
        ground.check_nothing_remains();
    }
}

#[tokio::test]
async fn a_server_with_open_connections_stops_too() {
    let ground = Ground::new();
    let server = ground.start(18);
    let client = server.connect("postgres").await.unwrap();
    server.stop().unwrap();
    ground.check_nothing_remains();
    assert!(client.batch_execute("SELECT 1").await.is_err());
}

#[test]
fn a_server_may_be_started_on_a_thread_that_ends() {
    let ground = Ground::new();
    let options = ground.options();
    let server = std::thread::spawn(move || start(&binaries(18), &options)).join().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(server.is_alive());
}

#[tokio::test]
async fn settings_are_those_of_a_server_to_throw_away() {
    for major in MAJORS {
        let ground = Ground::new();
        let mut options = ground.options();
        options.settings =
            vec![("work_mem".to_owned(), "7MB".to_owned()), ("jit".to_owned(), "on".to_owned())];
        let server = start(&binaries(major), &options);
        for (name, expected) in [
            ("fsync", "off"),
            ("autovacuum", "off"),
            ("wal_level", "replica"),
            ("listen_addresses", ""),
            ("unix_socket_permissions", "0700"),
            ("TimeZone", "UTC"),
            ("server_encoding", "UTF8"),
            ("data_checksums", "off"),
            ("work_mem", "7MB"),
            ("jit", "on"),
        ] {
            let query = format!("SELECT current_setting('{name}')");
            assert_eq!(one_text(&server, &query).await, expected, "{name} on {major}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_else_can_reach_it() {
    for major in MAJORS {
        let ground = Ground::new();
        let server = ground.start(major);
        for folder in [server.folder(), &server.data_folder()] {
            assert_eq!(folder.metadata().unwrap().mode() & 0o7777, 0o700, "{}", folder.display());
        }
        assert_eq!(tcp_sockets(server.process()), Vec::<String>::new());
    }
}

/// The TCP sockets that a process has open.
#[cfg(target_os = "linux")]
fn tcp_sockets(process: u32) -> Vec<String> {
    let links = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let inodes: Vec<String> = links
        .filter_map(|link| std::fs::read_link(link.unwrap().path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    assert!(!inodes.is_empty(), "the server has its own socket");
    let tables =
        ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines());
    lines
        .filter(|line| {
            line.split_whitespace().nth(9).is_some_and(|inode| inodes.iter().any(|own| own == inode))
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn for_root_it_runs_as_another_user() {
    let ServerUser::Other { uid, gid, .. } = user() else {
        println!("skipped: not root");
        return;
    };
    let ground = Ground::new();
    let server = ground.start(18);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(field("Uid:"), vec![uid.to_string(); 4]);
    assert_eq!(field("Gid:"), vec![gid.to_string(); 4]);
    assert_eq!(field("Groups:"), Vec::<String>::new());
}

#[tokio::test]
async fn a_database_may_have_any_name() {
    let ground = Ground::new();
    let server = ground.start(18);
    let name = r#"a "b" c/d?é"#;
    server.create_database(name).await.unwrap();
    let client = server.connect(name).await.unwrap();
    let seen: String = client.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    assert_eq!(seen, name);
    let error = server.create_database(name).await.unwrap_err();
    assert!(error.to_string().contains("already exists (SQLSTATE 42P04)"), "{error}");
}

#[tokio::test]
async fn a_missing_database_is_named() {
    let ground = Ground::new();
    let server = ground.start(15);
    let error = server.connect("nowhere").await.unwrap_err();
    assert!(matches!(error, ServerError::Connect { .. }));
    assert!(error.to_string().contains(r#"database "nowhere" does not exist"#), "{error}");
}

#[tokio::test]
async fn notices_are_there_when_the_statement_returns() {
    for major in MAJORS {
        let ground = Ground::new();
        let server = ground.start(major);
        let (client, mut notices) = server.connect_with_notices("postgres").await.unwrap();
        for round in 0..20 {
            let statement = format!("DO $$ BEGIN RAISE NOTICE 'a{round}'; RAISE WARNING 'b{round}'; END $$");
            client.batch_execute(&statement).await.unwrap();
            let messages = [notices.try_recv().unwrap(), notices.try_recv().unwrap()];
            assert_eq!(messages[0].message(), format!("a{round}"));
            assert_eq!(messages[1].severity(), "WARNING");
            assert!(notices.try_recv().is_err());
        }
    }
}

/// What a child program gets leads to the private server, even with misleading variables around.
#[test]
fn a_child_program_finds_the_server() {
    let ground = Ground::new();
    let server = ground.start(18);
    let query =
        "SELECT current_database() || ' ' || current_user || ' ' || current_setting('server_version')";
    let expected = format!("template1 postgres {}", server.server_version());

    let mut by_variables = Command::new(server.binaries().program("psql"));
    by_variables.env("PGHOSTADDR", "127.0.0.1").env("PGSERVICE", "production").env("PGPORT", "1");
    server.environment("template1").apply(&mut by_variables);

    let mut by_url = Command::new(server.binaries().program("psql"));
    by_url.env("PGPORT", "1").arg(server.url("template1"));

    for mut psql in [by_variables, by_url] {
        let output = psql.args(["-XAtc", query]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.trim(), expected, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test]
async fn a_copy_of_a_database_begins_its_sessions_alike() {
    let ground = Ground::new();
    let server = ground.start(15);
    server.create_database("it's one").await.unwrap();
    let client = server.connect("postgres").await.unwrap();
    let set = "ALTER DATABASE \"it's one\" SET lock_timeout = '3s'; CREATE ROLE clerk; \
               ALTER ROLE clerk IN DATABASE \"it's one\" SET search_path = 'a', 'b c'";
    client.batch_execute(set).await.unwrap();
    server.copy_database("it's one", "two").await.unwrap();
    let settings = "SELECT string_agg(setrole::regrole || ' ' || setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting \
                    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = 'two')";
    assert_eq!(one_text(&server, settings).await, r#"- {lock_timeout=3s} clerk {"search_path=a, \"b c\""}"#);
    let copy = server.connect("two").await.unwrap();
    let timeout: String = copy.query_one("SHOW lock_timeout", &[]).await.unwrap().get(0);
    assert_eq!(timeout, "3s");
}
