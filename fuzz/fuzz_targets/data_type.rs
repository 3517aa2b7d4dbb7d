//! Data types: what is printed is read as the same type, and a change to itself does nothing.
//! The input is types, one a line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_sql::DataType;
use plimsoll_sql::data_type::{TimeZone, TypeChange};
use plimsoll_sql::parse::parse_data_type;

fuzz_target!(|text: &str| {
    let types: Vec<DataType> = text.lines().take(4).filter_map(parse_data_type).collect();
    for from in &types {
        let shown = from.to_string();
        assert_eq!(parse_data_type(&shown).as_ref(), Some(from), "printed as {shown}");
        for to in &types {
            let change = from.change_to(to, TimeZone::Utc);
            assert!(from != to || change == TypeChange::Nothing);
            let _ = from.stored().change_to(&to.stored(), TimeZone::Other);
        }
    }
});
