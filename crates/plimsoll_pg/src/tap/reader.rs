//! Fields of a message's body, which may be cut short or malformed: what isn't there is `None`.

/// Reads from the beginning of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// So many bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    pub(super) fn int16(&mut self) -> Option<i16> {
        self.bytes(2).map(|bytes| i16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn int32(&mut self) -> Option<i32> {
        self.bytes(4).map(|bytes| i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A count of what follows; none if it is negative.
    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.int16()?).ok()
    }

    /// Up to the next zero byte, or to the end where the body is cut short.
    pub(super) fn string(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let text = &self.0[..end];
        self.0 = &self.0[(end + 1).min(self.0.len())..];
        text
    }

    /// A value with its length before it; `Some(None)` is NULL.
    pub(super) fn value(&mut self) -> Option<Option<&'a [u8]>> {
        match self.int32()? {
            -1 => Some(None),
            length => Some(Some(self.bytes(usize::try_from(length).ok()?)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_short_is_absent() {
        let mut reader = Reader(b"ab\0\0\x02\xff\xff\xff\xff\0\0\0\x09x");
        assert_eq!(reader.string(), b"ab");
        assert_eq!(reader.count(), Some(2));
        assert_eq!(reader.value(), Some(None));
        assert_eq!(reader.value(), None);
        assert_eq!(Reader(b"abc").string(), b"abc");
        assert_eq!(Reader(b"\xff\xff").count(), None);
    }
}
