//! Which format a table is in: by its file's name, or by its first bytes.

use std::ffi::OsStr;
use std::path::Path;

use crate::text::BYTE_ORDER_MARK;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header, and cells between commas (RFC 4180).
    Csv,
    /// A header, and cells between tabs; quotes mean what they mean in CSV.
    Tsv,
    /// A JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// By the ending of a file's name, in any case; none where the ending tells nothing.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension().and_then(OsStr::to_str)?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "json" | "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// By a file's first bytes: Parquet's mark, a brace or bracket, or whether tabs are more than commas in the header.
    #[must_use]
    pub fn sniff(first: &[u8]) -> Self {
        if first.starts_with(b"PAR1") || first.starts_with(b"PARE") {
            return Self::Parquet;
        }
        let text = first.strip_prefix(BYTE_ORDER_MARK).unwrap_or(first).trim_ascii_start();
        if matches!(text.first(), Some(b'{' | b'[')) {
            return Self::JsonLines;
        }
        let header = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
        let count = |byte| memchr::memchr_iter(byte, header).count();
        if count(b'\t') > count(b',') { Self::Tsv } else { Self::Csv }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_format() {
        let of = |name| Format::of_name(Path::new(name));
        assert_eq!(of("a/cases.csv"), Some(Format::Csv));
        assert_eq!(of("cases.TAB"), Some(Format::Tsv));
        assert_eq!(of("cases.ndjson"), Some(Format::JsonLines));
        assert_eq!(of("cases.pq"), Some(Format::Parquet));
        assert_eq!(of("cases"), None);
        assert_eq!(of("csv"), None);
    }

    #[test]
    fn first_bytes_tell_the_format() {
        assert_eq!(Format::sniff(b"PAR1\x15"), Format::Parquet);
        assert_eq!(Format::sniff(b"\xef\xbb\xbf\n{\"a\":1}"), Format::JsonLines);
        assert_eq!(Format::sniff(b"a\tb,c\td\n1,2,3,4"), Format::Tsv);
        assert_eq!(Format::sniff(b"a,b\n1\t\t2"), Format::Csv);
        assert_eq!(Format::sniff(b""), Format::Csv);
    }
}
