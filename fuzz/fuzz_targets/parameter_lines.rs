//! JSON lines to sets of values: ranges lie in the file, and no value holds a zero byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::SourceFile;
use plimsoll_fuzz::slice;
use plimsoll_sql::parameter_lines::parse_parameter_lines;

fuzz_target!(|text: &str| {
    match parse_parameter_lines(&SourceFile::new("queries/calls.jsonl", text)) {
        Ok(lines) => {
            for line in lines {
                assert!(slice(text, &line.range).starts_with(|first: char| first.is_whitespace() || first == '{'));
                let values = line.values.iter().filter_map(|(_, value)| value.as_deref());
                assert!(values.into_iter().all(|value| !value.contains('\0')));
            }
        }
        Err(error) => {
            slice(text, &error.range);
        }
    }
});
