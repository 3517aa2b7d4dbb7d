//! `plimsoll evaluate`: tables of scores in, judgement out.

use std::fs;

use serde_json::Value;

use crate::project::Project;

const ARGUMENTS: [&str; 5] = ["evaluate", "scores.csv", "--label", "y", "--score"];

/// A thousand cases, one in twenty positive; `good` tells them apart better than `bad`.
fn rows() -> impl Iterator<Item = (bool, f64, f64, &'static str)> {
    (0..1000).map(|case: u32| {
        let is_positive = case.is_multiple_of(20);
        let mixed = |salt: u32| f64::from((case + salt) * 7919 % 1009) / 2018.0;
        let gain = |gain: f64| if is_positive { gain } else { 0.0 };
        (
            is_positive,
            mixed(1) + gain(0.35),
            mixed(7) + gain(0.1),
            if case.is_multiple_of(3) { "eu" } else { "us" },
        )
    })
}

fn csv() -> String {
    let told =
        rows().map(|(label, good, bad, region)| format!("{},{good},{bad},{region}\n", u8::from(label)));
    format!("y,good,bad,region\n{}", told.collect::<String>())
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let ran = project.run(&[arguments, &["--format", "json"]].concat());
    assert!(ran.status.success(), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn every_format_of_a_table_comes_to_the_same() {
    let lines = rows().map(|(label, good, bad, region)| {
        format!("{{\"y\":{label},\"good\":{good},\"bad\":{bad},\"region\":\"{region}\"}}\n")
    });
    let project = Project::new([
        ("scores.csv", csv()),
        ("scores.tsv", csv().replace(',', "\t")),
        ("scores.jsonl", lines.collect()),
    ]);
    let of = |file: &str| {
        let mut told =
            json(&project, &["evaluate", file, "--label", "y", "--score", "good,bad", "--resamples", "50"]);
        assert_eq!(told["source"].take(), file);
        told
    };
    let expected = of("scores.csv");
    assert_eq!((&expected["cases"], &expected["positives"]), (&1000.into(), &50.into()));
    assert_eq!(of("scores.tsv"), expected);
    assert_eq!(of("scores.jsonl"), expected);
    let piped = project
        .plimsoll(&[
            "evaluate",
            "-",
            "--label",
            "y",
            "--score",
            "good,bad",
            "--resamples",
            "50",
            "--format",
            "json",
        ])
        .stdin(csv())
        .run();
    let mut piped: Value = serde_json::from_str(&piped.stdout).unwrap();
    assert_eq!(piped["source"].take(), "standard input");
    assert_eq!(piped, expected);
}

#[test]
fn it_tells_which_detector_is_better_and_what_thresholds_come_to() {
    let project = Project::new([("scores.csv", csv())]);
    let asked = [
        &ARGUMENTS[..],
        &[
            "good,bad",
            "--group",
            "region",
            "--days",
            "10",
            "--at-prevalence",
            "0.001",
            "--target-recall",
            "0.8",
        ],
        &[
            "--false-alarms-per-day",
            "3",
            "--cost-miss",
            "50",
            "--cost-alarm",
            "1",
            "--max-false-positive-rate",
            "0.1",
        ],
    ]
    .concat();
    let told = json(&project, &asked);
    let [good, bad] = [&told["detectors"][0], &told["detectors"][1]];
    let value = |figure: &Value| figure["value"].as_f64().unwrap();
    assert!(value(&good["average_precision"]) > value(&bad["average_precision"]));
    assert!(value(&good["at_prevalence"]["average_precision"]) < value(&good["average_precision"]));
    assert!(told["comparisons"][0]["roc_area"]["p_value"].as_f64().unwrap() < 0.01);
    let recall = &good["thresholds"][0]["chosen"];
    assert!(value(&recall["recall"]) >= 0.8, "{recall}");
    let alarms = &good["thresholds"][1]["chosen"];
    assert!(value(&alarms["false_alarms_a_day"]) <= 3.0, "{alarms}");
    assert_eq!(good["groups"].as_array().unwrap().len(), 2);
    let says = [
        "Which curve to read",
        "Read the precision-recall curve: 1 case in 1,000",
        "good less bad",
        "false alarms a day",
    ];
    project.run(&asked).prints(0, &says);
    assert_eq!(
        project.run(&asked).stdout,
        project.run(&asked).stdout,
        "the seed makes it the same each time"
    );
}

#[test]
fn pictures_and_pages_are_written_whole() {
    let project = Project::new([("scores.csv", csv())]);
    let files = ["--format", "html", "--output", "a.html", "--svg", "a.svg", "--png", "a.png"];
    project.run(&[&ARGUMENTS[..], &["good"], &files].concat()).prints(0, &[]);
    let read = |name: &str| fs::read(project.path().join(name)).unwrap();
    assert!(read("a.html").starts_with(b"<!DOCTYPE html>"));
    assert!(read("a.svg").starts_with(b"<svg xmlns="));
    assert!(read("a.png").starts_with(b"\x89PNG\r\n\x1a\n") && read("a.png").len() > 10_000);
    project
        .run(&[&ARGUMENTS[..], &["good", "--format", "markdown", "--weight", "bad"]].concat())
        .prints(0, &["## What was judged", "| detector |", "by weight"]);
}

#[test]
fn a_choice_without_the_data_for_it_is_warned_of() {
    let few: String = csv().lines().take(60).map(|line| format!("{line}\n")).collect();
    let project = Project::new([("scores.csv", few)]);
    let asked = [&ARGUMENTS[..], &["good", "--target-precision", "0.9"]].concat();
    project.run(&asked).prints(
        0,
        &["There are only 3 positive cases", "The data can't support this choice", "more positive"],
    );
}

#[test]
fn bad_input_is_refused_with_its_row_and_column() {
    let tables = [
        ("y,s\n", "it has no row"),
        ("", "it is empty"),
        ("y,x\n0,1\n", "there is no column \"s\""),
        ("y,s\n0,1\n1,2\nmaybe,3\n", "row 3"),
        ("y,s\n0,1\n1,NaN\n", "row 2 (line 3, character 3), column \"s\""),
        ("y,s\n0,1\n1,inf\n", "row 2 (line 3, character 3), column \"s\""),
        ("y,s\n0,1\n1,\n", "row 2 (line 3, character 3), column \"s\""),
        ("y,s\n0,1\n1\n", "row 2 (line 3)"),
        ("y,s\n0,1\n0,2\n", "column \"y\": all of the 2 cases are negative"),
        ("y,s,w\n0,1,1\n1,2,-1\n", "row 2 (line 3, character 5), column \"w\""),
        ("y,s,w\n0,1,1\n1,2,0\n", "column \"y\": all of the 2 cases that weigh anything are negative"),
    ];
    for (table, says) in tables {
        let project = Project::new([("scores.csv", table)]);
        let weight: &[&str] = if table.starts_with("y,s,w") { &["--weight", "w"] } else { &[] };
        let asked =
            [&ARGUMENTS[..], &["s", "--output", "out.txt", "--svg", "out.svg", "--png", "out.png"], weight]
                .concat();
        let ran = project.run(&asked);
        ran.fails(2, &["scores.csv", says]);
        for name in ["out.txt", "out.svg", "out.png"] {
            assert!(!project.path().join(name).exists(), "{name} was written for {table:?}");
        }
    }
}

#[test]
fn what_was_typed_wrong_is_told_before_anything_is_read() {
    let project = Project::new([("scores.csv", csv())]);
    let fails = |more: &[&str], says: &str| {
        project.run(&[&ARGUMENTS[..], more].concat()).fails(2, &[says]);
    };
    fails(&["good", "--false-alarms-per-day", "1"], "how many days the cases span isn't known");
    fails(&["good,good"], "names column \"good\" twice");
    fails(&["good", "--cost-miss", "3"], "--cost-alarm");
    fails(&["good", "--target-precision", "95"], "a share above 0 and up to 1 is wanted");
    fails(&["good", "--at-prevalence", "0"], "a share between 0 and 1 is wanted");
    fails(&["goood"], "did you mean \"good\"");
    project
        .run(&["evaluate", "gone.csv", "--label", "y", "--score", "s"])
        .fails(2, &["read gone.csv", "No such file"]);
}
