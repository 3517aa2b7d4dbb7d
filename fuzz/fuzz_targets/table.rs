//! A table of any format is read or refused, and never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_table::{Format, Wanted, read_parquet_bytes, read_text};

fuzz_target!(|bytes: &[u8]| {
    let wanted = Wanted {
        label: "y".to_owned(),
        scores: vec!["s".to_owned()],
        group: Some("g".to_owned()),
        ..Wanted::default()
    };
    for format in [Format::Csv, Format::Tsv, Format::JsonLines] {
        let _ = read_text(bytes, format, &wanted);
    }
    let _ = read_parquet_bytes(bytes.to_vec(), &wanted);
});
