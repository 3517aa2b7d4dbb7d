//! `plimsoll logs --follow` of a live server's log: each alert comes once, over rotation, to standard output, a webhook and a
//! command, and what was read is kept.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use serde_json::Value;

use crate::production::Production;
use crate::project::{Project, Running};

fn production(major: u32) -> Production {
    let production = Production::start(
        major,
        "log_min_duration_statement = 0\nlogging_collector = on\nlog_line_prefix = '%m [%p] %q%u@%d %a '\n\
         log_timezone = 'UTC'\nlog_filename = 'all.log'\nlog_directory = 'logs'\nlog_lock_waits = on\n\
         deadlock_timeout = '100ms'\n",
    );
    production.psql(
        "postgres",
        "create table users (id int primary key, secret text); insert into users select n, 'secret' || n from \
         generate_series(1, 40) n; create table u (a int)",
    );
    production
}

/// Hears what is posted.
fn listen() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?token=hidden", listener.local_addr().unwrap());
    let (sender, posted) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            sender.send(serde_json::from_slice(&body).unwrap()).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            reader.into_inner().write_all(answer).unwrap();
        }
    });
    (url, posted)
}

/// Two sessions that wait for each other's row.
fn deadlock(production: &Production) {
    let both = [(1, 2), (2, 1)].map(|(first, second)| {
        format!(
            "\\set ON_ERROR_STOP off\nbegin;\nupdate users set secret = 'x' where id = {first};\nselect pg_sleep(0.4);\n\
             update users set secret = 'x' where id = {second};\ncommit;\n"
        )
    });
    std::thread::scope(|scope| {
        both.iter().for_each(|sql| {
            scope.spawn(|| production.psql("postgres", sql));
        });
    });
}

fn lock_wait(production: &Production) {
    std::thread::scope(|scope| {
        scope.spawn(|| production.psql("postgres", "begin; lock table u; select pg_sleep(0.6); commit"));
        scope.spawn(|| production.psql("postgres", "select pg_sleep(0.2);\nselect a from u"));
    });
}

fn lookups(production: &Production) {
    let each: String = (1..=30).map(|id| format!("select secret from users where id = {id};\n")).collect();
    production.psql("postgres", &format!("select id from users;\n{each}"));
}

fn failures(production: &Production) {
    let each = "select * from missing where a = 'secret';\n".repeat(25);
    production.psql("postgres", &format!("\\set ON_ERROR_STOP off\n{each}"));
}

fn rotate(production: &Production) {
    let folder = production.data().join("logs");
    std::fs::rename(folder.join("all.log"), folder.join("all.log.1")).unwrap();
    production.psql("postgres", "select pg_rotate_logfile()");
    let deadline = SystemTime::now() + Duration::from_secs(20);
    while !folder.join("all.log").exists() {
        assert!(SystemTime::now() < deadline, "the log was not rotated");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_for(running: &mut Running, project: &Project, kind: &str) {
    running.wait_until(kind, |_| {
        let out = std::fs::read_to_string(project.path().join("out")).unwrap();
        out.contains(kind).then_some(())
    });
}

fn each_alert_comes_once(major: u32) {
    let production = production(major);
    let project = Project::new([("plimsoll.toml", "")]);
    let (url, posted) = listen();
    let folder = production.data().join("logs");
    let folder = folder.to_str().unwrap();
    let out = std::fs::File::create(project.path().join("out")).unwrap();
    let kinds = ["deadlock", "lock-wait=100ms", "n-plus-one=20", "failed-statements=20"];
    let kinds: Vec<&str> = kinds.iter().flat_map(|kind| ["--alert", kind]).collect();
    let options = ["logs", folder, "--follow", "--format", "json", "--position", "p", "--save", "day.psum"];
    let to = ["--webhook", &url, "--command", "cat >> commands; echo >> commands"];
    let mut running = project.plimsoll(&[&options[..], &kinds, &to].concat()).stdout(out).start_unpiped();
    for round in 0..2 {
        deadlock(&production);
        lock_wait(&production);
        lookups(&production);
        failures(&production);
        if round == 0 {
            for kind in ["\"deadlock\"", "lock-wait", "n-plus-one", "failed-statements"] {
                wait_for(&mut running, &project, kind);
            }
            rotate(&production);
        }
    }
    production.psql("postgres", "select 'the last one'");
    std::thread::sleep(Duration::from_millis(3000));
    running.signal(Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.shown());
    assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
    let out = std::fs::read_to_string(project.path().join("out")).unwrap();
    assert!(!out.contains("secret'") && !out.contains("secret1"), "{out}");
    let alerts: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str, query: &str| {
        let is_meant =
            |alert: &&Value| alert["kind"] == kind && alert["text"].as_str().unwrap().contains(query);
        alerts.iter().filter(is_meant).count()
    };
    assert_eq!(of("deadlock", "update users"), 1, "{out}");
    assert_eq!(of("n-plus-one", "after select id from users"), 1, "{out}");
    assert_eq!(of("failed-statements", "within"), 1, "{out}");
    assert_eq!(of("lock-wait", "select a from u"), 1, "{out}");
    let by_webhook: Vec<Value> = posted.try_iter().collect();
    assert_eq!(by_webhook, alerts);
    let commands = std::fs::read_to_string(project.path().join("commands")).unwrap();
    let by_command: Vec<Value> = commands.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(by_command, alerts);
    is_all(&project, &production, folder);
}

/// What was followed and what came behind it is what one run reads.
fn is_all(project: &Project, production: &Production, folder: &str) {
    production.psql("postgres", "select 1 from users, u");
    production.stop();
    for name in ["all.log", "all.log.1"] {
        let file = std::fs::File::options().append(true).open(Path::new(folder).join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    }
    project.run(&["logs", folder, "--position", "p", "--save", "day.psum"]).prints(0, &["1 from users, u"]);
    let report = |from: &str| -> Value {
        serde_json::from_str(&project.run(&["logs", from, "--format", "json"]).stdout).unwrap()
    };
    let (by_parts, whole) = (report("day.psum"), report(folder));
    for table in ["read", "statements", "queries", "problems", "events", "locks", "deadlocks", "bursts"] {
        assert_eq!(by_parts[table], whole[table], "{table}");
    }
}

#[test]
fn each_alert_comes_once_15() {
    each_alert_comes_once(15);
}

#[test]
fn each_alert_comes_once_18() {
    each_alert_comes_once(18);
}

const SLOW: &str =
    "2026-11-23 12:00:00.000 UTC [5] LOG:  duration: 9000.5 ms  statement: SELECT 'secret' FROM t\n";

#[test]
fn standard_input_is_followed_to_its_end() {
    let project = Project::new([("plimsoll.toml", "")]);
    let ended =
        project.plimsoll(&["logs", "-", "--follow", "--save", "day.psum"]).stdin(SLOW.repeat(3)).run();
    assert_eq!(
        ended.stdout,
        "2026-11-23T12:00:00Z slow-statement: a statement took 9.00 s: select $1 from t\n",
        "{}",
        ended.shown()
    );
    project.run(&["logs", "day.psum"]).prints(0, &["3 records of"]);
    let entry = |text: &str| {
        let text = serde_json::to_string(text.trim_end()).unwrap();
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"1795435200000000\",\"SYSLOG_IDENTIFIER\":\"postgres\",\"_PID\":\"5\",\"MESSAGE\":{text}}}\n"
        )
    };
    let journal = project.plimsoll(&["logs", "-", "--follow"]).stdin(entry(SLOW)).run();
    journal.prints(0, &["slow-statement: a statement took 9.00 s"]);
}

#[test]
fn a_log_that_is_copied_and_truncated_counts_once() {
    let project = Project::new([("plimsoll.toml", ""), ("logs/a.log", SLOW)]);
    let out = std::fs::File::create(project.path().join("out")).unwrap();
    let log = project.path().join("logs/a.log");
    let arguments = ["logs", "logs", "--follow", "--position", "p", "--save", "day.psum"];
    let mut running = project.plimsoll(&arguments).stdout(out).start_unpiped();
    wait_for(&mut running, &project, "slow-statement");
    std::fs::copy(&log, project.path().join("logs/a.log.1")).unwrap();
    std::fs::write(&log, "").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    std::fs::write(&log, SLOW.replace("12:", "13:").replace("FROM t", "FROM other")).unwrap();
    wait_for(&mut running, &project, "from other");
    std::thread::sleep(Duration::from_millis(1500));
    running.signal(Signal::INT);
    let ended = running.end();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.shown());
    project.run(&["logs", "day.psum"]).prints(0, &["2 records of"]);
}

#[test]
fn a_webhook_that_fails_is_told_once_and_without_its_address() {
    let project = Project::new([("plimsoll.toml", "")]);
    let log = SLOW.to_owned() + &SLOW.replace("FROM t", "FROM other");
    let webhook = ["--webhook", "http://127.0.0.1:9/hidden", "--command", "exit 7"];
    let ended = project.plimsoll(&[&["logs", "-", "--follow"], &webhook[..]].concat()).stdin(&log).run();
    ended.prints(0, &["from t", "from other"]);
    assert_eq!(ended.stderr.matches("the webhook took no alert").count(), 1, "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("the command failed").count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
    project.run(&["logs", "-", "--follow", "--webhook", "ftp://hidden"]).fails(2, &["https://"]);
    project.run(&["logs", "-", "--follow", "--alert", "nothing"]).fails(2, &["there are crash, fatal"]);
}
