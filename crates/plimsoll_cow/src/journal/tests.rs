use std::ffi::OsString;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

fn arbitrary_change() -> impl Strategy<Value = Change> {
    let name = "[a-z]{0,12}".prop_map(OsString::from);
    let record = (
        any::<u32>(),
        any::<Option<(u32, u32)>>(),
        any::<Option<(i64, u32)>>(),
        any::<Option<String>>(),
        any::<Option<String>>(),
        0..5_usize,
        0..3_usize,
    )
        .prop_map(|(mode, owner, modified, origin, target, kind, content)| Record {
            kind: [Kind::File, Kind::Folder, Kind::Symlink, Kind::Fifo, Kind::Socket][kind],
            content: [Content::Lower, Content::Whole, Content::Blocks][content],
            mode,
            owner,
            modified,
            origin: origin.map(PathBuf::from),
            target: target.map(OsString::from),
        });
    prop_oneof![
        (any::<u64>(), record).prop_map(|(node, record)| Change::Node(node, record)),
        (any::<u64>(), name.clone(), any::<u64>()).prop_map(|(parent, name, node)| Change::Link {
            parent,
            name,
            node
        }),
        (any::<u64>(), name.clone()).prop_map(|(parent, name)| Change::Hide { parent, name }),
        (any::<u64>(), name).prop_map(|(parent, name)| Change::Remove { parent, name }),
        (any::<u64>(), any::<u64>(), any::<i32>())
            .prop_map(|(node, offset, errno)| Change::Lost(LostWrite { node, offset, errno })),
    ]
}

fn opened(path: &Path) -> (Journal, Vec<Change>) {
    let mut changes = Vec::new();
    let journal = Journal::open(path, |change| changes.push(change)).expect("it opens");
    (journal, changes)
}

proptest! {
    #[test]
    fn what_was_appended_is_read_again(records in prop::collection::vec(prop::collection::vec(arbitrary_change(), 1..5), 0..8)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, nothing) = opened(&path);
        prop_assert!(nothing.is_empty());
        for record in &records {
            journal.append(record, Room::Takes).unwrap();
        }
        drop(journal);
        prop_assert_eq!(opened(&path).1, records.concat());
    }

    #[test]
    fn a_cut_journal_ends_at_a_whole_record(records in prop::collection::vec(arbitrary_change(), 1..8), cut in any::<prop::sample::Index>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut journal, _) = opened(&path);
        for record in &records {
            journal.append(std::slice::from_ref(record), Room::Takes).unwrap();
        }
        drop(journal);
        let length = std::fs::metadata(&path).unwrap().len();
        let kept = cut.index(usize::try_from(length).unwrap()) as u64;
        File::options().write(true).open(&path).unwrap().set_len(kept).unwrap();
        let (mut journal, read) = opened(&path);
        prop_assert!(records.starts_with(&read));
        // What is added behind the cut is found again.
        journal.append(&records[..1], Room::Takes).unwrap();
        drop(journal);
        let (_, read) = opened(&path);
        prop_assert_eq!(read.last(), records.first());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), with_sum: bool) {
        let mut journal = MAGIC.to_vec();
        if with_sum {
            journal.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
            journal.extend(XxHash3_64::oneshot(&bytes).to_le_bytes());
        }
        journal.extend(&bytes);
        let length = replay(&journal, drop).unwrap();
        prop_assert!(length >= MAGIC.len() as u64);
        let _ = replay(&bytes, drop);
    }
}

#[test]
fn another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    std::fs::write(&path, b"plimsoll cow 2\n\0").unwrap();
    let error = Journal::open(&path, |_| {}).unwrap_err();
    assert!(error.to_string().contains("another version"), "{error}");
}

#[test]
fn a_compacted_journal_holds_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let (mut journal, _) = opened(&path);
    let hide = |name: &str| Change::Hide { parent: 1, name: name.into() };
    let many = vec![hide("a"); 1000];
    while !journal.wants_compaction() {
        journal.append(&many, Room::Takes).unwrap();
    }
    assert!(std::fs::metadata(&path).unwrap().len() > SMALL);
    assert!(opened(&path).0.wants_compaction(), "a large one is written anew when it is opened");
    journal.compact(&[hide("b")]);
    assert!(std::fs::metadata(&path).unwrap().len() < 100);
    journal.append(&[hide("c")], Room::Takes).unwrap();
    drop(journal);
    assert_eq!(opened(&path).1, [hide("b"), hide("c")]);
}
