//! What envelopes hold is what the server wrote.

use super::*;
use crate::counts::Counts;
use crate::format::{Format, Scratch};

fn unwrap(text: &[u8], piece: usize) -> (String, u64) {
    /// Gives few bytes at once.
    struct Slow<'a>(&'a [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let length = room.len().min(self.1).min(self.0.len());
            room[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }
    let Some(envelope) = Envelope::detect(text) else { return (String::new(), 0) };
    let mut unwrapped = Unwrapped::new(Slow(text, piece), envelope, 1_795_500_000_000_000);
    let mut whole = Vec::new();
    unwrapped.read_to_end(&mut whole).unwrap();
    (String::from_utf8(whole).unwrap(), unwrapped.others())
}

/// `process message|detail|statement` of each record, and how many lines couldn't be read.
fn records(text: &str) -> (Vec<String>, Counts) {
    let (whole, _) = unwrap(text.as_bytes(), 1 << 20);
    let Some(Format::Stderr(inner)) = Format::detect(&Envelope::inner_lines(&whole)) else {
        panic!("no prefix found in {whole}")
    };
    let format = Format::Stderr(Envelope::prefix(inner.text()).unwrap());
    let (mut records, mut counts) = (Vec::new(), Counts::default());
    format.scan(&whole, &mut Scratch::default(), &mut counts, &mut |record| {
        let what = format!("{} {}|{}|{}", record.process, record.message, record.detail, record.statement);
        records.push(what);
    });
    (records, counts)
}

fn check(text: &str, expected: &[&str]) {
    let (records, counts) = records(text);
    assert_eq!(records, expected);
    assert_eq!(counts.unparsed, 0, "{:?}", counts.samples);
}

#[test]
fn chunks_of_interleaved_processes_are_joined() {
    check(
        "Nov 24 02:16:47 db1 postgres[11]: [5-1] 2026-11-24 02:16:47.001 UTC [11] ERROR:  relation \"t\" does not exist at character 1\n\
         Nov 24 02:16:47 db1 postgres[12]: [7] 2026-11-24 02:16:47.002 UTC [12] LOG:  connection received: host=[local]\n\
         Nov 24 02:16:47 db1 CRON[99]: (root) CMD (true)\n\
         Nov 24 02:16:47 db1 postgres[11]: [5-2] 2026-11-24 02:16:47.001 UTC [11] STATEMENT:  select\n\
         Nov 24 02:16:47 db1 postgres[11]: [5-3] #011from t\n\
         Nov 24 02:16:47 db1 postgres[11]: [6] 2026-11-24 02:16:47.003 UTC [11] LOG:  x\n",
        &[
            "11 relation \"t\" does not exist at character 1||select\n\tfrom t",
            "12 connection received: host=[local]||",
            "11 x||",
        ],
    );
}

/// As `write_syslog` cuts: at newlines, and at 900 bytes, at a blank if there is one.
fn cut(message: &str) -> Vec<String> {
    let (mut chunks, mut rest) = (Vec::new(), message);
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('\n') {
            rest = behind;
            continue;
        }
        let mut length = rest.find('\n').unwrap_or(rest.len()).min(900);
        while !rest.is_char_boundary(length) {
            length -= 1;
        }
        if rest[length..].starts_with(|next: char| !next.is_ascii_whitespace()) {
            length = rest[1..length].rfind([' ', '\t']).map_or(length, |at| at + 1);
        }
        chunks.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    chunks
}

proptest::proptest! {
    #[test]
    fn cut_messages_are_put_together(
        words in proptest::collection::vec("[a-zé]{1,12}|[x]{950}| |\n\t[a-z]{3}", 1..300), numbered in proptest::bool::ANY,
    ) {
        let statement = words.join(" ").replace(" \n", "\n");
        let statement = statement.trim();
        let message = format!("[9] LOG:  statement: {statement}\n[9] DETAIL:  d e");
        let lines: String = (1..).zip(cut(&message)).map(|(chunk, text)| {
            let number = if numbered { format!("5-{chunk}") } else { chunk.to_string() };
            format!("Nov 24 02:16:47 db1 postgres[9]: [{number}] {text}\n")
        }).collect();
        // A process that writes one line between, and another message behind.
        let other = "Nov 24 02:16:47 db1 postgres[8]: [8] LOG:  y\n";
        let (whole, _) = unwrap(format!("{other}{lines}").as_bytes(), 1 << 20);
        let found: Vec<String> = whole.replace(|letter: char| letter.is_whitespace(), " ").split('\u{1f}').map(str::to_owned).collect();
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = squeezed(&format!("[9] LOG:  statement: {statement}"));
        let got = found.iter().map(|one| squeezed(one)).find(|one| one.starts_with("[9] LOG:")).unwrap_or_default();
        proptest::prop_assert!(got.starts_with(&expected), "{} is not {}", got, expected);
        let no_detail = whole.matches("[9] DETAIL:  d e\n").count();
        proptest::prop_assert_eq!(no_detail, 1);
    }

    #[test]
    fn any_bytes_are_read_the_same_in_any_pieces(
        lines in proptest::collection::vec(
            "Nov 24 02:16:47 db1 postgres\\[[1-3]\\]: \\[[1-3]-[1-3]\\] (LOG:  )?[a-c\\t]{0,9}|\\t?.{0,30}|\\{\"MESSAGE\":\"LOG:  x\"\\}|__CURSOR=a|MESSAGE=b|MESSAGE|\\[|\\{\"log\":\"\\\\n\",\"time\":1",
            0..20,
        ), piece in 1_usize..50,
    ) {
        let text = lines.join("\n");
        proptest::prop_assert_eq!(unwrap(text.as_bytes(), piece), unwrap(text.as_bytes(), 1 << 20));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        for envelope in [Envelope::Syslog, Envelope::Objects, Envelope::Export] {
            let mut whole = Vec::new();
            Unwrapped::new(bytes.as_slice(), envelope, 0).read_to_end(&mut whole).unwrap();
        }
    }
}

#[test]
fn messages_in_one_piece_are_taken_apart() {
    check(
        "2026-11-24T02:16:47.123456+00:00 db1 shop-db[11]: 2026-11-24 02:16:47.001 UTC [11] ERROR:  a#012#011b#0122026-11-24 02:16:47.001 UTC [11] STATEMENT:  select#012#0111\n\
         2026-11-24T02:16:47.123456+00:00 db1 shop-db[11]: 2026-11-24 02:16:47.001 UTC [11] LOG:  c\n",
        &["11 a\n\tb||select\n\t1", "11 c||"],
    );
}

#[test]
fn no_message_can_be_forged_in_another() {
    let (records, _) = records(
        "Nov 24 02:16:47 db1 postgres[11]: [5] 2026-11-24 02:16:47.001 UTC [11] LOG:  statement: select '#0122026-11-24 02:16:47.001 UTC [11] LOG:  forged'\n\
         Nov 24 02:16:47 db1 postgres[11]: [6] 2026-11-24 02:16:47.001 UTC [11] LOG:  x\n",
    );
    assert_eq!(records.len(), 2, "{records:?}");
}

#[test]
fn the_envelope_tells_what_the_prefix_lacks() {
    let (whole, _) = unwrap(b"Nov 23 12:00:00 db1 postgres[77]: [5] LOG:  x\n", 100);
    assert_eq!(whole, "2026-11-23 12:00:00.000000 UTC [77]\u{1f}LOG:  x\n");
}

#[test]
fn the_journal_is_read_in_each_form() {
    let expected = ["7 a\n\tb|d|", "7 c||"];
    check(
        "{\"__REALTIME_TIMESTAMP\":\"1795435200123456\",\"SYSLOG_IDENTIFIER\":\"postgres\",\"_PID\":\"7\",\"MESSAGE\":\"[3-1] LOG:  a\"}\n\
         {\"__REALTIME_TIMESTAMP\":\"1795435200123456\",\"SYSLOG_IDENTIFIER\":\"postgres\",\"_PID\":\"7\",\"MESSAGE\":[91,51,45,50,93,32,9,98]}\n\
         {\"__REALTIME_TIMESTAMP\":\"1795435200123456\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":\"9\",\"MESSAGE\":null}\n\
         {\"__REALTIME_TIMESTAMP\":\"1795435200123456\",\"SYSLOG_IDENTIFIER\":\"postgres\",\"_PID\":\"7\",\"MESSAGE\":\"[3-3] DETAIL:  d\"}\n\
         {\"__REALTIME_TIMESTAMP\":\"1795435200123457\",\"SYSLOG_IDENTIFIER\":\"postgres\",\"_PID\":\"7\",\"MESSAGE\":\"[4] LOG:  c\"}\n",
        &expected,
    );
    check(
        "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795435200123456\n_PID=7\nSYSLOG_IDENTIFIER=postgres\nMESSAGE\n\u{15}\0\0\0\0\0\0\0LOG:  a\n\tb\nDETAIL:  d\n\n\
         __CURSOR=s=2\n__REALTIME_TIMESTAMP=1795435200123456\n_PID=7\nSYSLOG_IDENTIFIER=postgres\nMESSAGE=LOG:  c\n\n",
        &expected,
    );
    check(
        "-- Logs begin at Mon 2026-11-23 00:00:00 UTC. --\n\
         Nov 23 12:00:00 db1 postgres[7]: [3-1] LOG:  a\n                                 \tb\nNov 23 12:00:00 db1 postgres[7]: [3-2] DETAIL:  d\nNov 23 12:00:00 db1 postgres[7]: [4] LOG:  c\n"
            .replace("                                 \tb", "\tb").as_str(),
        &expected,
    );
}

#[test]
fn clouds_logs_are_read() {
    // Cloud Logging, as `gcloud logging read --format=json --order=asc` prints it.
    check(
        "[\n  {\n    \"insertId\": \"a\",\n    \"textPayload\": \"2026-11-23 12:00:00.123 UTC [7]: [1-1] db=shop,user=ann LOG:  duration: 1.5 ms  statement: select\\n\\t1\",\n    \"timestamp\": \"2026-11-23T12:00:00.123456Z\"\n  },\n  {\n    \"insertId\": \"b\", \"timestamp\": \"2026-11-23T12:00:00Z\", \"textPayload\": \"2026-11-23 12:00:00.124 UTC [7]: [2-1] db=shop,user=ann ERROR:  x\"\n  },\n  {\"insertId\": \"c\", \"timestamp\": \"2026-11-23T12:00:00Z\", \"textPayload\": \"2026-11-23 12:00:00.124 UTC [7]: [3-1] db=shop,user=ann STATEMENT:  y\"}\n]\n",
        &["7 duration: 1.5 ms  statement: select\n\t1||", "7 x||y"],
    );
    // Azure, flexible server.
    check(
        "{\"time\":\"2026-11-23T12:00:00Z\",\"category\":\"PostgreSQLLogs\",\"properties\":{\"timestamp\":\"2026-11-23 12:00:00.123 UTC\",\"processId\":7,\"errorLevel\":\"ERROR\",\"sqlerrcode\":\"42P01\",\"message\":\"2026-11-23 12:00:00 UTC-6a1b.7-ERROR:  x\",\"detail\":\"d\"}}\n",
        &["7 x|d|"],
    );
    // CloudWatch, as `aws logs filter-log-events` prints it, and as lines with its moment.
    check(
        "{\n    \"events\": [\n        {\"logStreamName\": \"a\", \"timestamp\": 1795435200123, \"message\": \"2026-11-23 12:00:00 UTC:10.0.0.7(54):ann@shop:[7]:LOG:  x\", \"eventId\": \"1\"}\n    ],\n    \"searchedLogStreams\": []\n}\n",
        &["7 x||"],
    );
    check("2026-11-23T12:00:00.123Z 2026-11-23 12:00:00 UTC:10.0.0.7(54):ann@shop:[7]:LOG:  x\n", &["7 x||"]);
    // Heroku.
    check(
        "2026-11-23T12:00:00.000000+00:00 app[postgres.7]: [DATABASE] [12-1]  sql_error_code = 42P01 ERROR:  x\n\
         2026-11-23T12:00:00.000000+00:00 app[postgres.7]: [DATABASE] [12-2]  sql_error_code = 42P01 STATEMENT:  select 1\n\
         2026-11-23T12:00:00.000000+00:00 app[heroku-postgres]: source=DATABASE sample#db_size=1bytes\n",
        &["7 x||select 1"],
    );
    // Docker, and Kubernetes.
    check(
        "{\"log\":\"2026-11-23 12:00:00.123 UTC [7] LOG:  a\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-23T12:00:00.123456789Z\"}\n\
         {\"log\":\"\\tb\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-23T12:00:00.123456789Z\"}\n",
        &["7 a\n\tb||"],
    );
    check("2026-11-23T12:00:00.123456789Z stderr F 2026-11-23 12:00:00.123 UTC [7] LOG:  a\n", &["7 a||"]);
}

#[test]
fn plain_logs_have_no_envelope() {
    for text in [
        "2026-11-23 12:00:00.123 UTC [5] LOG:  x\n",
        "2026-11-23 12:00:00 UTC:10.0.0.7(54):ann@shop:[5]:LOG:  x\n",
        "2026-11-23 12:00:00.123 UTC [5]: [3-1] user=ann,db=shop LOG:  x\n",
        "2026-11-23 12:00:00.123 UTC ann@shop web[5]: LOG:  x\n",
        "{\"timestamp\":\"2026-11-23 12:00:00 UTC\",\"error_severity\":\"LOG\",\"message\":\"x\"}\n",
        "",
    ] {
        assert_eq!(Envelope::detect(text.as_bytes()), None, "{text}");
    }
}
