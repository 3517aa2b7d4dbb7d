//! Reads and writes at a place, whole where possible.

use std::os::fd::AsFd;

use rustix::io::{Errno, pread, pwrite};

/// Fills the buffer up to the file's end, and returns how much that was.
pub(crate) fn read_fully(file: impl AsFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let mut filled = 0;
    while filled < buffer.len() {
        match pread(&file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes all the bytes, or fails.
pub(crate) fn write_fully(file: impl AsFd, bytes: &[u8], offset: u64) -> Result<(), Errno> {
    let mut written = 0;
    while written < bytes.len() {
        written += write_as_much(&file, &bytes[written..], offset + written as u64)?;
    }
    Ok(())
}

/// Writes as many bytes as there is room for; an error where not one could be written.
pub(crate) fn write_as_much(file: impl AsFd, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
    let mut written = 0;
    while written < bytes.len() {
        match pwrite(&file, &bytes[written..], offset + written as u64) {
            Ok(0) => return if written == 0 { Err(Errno::NOSPC) } else { Ok(written) },
            Ok(count) => written += count,
            Err(Errno::INTR) => {}
            Err(error) if written == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(written)
}
