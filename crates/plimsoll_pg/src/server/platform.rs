//! The platforms that servers can be installed for.

/// A platform with ready-made servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    LinuxX86_64,
    LinuxAarch64,
    MacX86_64,
    MacArm64,
}

impl Platform {
    /// The platform that this program was built for, where it is one of these.
    pub(super) fn current() -> Option<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Some(Self::LinuxX86_64),
            ("linux", "aarch64") => Some(Self::LinuxAarch64),
            ("macos", "x86_64") => Some(Self::MacX86_64),
            ("macos", "aarch64") => Some(Self::MacArm64),
            _ => None,
        }
    }

    /// The name that `uv` has for it.
    pub(super) fn uv_name(self) -> &'static str {
        match self {
            Self::LinuxX86_64 => "x86_64-manylinux_2_28",
            Self::LinuxAarch64 => "aarch64-manylinux_2_28",
            Self::MacX86_64 => "x86_64-apple-darwin",
            Self::MacArm64 => "aarch64-apple-darwin",
        }
    }
}
