//! Open files of all mounts of this process, never more than half of what the process may open.
//!
//! Kernel requests carry no file handle that we need: a file is opened at its first read or write and stays open until
//! another needs the place. Each can be opened again at any time, since neither folder changes behind our back.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// More than these would cost the kernel memory and save nothing.
const MOST: u64 = 8192;

static OPEN: LazyLock<Mutex<VecDeque<Weak<Descriptor>>>> = LazyLock::new(Mutex::default);
static LIMIT: LazyLock<usize> = LazyLock::new(|| {
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(MOST);
    usize::try_from((allowed / 2).clamp(16, MOST)).unwrap_or(16)
});

/// A file that is opened when it is needed.
#[derive(Debug, Default)]
pub(crate) struct Descriptor {
    opened: Mutex<Option<Arc<OwnedFd>>>,
    used: AtomicBool,
}

impl Descriptor {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The open file; `open` is called where it isn't open.
    pub(crate) fn get(
        self: &Arc<Self>,
        open: impl Fn() -> Result<OwnedFd, Errno>,
    ) -> Result<Arc<OwnedFd>, Errno> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*opened {
            self.used.store(true, Ordering::Relaxed);
            return Ok(Arc::clone(file));
        }
        let file = match open() {
            // Others of this process may have used up the rest.
            Err(Errno::MFILE | Errno::NFILE) => {
                close_beyond(0, self);
                open()?
            }
            other => other?,
        };
        let file = Arc::new(file);
        *opened = Some(Arc::clone(&file));
        drop(opened);
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).push_back(Arc::downgrade(self));
        close_beyond(*LIMIT, self);
        Ok(file)
    }
}

/// Closes the files that were opened first and not used since, but not `but`, until no more than `most` are open.
fn close_beyond(most: usize, but: &Arc<Descriptor>) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..2 * open.len() {
        if open.len() <= most {
            break;
        }
        let Some(oldest) = open.pop_front() else { break };
        let Some(descriptor) = oldest.upgrade() else { continue };
        if Arc::ptr_eq(&descriptor, but) || descriptor.used.swap(false, Ordering::Relaxed) {
            open.push_back(oldest);
        } else if let Ok(mut opened) = descriptor.opened.try_lock() {
            opened.take();
        } else {
            // Its owner waits for this very list, or is opening it.
            open.push_back(oldest);
        };
    }
}
