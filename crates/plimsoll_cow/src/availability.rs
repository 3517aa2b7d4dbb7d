//! Whether views can be mounted here, by trial.

use crate::device::{fusermount, open_device};
use crate::mounted::mount;
use crate::options::{MountError, MountOptions, Unavailable};

/// Says whether this process can mount a copy-on-write view, by mounting an empty one (a few milliseconds).
///
/// # Errors
/// Why it can't.
pub fn availability() -> Result<(), Unavailable> {
    open_device()?;
    if !rustix::process::geteuid().is_root() && fusermount().is_none() {
        return Err(Unavailable::NoFusermount);
    }
    let refused = |why: &dyn std::fmt::Display| Unavailable::Refused(why.to_string());
    let folder = tempfile::Builder::new().prefix("plimsoll-cow-").tempdir().map_err(|why| refused(&why))?;
    let [lower, delta, mountpoint] = ["lower", "delta", "mountpoint"].map(|name| folder.path().join(name));
    for path in [&lower, &mountpoint] {
        std::fs::create_dir(path).map_err(|why| refused(&why))?;
    }
    match mount(&MountOptions::new(lower, delta, mountpoint)) {
        Ok(mounted) => mounted.unmount().map_err(|why| refused(&why)),
        Err(MountError::Unavailable(unavailable)) => Err(unavailable),
        Err(MountError::Mount { why, .. }) => Err(refused(&why)),
        Err(other) => Err(refused(&other)),
    }
}
