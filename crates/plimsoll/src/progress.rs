//! What is being done, on stderr, where that is a terminal.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line that tells the present step. Hidden when stderr is no terminal.
pub(crate) struct Progress {
    bar: RefCell<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar: RefCell::new(bar) }
    }

    pub(crate) fn step(&self, message: impl Into<String>) {
        let message: String = message.into();
        // A statement's first line is enough to know it by.
        let line = message.lines().next().unwrap_or_default().to_owned();
        self.bar.borrow().set_message(line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.borrow().finish_and_clear();
    }
}
