//! Logs of a service, made here: the same bytes each time.

pub(crate) const PREFIX: &str = "%m [%p] %q%u@%d %a ";

/// What a service sends: few queries, values that differ, now and then a prepared one with its parameters.
fn statement(number: usize) -> (String, Option<String>) {
    let id = number.wrapping_mul(7919) % 100_000;
    match number % 7 {
        0 => ("statement: BEGIN;".to_owned(), None),
        1 => (
            format!("statement: UPDATE accounts SET balance = balance + {} WHERE aid = {id};", id % 900),
            None,
        ),
        2 => (format!("statement: SELECT balance FROM accounts WHERE aid = {id};"), None),
        3 => (
            "execute P0_3: SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = $1"
                .to_owned(),
            Some(format!("Parameters: $1 = '{id}'")),
        ),
        4 => (
            format!("statement: INSERT INTO history (tid, delta, mtime) VALUES ({id}, -{}, CURRENT_TIMESTAMP);", id % 77),
            None,
        ),
        5 => (format!("statement: SELECT * FROM ships WHERE name = 'ship {id}' AND id IN ({id}, 2, 3)"), None),
        _ => ("statement: END;".to_owned(), None),
    }
}

struct Told {
    moment: String,
    process: usize,
    message: String,
    detail: Option<String>,
}

fn told(number: usize) -> Told {
    let (statement, detail) = statement(number);
    let (second, millisecond) = (number / 4000, number / 4 % 1000);
    let moment = format!("2026-11-23 12:{:02}:{:02}.{millisecond:03} UTC", second / 60, second % 60);
    let message = format!("duration: 0.{:03} ms  {statement}", number % 999);
    Told { moment, process: 4000 + number % 8, message, detail }
}

pub(crate) fn stderr(records: usize) -> String {
    let line = |number| {
        let Told { moment, process, message, detail } = told(number);
        let prefix = format!("{moment} [{process}] web@shop uvicorn ");
        let detail = detail.map_or_else(String::new, |detail| format!("{prefix}DETAIL:  {detail}\n"));
        format!("{prefix}LOG:  {message}\n{detail}")
    };
    (0..records).map(line).collect()
}

pub(crate) fn csvlog(records: usize) -> String {
    let line = |number| {
        let Told { moment, process, message, detail } = told(number);
        let detail = detail.map_or_else(String::new, |detail| format!("\"{detail}\""));
        format!(
            "{moment},\"web\",\"shop\",{process},\"[local]\",6b04db0c.{process:x},{number},\"SELECT\",2026-11-23 12:00:00 UTC,3/{number},0,LOG,00000,\"{message}\",{detail},,,,,,,,\"uvicorn\",\"client backend\",,0\n"
        )
    };
    (0..records).map(line).collect()
}

pub(crate) fn jsonlog(records: usize) -> String {
    let line = |number| {
        let Told { moment, process, message, detail } = told(number);
        let detail = detail.map_or_else(String::new, |detail| format!("\"detail\":\"{detail}\","));
        format!(
            "{{\"timestamp\":\"{moment}\",\"user\":\"web\",\"dbname\":\"shop\",\"pid\":{process},\"remote_host\":\"[local]\",\"session_id\":\"6b04db0c.{process:x}\",\"line_num\":{number},\"ps\":\"SELECT\",\"session_start\":\"2026-11-23 12:00:00 UTC\",\"vxid\":\"3/{number}\",\"txid\":0,\"error_severity\":\"LOG\",\"message\":\"{message}\",{detail}\"application_name\":\"uvicorn\",\"backend_type\":\"client backend\",\"query_id\":0}}\n"
        )
    };
    (0..records).map(line).collect()
}
