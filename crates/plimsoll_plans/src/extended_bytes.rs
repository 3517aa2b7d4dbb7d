//! The bytes of `pg_ndistinct` and `pg_dependencies` (`src/backend/statistics/mvdistinct.c`, `dependencies.c`), which are the same
//! in versions 12 to 18, in the byte order of the machine.

/// `STATS_NDISTINCT_MAGIC` and `STATS_NDISTINCT_TYPE_BASIC`.
const DISTINCT: [u32; 2] = [0xA352_BFA4, 1];
/// `STATS_DEPS_MAGIC` and `STATS_DEPS_TYPE_BASIC`.
const DEPENDENCIES: [u32; 2] = [0xB454_9A2C, 1];

/// Attributes by number, expressions below zero, with what is said of them.
type Items = Vec<(Vec<i16>, f64)>;

/// Reads `pg_ndistinct` from hexadecimal digits.
pub(crate) fn read_distinct(hex: &str) -> Option<Items> {
    read(hex, DISTINCT, |reader| {
        reader.take().map(i32::from_le_bytes).and_then(|count| usize::try_from(count).ok())
    })
}

/// Reads `pg_dependencies` from hexadecimal digits.
pub(crate) fn read_dependencies(hex: &str) -> Option<Items> {
    read(hex, DEPENDENCIES, |reader| {
        reader.take().map(i16::from_le_bytes).and_then(|count| usize::try_from(count).ok())
    })
}

/// The hexadecimal digits of `pg_ndistinct`.
pub(crate) fn write_distinct(items: &Items) -> String {
    write(items, DISTINCT, |count| i32::try_from(count).unwrap_or_default().to_le_bytes().to_vec())
}

/// The hexadecimal digits of `pg_dependencies`.
pub(crate) fn write_dependencies(items: &Items) -> String {
    write(items, DEPENDENCIES, |count| i16::try_from(count).unwrap_or_default().to_le_bytes().to_vec())
}

struct Reader {
    bytes: std::vec::IntoIter<u8>,
}

impl Reader {
    fn take<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let mut taken = [0; LENGTH];
        for byte in &mut taken {
            *byte = self.bytes.next()?;
        }
        Some(taken)
    }
}

fn read(hex: &str, magic: [u32; 2], count: impl Fn(&mut Reader) -> Option<usize>) -> Option<Items> {
    let digits: Vec<u8> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    let mut reader = Reader { bytes: digits.into_iter() };
    for expected in magic {
        if u32::from_le_bytes(reader.take()?) != expected {
            return None;
        }
    }
    let items = u32::from_le_bytes(reader.take()?);
    (0..items)
        .map(|_| {
            let value = f64::from_le_bytes(reader.take()?);
            let attributes = count(&mut reader)?;
            let numbers =
                (0..attributes).map(|_| reader.take().map(i16::from_le_bytes)).collect::<Option<Vec<_>>>()?;
            Some((numbers, value))
        })
        .collect()
}

fn write(items: &Items, magic: [u32; 2], count: impl Fn(usize) -> Vec<u8>) -> String {
    let mut bytes: Vec<u8> = magic.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(u32::try_from(items.len()).unwrap_or_default().to_le_bytes());
    for (attributes, value) in items {
        bytes.extend(value.to_le_bytes());
        bytes.extend(count(attributes.len()));
        bytes.extend(attributes.iter().flat_map(|number| number.to_le_bytes()));
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_a_server() {
        // pg_ndistinct of (1, 2) with 63 distinct pairs, as PostgreSQL 15 and 18 wrote it.
        let hex = "a4bf52a301000000010000000000000000804f400200000001000200";
        let items = read_distinct(hex).unwrap();
        assert_eq!(items, [(vec![1, 2], 63.0)]);
        assert_eq!(write_distinct(&items), hex);
        let dependencies = vec![(vec![1, -1], 0.25), (vec![3, 1, 2], 1.0)];
        assert_eq!(read_dependencies(&write_dependencies(&dependencies)), Some(dependencies));
        assert_eq!(read_dependencies(hex), None);
        assert_eq!(read_distinct(&hex[..40]), None);
    }
}
