use proptest::prelude::*;

use super::*;

/// A query's normal form, its calls, and what was bound to each of its samples.
type Told = (String, u64, Vec<Vec<Option<String>>>);

fn check(log: &str) {
    let read = read_log(log);
    let queries: Vec<Told> = read
        .collector
        .queries()
        .iter()
        .map(|query| {
            let bound = query.samples.iter().map(|sample| sample.bound.clone()).collect();
            (query.text.clone(), query.calls(), bound)
        })
        .collect();
    let value = |text: &str| Some(text.to_owned());
    let expected = [
        ("select $1".to_owned(), 2, vec![vec![value("it's"), None], vec![value("b")]]),
        ("select a from \"T\"".to_owned(), 1, vec![vec![]]),
    ];
    assert_eq!(queries, expected);
    assert_eq!((read.messages, read.lasted), (5, Some(Duration::from_millis(1500))));
}

#[test]
fn the_stderr_form_is_read() {
    check(
        "2024-01-01 00:00:00.000 UTC [7] LOG:  listening on Unix socket\n\
         2024-01-01 00:00:01.000 UTC [8] LOG:  duration: 0.5 ms  execute <unnamed>: select\n\t$1\n\
         2024-01-01 00:00:01.000 UTC [8] DETAIL:  Parameters: $1 = 'it''s', $2 = NULL\n\
         2024-01-01 00:00:01.500 UTC [8] ERROR:  relation \"x\" does not exist at character 15\n\
         2024-01-01 00:00:01.500 UTC [8] STATEMENT:  select * from x\n\
         a line from somebody else\n\
         2024-01-01 00:00:02.000 UTC [8] LOG:  execute s: select $1\n\
         2024-01-01 00:00:02.000 UTC [8] DETAIL:  parameters: $1 = 'b'\n\
         2024-01-01 00:00:02.500 UTC [9] LOG:  statement: select a\n\t\n\tfrom \"T\"\n",
    );
}

#[test]
fn the_csv_form_is_read() {
    let line = |time: &str, severity: &str, message: &str, detail: &str| {
        format!(
            "2024-01-01 00:00:{time} UTC,\"u\",\"d\",8,\"[local]\",65.1,1,\"SELECT\",2024-01-01 00:00:00 UTC,3/4,0,{severity},00000,\
             {message},{detail},,,,,,,,\"app\",\"client backend\",,0\n"
        )
    };
    check(
        &[
            line("00.000", "LOG", "\"listening\"", ""),
            line(
                "01.000",
                "LOG",
                "\"duration: 0.5 ms  execute <unnamed>: select\n$1\"",
                "\"Parameters: $1 = 'it''s', $2 = NULL\"",
            ),
            line("01.500", "ERROR", "\"relation \"\"x\"\" does not exist\"", ""),
            line("02.000", "LOG", "\"execute s: select $1\"", "\"parameters: $1 = 'b'\""),
            line("02.500", "LOG", "\"statement: select a\n\nfrom \"\"T\"\"\"", ""),
        ]
        .concat(),
    );
}

#[test]
fn the_json_form_is_read() {
    let line = |time: &str, severity: &str, message: &str, detail: &str| {
        format!(
            "{}\n",
            serde_json::json!({"timestamp": format!("2024-01-01 00:00:{time} UTC"), "pid": 8, "error_severity": severity,
                "message": message, "detail": detail, "application_name": "app"})
        )
    };
    check(
        &[
            line("00.000", "LOG", "listening", ""),
            line(
                "01.000",
                "LOG",
                "duration: 0.5 ms  execute <unnamed>: select\n$1",
                "Parameters: $1 = 'it''s', $2 = NULL",
            ),
            line("01.500", "ERROR", "relation \"x\" does not exist", ""),
            line("02.000", "LOG", "execute s: select $1", "parameters: $1 = 'b'"),
            line("02.500", "LOG", "statement: select a\n\nfrom \"T\"", ""),
        ]
        .concat(),
    );
}

#[test]
fn what_is_no_log_has_no_message() {
    for text in ["", "select 1;\n", "a,b,c\n1,2,3\n", "{\"a\": 1}\n"] {
        assert_eq!(read_log(text).messages, 0, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(
        text in "(\\{\"message\":\"|2024-01-01 00:00:00|,\"u\",\"d\",8,|,,,,,,,|LOG:  |DETAIL:  |statement: |execute |duration: |\
                 ms  |Parameters: |\\$1 = '|[a-zé0-9 \"',\n\t\r$:{}.\\[\\]]){0,40}"
    ) {
        let read = read_log(&text);
        prop_assert!(read.collector.statements() <= read.messages);
    }
}
