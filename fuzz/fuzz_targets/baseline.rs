//! A baseline's text to its records: what is read is written, and read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_regress::baseline::{read, write};

fuzz_target!(|text: &str| {
    match read(text) {
        Ok(baseline) => {
            let written = write(&baseline);
            let again = read(&written).expect("what was written is read");
            // Sizes and costs are rounded once.
            assert_eq!(written, write(&again));
        }
        Err(error) => assert!(error.line >= 1 && error.line <= text.lines().count().max(1)),
    }
});
