//! Eight bytes at a time: most fields of a record are so short that setting up a search by vector instructions costs more
//! than the search.
//!
//! Source of the test for a byte: H. S. Warren, "Hacker's Delight", 6.1.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// What is longer is left to vector instructions.
const SHORT: usize = 40;

/// Where the first of two bytes stands, from `at` on.
#[inline]
pub(crate) fn find_either(text: &[u8], at: usize, one: u8, other: u8) -> Option<usize> {
    let (one_each, other_each) = (u64::from(one) * LOW, u64::from(other) * LOW);
    let mut place = at;
    while place < at + SHORT {
        let Some(word) = word_at(text, place) else {
            let rest = text.get(place..)?;
            return rest.iter().position(|byte| *byte == one || *byte == other).map(|length| place + length);
        };
        let found = zero_bytes(word ^ one_each) | zero_bytes(word ^ other_each);
        if found != 0 {
            return Some(place + found.trailing_zeros() as usize / 8);
        }
        place += 8;
    }
    memchr::memchr2(one, other, &text[place..]).map(|length| place + length)
}

/// The eight bytes that stand there, the first one lowest.
#[inline]
pub(crate) fn word_at(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u64::from_le_bytes(*bytes))
}

/// As [`word_at`], with zeros behind the text's end.
#[inline]
pub(crate) fn padded_word_at(text: &[u8], at: usize) -> u64 {
    word_at(text, at).unwrap_or_else(|| {
        let rest = text.get(at..).unwrap_or_default().iter().take(8);
        rest.rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    })
}

/// The highest bit of each byte that is zero; bytes above the first such one may have theirs set, too.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_first_is_found(text in proptest::collection::vec(0_u8..6, 0..90), at in 0_usize..95) {
            let plain = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 1 || *byte == 5));
            let found = find_either(&text, at, 1, 5);
            proptest::prop_assert_eq!(found, plain.map(|length| at + length));
            proptest::prop_assert_eq!(word_at(&text, at).unwrap_or(padded_word_at(&text, at)), padded_word_at(&text, at));
            let rare = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 9));
            proptest::prop_assert_eq!(find_either(&text, at, 9, 9), rare.map(|length| at + length));
        }
    }
}
