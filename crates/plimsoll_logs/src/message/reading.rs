//! Pieces of a message: numbers without floats, and what stands between two phrases.

/// A number at the text's begin, and what follows. None without a digit or above 64 bits.
pub(super) fn number(text: &str) -> Option<(u64, &str)> {
    let mut value: u64 = 0;
    let mut length = 0;
    for byte in text.bytes().take_while(u8::is_ascii_digit) {
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
        length += 1;
    }
    (length > 0).then(|| (value, &text[length..]))
}

/// A number at the text's begin that fits 32 bits, and what follows.
pub(super) fn small_number(text: &str) -> Option<(u32, &str)> {
    let (value, rest) = number(text)?;
    Some((u32::try_from(value).ok()?, rest))
}

/// A decimal of at most three places at the text's begin as thousandths, and what follows: `0.042` is 42.
pub(super) fn thousandths(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = number(text)?;
    let mut value = whole.checked_mul(1000)?;
    let Some(places) = rest.strip_prefix('.') else { return Some((value, rest)) };
    let digits = places.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, rest) = number(places)?;
    let scale = match digits {
        1 => 100,
        2 => 10,
        3 => 1,
        _ => return None,
    };
    value = value.checked_add(fraction * scale)?;
    Some((value, rest))
}

/// What stands after the first `before` and up to the next `after`.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// The whole number that stands before the first of these phrases that follows one: `12` of `3 hits, 12 misses` and ` misses`.
pub(super) fn count_before(text: &str, phrase: &str) -> Option<u64> {
    text.match_indices(phrase).find_map(|(at, _)| {
        let digits = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
        number(&text[at - digits..at]).map(|(value, _)| value)
    })
}

/// The decimal that stands behind a phrase, as thousandths.
pub(super) fn thousandths_behind(text: &str, phrase: &str) -> Option<u64> {
    let (_, rest) = text.split_once(phrase)?;
    thousandths(rest.trim_start()).map(|(value, _)| value)
}

/// The whole number that stands behind a phrase.
pub(super) fn count_behind(text: &str, phrase: &str) -> Option<u64> {
    let (_, rest) = text.split_once(phrase)?;
    number(rest.trim_start()).map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        for (text, expected) in [
            ("0.042 ms", Some((42, " ms"))),
            ("1 s", Some((1000, " s"))),
            ("12.3", Some((12_300, ""))),
            ("12.34x", Some((12_340, "x"))),
            ("9007199254740993.001", Some((9_007_199_254_740_993_001, ""))),
            ("1.2345", None),
            ("1.", None),
            (".5", None),
            ("", None),
            ("18446744073709551616", None),
            ("18446744073709551615", None),
        ] {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }

    #[test]
    fn counts_stand_before_their_words() {
        let text = "buffer usage: 3 hits, 12 misses, x dirtied";
        assert_eq!(count_before(text, " hits"), Some(3));
        assert_eq!(count_before(text, " misses"), Some(12));
        assert_eq!(count_before(text, " dirtied"), None);
        assert_eq!(count_before("dead removed, 4 removed", " removed"), Some(4));
        assert_eq!(count_behind("size 12", "size "), Some(12));
        assert_eq!(between("a \"b\" c", "\"", "\""), Some("b"));
    }
}
