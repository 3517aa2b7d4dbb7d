//! A view, mounted and served by threads of this process.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::device::{Seen, Unmount, mount_device, unmount_device};
use crate::filesystem::Filesystem;
use crate::options::{LostWrite, MountError, MountOptions, UnmountError};
use crate::overlay::Overlay;
use crate::store::Store;

/// How long to wait for programs that are about to end.
const BUSY_FOR: Duration = Duration::from_secs(5);

/// A mounted view. Dropping it unmounts it, at once and whoever uses it.
#[derive(Debug)]
pub struct Mounted {
    mountpoint: PathBuf,
    overlay: Arc<Overlay>,
    /// Ends with the mount; none once it has ended.
    serving: Option<JoinHandle<io::Result<()>>>,
}

/// Mounts a view. It is served by threads of this process, and dies with it: see
/// [`clear_dead_mount`](crate::clear_dead_mount).
///
/// # Errors
/// When a folder can't be used, the delta is mounted already or can't be read, or mounting is refused.
pub fn mount(options: &MountOptions) -> Result<Mounted, MountError> {
    check_standard_streams(options)?;
    let folders = Folders::check(options)?;
    let delta_error = |why| MountError::Delta { delta: folders.delta.clone(), why };
    let store = Store::open(&folders.lower, &folders.delta)
        .map_err(delta_error)?
        .ok_or_else(|| MountError::InUse { delta: folders.delta.clone() })?;
    let overlay = Overlay::open(store, options.owner, options.durability).map_err(delta_error)?;
    let overlay = Arc::new(overlay);
    let seen = folders.seen(options.owner)?;
    let device = mount_device(&folders.mountpoint, seen)?;
    let failed = |why| {
        let _ = unmount_device(&folders.mountpoint, Unmount::Detach);
        MountError::Mount { mountpoint: folders.mountpoint.clone(), why }
    };
    let filesystem = Filesystem::new(Arc::clone(&overlay), options.write_cache);
    let mut config = fuser::Config::default();
    // At least a few on a small machine too: a read of the lower folder may wait for the disk.
    config.n_threads = Some(std::thread::available_parallelism().map_or(4, usize::from).clamp(4, 16));
    config.clone_fd = true;
    let acl = match seen {
        Seen::ByUs => fuser::SessionACL::Owner,
        Seen::ByAll => fuser::SessionACL::All,
    };
    let session = fuser::Session::from_fd(filesystem, device, acl, config).map_err(failed)?;
    let serving = std::thread::Builder::new()
        .name("plimsoll-cow".to_owned())
        .spawn(move || session.run())
        .map_err(failed)?;
    Ok(Mounted { mountpoint: folders.mountpoint, overlay, serving: Some(serving) })
}

impl Mounted {
    /// Where the view is.
    #[must_use]
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// Brings all that was written so far into the delta's files, so that the delta can be copied; with
    /// [`Durability::Machine`](crate::Durability::Machine) onto the disk too. Takes about 30 µs for each file that the
    /// kernel has in its cache.
    ///
    /// # Errors
    /// When something can't be written, or couldn't be before.
    pub fn sync(&self) -> io::Result<()> {
        // This starts all of it, but doesn't wait for all on every kernel; the loop does.
        rustix::fs::syncfs(File::open(&self.mountpoint)?)?;
        for path in self.overlay.files_in_use() {
            let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
            match File::options().read(true).custom_flags(nofollow).open(self.mountpoint.join(path)) {
                Ok(file) => file.sync_data()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.overlay.sync_all()?)
    }

    /// The first write that the kernel had taken and that couldn't be kept, in this mount or an earlier one of the same
    /// delta. PostgreSQL must be stopped then: with `fsync = off` it doesn't hear of it.
    #[must_use]
    pub fn lost_write(&self) -> Option<LostWrite> {
        self.overlay.lost_write().map(|lost| LostWrite {
            path: self.overlay.path(lost.node),
            offset: lost.offset,
            why: io::Error::from_raw_os_error(lost.errno),
        })
    }

    /// Unmounts: all writes are in the delta's files when it returns. Waits some seconds for programs that are ending.
    ///
    /// # Errors
    /// When programs go on using it, or the unmounting is refused.
    pub fn unmount(mut self) -> Result<(), UnmountError> {
        let deadline = Instant::now() + BUSY_FOR;
        loop {
            match unmount_device(&self.mountpoint, Unmount::Unused) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                // Dropping detaches it.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    return Err(UnmountError::Busy { mountpoint: self.mountpoint.clone() });
                }
                Err(why) => return Err(UnmountError::Failed { mountpoint: self.mountpoint.clone(), why }),
            }
        }
        let Some(serving) = self.serving.take() else { return Ok(()) };
        match serving.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(UnmountError::Failed { mountpoint: self.mountpoint.clone(), why }),
            Err(_) => {
                let why = io::Error::other("a serving thread panicked");
                Err(UnmountError::Failed { mountpoint: self.mountpoint.clone(), why })
            }
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let Some(serving) = self.serving.take() else { return };
        if unmount_device(&self.mountpoint, Unmount::Unused).is_ok() {
            // Its writes are with us when it ends.
            let _ = serving.join();
        } else {
            // Those who use it are served until they end: waiting for them might take forever.
            let _ = unmount_device(&self.mountpoint, Unmount::Detach);
        }
    }
}

/// The real paths of the three folders.
struct Folders {
    lower: PathBuf,
    delta: PathBuf,
    mountpoint: PathBuf,
}

impl Folders {
    fn check(options: &MountOptions) -> Result<Self, MountError> {
        let real = |role, path: &Path| {
            let checked = path.canonicalize().and_then(|real| std::fs::read_dir(&real).map(|_| real));
            checked.map_err(|why| MountError::Folder { role, path: path.to_owned(), why })
        };
        let lower = real("lower", &options.lower)?;
        let mountpoint = real("mountpoint", &options.mountpoint)?;
        std::fs::create_dir_all(&options.delta).map_err(|why| MountError::Folder {
            role: "delta",
            path: options.delta.clone(),
            why,
        })?;
        let delta = real("delta", &options.delta)?;
        for (inner, outer) in [
            (&lower, &delta),
            (&delta, &lower),
            (&mountpoint, &lower),
            (&mountpoint, &delta),
            (&lower, &mountpoint),
            (&delta, &mountpoint),
        ] {
            if inner.starts_with(outer) {
                return Err(MountError::Overlap { inner: inner.clone(), outer: outer.clone() });
            }
        }
        let is_empty = std::fs::read_dir(&mountpoint).map(|mut entries| entries.next().is_none());
        if !is_empty.unwrap_or(false) {
            let why = io::ErrorKind::DirectoryNotEmpty.into();
            return Err(MountError::Folder { role: "mountpoint", path: mountpoint, why });
        }
        Ok(Self { lower, delta, mountpoint })
    }

    /// Only root may show it to others, and only another owner needs that.
    fn seen(&self, owner: Option<(u32, u32)>) -> Result<Seen, MountError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Seen::ByUs);
        }
        let user = match owner {
            Some((user, _)) => user,
            None => {
                let why = |why| MountError::Folder { role: "lower", path: self.lower.clone(), why };
                self.lower.metadata().map_err(why)?.uid()
            }
        };
        Ok(if user == 0 { Seen::ByUs } else { Seen::ByAll })
    }
}

/// With a standard stream closed, the device would take its number, and a stray message would go to the kernel.
fn check_standard_streams(options: &MountOptions) -> Result<(), MountError> {
    let next = File::open("/dev/null").map(|file| file.as_raw_fd());
    match next {
        Ok(0..=2) => Err(MountError::Mount {
            mountpoint: options.mountpoint.clone(),
            why: io::Error::other("standard input, output or error is closed; open them on /dev/null"),
        }),
        _ => Ok(()),
    }
}
