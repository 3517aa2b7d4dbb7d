//! `plimsoll logs` of one real server's log in every wrapping: the report is the plain log's.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::production::Production;
use crate::project::Project;

const LINES: &str =
    "2026-11-23 12:00:00.000 UTC [5] LOG:  duration: 1.5 ms  statement: SELECT 'secret' FROM t\n";

/// A server's log with statements of many lines, long ones, errors, and a prefix that is changed in the middle.
fn real_log(change: bool) -> String {
    let production = Production::start(
        18,
        "log_min_duration_statement = 0\nlog_line_prefix = '%m [%p] %q%u@%d %a '\nlog_timezone = 'UTC'\n\
         logging_collector = on\nlog_filename = 'all.log'\nlog_directory = 'logs'\nlog_connections = on\n",
    );
    let run = || {
        production.psql("postgres", "create table if not exists t (a int)");
        for number in 0..30 {
            production.psql("postgres", &format!("select a,\n\n\ta + {number}\nfrom t where a = {number}"));
        }
        let many: Vec<String> = (0..900).map(|number| format!("'value {number}'")).collect();
        production.psql("postgres", &format!("select 1 where 'x' in ({})", many.join(", ")));
        production.psql("postgres", &format!("select '{}'", "y".repeat(5000)));
        production.psql(
            "postgres",
            "do $$ begin perform 1/0; exception when others then raise warning 'odd\nnews'; end $$",
        );
    };
    run();
    if change {
        production.psql(
            "postgres",
            "alter system set log_line_prefix = '%t [%p]: user=%u,db=%d,app=%a,client=%h '",
        );
        production.psql("postgres", "select pg_reload_conf(), pg_sleep(0.3)");
        run();
    }
    production.stop();
    std::fs::read_to_string(production.data().join("logs/all.log")).unwrap()
}

fn report(project: &Project, arguments: &[&str]) -> Value {
    let ended = project.run(&[&["logs", "--format", "json"], arguments].concat());
    ended.prints(0, &[]);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// What doesn't depend on the wrapping.
fn told(report: &Value) -> Vec<Value> {
    let counted = ["records", "unparsed", "foreign"].map(|key| report["read"][key].clone());
    let tables = ["statements", "queries", "applications", "databases", "problems", "events", "connections"];
    counted.into_iter().chain(tables.map(|table| report[table].clone())).collect()
}

fn compress(program: &str, file: &Path) {
    let ended = Command::new(program).arg("-k").arg("-q").arg(file).stdin(Stdio::null()).status();
    assert!(ended.unwrap().success(), "{program} {}", file.display());
}

#[test]
fn compressed_logs_give_the_same_report() {
    let log = real_log(false);
    let project = Project::new([("plimsoll.toml", ""), ("all.log", &log)]);
    let plain = report(&project, &["all.log"]);
    assert_eq!(plain["read"]["unparsed"], 0);
    assert!(plain["queries"].as_array().unwrap().len() >= 4);
    for (program, end) in [("gzip", "gz"), ("zstd", "zst"), ("xz", "xz"), ("bzip2", "bz2")] {
        compress(program, &project.path().join("all.log"));
        let name = format!("all.log.{end}");
        assert_eq!(told(&report(&project, &[&name])), told(&plain), "{program}");
        let bytes = std::fs::read(project.path().join(&name)).unwrap();
        project.write(format!("twice.{end}"), bytes.repeat(2));
        let twice = report(&project, &[&format!("twice.{end}")]);
        assert_eq!(twice["read"]["bytes"], plain["read"]["bytes"].as_u64().unwrap() * 2, "{program}");
        project.write(format!("cut.{end}"), &bytes[..bytes.len() - 9]);
        let cut = project.run(&["logs", &format!("cut.{end}")]);
        cut.prints(3, &[]);
        assert!(cut.stderr.contains("cut short"), "{program}: {}", cut.stderr);
    }
}

/// As the server's `write_syslog` cuts and numbers a log's messages, and rsyslog writes them.
fn as_syslog(log: &str, split: bool, numbered: bool) -> String {
    let mut lines = String::new();
    let mut sequence = 0;
    let mut rest = log;
    while !rest.is_empty() {
        let is_head = |line: &str| {
            !line.starts_with('\t')
                && [" LOG:  ", " ERROR:  ", " WARNING:  "].iter().any(|label| line.contains(label))
        };
        let end = rest
            .match_indices('\n')
            .map(|(at, _)| at + 1)
            .find(|at| *at >= rest.len() || is_head(rest[*at..].lines().next().unwrap()));
        let (message, behind) = rest.split_at(end.unwrap_or(rest.len()));
        let message = message.trim_end_matches('\n');
        rest = behind;
        sequence += 1;
        let process = message.split_once('[').and_then(|(_, rest)| rest.split_once(']')).unwrap().0;
        let head = format!("Nov 24 02:16:47 db1 postgres[{process}]: ");
        let is_cut = split && (message.len() > 900 || message.contains('\n'));
        let chunks = if is_cut { chunks(message) } else { vec![message.to_owned()] };
        for (chunk, text) in (1..).zip(&chunks) {
            let number = match (is_cut, numbered) {
                (true, true) => format!("[{sequence}-{chunk}] "),
                (false, true) => format!("[{sequence}] "),
                (true, false) => format!("[{chunk}] "),
                (false, false) => String::new(),
            };
            lines += &format!("{head}{number}{}\n", text.replace('\n', "#012").replace('\t', "#011"));
            lines += "Nov 24 02:16:47 db1 systemd[1]: Started a unit.\n";
        }
    }
    lines
}

fn chunks(mut rest: &str) -> Vec<String> {
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        rest = rest.trim_start_matches('\n');
        let mut length = rest.find('\n').unwrap_or(rest.len()).min(900);
        if rest[length..].starts_with(|next: char| !next.is_ascii_whitespace()) {
            length = rest[1..length].rfind([' ', '\t']).map_or(length, |at| at + 1);
        }
        chunks.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    chunks
}

#[test]
fn syslog_gives_the_same_report() {
    let log = real_log(true);
    let project = Project::new([("plimsoll.toml", ""), ("all.log", &log)]);
    let plain = report(&project, &["all.log"]);
    assert_eq!(plain["read"]["unparsed"], 0);
    let prefixes = &plain["sources"][0]["prefixes"];
    assert_eq!(prefixes[0], "%m [%p] %q%u@%d %a ");
    assert_eq!(prefixes[1], "%t [%p]: user=%u,db=%d,app=%a,client=%h ");
    for (split, numbered) in [(true, true), (true, false), (false, true), (false, false)] {
        project.write("syslog", as_syslog(&log, split, numbered));
        let wrapped = report(&project, &["syslog"]);
        assert_eq!(told(&wrapped), told(&plain), "split {split}, numbered {numbered}");
        assert_eq!(wrapped["sources"][0]["format"], "syslog");
        assert_eq!(&wrapped["sources"][0]["prefixes"], prefixes);
        assert!(wrapped["sources"][0]["others"].as_u64().unwrap() > 70);
    }
}

#[test]
fn folders_and_patterns_are_read() {
    let project = Project::new([
        ("plimsoll.toml", ""),
        ("logs/a.log.1", LINES),
        ("logs/a.log", &LINES.replace("12:", "13:")),
        ("logs/notes.txt", "x"),
        (
            "logs/a.csv",
            "2026-11-23 12:00:00 UTC,,,5,,6a1b.4d,1,,2026-11-23 12:00:00 UTC,,0,LOG,00000,\"x\",,,,,,,,,\"\",\"postmaster\",,0\n",
        ),
    ]);
    let both = report(&project, &["logs/a.log*"]);
    let names: Vec<&Value> =
        both["sources"].as_array().unwrap().iter().map(|source| &source["name"]).collect();
    assert_eq!(names, ["logs/a.log.1", "logs/a.log"]);
    assert_eq!(both["read"]["records"], 2);
    let folder = project.run(&["logs", "logs"]);
    folder.prints(0, &["3 records of"]);
    assert!(folder.stderr.contains("counted twice"), "{}", folder.stderr);
    std::fs::hard_link(project.path().join("logs/a.log"), project.path().join("again.log")).unwrap();
    let again = project.run(&["logs", "logs/a.log", "./logs/a.log", "again.log"]);
    again.prints(0, &["1 record of"]);
    assert!(again.stderr.contains("read once"), "{}", again.stderr);
    project.run(&["logs", "none/*.log"]).fails(2, &["no file has a name like this"]);
    std::fs::create_dir(project.path().join("empty")).unwrap();
    project.run(&["logs", "empty"]).fails(2, &["no file in it is called like a log"]);
}

#[test]
fn what_is_no_log_is_refused() {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(LINES.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let project = Project::new([("plimsoll.toml", "")]);
    for (name, bytes, says) in [
        ("utf16.log", utf16, "iconv"),
        ("a.journal", b"LPKSHHRH\0\0\0\0".to_vec(), "journalctl --file a.journal -o json"),
        ("binary", (0..=255).cycle().take(10_000).collect(), "--prefix"),
    ] {
        project.write(name, bytes);
        project.run(&["logs", name]).fails(2, &[says]);
    }
    for (name, bytes) in [
        ("mark.log", format!("\u{feff}{LINES}{LINES}").into_bytes()),
        ("crlf.log", LINES.repeat(2).replace('\n', "\r\n").into_bytes()),
        (
            "latin.log",
            [LINES.as_bytes(), LINES.replace("secret", "\u{1}").as_bytes()]
                .concat()
                .iter()
                .map(|byte| if *byte == 1 { 0xe9 } else { *byte })
                .collect(),
        ),
        ("nul.log", (LINES.to_owned() + &LINES.replace("secret", "\0")).into_bytes()),
        ("long.log", (LINES.to_owned() + &LINES.replace("secret", &"x".repeat(100 << 20))).into_bytes()),
    ] {
        project.write(name, bytes);
        let read = report(&project, &[name]);
        // A record is cut at 64 MB; the rest of it is a line that can't be read.
        let unread = u64::from(name == "long.log");
        assert_eq!(read["read"]["records"], 2, "{name}");
        assert_eq!(read["read"]["unparsed"], unread, "{name}");
    }
}

#[test]
fn a_bomb_takes_no_memory() {
    let project = Project::new([("plimsoll.toml", "")]);
    for (program, name) in [("gzip", "bomb.gz"), ("zstd", "bomb.zst"), ("xz", "bomb.xz")] {
        let file = std::fs::File::create(project.path().join(name)).unwrap();
        let mut child =
            Command::new(program).args(["-c", "-1"]).stdin(Stdio::piped()).stdout(file).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let block = LINES.repeat(12_000);
        // 300 MB, in an address space in which they wouldn't fit.
        (0..300).for_each(|_| input.write_all(block.as_bytes()).unwrap());
        drop(input);
        assert!(child.wait().unwrap().success());
        let limited = format!("ulimit -v 280000; exec \"$0\" logs {name}");
        let ended = Command::new("sh")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_plimsoll")])
            .current_dir(project.path())
            .output()
            .unwrap();
        assert!(String::from_utf8_lossy(&ended.stdout).contains("3,600,000 records"), "{name}: {ended:?}");
    }
}
