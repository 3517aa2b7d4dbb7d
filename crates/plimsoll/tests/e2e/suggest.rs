//! `plimsoll regress suggest`: indexes are found, proven and weighed; what helps nobody isn't told.

use serde_json::Value;

use crate::project::{Ended, MAJORS, Project};

const SCHEMA: &str = "create table customers (id int primary key, email text not null, name text not null);
create table orders (id bigint generated always as identity primary key, customer_id int not null references customers,
  status text not null, placed timestamptz not null, total int not null);
create index orders_customer on orders (customer_id);
create index orders_customer_total on orders (customer_id, total);
create index orders_total on orders (total);
create table colours (id int primary key, name text not null unique);
";

const SEED: &str = "insert into customers select n, 'C' || n || '@example.org', md5(n::text) from generate_series(1, 8000) n;
insert into orders (customer_id, status, placed, total)
  select n % 8000 + 1, case when n % 200 = 0 then 'open' else 'done' end, '2026-01-01'::timestamptz + n * interval '1 minute', n % 1000
  from generate_series(1, 20000) n;
insert into colours select n, 'colour ' || n from generate_series(1, 50) n;
";

const QUERIES: &str = "-- name: by_email
select id, name from customers where lower(email) = :email;
-- name: latest_of_status
select id, total from orders where status = :status order by placed desc limit 10;
-- name: open_orders
select id, placed from orders where status = 'open' and total > 100;
-- name: of_customer
select id from orders where customer_id = :customer and total = 5;
-- name: colour
select id from colours where name = :name;
-- name: all_totals
select sum(total) from orders;
-- name: place
insert into orders (customer_id, status, placed, total) values (:customer, 'open', '2026-03-01', 1);
";

const VALUES: &str = "[by_email]\nemail = \"c17@example.org\"\n[latest_of_status]\nstatus = \"done\"\n\
                      [of_customer]\ncustomer = 17\n[colour]\nname = \"colour 7\"\n[place]\ncustomer = 17\n";

fn shop() -> Project {
    Project::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
        ("migrations/0001.sql", SCHEMA),
        ("seed.sql", SEED),
        ("queries/shop.sql", QUERIES),
        ("queries/shop.toml", VALUES),
    ])
}

fn suggest(project: &Project, major: u32, arguments: &[&str]) -> Ended {
    let major = major.to_string();
    let ended = project.run(&[&["regress", "suggest", "--postgres", &major], arguments].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    ended
}

fn texts<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap()).collect()
}

#[test]
fn indexes_are_found_and_weighed_on_15() {
    indexes_are_found_and_weighed(MAJORS[0]);
}

#[test]
fn indexes_are_found_and_weighed_on_18() {
    indexes_are_found_and_weighed(MAJORS[1]);
}

fn indexes_are_found_and_weighed(major: u32) {
    let project = shop();
    let json: Value = serde_json::from_str(&suggest(&project, major, &["--format", "json"]).stdout).unwrap();
    assert_eq!(json["format_version"], 1);
    let ddl = texts(&json["indexes"], "ddl");
    let find = |start: &str| {
        let found = json["indexes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["ddl"].as_str().unwrap().contains(start));
        found.unwrap_or_else(|| panic!("{start} isn't among {ddl:#?}"))
    };

    // An index on an expression, with what it saves.
    let email = find("CREATE INDEX CONCURRENTLY customers_lower_idx ON public.customers (lower(email))");
    let gained = &email["gained"][0];
    assert_eq!(gained["query"], "by_email");
    let (before, after) = (gained["before"].as_u64().unwrap(), gained["after"].as_u64().unwrap());
    assert!(before > 60 && after < 10, "{before} → {after}");
    assert_eq!(email["saved_blocks"], before - after);
    assert!(email["bytes"].as_u64().unwrap() > 8192 && email["build_wal_bytes"].as_u64().unwrap() > 8192);

    // One of two columns: found by the first, in the order of the second.
    let latest = find("ON public.orders (status, placed");
    assert!(texts(&latest["gained"], "query").contains(&"latest_of_status"), "{latest:#}");
    // Both the corpus' own write and a thousand rows take more with it.
    assert_eq!(latest["writers"][0]["query"], "place");
    let more = |what: &Value, figure: &str| {
        (what["before"][figure].as_u64().unwrap(), what["after"][figure].as_u64().unwrap())
    };
    for (what, figure) in
        [(&latest["writers"][0], "buffers"), (&latest["probe"], "wal_bytes"), (&latest["probe"], "buffers")]
    {
        let (before, after) = more(what, figure);
        assert!(after > before && before > 0, "{figure} {before} → {after}");
    }
    let email_rows = &email["probe"]["rows"];
    assert_eq!(*email_rows, 1000, "{email:#}");
    assert_eq!((&latest["probe"]["command"], &latest["probe"]["rows"]), (&"insert".into(), &1000.into()));

    // What is served, small or read as a whole gets no index, and none of them loses anything.
    assert!(json["tried"].as_u64().unwrap() as usize > ddl.len(), "{json:#}");
    assert!(
        ddl.iter()
            .all(|ddl| !ddl.contains("colours") && !ddl.contains("(total") && !ddl.contains("(customer_id")),
        "{ddl:#?}"
    );

    // What is there for nothing, and what only seems to be.
    let duplicates = &json["duplicates"];
    assert_eq!(texts(duplicates, "name"), ["public.orders_customer"]);
    assert_eq!(texts(duplicates, "by"), ["public.orders_customer_total"]);
    let unused: Vec<(&str, Option<&str>)> = json["unused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["keeps"].as_str()))
        .collect();
    assert!(unused.contains(&("public.orders_total", None)), "{unused:?}");
    assert!(unused.contains(&("public.orders_pkey", Some("the primary key"))), "{unused:?}");
    assert!(unused.iter().all(|(name, _)| *name != "public.orders_customer_total"), "{unused:?}");
}

#[test]
fn a_person_reads_what_is_proposed() {
    let project = shop();
    let text = suggest(&project, MAJORS[1], &["by_email", "--most", "1"]).stdout;
    assert!(
        text.contains("CREATE INDEX CONCURRENTLY customers_lower_idx ON public.customers (lower(email));"),
        "{text}"
    );
    assert!(text.contains("gains   by_email: ") && text.contains("1 index helps: "), "{text}");
    assert!(text.contains("is told of the whole corpus alone") && !text.contains("orders_total"), "{text}");
    let nobody = project.run(&["regress", "suggest", "by_emial"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(nobody.stderr.contains("did you mean by_email?"), "{}", nobody.stderr);
    assert_eq!(project.run(&["regress", "suggest", "--most", "0"]).status.code(), Some(2));
}
