//! Private servers: a throw-away PostgreSQL for one run of the program.
//!
//! [`find()`] chooses an installation, [`InstallPlan`] gets one where there is none, and
//! [`PrivateServer::start`] runs it. Nothing here knows what the server is for.

mod advice;
mod binaries;
mod cache;
mod connections;
mod copy_tree;
mod death;
mod die_with_us;
mod directory_server;
mod environment;
mod error;
mod find;
mod initdb;
mod install;
mod installed;
mod leftovers;
mod lock_file;
mod network;
mod package_client;
mod packages;
mod platform;
mod postmaster;
mod private_folder;
mod private_server;
mod process_environment;
mod process_group;
mod search;
mod server_user;
mod settings;
mod start_options;
mod sweep;
mod template;
mod template_key;
mod unpack;
mod version;
mod watchdog;
mod watched_folder;

pub use advice::InstallAdvice;
pub use binaries::Binaries;
pub use cache::{Cache, CacheError};
pub(crate) use connections::with_sources;
pub use connections::{ConnectionEnvironment, MISLEADING, percent_encoded};
pub use death::{Death, log_tail};
pub use die_with_us::die_with_us;
pub use directory_server::{DirectoryServer, DirectoryStart};
pub use environment::{Environment, Privilege};
pub use error::ServerError;
pub use find::{FindError, Skipped, Survey, Wanted, find, survey};
pub use initdb::InitdbError;
pub use install::{InstallError, InstallPlan, Installed};
pub use leftovers::{clear_up, end_orphans};
pub use lock_file::{LockKind, lock, open_lock_file};
pub use network::{Network, network_can_be_taken};
pub use private_folder::{MARKER_FILE as PRIVATE_MARKER, SOCKET_PATH_BYTES, TempRootError};
pub use private_server::{KeptServer, PrivateServer, SUPERUSER};
pub use process_group::WatchedGroup;
pub use search::SearchPlaces;
pub use server_user::{ServerUser, ServerUserError};
pub use settings::{BadSettingName, HBA, configuration};
pub use start_options::StartOptions;
pub use template::TemplateError;
pub use unpack::UnpackError;
pub use version::{OLDEST_SUPPORTED_MAJOR, ServerVersion};
pub use watched_folder::WatchedFolder;
