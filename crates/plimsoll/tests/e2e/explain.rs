//! `plimsoll explain`: plans from files, from logs and from servers.

use crate::project::{MAJORS, Project};
use crate::served::Served;
use crate::snapshot::ask;

const PLAN: &str = "\
Seq Scan on ships  (cost=0.00..1.01 rows=1 width=4) (actual time=0.01..20.02 rows=10 loops=1)
  Filter: (port = 3)
  Rows Removed by Filter: 90000
  Buffers: shared hit=900
Execution Time: 20.50 ms
";

const SCHEMA: &str = "create table ships (id int primary key, port int);\n";

#[test]
fn a_plan_is_read_from_a_file_and_from_standard_input() {
    let project = Project::new([("plan.txt", PLAN)]);
    let says =
        ["Seq Scan on ships", "7.03 MB", "sequential scan that filters most rows away at #0", "90,010 rows"];
    project.run(&["explain", "plan.txt"]).prints(0, &says);
    project.plimsoll(&["explain"]).stdin(PLAN).run().prints(0, &["standard input", "Seq Scan on ships"]);
    project.plimsoll(&["explain", "-"]).stdin(PLAN).run().prints(0, &["standard input"]);
    project.run(&["explain", "plan.txt", "--format", "markdown"]).prints(0, &["```text", "Seq Scan"]);
    project.run(&["explain", "plan.txt", "--format", "html", "-o", "plan.html"]).prints(0, &[]);
    let page = std::fs::read_to_string(project.path().join("plan.html")).unwrap();
    assert!(page.contains("sequential scan that filters most rows away"));
    let json = project.run(&["explain", "plan.txt", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["format_version"], &json["plans"][0]["nodes"][0]["own_shared_hit_blocks"]),
        (&1.into(), &900.into())
    );
    assert_eq!(json["plans"][0]["advice"][0]["kind"], "filtered-seq-scan");
}

#[test]
fn what_is_no_plan_is_refused_with_its_place() {
    let project =
        Project::new([("a.txt", "Seq Scan on a\n  what"), ("b.json", "[{\"Plan\": 3}]"), ("c.log", "x\n")]);
    project.run(&["explain", "a.txt"]).fails(2, &["read a.txt:2:3: this line is neither a node"]);
    project.run(&["explain", "b.json"]).fails(2, &["read b.json:1:", "the Plan is no object"]);
    project.run(&["explain", "--log", "c.log"]).fails(2, &["no plan of auto_explain is in it"]);
    project.run(&["explain", "gone.txt"]).fails(2, &["read gone.txt"]);
    project.plimsoll(&["explain"]).stdin("").run().fails(2, &["standard input:1:1: the text is empty"]);
    project.run(&["explain", "--query", " ; "]).fails(2, &["explain the query: it is empty"]);
}

#[test]
fn two_plans_stand_side_by_side() {
    let other = PLAN.replace("Seq Scan on ships", "Index Scan using ships_port on ships");
    let project = Project::new([("a.txt", PLAN.to_owned()), ("b.txt", other)]);
    let compared = project.run(&["explain", "a.txt", "--compare", "b.txt"]);
    compared.prints(0, &["a.txt", "b.txt", "◂ differs"]);
    let page = project.run(&["explain", "a.txt", "--compare", "b.txt", "--format", "html"]);
    page.prints(0, &["class=\"side-by-side\"", "differs"]);
}

#[test]
fn a_query_is_explained_on_the_projects_state() {
    for major in MAJORS {
        let project = Project::new([
            ("migrations/1.sql", SCHEMA),
            ("seed.sql", "insert into ships select n, n from generate_series(1, 500) n"),
            ("plimsoll.toml", "[migrations]\npath = \"migrations\"\n[database]\nseed = [\"seed.sql\"]\n"),
        ]);
        let major = major.to_string();
        let query = ["explain", "--postgres", &major, "--query", "select * from ships where port > 100;"];
        project.run(&query).prints(0, &["Seq Scan on public.ships", "→ 400", &format!("PostgreSQL {major}")]);
        let wrong = ["explain", "--postgres", &major, "--query", "select * from shps"];
        project.run(&wrong).fails(2, &["relation \"shps\" does not exist"]);
        let two = ["explain", "--postgres", &major, "--query", "select 1; select 2"];
        project.run(&two).fails(2, &["cannot insert multiple commands"]);
    }
}

#[test]
fn a_server_that_is_not_ours_is_only_read() {
    for major in MAJORS {
        let project = Project::new::<&str>([]);
        let served = Served::start(&project, major);
        ask(major, &served.url, SCHEMA);
        let run = |query: &str, further: &[&str]| {
            let arguments = [&["explain", "--url", &served.url, "--query", query], further].concat();
            project.run(&arguments)
        };
        run("delete from ships", &[]).prints(0, &["Delete on public.ships", "not run"]);
        run("insert into ships values (1)", &["--analyze"]).fails(2, &["25006"]);
        run("select 1; commit; insert into ships values (2)", &["--analyze"])
            .fails(2, &["multiple commands"]);
        run("select * from ships", &["--analyze"]).prints(0, &["Seq Scan on public.ships", "execution"]);
        assert_eq!(ask(major, &served.url, "select count(*) from ships"), "0");
    }
}
