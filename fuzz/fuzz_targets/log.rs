//! A server's log in any of its forms: no panic, and no more statements than messages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_traffic::log::read_log;

fuzz_target!(|text: &str| {
    let read = read_log(text);
    assert!(read.collector.statements() <= read.messages);
    let calls: u64 = read.collector.queries().iter().map(|query| query.calls()).sum();
    assert!(calls <= read.collector.statements());
    for query in read.collector.queries() {
        assert!(!query.samples.is_empty(), "{} was seen and has no sample", query.text);
    }
});
