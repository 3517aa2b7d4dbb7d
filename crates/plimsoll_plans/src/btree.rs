//! Skeletons of B-trees: an index that holds next to nothing but is as high as the real one, since the planner charges for
//! each level (`src/include/access/nbtree.h`, `btcostestimate`).

/// Bytes of a page that are left for keys: without its header, the special space and the high key's pointer.
const USABLE_BYTES: u32 = 8_192 - 24 - 16;
/// How full the server packs pages that aren't leaves (`BTREE_NONLEAF_FILLFACTOR`), per cent.
const FILL: u32 = 70;
/// The longest key that fits (`BTMaxItemSize`).
const LONGEST_KEY_BYTES: u32 = 2_704;
/// A line pointer and a tuple's header.
const OVERHEAD_BYTES: u32 = 4 + 8;

/// A column of an index's key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct KeyColumn {
    /// Of a value.
    pub(crate) bytes: u32,
    /// Distinct values.
    pub(crate) distinct: f32,
}

/// How high an index of this many pages is with such a key. The metapage counts as a page, and not as a level.
pub(crate) fn estimated_height(pages: u32, key: &[KeyColumn]) -> u32 {
    let mut level = pages.saturating_sub(1);
    let key_bytes = separator_bytes(level, key).next_multiple_of(8).min(LONGEST_KEY_BYTES);
    let fan_out = (USABLE_BYTES * FILL / 100 / (OVERHEAD_BYTES + key_bytes)).max(2);
    let mut height = 0;
    while level > 1 {
        level = level.div_ceil(fan_out);
        height += 1;
    }
    height
}

/// Bytes of what stands between two leaves: as many columns as tell them apart, or all and the row's address.
fn separator_bytes(leaves: u32, key: &[KeyColumn]) -> u32 {
    const ADDRESS_BYTES: u32 = 8;
    let (mut bytes, mut distinct) = (0, 1.0);
    for column in key {
        bytes += column.bytes;
        distinct *= f64::from(column.distinct.max(1.0));
        if distinct >= f64::from(leaves) {
            return bytes;
        }
    }
    bytes + ADDRESS_BYTES
}

/// The numbers in a metapage that say where the tree begins: version, root, level, fast root and its level.
const ROOT: usize = 24 + 8;
const MAGIC: (usize, u32) = (24, 0x05_3162);
const SPECIAL: usize = 8_192 - 16;
/// The page was never written, or isn't a B-tree's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoBtree;

const LEAF: u16 = 1;
const ROOT_FLAG: u16 = 2;

/// Whether the index's entries stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entries {
    Kept,
    Removed,
}

/// Makes the first pages of an index, of a root that is a leaf at most, those of a tree of this height. Each level is one page
/// that leads to the next.
pub(crate) fn raise(pages: &mut Vec<u8>, height: u32, entries: Entries) -> Result<(), NoBtree> {
    let height = height.min(HIGHEST);
    if pages.len() < PAGE || word(pages, MAGIC.0) != MAGIC.1 {
        return Err(NoBtree);
    }
    let root = word(pages, ROOT);
    let is_leaf = root == 0 || (root == 1 && word(pages, ROOT + 4) == 0 && pages.len() >= 2 * PAGE);
    if !is_leaf {
        return Err(NoBtree);
    }
    pages.truncate(if root == 0 { PAGE } else { 2 * PAGE });
    if root == 0 || entries == Entries::Removed {
        pages.truncate(PAGE);
        pages.extend(leaf(height));
    }
    let at = PAGE + SPECIAL + 12;
    pages[at..at + 2].copy_from_slice(&leaf_flags(height).to_le_bytes());
    pages.extend(levels(height));
    pages[ROOT..ROOT + 16].copy_from_slice(&words(height));
    Ok(())
}

/// The height of the highest tree that is made; no index that fits a server is higher.
pub(crate) const HIGHEST: u32 = 6;

/// Root and height, and once more as what searches begin with: the words of a metapage.
pub(crate) fn words(height: u32) -> [u8; 16] {
    let mut words = [0; 16];
    for (position, word) in [height + 1, height, height + 1, height].into_iter().enumerate() {
        words[4 * position..4 * position + 4].copy_from_slice(&word.to_le_bytes());
    }
    words
}

/// An empty leaf.
pub(crate) fn leaf(height: u32) -> Vec<u8> {
    page(0, leaf_flags(height), None)
}

/// The pages above the leaf, one a level, the root last.
pub(crate) fn levels(height: u32) -> Vec<u8> {
    let flags = |level| if level == height { ROOT_FLAG } else { 0 };
    (1..=height).flat_map(|level| page(level, flags(level), Some(level))).collect()
}

fn leaf_flags(height: u32) -> u16 {
    if height == 0 { LEAF | ROOT_FLAG } else { LEAF }
}

/// The bytes of a page.
pub(crate) const PAGE: usize = 8_192;

fn word(pages: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&pages[at..at + 4]);
    u32::from_le_bytes(bytes)
}

/// A page that is the only one of its level, with a pointer to the page below or with nothing.
fn page(level: u32, flags: u16, below: Option<u32>) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    let special = u16::try_from(SPECIAL).unwrap_or_default();
    let (mut lower, mut upper) = (24_u16, special);
    if let Some(below) = below {
        // The least key there is, which has no attributes: eight bytes of header alone.
        (lower, upper) = (28, special - 8);
        let item = u32::from(upper) | 1 << 15 | 8 << 17;
        put(24, &item.to_le_bytes());
        let [low, low_2, high, high_2] = below.to_le_bytes();
        // A block number is stored by halves, the upper one first; then no attributes, and the flag that says so, and the size.
        put(usize::from(upper), &[high, high_2, low, low_2, 0, 0]);
        put(usize::from(upper) + 6, &(0x2000_u16 | 8).to_le_bytes());
    }
    put(12, &lower.to_le_bytes());
    put(14, &upper.to_le_bytes());
    put(16, &special.to_le_bytes());
    // The size of the page, and the version of its layout.
    put(18, &(8_192_u16 | 4).to_le_bytes());
    put(SPECIAL + 8, &level.to_le_bytes());
    put(SPECIAL + 12, &flags.to_le_bytes());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_those_of_real_indexes() {
        // Pages and heights of indexes on bigint that PostgreSQL 15 built, of no row, 1 row, 1,000, 100,000 and 1,000,000 rows.
        for (pages, height) in [(1, 0), (2, 0), (5, 1), (276, 1), (2_745, 2)] {
            let key = [KeyColumn { bytes: 8, distinct: 1e6 }];
            assert_eq!(estimated_height(pages, &key), height, "{pages}");
        }
    }

    #[test]
    fn what_tells_two_leaves_apart_is_all_that_counts() {
        // 60,000 rows of 15,000 orders, as PostgreSQL 15 and 18 had them: the line's number isn't needed.
        let key = [KeyColumn { bytes: 8, distinct: 15_000.0 }, KeyColumn { bytes: 4, distinct: 7.0 }];
        assert_eq!(estimated_height(233, &key), 1);
        assert_eq!(separator_bytes(300, &key[1..]), 12);
    }

    #[test]
    fn what_is_no_index_is_left_alone() {
        let mut pages = vec![0; 2 * PAGE];
        assert_eq!(raise(&mut pages, 2, Entries::Kept), Err(NoBtree));
        assert_eq!(pages, vec![0; 2 * PAGE]);
    }
}
