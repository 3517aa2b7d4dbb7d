//! Rendered reports against schemas: our own of the JSON contract, and OASIS' of SARIF.

use plimsoll_core::Report;
use serde_json::{Value, json};

use crate::formats_test::rendered;
use crate::{Format, sample};

fn valid(schema: &Value, value: &Value) -> Result<(), String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

fn contract(value: &Value) -> Result<(), String> {
    let schema = serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap();
    valid(&schema, value)
}

fn json(report: &Report) -> Value {
    serde_json::from_str(&rendered(Format::Json, report, &[], 80)).unwrap()
}

#[test]
fn the_full_report_with_a_failing_statement_is_valid() {
    assert_eq!(contract(&json(&sample::report())), Ok(()));
}

#[test]
fn a_finding_at_further_places_is_valid() {
    let mut report = sample::report();
    report.findings.push(report.findings[0].clone());
    let json = json(&report);
    assert_eq!(json["findings"][0]["further"].as_array().map(Vec::len), Some(1));
    assert_eq!(contract(&json), Ok(()));
}

#[test]
fn what_a_program_ran_is_valid() {
    assert_eq!(contract(&json(&sample::watched())), Ok(()));
}

#[test]
fn the_smallest_report_is_valid() {
    assert_eq!(contract(&json(&Report::new(Vec::new(), None, None, Vec::new()))), Ok(()));
}

#[test]
fn a_broken_report_is_refused() {
    let good = json(&sample::report());
    let broken: [(&str, Value); 7] = [
        ("/format_version", json!(2)),
        ("/verdict", json!("fine")),
        ("/findings/0/evidence/kind", json!("guessed")),
        ("/findings/0/location/line", json!(0)),
        ("/rehearsal/statements/0/locks/0/mode", json!("share")),
        ("/rehearsal/statements/0/duration_ms", json!("1 ms")),
        ("/queries/0/before/plan/children", json!([{}])),
    ];
    for (pointer, value) in broken {
        let mut report = good.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        assert!(contract(&report).is_err(), "{pointer}");
    }
}

#[test]
fn an_unknown_or_missing_property_is_refused() {
    let mut more = json(&sample::report());
    more["findings"][0]["extra"] = json!(1);
    assert!(contract(&more).is_err());
    let mut less = json(&sample::report());
    less.as_object_mut().unwrap().remove("verdict");
    assert!(contract(&less).is_err());
}

#[test]
fn rdjson_is_valid_by_reviewdogs_schema() {
    let schema = include_str!("../tests/fixtures/reviewdog-diagnostic-result.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    for report in [sample::report(), Report::new(Vec::new(), None, None, Vec::new())] {
        let text = rendered(Format::Rdjson, &report, &sample::sources(), 80);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(valid(&schema, &value), Ok(()));
        let mut wrong = value.clone();
        wrong["diagnostics"] = json!({});
        assert!(valid(&schema, &wrong).is_err());
    }
}

#[test]
fn sarif_is_valid_by_the_standards_schema() {
    let schema = include_str!("../tests/fixtures/sarif-schema-2.1.0.json");
    let mut schema: Value = serde_json::from_str(schema).unwrap();
    // The standard's one pattern has a stray bracket, which strict engines refuse; it belongs to
    // a property that we don't write.
    for owner in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][owner]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    for report in [sample::report(), Report::new(Vec::new(), None, None, Vec::new())] {
        let text = rendered(Format::Sarif, &report, &sample::sources(), 80);
        assert_eq!(valid(&schema, &serde_json::from_str(&text).unwrap()), Ok(()));
    }
}
