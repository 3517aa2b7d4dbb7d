//! Values of production are neither in the file of a source nor in the files of a branch, and a schema of 500 tables is quick.

use std::hash::RandomState;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Instant;

use plimsoll_plans::{PlanSource, ValuePolicy, ValuesAre};

use super::support::{Branch, captured, full};

/// Rows with values that stand nowhere else, as most common ones, in histograms, at the ends, in arrays and ranges.
const PLANTED: &str = "create table sailors (id bigint primary key, name varchar(40), uid uuid, born date, paid numeric, seen timestamptz, notes text[], \
     stay int4range, form jsonb, raw bytea, code char(12), status text check (status in ('kept-by-schema')));
create index on sailors (name); create index on sailors (born); create index on sailors (lower(name)); create index on sailors (paid);
create index on sailors using gin (notes);
create statistics sailors_both (mcv) on name, code from sailors;
insert into sailors select 7000000000 + i * 7919, case when i % 3 = 0 then 'Quetzalcoatl' else 'Zyzzyva' || i end, \
     ('deadbeef-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, date '1903-05-07' + i * 13, 31337.25 + i * 1.5, timestamptz '1911-11-11 11:11:11+00' + i * interval '7 hours', \
     array['Xylophone' || i % 7, 'Wombat'], int4range(900000 + i * 5, 900001 + i * 9), jsonb_build_object('k', 'Vexillology'), convert_to('Unguiculate' || i, 'UTF8'), \
     'Tmesis' || i % 4, 'kept-by-schema' from generate_series(1, 500) i;
analyze";

/// As text, and as the server stores texts.
const TEXTS: [&str; 6] = ["Quetzalcoatl", "Zyzzyva", "Xylophone", "Wombat", "Vexillology", "Tmesis"];
/// As text only: the least and greatest, a UUID and bytes.
const OTHERS: [&str; 12] = [
    "7000007919",
    "7003959500",
    "deadbeef-0000-4000-8000-000000000001",
    "deadbeef-0000-4000-8000-000000000500",
    "1903-05-20",
    "1921-02-21",
    "31338.75",
    "32087.25",
    "1911-11-11 18:11:11",
    "900005",
    "quetzalcoatl",
    "556e6775",
];

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = path.symlink_metadata().expect("metadata");
        if metadata.is_dir() {
            files.extend(self::files(&path));
        } else if metadata.is_file() {
            files.push(path);
        }
    }
    files
}

/// What a folder takes on disk; holes take nothing.
pub(crate) fn megabytes(folder: &Path) -> u64 {
    files(folder).iter().map(|file| file.metadata().expect("a file").blocks()).sum::<u64>() * 512 / 1_000_000
}

async fn check_leaks(major: u32) {
    let server = full(major, "crew", &[PLANTED]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("source.json");
    let kept = captured(&server, "crew", major, ValuePolicy::Keep).await;
    kept.write(&path).expect("it is written");
    assert_eq!(PlanSource::read(&path).expect("it is read"), kept);
    let bytes = std::fs::read(&path).expect("it is there");
    for text in TEXTS.iter().chain(&OTHERS[..10]) {
        assert!(holds(&bytes, text), "{text} is planted well");
    }

    let pseudonymise = ValuePolicy::Pseudonymise { key: RandomState::new(), except: Vec::new() };
    let source = captured(&server, "crew", major, pseudonymise).await;
    assert_eq!(source.values, ValuesAre::Pseudonyms);
    source.write(&path).expect("it is written");
    let bytes = std::fs::read(&path).expect("it is there");
    for text in TEXTS.iter().chain(&OTHERS) {
        assert!(!holds(&bytes, text), "{text} leaks into the source");
    }
    assert!(holds(&bytes, "kept-by-schema"));
    assert!(source.left_out.iter().any(|left_out| left_out.contains("jsonb")), "{:?}", source.left_out);
    // Frequencies and counts are the same.
    for (kept, other) in kept.columns.iter().zip(&source.columns) {
        assert_eq!(
            (kept.statistics.distinct, kept.statistics.width),
            (other.statistics.distinct, other.statistics.width)
        );
        for slot in &other.statistics.slots {
            let twin = kept.statistics.slots.iter().find(|twin| twin.kind == slot.kind).expect("a twin");
            assert_eq!(twin.numbers, slot.numbers);
        }
    }
    let except =
        ValuePolicy::Pseudonymise { key: RandomState::new(), except: vec!["public.sailors.name".into()] };
    captured(&server, "crew", major, except).await.write(&path).expect("it is written");
    let bytes = std::fs::read(&path).expect("it is there");
    for (text, is_kept) in
        [("Quetzalcoatl", true), ("Zyzzyva", true), ("quetzalcoatl", false), ("Tmesis", false)]
    {
        assert_eq!(holds(&bytes, text), is_kept, "{text}");
    }
    let branch = Branch::make(&source, major).await;
    assert_eq!(branch.built.unrestored, []);
    let client = branch.connect().await;
    client.batch_execute("checkpoint").await.expect("it is written");
    for file in files(&branch.data) {
        let bytes = std::fs::read(&file).expect("a file");
        for text in TEXTS {
            assert!(!holds(&bytes, text), "{text} leaks into {}", file.display());
        }
    }
}

#[tokio::test]
async fn no_value_leaks_from_15() {
    check_leaks(15).await;
}

#[tokio::test]
async fn no_value_leaks_from_18() {
    check_leaks(18).await;
}

/// 500 tables of eight columns, with three indexes and a foreign key each.
pub(crate) const MANY: &str = include_str!("many.sql");

async fn check_many(major: u32) {
    let server = full(major, "many", &[MANY]).await;
    let started = Instant::now();
    let pseudonymise = ValuePolicy::Pseudonymise { key: RandomState::new(), except: Vec::new() };
    let source = captured(&server, "many", major, pseudonymise).await;
    let captured_in = started.elapsed();
    let branch = Branch::make(&source, major).await;
    assert_eq!(branch.built.unrestored, []);
    let megabytes = megabytes(&branch.data);
    println!("{major}: captured in {captured_in:?}, running after {:?}, {megabytes} MB", started.elapsed());
    assert!(megabytes < 75, "{megabytes} MB");
    let client = branch.connect().await;
    let tables = super::support::rows(
        &client,
        "select count(*) from pg_stats where schemaname = 'public' and attname = 'email'",
    )
    .await;
    assert_eq!(tables, [["500"]]);
}

#[tokio::test]
async fn five_hundred_tables_of_15_are_quick() {
    check_many(15).await;
}

#[tokio::test]
async fn five_hundred_tables_of_18_are_quick() {
    check_many(18).await;
}
