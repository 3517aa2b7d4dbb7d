//! What a person sees of a check, figures aside.

use crate::project::Project;

/// Replaces figures that differ between runs and machines. Longer figures break lines elsewhere,
/// so that the lines of the evidence and of the verdict are joined to one.
fn normal(text: &str) -> String {
    let mut joined: Vec<String> = Vec::new();
    let (mut in_evidence, mut in_verdict) = (false, false);
    for line in text.lines() {
        in_evidence = line.contains("├ evidence:") || (in_evidence && line.contains('│'));
        match joined.last_mut() {
            Some(last) if in_verdict || (in_evidence && line.contains('│')) => {
                last.push(' ');
                last.push_str(line.trim_start_matches([' ', '│']));
            }
            _ => joined.push(line.to_owned()),
        }
        in_verdict |= line.starts_with("DANGER:");
    }
    joined.iter().map(|line| without_figures(line)).collect::<Vec<_>>().join("\n")
}

const DIGITS: fn(char) -> bool = |c| c.is_ascii_digit();

/// `took 12.3 ms, cost 8 → 945 (×118)` → `took N ms, cost N → N (×N)`.
fn without_figures(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_figure = |word: &str| {
        let digits = word.trim_matches(['(', ')', '×', ',', ';', ':', '.']);
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let mut shown: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", |next| next.trim_matches([',', ';']));
        let before = &words[..at];
        let told = before.iter().rfind(|word| !is_figure(word) && **word != "→").copied().unwrap_or_default();
        let varies = ["ms", "s", "MB"].contains(&next)
            || told == "cost"
            || before.last() == Some(&"PostgreSQL")
            || word.contains('×');
        if !(varies && is_figure(word)) {
            shown.push((*word).to_owned());
            continue;
        }
        // Times stand in a column, flush right.
        while shown.len() > 1 && shown.ends_with(&[String::new(), String::new()]) {
            shown.pop();
        }
        let (head, tail) = (word.split(DIGITS).next().unwrap(), word.rsplit(DIGITS).next().unwrap());
        shown.push(format!("{head}N{tail}"));
    }
    shown.join(" ")
}

#[test]
fn a_check_reads_well() {
    let project = Project::new([
        ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n[queries]\npath = \"queries\"\n"),
        ("seed.sql", "insert into t select n, n, 'row ' || n from generate_series(1, 50000) n;"),
        (
            "migrations/1.sql",
            "create table t (id int primary key, n int, name text);\ncreate index t_n on t (n);",
        ),
        (
            "migrations/2.sql",
            "set lock_timeout = '2s';\n\nalter table t alter column id type bigint;\ndrop index t_n;\n\
             alter table t drop colum name;\n",
        ),
        ("queries/by_n.sql", "select *\n  from t\n where n = 7"),
        ("queries/one.sql", "select 1"),
    ]);
    let ended = project.run(&["check", "--postgres", "18", "migrations/2.sql"]);
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(1), ""));
    insta::assert_snapshot!(normal(&ended.stdout));
}

#[test]
fn colour_is_for_those_who_want_it() {
    let project = Project::new([("migrations/1.sql", "drop table t;")]);
    let run = |color: &str| project.run(&["lint", "--all", "--color", color]).stdout;
    assert!(run("always").contains("\u{1b}["));
    assert!(!run("auto").contains('\u{1b}') && !run("never").contains('\u{1b}'));
}
