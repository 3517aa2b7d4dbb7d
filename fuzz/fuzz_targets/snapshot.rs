//! A snapshot's text is read or refused with a place in it; what is read can be judged, and a whole one that is
//! cut is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::SourceFile;
use plimsoll_fuzz::{assert_location_lies_in, assert_statements_lie_in};
use plimsoll_lint::{SchemaPart, Settings, judge_schema};
use plimsoll_sql::Snapshot;
use plimsoll_sql::snapshot::{FORMAT_VERSION, HEAD, LAST_LINE};

fuzz_target!(|text: &str| {
    for text in [text.to_owned(), format!("{HEAD}{FORMAT_VERSION}\n{text}\n{LAST_LINE}\n")] {
        let source = SourceFile::new("schema.plimsoll", text);
        match Snapshot::read(source.clone()) {
            Err(error) => assert_location_lies_in(&source, &error.location),
            Ok(snapshot) => {
                assert_statements_lie_in(source.text(), &snapshot.statements);
                for finding in judge_schema(&[SchemaPart::Snapshot(&snapshot)], &Settings::default()).findings {
                    assert_location_lies_in(&source, &finding.location);
                }
            }
        }
    }
});
