//! Words of one length in the places of texts, in the texts' order by bytes.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// Places for each word, so that the next one can't be guessed.
const STRIDE: u64 = 1_000;
const LETTERS: u64 = 26;

#[derive(Default)]
pub(super) struct Words {
    words: BTreeMap<String, String>,
}

impl Words {
    pub(super) fn add(&mut self, text: &str) {
        if !self.words.contains_key(text) {
            self.words.insert(text.to_owned(), String::new());
        }
    }

    /// Chooses a word for each text, none of those taken.
    pub(super) fn choose(&mut self, key: &RandomState, taken: &HashSet<String>) {
        let places = self.words.len() as u64 * STRIDE;
        let mut length = 1;
        while LETTERS.pow(length) < places {
            length += 1;
        }
        for (rank, (text, word)) in self.words.iter_mut().enumerate() {
            let first = rank as u64 * STRIDE;
            let chosen = key.hash_one(text) % STRIDE;
            // Those taken are few: one of the stride is free.
            *word = (0..STRIDE)
                .map(|more| spelled(first + (chosen + more) % STRIDE, length))
                .find(|word| !taken.contains(word))
                .unwrap_or_default();
        }
    }

    pub(super) fn word(&self, text: &str) -> Option<String> {
        self.words.get(text).cloned()
    }
}

fn spelled(mut place: u64, length: u32) -> String {
    let mut letters = Vec::new();
    for _ in 0..length {
        letters.push(b'a' + u8::try_from(place % LETTERS).unwrap_or_default());
        place /= LETTERS;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}
