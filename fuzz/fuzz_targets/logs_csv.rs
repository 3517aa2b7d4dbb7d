//! A csvlog of any bytes: no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::summary_bytes;
use plimsoll_logs::Format;

fuzz_target!(|bytes: &[u8]| {
    let _ = summary_bytes(&Format::Csv, bytes, 1);
});
