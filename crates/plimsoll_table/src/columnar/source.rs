//! Whether bytes are a Parquet file, whole, and how threads share one.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::error::TableError;

const MARK: &[u8] = b"PAR1";
const ENCRYPTED: &[u8] = b"PARE";
/// Both marks, and the footer's length.
const SHORTEST: u64 = 12;

pub(super) fn check_file(file: &File) -> Result<(), TableError> {
    let length = file.metadata()?.len();
    if length < SHORTEST {
        let mut all = vec![0; length as usize];
        file.read_exact_at(&mut all, 0)?;
        return check_bytes(&all);
    }
    let [mut first, mut last] = [[0; 4], [0; 4]];
    file.read_exact_at(&mut first, 0)?;
    file.read_exact_at(&mut last, length - 4)?;
    check(&first, &last)
}

pub(super) fn check_bytes(bytes: &[u8]) -> Result<(), TableError> {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        _ if bytes.is_empty() => Err(TableError::Empty),
        (Some(first), Some(last)) if bytes.len() as u64 >= SHORTEST => check(first, last),
        (Some(first), _) if first == MARK => Err(TableError::Truncated),
        _ => Err(TableError::NotParquet),
    }
}

fn check(first: &[u8], last: &[u8]) -> Result<(), TableError> {
    match (first, last) {
        (MARK, MARK) => Ok(()),
        (ENCRYPTED, _) | (_, ENCRYPTED) => Err(TableError::Encrypted),
        (MARK, _) => Err(TableError::Truncated),
        _ => Err(TableError::NotParquet),
    }
}

/// A file that several threads read, each at a place of its own: the file's own place would be shared.
#[derive(Debug)]
pub(super) struct Shared {
    file: Arc<File>,
    length: u64,
}

impl Shared {
    pub(super) fn new(file: File) -> Result<Self, TableError> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), length })
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Shared {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(From { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let is_within = start.checked_add(length as u64).is_some_and(|end| end <= self.length);
        if !is_within {
            return Err(ParquetError::EOF(format!("{length} bytes from {start} on aren't in the file")));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(Bytes::from(bytes))
    }
}

/// Reads on from a place.
#[derive(Debug)]
pub(super) struct From {
    file: Arc<File>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
