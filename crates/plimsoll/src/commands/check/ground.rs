//! What a change is rehearsed on where `--on` names a trunk: branches of it, one for each side.

use std::path::Path;

use plimsoll_branch::masking::Required;
use plimsoll_branch::{NewBranch, Origin, Trunk, on_branch};
use plimsoll_core::units::bytes;
use plimsoll_pg::server::PrivateServer;

use crate::commands::branch::{Talk, Workshop, ago, failure};
use crate::commands::trunk::now;
use crate::exit::Failure;
use crate::private_database::connections_of_a_run;
use crate::settings::Settings;

/// A trunk, and what makes branches of it.
pub(crate) struct Ground {
    shop: Workshop,
    trunk: Trunk,
}

impl Ground {
    pub(crate) fn of(trunk: &plimsoll_branch::Name, config: Option<&Path>) -> Result<Self, Failure> {
        let shop = Workshop::open(config)?;
        let trunk = shop.state.known_trunk(trunk).map_err(failure)?;
        shop.require_masked(&Origin::Trunk(trunk.name.clone()), Required::No)?;
        Ok(Self { shop, trunk })
    }

    /// The major version of its server.
    pub(crate) fn major(&self) -> u32 {
        self.trunk.server.major
    }

    /// Its main database.
    pub(crate) fn database(&self) -> &str {
        &self.trunk.server.database
    }

    /// A branch's server for this run alone, with so many connections besides the run's own. `side` tells the branches of a
    /// run apart.
    pub(crate) async fn start(
        &self,
        side: &str,
        settings: &Settings,
        further_connections: usize,
    ) -> Result<(PrivateServer, String), Failure> {
        let name = format!("{side}-{}-{}", std::process::id(), now().0);
        let mut server_settings = vec![
            ("timezone".to_owned(), settings.time_zone.clone()),
            ("max_connections".to_owned(), connections_of_a_run(further_connections).to_string()),
        ];
        if self.major() >= 18 && self.shop.clones() {
            server_settings.push(("file_copy_method".to_owned(), "clone".to_owned()));
        }
        let name = name.parse().map_err(Failure::environment)?;
        let origin = Origin::Trunk(self.trunk.name.clone());
        let new = NewBranch::with_program(name, origin, server_settings, now());
        let Workshop { state, host, keeper, .. } = &self.shop;
        let (server, branch) = on_branch(state, host, keeper, &new, &Talk).await.map_err(failure)?;
        let note = format!(
            "Rehearsed on a branch of trunk {} (version {}, {}, taken {}), by {}.",
            self.trunk.name,
            self.trunk.version,
            bytes(self.trunk.bytes),
            ago(self.trunk.taken_at, now()),
            branch.mechanism
        );
        Ok((server, note))
    }
}
