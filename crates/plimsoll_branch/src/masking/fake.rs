//! What `fake` and the `hash` of a whole number make of a value: permutations with a key, among the values of one shape.
//!
//! Both are Feistel networks of four rounds whose round function is SHA-256 of the key and of what is to stay (M. Luby and
//! C. Rackoff, 1988; over letters instead of bits as in NIST SP 800-38G). So different values stay different.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

/// Rounds of a Feistel network: with fewer, parts of a value would show.
const ROUNDS: usize = 4;
/// Most addresses are of few domains.
const MOST_DOMAINS: usize = 10_000;

/// Makes fakes with one key, for one database.
#[derive(Clone)]
pub(super) struct Faker {
    key: Vec<u8>,
    alphabets: Alphabets,
    /// Domains of addresses and their fakes, as far as they fit.
    domains: HashMap<String, String>,
}

impl Faker {
    /// `has` tells which characters the database's encoding has; all if none is given.
    pub(super) fn new(key: Vec<u8>, has: Option<HashSet<char>>) -> Self {
        Self { key, alphabets: Alphabets { has, known: HashMap::new() }, domains: HashMap::new() }
    }

    /// As long as the original, letter for letter. Of an e-mail address the last label stays, and what has one domain still
    /// has.
    pub(super) fn text(&mut self, value: &str) -> String {
        let Some((local, domain)) = email(value) else { return self.cipher(value, "text", false) };
        let ending = domain.rfind('.').filter(|dot| {
            let label = &domain[dot + 1..];
            !label.is_empty() && label.chars().all(char::is_alphabetic)
        });
        let (name, ending) = domain.split_at(ending.unwrap_or(domain.len()));
        let lowered: String = domain.chars().map(lower).collect();
        let local = self.cipher(local, &format!("local@{lowered}"), false);
        if !self.domains.contains_key(name) {
            let fake = self.cipher(name, "domain", false);
            if self.domains.len() >= MOST_DOMAINS {
                self.domains.clear();
            }
            self.domains.insert(name.to_owned(), fake);
        }
        format!("{local}@{}{ending}", self.domains[name])
    }

    /// Bytes that are text in no encoding that is known: each above 127 becomes another one of those.
    pub(super) fn bytes(&mut self, value: &[u8]) -> Vec<u8> {
        if let Ok(text) = std::str::from_utf8(value) {
            return self.text(text).into_bytes();
        }
        let letters: Vec<Letter> = value
            .iter()
            .map(|byte| match byte {
                128.. => Letter { alphabet: Alphabet::Bytes, place: u32::from(byte - 128), is_upper: false },
                _ => self.alphabets.letter(char::from(*byte)),
            })
            .collect();
        let places = self.shuffled(&letters, "text");
        let changed = letters.iter().zip(places).map(|(letter, place)| match letter.alphabet {
            Alphabet::Bytes => u8::try_from(place + 128).unwrap_or(u8::MAX),
            // ASCII becomes ASCII.
            _ => u8::try_from(self.alphabets.char(*letter, place)).unwrap_or(b'?'),
        });
        changed.collect()
    }

    /// As many digits, the sign and the point in their places, and in the same part of the range.
    pub(super) fn number(&mut self, value: &str, range: Range) -> String {
        let part = range.part(value);
        if part == TOO_GREAT_FLOAT && value.ends_with(|letter: char| letter.is_ascii_digit()) {
            // As `numeric`, the greatest floats are rounded to what is none any more.
            let mut fake = self.cipher(value, "number", true);
            let first = usize::from(fake.starts_with('-'));
            fake.replace_range(first..first + 2, "10");
            return fake;
        }
        let mut fake = value.to_owned();
        loop {
            // A permutation comes back to where it began; before that, to many of each part, since those have much of each
            // number of digits.
            fake = self.cipher(&fake, "number", true);
            if range.part(&fake) == part {
                return fake;
            }
        }
    }

    /// Another number of the same size: of those below 2³¹, and of those above; where a column of the group is a
    /// `smallint`, of those below 2¹⁵, too. So it fits the type.
    pub(super) fn integer(&self, value: i64, is_narrow: bool) -> i64 {
        let Ok(positive) = u64::try_from(value) else {
            return -1 - self.integer(-1 - value, is_narrow);
        };
        let (half, least, most) = match positive {
            0..0x8000 if is_narrow => (8, 0, 0x7fff),
            0..0x8000_0000 => (16, if is_narrow { 0x8000 } else { 0 }, 0x7fff_ffff),
            _ => (32, 0x8000_0000, i64::MAX as u64),
        };
        let mask = (1_u64 << half) - 1;
        let mut x = positive;
        loop {
            let (mut high, mut low) = ((x >> half) & mask, x & mask);
            for round in 1..=ROUNDS {
                let digest = self.digest(&format!("integer{half}/{round}"), low.to_string().as_bytes());
                let drawn = u64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]));
                (high, low) = (low, high ^ (drawn & mask));
            }
            x = (high << half) | low;
            if (least..=most).contains(&x) {
                return i64::try_from(x).unwrap_or(i64::MAX);
            }
        }
    }

    fn digest(&self, salt: &str, value: &[u8]) -> [u8; 32] {
        let inner = Sha256::new().chain_update(salt).chain_update([0x1f]).chain_update(value).finalize();
        Sha256::new().chain_update(&self.key).chain_update(inner).finalize().into()
    }

    /// Digits become digits, letters letters of their case and script; all else stays. Case doesn't count: what differs in
    /// case alone still does. In a number, digits alone change, zeros in front stay, and no new ones come.
    fn cipher(&mut self, value: &str, salt: &str, is_number: bool) -> String {
        let letters: Vec<Letter> = if is_number {
            numerals(value)
        } else {
            value.chars().map(|letter| self.alphabets.letter(letter)).collect()
        };
        let places = self.shuffled(&letters, salt);
        letters.iter().zip(places).map(|(letter, place)| self.alphabets.char(*letter, place)).collect()
    }

    /// The new places of letters in their alphabets.
    fn shuffled(&self, letters: &[Letter], salt: &str) -> Vec<u32> {
        let sizes: Vec<u32> = letters.iter().map(|letter| self.alphabets.size(*letter)).collect();
        let moving: Vec<usize> = (0..letters.len()).filter(|index| sizes[*index] > 1).collect();
        let mut places: Vec<u32> = letters.iter().map(|letter| letter.place).collect();
        let mut shape = Vec::with_capacity(8 * letters.len());
        for letter in letters {
            let stays = self.alphabets.size(*letter) <= 1;
            shape.extend(letter.alphabet.number().to_be_bytes());
            shape.extend(if stays { letter.place } else { u32::MAX }.to_be_bytes());
        }
        let (left, right) = moving.split_at(moving.len() / 2);
        for round in 0..ROUNDS {
            let (source, target) = if round % 2 == 0 { (left, right) } else { (right, left) };
            let mut known = shape.clone();
            for index in source {
                known.extend(places[*index].to_be_bytes());
            }
            // Eight letters take what one digest gives; the next eight, the digest of that.
            let mut stream = self.digest(&format!("shape/{salt}/{round}"), &known);
            for (block, indices) in target.chunks(8).enumerate() {
                if block > 0 {
                    stream = self.digest("stream", &stream);
                }
                for (index, four) in indices.iter().zip(stream.chunks_exact(4)) {
                    let drawn = four.iter().fold(0_u64, |drawn, byte| drawn << 8 | u64::from(*byte));
                    let place = (u64::from(places[*index]) + drawn) % u64::from(sizes[*index]);
                    places[*index] = u32::try_from(place).unwrap_or_default();
                }
            }
        }
        places
    }
}

/// What a fake of a number has to fit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Range {
    /// It has no limits but its digits.
    Any,
    /// Whole numbers of any size, or others that are joined with such: each has its fake among those that fit the same types.
    /// Where a column of the group is a `smallint`, that is one of them.
    Whole { is_narrow: bool },
    /// `real`: neither infinite nor 0 for what isn't.
    Real,
    /// `double precision`, likewise.
    Double,
}

/// The part of what a float can't hold; no whole number has it.
const TOO_GREAT_FLOAT: u8 = 5;

impl Range {
    /// Fakes come from the same part as what they are of.
    fn part(self, value: &str) -> u8 {
        let of_float = |is_zero: bool, is_finite: bool| match (is_zero, is_finite) {
            (true, _) => 0,
            (_, true) => 1,
            (_, false) => TOO_GREAT_FLOAT,
        };
        match self {
            Self::Any => 0,
            Self::Whole { is_narrow } => {
                let digits = value.trim_start_matches('-');
                let Ok(size) = digits.parse::<u128>() else { return 4 };
                // Of negative numbers, each type has one more.
                let size = size.saturating_sub(u128::from(digits.len() < value.len()));
                let limits = [i16::MAX as u128, i32::MAX as u128, i64::MAX as u128];
                let part = limits.iter().filter(|limit| size > **limit).count();
                u8::try_from(if is_narrow { part } else { part.max(1) }).unwrap_or_default()
            }
            Self::Real => value.parse::<f32>().map_or(4, |value| of_float(value == 0.0, value.is_finite())),
            Self::Double => value.parse::<f64>().map_or(4, |value| of_float(value == 0.0, value.is_finite())),
        }
    }
}

/// The two sides of an e-mail address.
fn email(value: &str) -> Option<(&str, &str)> {
    let (local, domain) = value.split_once('@')?;
    let is_one = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
    (is_one && !value.contains(char::is_whitespace)).then_some((local, domain))
}

/// In lower case, if that is one character.
fn lower(letter: char) -> char {
    let mut lowered = letter.to_lowercase();
    match (lowered.next(), lowered.next()) {
        (Some(lowered), None) => lowered,
        _ => letter,
    }
}

/// In upper case, if that is one character whose lower case is this one.
fn upper(letter: char) -> Option<char> {
    let mut raised = letter.to_uppercase();
    let only = raised.next().filter(|_| raised.next().is_none())?;
    (only != letter && lower(only) == letter).then_some(only)
}

fn numerals(value: &str) -> Vec<Letter> {
    let mut is_first = true;
    let letters = value.chars().map(|letter| match (letter, is_first) {
        ('1'..='9', true) => {
            is_first = false;
            Letter {
                alphabet: Alphabet::FirstDigit,
                place: u32::from(letter) - u32::from('1'),
                is_upper: false,
            }
        }
        ('0'..='9', false) => {
            Letter { alphabet: Alphabet::Digits, place: u32::from(letter) - u32::from('0'), is_upper: false }
        }
        _ => Letter { alphabet: Alphabet::Fixed, place: u32::from(letter), is_upper: false },
    });
    letters.collect()
}

/// Whatever letters other than those of ASCII may become.
pub(super) fn letters() -> impl Iterator<Item = char> {
    (OTHERS.start..OTHERS.end).filter_map(char::from_u32).filter(|letter| letter.is_alphabetic())
}

/// The codes of scripts that have letters.
const OTHERS: std::ops::Range<u32> = 0xa0..0xd800;

/// A character as its place among those that it may become.
#[derive(Clone, Copy, Debug)]
struct Letter {
    alphabet: Alphabet,
    place: u32,
    is_upper: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Alphabet {
    /// What stays: its place is its code.
    Fixed,
    Latin,
    Digits,
    FirstDigit,
    /// Bytes above 127.
    Bytes,
    /// The letters that have two cases, of a block that begins at this code.
    Cased(u32),
    /// Those that have one.
    Caseless(u32),
}

impl Alphabet {
    /// Tells alphabets apart.
    fn number(self) -> u32 {
        match self {
            Self::Fixed => 0,
            Self::Latin => 1,
            Self::Digits => 2,
            Self::FirstDigit => 3,
            Self::Bytes => 4,
            Self::Cased(first) => 2 * first,
            Self::Caseless(first) => 2 * first + 1,
        }
    }
}

/// The letters of each script, as far as a database has them.
#[derive(Clone)]
struct Alphabets {
    has: Option<HashSet<char>>,
    known: HashMap<Alphabet, Vec<char>>,
}

impl Alphabets {
    fn letter(&mut self, letter: char) -> Letter {
        let lowered = lower(letter);
        let is_upper = lowered != letter;
        let fixed = Letter { alphabet: Alphabet::Fixed, place: u32::from(letter), is_upper: false };
        let of = |alphabet, first: char| Letter {
            alphabet,
            place: u32::from(lowered) - u32::from(first),
            is_upper,
        };
        let size = match lowered {
            'a'..='z' => return of(Alphabet::Latin, 'a'),
            '0'..='9' => return of(Alphabet::Digits, '0'),
            '\u{c0}'..'\u{2000}' => 32,
            '\u{3040}'..='\u{d7ff}' => 64,
            _ => return fixed,
        };
        let first = u32::from(lowered) / size * size;
        for alphabet in [Alphabet::Cased(first), Alphabet::Caseless(first)] {
            let letters = self.letters(alphabet, size);
            if let Some(place) = letters.iter().position(|known| *known == lowered) {
                let place = u32::try_from(place).unwrap_or_default();
                return Letter { alphabet, place, is_upper };
            }
        }
        fixed
    }

    fn letters(&mut self, alphabet: Alphabet, size: u32) -> &[char] {
        let (first, is_cased) = match alphabet {
            Alphabet::Cased(first) => (first, true),
            Alphabet::Caseless(first) => (first, false),
            _ => return &[],
        };
        let has = self.has.as_ref();
        let is_there = |letter: char| has.is_none_or(|has| has.contains(&letter));
        self.known.entry(alphabet).or_insert_with(|| {
            let all = (first..first + size).filter_map(char::from_u32);
            let lowered = all.filter(|letter| letter.is_alphabetic() && lower(*letter) == *letter);
            let cased = lowered
                .filter(|letter| upper(*letter).is_some_and(is_there) == is_cased && is_there(*letter));
            cased.collect()
        })
    }

    fn size(&self, letter: Letter) -> u32 {
        match letter.alphabet {
            Alphabet::Fixed => 1,
            Alphabet::Latin => 26,
            Alphabet::Digits => 10,
            Alphabet::FirstDigit => 9,
            Alphabet::Bytes => 128,
            known => u32::try_from(self.known.get(&known).map_or(1, Vec::len)).unwrap_or(1),
        }
    }

    fn char(&self, letter: Letter, place: u32) -> char {
        let from = |first: char| char::from_u32(u32::from(first) + place).unwrap_or(first);
        let lowered = match letter.alphabet {
            Alphabet::Fixed => from('\0'),
            Alphabet::Latin => from('a'),
            Alphabet::Digits => from('0'),
            Alphabet::FirstDigit => from('1'),
            Alphabet::Bytes => from('\u{80}'),
            known => {
                let letters = self.known.get(&known).map_or(&[][..], Vec::as_slice);
                letters.get(place as usize).copied().unwrap_or_default()
            }
        };
        if letter.is_upper { upper(lowered).unwrap_or(lowered) } else { lowered }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faker() -> Faker {
        Faker::new(b"a secret of the company".to_vec(), None)
    }

    fn kind(letter: char) -> (bool, bool, bool, usize) {
        (letter.is_alphabetic(), letter.is_numeric(), letter.is_uppercase(), letter.len_utf8())
    }

    #[test]
    fn shapes_stay() {
        let mut faker = faker();
        let fake = faker.text("Jörg Müller-Ñandú, 12 Straße");
        assert_eq!(
            fake.chars().map(kind).collect::<Vec<_>>(),
            "Jörg Müller-Ñandú, 12 Straße".chars().map(kind).collect::<Vec<_>>()
        );
        assert_ne!(fake, "Jörg Müller-Ñandú, 12 Straße");
        let [one, other] = ["Ann@Example.co.uk", "bob@example.co.uk"].map(|text| faker.text(text));
        let (one, other) = (email(&one).unwrap(), email(&other).unwrap());
        assert!(one.1.ends_with(".uk") && one.1.eq_ignore_ascii_case(other.1) && one.1 != "Example.co.uk");
        assert_eq!(faker.number("-007.50", Range::Any).len(), 7);
        assert!(faker.number("-007.50", Range::Any).starts_with("-00"));
        assert_eq!(faker.number("NaN", Range::Whole { is_narrow: true }), "NaN");
        assert_eq!(faker.text("…🙂 -"), "…🙂 -");
        assert_eq!(faker.text(""), "");
    }

    #[test]
    fn a_value_keeps_to_what_the_encoding_has() {
        let latin: HashSet<char> = ('\u{a0}'..='\u{ff}').collect();
        let mut faker = Faker::new(b"a secret of the company".to_vec(), Some(latin));
        for text in ["ÀÉÎÕÜ àéîõü ÿþð", "ŸŽ", "ßß"] {
            let fake = faker.text(text);
            assert!(
                fake.chars().zip(text.chars()).all(|(new, old)| new == old || u32::from(new) < 256),
                "{fake}"
            );
        }
    }

    #[test]
    fn a_hundred_thousand_numbers_stay_different() {
        let faker = faker();
        let numbers: HashSet<i64> = (0..100_000).map(|number| faker.integer(number, false)).collect();
        assert_eq!(numbers.len(), 100_000);
        let narrow: HashSet<i64> = (0..0x8000).map(|number| faker.integer(number, true)).collect();
        assert_eq!(narrow, (0..0x8000).collect());
        let mut faker = faker;
        let digits: HashSet<String> =
            (100..1000).map(|number| faker.number(&number.to_string(), Range::Any)).collect();
        assert_eq!(digits.len(), 900);
    }

    #[test]
    fn a_walk_from_the_greatest_number_is_a_walk() {
        let mut faker = faker();
        let mut value = format!("179769313486232{}", "0".repeat(294));
        let mut finite = 0;
        for _ in 0..300 {
            value = faker.cipher(&value, "number", true);
            finite += usize::from(value.parse::<f64>().unwrap().is_finite());
        }
        // A first digit of 1 in nine, and then not too much: 9 % of them.
        assert!((5..70).contains(&finite), "{finite}");
    }

    #[test]
    fn fakes_of_numbers_fit_their_types() {
        let mut faker = faker();
        for is_narrow in [false, true] {
            for least in [i64::from(i16::MIN), i64::from(i32::MIN), i64::MIN] {
                for value in [least, least + 1, -1 - least, -2 - least] {
                    let fake: i64 =
                        faker.number(&value.to_string(), Range::Whole { is_narrow }).parse().unwrap();
                    let fits = |value: i64| {
                        (i16::try_from(value).is_ok() && is_narrow, i32::try_from(value).is_ok())
                    };
                    assert_eq!(fits(fake), fits(value), "{value}: {fake}");
                }
            }
            // Of a bigint that a smallint refers to.
            assert_ne!(faker.number("12345678901234", Range::Whole { is_narrow }), "12345678901234");
        }
        let digits = |value: f64| format!("{value:.400}");
        let rounded = format!("179769313486232{}", "0".repeat(294));
        let values = [f64::MAX, -f64::MAX, 5e-324, 1e-300, 0.0].map(|value| (value, digits(value)));
        for (value, text) in values.into_iter().chain([(f64::MAX, rounded)]) {
            let fake: f64 = faker.number(&text, Range::Double).parse().unwrap();
            assert!(fake.is_finite() && (fake == 0.0) == (value == 0.0), "{value}: {fake}");
        }
        let fake: f32 = faker.number(&f32::MAX.to_string(), Range::Real).parse().unwrap();
        assert!(fake.is_finite());
    }

    proptest! {
        #[test]
        fn fakes_have_the_shape_of_what_they_are_of(text in "\\PC{0,40}") {
            let mut faker = faker();
            let fake = faker.text(&text);
            prop_assert_eq!(fake.chars().count(), text.chars().count());
            for (new, old) in fake.chars().zip(text.chars()) {
                prop_assert_eq!(new.is_alphanumeric(), old.is_alphanumeric());
                prop_assert_eq!(upper(lower(new)).is_some() && new != lower(new), upper(lower(old)).is_some() && old != lower(old));
            }
            prop_assert_eq!(faker.text(&text), fake);
        }

        #[test]
        fn case_alone_is_no_difference(text in "[a-zA-ZäöüÄÖÜа-яА-Я0-9@. -]{0,40}") {
            let mut faker = faker();
            let lowered = |text: &str| text.chars().map(lower).collect::<String>();
            prop_assert_eq!(lowered(&faker.text(&text)), faker.text(&lowered(&text)));
        }

        #[test]
        fn whole_numbers_keep_their_size(value: i64, is_narrow: bool) {
            let fake = faker().integer(value, is_narrow);
            prop_assert_eq!(fake < 0, value < 0);
            prop_assert_eq!(i32::try_from(fake).is_ok(), i32::try_from(value).is_ok());
            prop_assert!(!is_narrow || i16::try_from(fake).is_ok() == i16::try_from(value).is_ok());
        }

        #[test]
        fn any_bytes_stay_as_many(value: Vec<u8>) {
            prop_assert_eq!(faker().bytes(&value).len(), value.len());
        }
    }
}
