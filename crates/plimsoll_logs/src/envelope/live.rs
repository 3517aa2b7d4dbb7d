//! What an envelope holds, as it is written.

use std::io;

use super::{Envelope, Unwrapped};

impl Unwrapped<io::Empty> {
    /// Takes what is pushed, not read.
    #[must_use]
    pub fn pushed(envelope: Envelope, written_us: i64) -> Self {
        Self::new(io::empty(), envelope, written_us)
    }

    /// Takes the next bytes; the lines that are known to be whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(length) = self.unit(&buffer[at..]) {
            self.take(&buffer[at..at + length]);
            at += length;
        }
        buffer.drain(..at);
        self.buffer = buffer;
        std::mem::take(&mut self.out)
    }

    /// The lines to which nothing has come for a while.
    pub fn quiet(&mut self) -> Vec<u8> {
        self.joiner.end(&mut self.out);
        std::mem::take(&mut self.out)
    }
}
