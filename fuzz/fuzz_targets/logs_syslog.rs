//! Syslog of any bytes: no panic, whether it comes at once or byte by byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::unwrapped;
use plimsoll_logs::Envelope;

fuzz_target!(|bytes: &[u8]| {
    assert!(unwrapped(Envelope::Syslog, bytes, 1) == unwrapped(Envelope::Syslog, bytes, 1 << 20));
});
