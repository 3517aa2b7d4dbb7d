//! Lines behind any log_line_prefix, which comes first: no panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::summary_bytes;
use plimsoll_logs::{Format, Prefix};

fuzz_target!(|text: &str| {
    let (prefix, lines) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(prefix) = Prefix::new(prefix) {
        let _ = summary_bytes(&Format::Stderr(prefix), lines.as_bytes(), 1);
    }
});
