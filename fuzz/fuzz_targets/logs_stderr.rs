//! A stderr log, read by one reader or two: no panic, and the same summary.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::summary_bytes;
use plimsoll_logs::Format;

fuzz_target!(|bytes: &[u8]| {
    let Some(format) = Format::detect(&String::from_utf8_lossy(bytes)) else { return };
    assert!(summary_bytes(&format, bytes, 1) == summary_bytes(&format, bytes, 2));
});
