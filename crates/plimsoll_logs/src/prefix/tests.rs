use super::*;
use crate::severity::Severity;

fn read<'a>(prefix: &str, line: &'a str) -> Option<(Record<'a>, &'a str)> {
    let mut record = Record::new(Severity::Log, "");
    let found = Prefix::new(prefix).unwrap().read(line, &mut Clock::default(), &mut record);
    found.map(|(_, at)| (record, &line[at..]))
}

#[test]
fn every_escape_is_read() {
    let prefix = "%m|%t|%n|%s|%p|%P|%c|%l|%v|%x|%e|%Q|%u|%d|%r|%h|%a|%i|%b|%L|%% ";
    let line = "2026-11-23 12:00:00.123 UTC|2026-11-23 12:00:00 UTC|1795435200.456|2026-11-23 11:00:00 UTC|77|76|6a1b.4d|3|5/12|0|42P01|-123|ann|shop|10.0.0.7(5432)|10.0.0.7|web app|SELECT|client backend|10.0.0.1|% ERROR:  no";
    let (record, message) = read(prefix, line).unwrap();
    assert_eq!(message, "no");
    assert_eq!(record.time_us, Some(1_795_435_200_456_000));
    assert_eq!((record.process, record.session, record.sqlstate), (77, "6a1b.4d", "42P01"));
    assert_eq!((record.user, record.database, record.host), ("ann", "shop", "10.0.0.7"));
    assert_eq!((record.application, record.command_tag), ("web app", "SELECT"));
    assert_eq!(record.backend, "client backend");
}

#[test]
fn processes_without_a_session_stop_early() {
    let (record, message) =
        read("%m [%p] %q%u@%d ", "2026-11-23 12:00:00.123 UTC [5] LOG:  checkpoint starting: time").unwrap();
    assert_eq!((record.process, record.user, message), (5, "", "checkpoint starting: time"));
    let (record, _) = read("%m [%p] %q%u@%d ", "2026-11-23 12:00:00.123 UTC [5] ann@shop LOG:  x").unwrap();
    assert_eq!((record.user, record.database), ("ann", "shop"));
}

#[test]
fn names_may_hold_what_stands_behind_them() {
    let (record, message) = read("%a [%p] ", "web [x] app [5] LOG:  x").unwrap();
    assert_eq!((record.application, record.process, message), ("web [x] app", 5, "x"));
    let (record, _) = read("%a", "my app: LOG:  x").unwrap();
    assert_eq!(record.application, "my app:");
    assert_eq!(read("[%p] %u ", "[5] ann\n LOG:  x"), None);
}

#[test]
fn widths_are_read_over() {
    let (record, _) = read("[%8p] %-10u|", "[      77] ann       |LOG:  x").unwrap();
    assert_eq!((record.process, record.user), (77, "ann"));
}

#[test]
fn unknown_names_are_empty() {
    let (record, _) = read("[%p] %u@%d ", "[5] [unknown]@[unknown] LOG:  x").unwrap();
    assert_eq!((record.user, record.database), ("", ""));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let error = Prefix::new("%m %u%d").unwrap_err().to_string();
    assert!(error.contains("%u ends and %d begins"), "{error}");
    let error = Prefix::new("%m %Z").unwrap_err().to_string();
    assert!(error.contains("%Z at byte 3"), "{error}");
}

#[test]
fn prefixes_are_found_from_lines() {
    for (line, expected) in [
        ("2026-11-23 12:00:00.123 UTC [5] LOG:  x", "%m [%p] "),
        ("2026-11-23 12:00:00 UTC:10.0.0.7(54):ann@shop:[5]:LOG:  x", "%t:%r:%u@%d:[%p]:"),
        ("2026-11-23 12:00:00.123 UTC [5] ann@shop LOG:  x", "%m [%p] %q%u@%d "),
        ("2026-11-23 12:00:00.123 UTC [5] ann@shop web LOG:  x", "%m [%p] %q%u@%d %a "),
        (
            "2026-11-23 12:00:00 UTC [5]: [3-1] user=ann,db=shop,app=web,client=10.0.0.7 LOG:  x",
            "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
        ),
        ("2026-11-23 12:00:00 UTC-6a1b.4d-LOG:  x", "%t-%c-"),
        ("pid=5 at 2026-11-23 12:00:00.123 UTC db=shop user=ann LOG:  x", "pid=%p at %m db=%d user=%u "),
        ("LOG:  x", ""),
        (
            "2026-11-23 12:00:00.123 UTC:10.0.0.7(54):ann@shop:[5]:3:00000:2026-11-23 11:00:00 UTC:3/4:0:6a1b.5:web:LOG:  x",
            "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
        ),
        ("2026-11-23 12:00:00.123 UTC [5]: [3-1] db=shop,user=ann LOG:  x", "%m [%p]: [%l-1] db=%d,user=%u "),
        (
            "2026-11-23 12:00:00.123 UTC [5]: [3-1] db=shop,user=ann,host=10.0.0.7 LOG:  x",
            "%m [%p]: [%l-1] db=%d,user=%u,host=%h ",
        ),
        ("10.0.0.7 2026-11-23 12:00:00.123 UTC [5] ann@shop LOG:  x", "%h %m [%p] %q%u@%d "),
        ("pid=5,user=ann,db=shop,app=web,client=10.0.0.7 LOG:  x", "pid=%p,user=%u,db=%d,app=%a,client=%h "),
        (
            "2026-11-23 12:00:00.123 UTC [5] [user=ann,db=shop,app=web] LOG:  x",
            "%m [%p] %q[user=%u,db=%d,app=%a] ",
        ),
        (
            "2026-11-23 12:00:00 UTC [5]: [3-1] 6a1b.5 0 shop ann web 10.0.0.7 LOG:  x",
            "%t [%p]: [%l-1] %c %x %d %u %a %h ",
        ),
        (" sql_error_code = 42P01 ERROR:  x", " sql_error_code = %e "),
    ] {
        let found = detect(line).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(found.text(), expected, "{line}");
    }
    assert_eq!(detect("no log at all\n"), None);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(prefix in "(%[a-zA-Z0-9-]|[ \\[\\]@:=,é%]){0,8}", line in ".{0,80}|([0-9a-f.: \\[\\]@=,-]|LOG:  |é){0,40}") {
        if let Ok(prefix) = Prefix::new(&prefix) {
            let mut record = Record::new(Severity::Log, "");
            if let Some((_, at)) = prefix.read(&line, &mut Clock::default(), &mut record) {
                proptest::prop_assert!(line.is_char_boundary(at));
            }
        }
        let _ = detect(&line);
    }

    #[test]
    fn what_is_known_of_a_session_changes_nothing(
        prefix in "%m (\\[%p\\] )?(%q)?(%u@%d )?(%a )?(%h:)?(%c )?",
        names in proptest::collection::vec("[a@: \\[5\\]]{1,4}|LOG:  a|[a-f0-9]\\.[a-f0-9]|5", 4),
        messages in proptest::collection::vec("(a|@|: |LOG:  |ERROR:  | |5|\\[5\\] ){0,12}", 1..6),
    ) {
        let Ok(prefix) = Prefix::new(&prefix) else { return Ok(()) };
        let mut sessions = Sessions::default();
        for message in messages.iter().chain(&messages) {
            let mut line = prefix.text().replace("%m", "2026-11-23 12:00:00.123 UTC").replace("%q", "");
            for (escape, name) in ["%u", "%d", "%a", "%h"].iter().zip(&names) {
                line = line.replace(escape, name);
            }
            let line = format!("{}LOG:  {message}", line.replace("%p", "77").replace("%c", "6b04db0c.46d3"));
            let mut plain = Record::new(Severity::Log, "");
            let read = prefix.read(&line, &mut Clock::default(), &mut plain);
            let mut known = Record::new(Severity::Log, "");
            let read_known = prefix.read_known(&line, &mut Clock::default(), &mut known, &mut sessions);
            proptest::prop_assert_eq!(read, read_known);
            if read.is_some() {
                proptest::prop_assert!(known.who == 0 || known.who == plain.names_hash());
                proptest::prop_assert_eq!(plain, Record { who: 0, ..known });
            }
        }
    }
}
