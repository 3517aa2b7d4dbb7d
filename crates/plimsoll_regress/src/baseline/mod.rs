//! A baseline as text: line by line, sorted, made to be read in a review and merged by git.
//!
//! ```text
//! # plimsoll baseline 1. `plimsoll regress record` writes it: to be reviewed, not to be edited.
//! server 18
//! setting work_mem = 64kB
//!
//! query calls_of_ship
//! text 8c1f0a6be5d2417c
//! relation public.calls: 14000 rows, 120 pages
//! column public.calls.ship_id: bigint
//! index public.calls_ship_idx: CREATE INDEX calls_ship_idx ON public.calls USING btree (ship_id)
//! set default
//! result 12 rows, ordered, 5d41402abc4b2a76, b9719d911017c592
//! shared 14 hit, 0 read
//! read 12 rows
//! cost 43.25
//! -> Index Scan using calls_ship_idx on public.calls  (rows 12, expected 10, buffers 14)
//!      Index Cond: (ship_id = ?)
//! ```
//!
//! Sizes are rounded to two digits, so that they change when a table does and not from run to run. What is zero isn't written.

mod read;
mod write;

pub use read::{BaselineError, read};
pub use write::{rounded, write};

/// Version of the format; readers refuse others.
pub const FORMAT_VERSION: u32 = 1;

/// What every file begins with, before the version.
const HEAD: &str = "# plimsoll baseline ";

/// The same text without line breaks and other control characters.
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => plain.push_str("\\\\"),
            '\n' => plain.push_str("\\n"),
            letter if letter.is_control() || letter == '\u{2028}' || letter == '\u{2029}' => {
                plain.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            letter => plain.push(letter),
        }
    }
    plain
}

/// What [`escaped`] was given; none where it isn't its work.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\\') {
            plain.push('\\');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('n') {
            plain.push('\n');
            rest = after;
        } else {
            let (digits, after) = rest.strip_prefix("u{")?.split_once('}')?;
            plain.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
            rest = after;
        }
    }
    Some(plain + rest)
}

#[cfg(test)]
mod tests;
