//! Objects and the journal's export of any bytes: no panic, whether they come at once or in pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::unwrapped;
use plimsoll_logs::Envelope;

fuzz_target!(|bytes: &[u8]| {
    for envelope in [Envelope::Objects, Envelope::Export] {
        assert!(unwrapped(envelope, bytes, 3) == unwrapped(envelope, bytes, 1 << 20));
    }
});
