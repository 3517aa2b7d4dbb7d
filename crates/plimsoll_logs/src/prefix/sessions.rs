//! What stands before the messages of a session, read once: its lines begin alike but for the moment.

use twox_hash::XxHash3_64;

use crate::record::Record;

/// As many beginnings are known; another one with the same hash takes the place.
const MOST: usize = 512;
/// Beginnings are told apart by so many bytes, which hold the process in most settings.
const TOLD_APART: usize = 16;
/// Longer ones aren't kept.
const LONGEST: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    known: Vec<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    beginning: Box<str>,
    process: u32,
    /// Where the application, user, database, host, backend and session stand in it.
    places: [(u16, u16); 6],
    who: u64,
}

impl Sessions {
    /// Fills in what a text begins with, if it is known; returns its length.
    pub(super) fn get<'a>(&self, text: &'a str, record: &mut Record<'a>) -> Option<usize> {
        let known = self.known.get(place(text.as_bytes())?)?.as_ref()?;
        if !text.starts_with(&*known.beginning) {
            return None;
        }
        let get = |number: usize| {
            let (start, end) = known.places[number];
            &text[usize::from(start)..usize::from(end)]
        };
        record.application = get(0);
        record.user = get(1);
        record.database = get(2);
        record.host = get(3);
        record.backend = get(4);
        // What varies may have told these already.
        if known.process != 0 {
            record.process = known.process;
        }
        if !get(5).is_empty() {
            record.session = get(5);
        }
        record.who = known.who;
        Some(known.beginning.len())
    }

    /// Keeps a beginning, and what it tells.
    pub(super) fn keep(&mut self, beginning: &str, told: &Record<'_>) {
        let Some(place) = place(beginning.as_bytes()).filter(|_| beginning.len() <= LONGEST) else { return };
        let Record { application, user, database, host, backend, session, process, who, .. } = *told;
        // Where the same text stands twice, either place will do.
        let stands = |text: &str| {
            let start = beginning.find(text).unwrap_or(0);
            (start as u16, (start + text.len()) as u16)
        };
        let places = [application, user, database, host, backend, session].map(stands);
        if self.known.is_empty() {
            self.known.resize_with(MOST, || None);
        }
        self.known[place] = Some(Known { beginning: beginning.into(), process, places, who });
    }
}

fn place(text: &[u8]) -> Option<usize> {
    let beginning: &[u8; TOLD_APART] = text.first_chunk()?;
    Some(XxHash3_64::oneshot(beginning) as usize % MOST)
}
