//! Random file operations, done to a view and to a plain folder: both must end the same, through kills and mounts.

mod operation;
mod through_overlay;

use std::path::Path;

use proptest::prelude::*;

use crate::options::MountOptions;
use crate::overlay::Overlay;
use crate::store::Store;
use operation::{Operation, arbitrary_operations, fill_lower, photograph};
use through_overlay::Direct;

fn reopened(folder: &Path) -> Overlay {
    let store = Store::open(&folder.join("lower"), &folder.join("delta")).unwrap().expect("nobody has it");
    Overlay::open(store, None, crate::Durability::Process).unwrap()
}

/// Makes `lower`, and `model` of the same content.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["lower", "model"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        fill_lower(&folder.path().join(name));
    }
    folder
}

/// Without the kernel: here the state can be dropped at any moment as a kill would.
fn check_directly(operations: &[Operation]) {
    let folder = prepared();
    let model = folder.path().join("model");
    let before = photograph(&folder.path().join("lower"));
    let mut direct = Direct::new(reopened(folder.path()));
    for operation in operations {
        if let Operation::Reopen = operation {
            drop(direct);
            direct = Direct::new(reopened(folder.path()));
        } else if !operation.passes_a_link(&model) {
            let expected = operation.apply_to_folder(&model);
            let seen = direct.apply(operation);
            assert_eq!(seen.is_ok(), expected.is_ok(), "{operation:?}: {seen:?}, a folder says {expected:?}");
        }
    }
    assert_eq!(direct.photograph(), photograph(&model));
    direct.forget_all();
    let nodes = direct.overlay.node_count();
    drop(direct);
    // What survives in memory is what the journal has, and no more.
    let again = Direct::new(reopened(folder.path()));
    assert_eq!(again.overlay.node_count(), nodes);
    assert_eq!(again.photograph(), photograph(&model));
    drop(again);
    // A copy of the delta shows the same.
    crate::copy_delta(&folder.path().join("delta"), &folder.path().join("copy")).unwrap();
    std::fs::rename(folder.path().join("delta"), folder.path().join("old")).unwrap();
    std::fs::rename(folder.path().join("copy"), folder.path().join("delta")).unwrap();
    assert_eq!(Direct::new(reopened(folder.path())).photograph(), photograph(&model));
    assert_eq!(photograph(&folder.path().join("lower")), before, "the lower folder changed");
}

fn check_mounted(operations: &[Operation]) {
    let folder = prepared();
    let [lower, model, delta, mountpoint] =
        ["lower", "model", "delta", "mountpoint"].map(|name| folder.path().join(name));
    std::fs::create_dir(&mountpoint).unwrap();
    let before = photograph(&lower);
    let options = MountOptions::new(&lower, delta, &mountpoint);
    let mut mounted = crate::mount(&options).unwrap();
    for operation in operations {
        if let Operation::Reopen = operation {
            mounted.unmount().unwrap();
            mounted = crate::mount(&options).unwrap();
        } else {
            let expected = operation.apply_to_folder(&model).map_err(|error| error.kind());
            let seen = operation.apply_to_folder(&mountpoint).map_err(|error| error.kind());
            assert_eq!(seen, expected, "{operation:?}");
        }
    }
    assert_eq!(photograph(&mountpoint), photograph(&model));
    mounted.unmount().unwrap();
    let mounted = crate::mount(&options).unwrap();
    assert_eq!(photograph(&mountpoint), photograph(&model));
    mounted.unmount().unwrap();
    assert_eq!(photograph(&lower), before, "the lower folder changed");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn operations_do_what_they_do_to_a_folder(operations in arbitrary_operations(60)) {
        check_directly(&operations);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_mounted_view_does_what_a_folder_does(operations in arbitrary_operations(60)) {
        match crate::availability() {
            Ok(()) => check_mounted(&operations),
            Err(why) => println!("skipped: {why}"),
        }
    }
}
