//! A plan's text is read or refused with a place in it; what is read can be judged, and no time is negative.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_explain::{Figures, advice, from_json, from_log, from_text, from_xml, from_yaml, read};

fuzz_target!(|text: &str| {
    for reader in [read, from_json, from_text, from_yaml, from_xml] {
        match reader(text) {
            Err(error) => assert!(error.line >= 1 && error.line <= text.lines().count() + 1 && error.column >= 1),
            Ok(plans) => {
                for plan in plans {
                    let figures = Figures::of(&plan.root);
                    assert!(figures.nodes.iter().all(|one| one.own_ms.is_none_or(|ms| ms >= 0.0)));
                    drop(advice::of(&plan, &figures));
                }
            }
        }
    }
    drop(from_log(text));
});
