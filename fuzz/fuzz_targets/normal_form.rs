//! A statement to its normal form: its values stand in order, blanks change nothing, and a template fits only what has its
//! form. The input is a statement, a line of `=== `, and another one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::slice;
use plimsoll_sql::NormalForm;
use plimsoll_sql::normal_form::{Template, before_literals};

fuzz_target!(|text: &str| {
    let (one, other) = text.split_once("=== \n").unwrap_or((text, text));
    let (mut form, mut other_form, mut places) = (NormalForm::default(), NormalForm::default(), Vec::new());
    let fingerprint = form.of(one);
    let mut end = 0;
    for value in form.values() {
        slice(one, &value.range);
        assert!(value.range.start >= end, "values are out of order");
        end = value.range.end;
    }
    assert_eq!(other_form.of(&format!("/* a */\n {one}")), fingerprint);
    let other_fingerprint = other_form.of(other);
    if Template::new(one, &form).fits(other, &mut places) {
        assert_eq!(fingerprint, other_fingerprint);
        assert_eq!(places, other_form.values());
        assert_eq!(before_literals(one), before_literals(other));
    }
});
