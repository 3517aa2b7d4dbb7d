//! A summary of any bytes: refused, or written again as it was read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_logs::psum::{decode, encode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(summary) = decode(bytes) {
        let again = encode(&summary).expect("what was read can be written");
        assert!(decode(&again).expect("what was written can be read") == summary);
    }
});
