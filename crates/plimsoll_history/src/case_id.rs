//! Ids that a person types: some characters of a comparison's digest, in an alphabet without letters that look alike.

/// Crockford's base 32, in small letters: no i, l, o or u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of an id, unless another one has the same: 40 bits.
pub(crate) const LENGTH: usize = 8;
/// Letters that may differ from an id that was meant.
const NEAR: usize = 2;

/// All the characters of a digest of hexadecimal digits, five bits each: 25 of 32 digits.
pub(crate) fn characters(digest: &str) -> String {
    let bits: Vec<u8> = digest
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .flat_map(|digit| (0..4).rev().map(move |bit| (digit >> bit & 1) as u8))
        .collect();
    let value = |five: &[u8]| five.iter().fold(0, |value, bit| value << 1 | usize::from(*bit));
    bits.chunks_exact(5).map(|five| char::from(ALPHABET[value(five)])).collect()
}

/// What was typed, as ids are written.
pub(crate) fn normal(typed: &str) -> String {
    let normal = typed.trim().chars().map(|letter| match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    });
    normal.collect()
}

/// Ids that may have been meant, the nearest first; three at most.
pub(crate) fn near(typed: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    let distance = |id: &str| strsim::osa_distance(typed, id);
    let mut near: Vec<(usize, String)> =
        known.map(|id| (distance(&id), id)).filter(|(away, _)| *away <= NEAR).collect();
    near.sort();
    near.into_iter().take(3).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_five_bits_a_letter() {
        assert_eq!(characters("00443214c7"), "01234567");
        assert_eq!(characters("ffffffffff"), "zzzzzzzz");
        assert_eq!(characters(&"0".repeat(32)).len(), 25);
    }

    #[test]
    fn letters_that_look_alike_are_digits() {
        assert_eq!(normal(" OIL8x "), "0118x");
    }

    #[test]
    fn the_nearest_comes_first() {
        let known = || ["abcdefgh", "abcdefgj", "zzzzzzzz"].map(String::from).into_iter();
        assert_eq!(near("abcdefgj", known()), ["abcdefgj", "abcdefgh"]);
        assert!(near("m", known()).is_empty());
    }
}
