//! A `log_line_prefix` that was changed within a log: lines that can't be read are looked at again, and a prefix found that
//! reads them. The thread that cuts blocks does it, so that the result doesn't depend on how many readers there are.

use crate::envelope::Envelope;
use crate::format::Format;
use crate::prefix::{Prefix, detect};
use crate::record::Record;
use crate::severity::Severity;
use crate::time::Clock;

/// Beyond a log's first block, one line in so many bytes is tried: cheap beside reading them all.
const STRIDE: usize = 16 << 10;
/// A log may change its prefix so often.
const MOST_PREFIXES: usize = 8;
/// A prefix is looked for so often; then what can't be read stays so.
const MOST_SEARCHES: usize = 32;
/// By so many lines.
const MOST_LINES: usize = 400;
const LONGEST_LINE: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    searches: usize,
}

impl Changes {
    /// Looks at what was read of a log since `from`; adds a prefix to the format if one is needed.
    pub(crate) fn look(&mut self, format: &mut Format, text: &[u8], from: usize, whole: Whole) {
        let Format::Stderr(prefix) = format else { return };
        while self.searches < MOST_SEARCHES && prefix.texts().count() < MOST_PREFIXES {
            let stride = if whole == Whole::Yes { 0 } else { STRIDE };
            if unreadable(prefix, text, from, stride).next().is_none() {
                return;
            }
            self.searches += 1;
            let sample = unreadable(prefix, text, from, 0).take(MOST_LINES).collect::<Vec<_>>().join("\n");
            let Some(found) = search(prefix, &sample) else { return };
            prefix.also(found);
        }
    }
}

/// Whether all lines are tried, or some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Yes,
    No,
}

/// A prefix that reads some of these lines, and tells when or by whom they were written.
fn search(prefix: &Prefix, sample: &str) -> Option<Prefix> {
    let is_wrapped = Envelope::inner(prefix.text()) != prefix.text();
    let found = if is_wrapped { detect(&Envelope::inner_lines(sample)) } else { detect(sample) }?;
    let tells = ['m', 't', 'n', 'p', 'c'].iter().any(|letter| found.has(*letter));
    match is_wrapped {
        true => Envelope::prefix(found.text()).ok(),
        false => tells.then_some(found),
    }
}

/// The lines that can't be read, one in a stride.
fn unreadable<'t>(
    prefix: &'t Prefix,
    text: &'t [u8],
    from: usize,
    stride: usize,
) -> impl Iterator<Item = &'t str> + 't {
    let mut at = from;
    std::iter::from_fn(move || {
        loop {
            let line = next_line(text, &mut at, stride)?;
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let line = line.trim_end_matches('\r');
            let mut record = Record::new(Severity::Log, "");
            let readable = line.is_empty() || prefix.read(line, &mut Clock::default(), &mut record).is_some();
            if !readable {
                return Some(line);
            }
        }
    })
}

/// The next whole line that doesn't go on with another, at least a stride further.
fn next_line<'t>(text: &'t [u8], at: &mut usize, stride: usize) -> Option<&'t [u8]> {
    loop {
        let start = *at;
        // Where a block begins, a line begins; anywhere else the rest of a line comes first.
        let begins = start == 0 || text.get(start.checked_sub(1)?) == Some(&b'\n');
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = start + memchr::memchr(b'\n', rest)?;
        *at = end + 1;
        if begins && text[start] != b'\t' {
            *at += stride;
            return Some(&text[start..end.min(start + LONGEST_LINE)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Scan;

    const OLD: &str = "2026-11-23 12:00:00.000 UTC [5] LOG:  x\n";
    const NEW: &str = "2026-11-23 12:00:00 UTC [5]: user=ann,db=shop,app=web,client=10.0.0.7 LOG:  y\n";

    fn check(log: &str, records: u64, prefixes: &[&str]) {
        for readers in [1, 2, 3] {
            let mut scan = Scan::new(readers);
            let format = Format::detect(&log[..log.len().min(256 << 10)]).unwrap();
            let Format::Stderr(prefix) = scan.read(&format, log.as_bytes()).unwrap() else {
                panic!("no stderr")
            };
            let counts = scan.summary().counts;
            assert_eq!((counts.records, counts.unparsed), (records, 0), "{readers} readers");
            assert_eq!(prefix.texts().collect::<Vec<_>>(), prefixes);
        }
    }

    #[test]
    fn a_changed_prefix_is_found() {
        let new = "%t [%p]: user=%u,db=%d,app=%a,client=%h ";
        check(&(OLD.repeat(9) + NEW), 10, &["%m [%p] ", new]);
        check(&(OLD.repeat(90_000) + &NEW.repeat(90_000)), 180_000, &["%m [%p] ", new]);
        check(&(OLD.repeat(90_000) + &NEW.repeat(2000) + &OLD.repeat(9000)), 101_000, &["%m [%p] ", new]);
    }

    #[test]
    fn what_is_no_log_stays_unread() {
        let mut scan = Scan::new(1);
        let log = OLD.to_owned() + &"garbage\n".repeat(1_000_000) + OLD;
        let format = Format::detect(OLD).unwrap();
        assert_eq!(scan.read(&format, log.as_bytes()).unwrap(), format);
        let counts = scan.summary().counts;
        assert_eq!((counts.records, counts.unparsed), (2, 1_000_000));
    }
}
