//! How fast tables of text are read. `cargo bench -p plimsoll_table`.

use std::fmt::Write as _;

use divan::Bencher;
use divan::counter::BytesCount;
use plimsoll_table::{Format, Wanted, read_text};

fn main() {
    divan::main();
}

/// Two million rows of a label and a score of all its digits.
#[divan::bench(args = ["csv", "json lines"], sample_count = 5)]
fn rows(bencher: Bencher, format: &str) {
    let (format, mut text) = match format {
        "csv" => (Format::Csv, "y,s\n".to_owned()),
        _ => (Format::JsonLines, String::new()),
    };
    for case in 0..2_000_000_u64 {
        let score = (case.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
        let label = u8::from(case % 1000 == 0);
        let written = match format {
            Format::JsonLines => writeln!(text, "{{\"y\":{label},\"s\":{score}}}"),
            _ => writeln!(text, "{label},{score}"),
        };
        written.expect("memory");
    }
    let wanted = Wanted { label: "y".to_owned(), scores: vec!["s".to_owned()], ..Wanted::default() };
    bencher
        .counter(BytesCount::new(text.len()))
        .bench(|| read_text(text.as_bytes(), format, &wanted).expect("a sound table"));
}
