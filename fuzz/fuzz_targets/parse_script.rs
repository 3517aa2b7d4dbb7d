//! Text to commands: every range of a statement, an error or a part lies where it should.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::{assert_statements_lie_in, slice};
use plimsoll_sql::Schema;
use plimsoll_sql::parse::parse_script;

fuzz_target!(|text: &str| {
    let (statements, meta_commands) = parse_script(text);
    assert_statements_lie_in(text, &statements);
    meta_commands.iter().for_each(|range| assert!(slice(text, range).starts_with('\\')));
    Schema::default().apply_script(&statements);
});
