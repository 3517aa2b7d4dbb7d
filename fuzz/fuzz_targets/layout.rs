//! A folder's files to migrations, by every layout. The input is the files, each headed by a line
//! of `=== ` and its name; the first header's name is the folder's.

#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::assert_migration_is_sound;
use plimsoll_sql::layout::{InputFile, LAYOUTS, Layout};

fuzz_target!(|text: &str| {
    let mut parts = text.split("=== ").skip(1).map(|part| part.split_once('\n').unwrap_or((part, "")));
    let Some((folder, _)) = parts.next() else { return };
    let files: Vec<InputFile> = parts
        .map(|(name, text)| InputFile {
            path: PathBuf::from(name),
            shown: Path::new(folder).join(name),
            text: text.into(),
        })
        .collect();
    for uses_sqlx in [false, true] {
        assert!(LAYOUTS.contains(Layout::detect(&files, Path::new(folder), uses_sqlx)));
    }
    for layout in LAYOUTS {
        let migrations = layout.migrations(&files, None);
        assert_eq!(migrations.len(), files.iter().filter(|file| layout.is_migration(&file.path)).count());
        migrations.iter().for_each(assert_migration_is_sound);
    }
});
