//! What a session's records have in common, read once: they begin alike but for the moment.

use twox_hash::XxHash3_64;

use crate::record::Record;

/// As many beginnings are known; another one with the same hash takes the place.
const MOST: usize = 512;
/// Beginnings are told apart by so many bytes from where the process stands.
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
    /// Fills in what a text begins with, if it is known; returns its length. The process stands at `process_at`, or nearby.
    pub(crate) fn get<'a>(&self, text: &'a str, process_at: usize, record: &mut Record<'a>) -> Option<usize> {
        let known = self.known.get(place(text.as_bytes(), process_at)?)?.as_ref()?;
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
    pub(crate) fn keep(&mut self, beginning: &str, process_at: usize, told: &Record<'_>) {
        self.kept(beginning, process_at, told);
    }

    fn kept(&mut self, beginning: &str, process_at: usize, told: &Record<'_>) -> Option<()> {
        let place = place(beginning.as_bytes(), process_at).filter(|_| beginning.len() <= LONGEST)?;
        let Record { application, user, database, host, backend, session, process, who, .. } = *told;
        let mut places = [(0, 0); 6];
        for (place, name) in places.iter_mut().zip([application, user, database, host, backend, session]) {
            // Where the same text stands twice, either place will do. One with escapes in the log stands nowhere.
            let start = beginning.find(name)?;
            *place = (start as u16, (start + name.len()) as u16);
        }
        if self.known.is_empty() {
            self.known.resize_with(MOST, || None);
        }
        self.known[place] = Some(Known { beginning: beginning.into(), process, places, who });
        Some(())
    }
}

fn place(text: &[u8], process_at: usize) -> Option<usize> {
    let around: &[u8; TOLD_APART] = text.get(process_at..)?.first_chunk()?;
    Some(XxHash3_64::oneshot(around) as usize % MOST)
}
