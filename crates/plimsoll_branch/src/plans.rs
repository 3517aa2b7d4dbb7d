//! Branches that have another server's schema and its planner's statistics, and no rows.

use plimsoll_pg::server::{SUPERUSER, StartOptions};
use plimsoll_plans::PlanSource;

use crate::branch::{check_new, port, publish};
use crate::error::BranchError;
use crate::host::Host;
use crate::manifest::{Branch, Lifetime, Moment, Parent, ServerFacts};
use crate::mechanism::{BranchFolders, Kind};
use crate::name::Name;
use crate::state::{State, random_text};

/// A plan branch to make.
#[derive(Debug)]
pub struct NewPlanBranch {
    /// Its name.
    pub name: Name,
    /// What was captured.
    pub source: PlanSource,
    /// Of which server, or from which file.
    pub of: String,
    /// The major version of its server; the source's if none is named.
    pub major: Option<u32>,
    /// How long it is to be there.
    pub lifetime: Lifetime,
    /// A port on 127.0.0.1.
    pub port: Option<u16>,
    /// Settings of the server.
    pub settings: Vec<(String, String)>,
    /// The moment.
    pub now: Moment,
}

/// Makes a plan branch. It doesn't run yet.
///
/// # Errors
/// When there is one of its name, no server of that version or an extension isn't installed, or the schema can't be made; nothing is left then.
pub async fn create_of_plans(state: &State, host: &Host, new: &NewPlanBranch) -> Result<Branch, BranchError> {
    check_new(state, &new.name, &new.settings)?;
    let binaries = host.installation(new.major.unwrap_or(new.source.major()))?;
    host.require_extensions(
        &binaries,
        new.source.extensions.iter().map(|extension| extension.name.as_str()),
    )?;
    let building = state.build()?;
    let options = StartOptions {
        temp_root: Some(building.path().to_owned()),
        ..StartOptions::new(&host.environment, host.cache.clone(), host.user.clone())
    };
    let data = BranchFolders::of(building.path()).data();
    let built = plimsoll_plans::build(&binaries, &options, &new.source, &data)
        .await
        .map_err(|why| BranchError::Environment(why.to_string()))?;
    let unrestored = built.unrestored.iter().map(|left| format!("{}: {}", left.what, left.why));
    let branch = Branch {
        name: new.name.clone(),
        id: random_text(8),
        parent: Parent::Plans { of: new.of.clone() },
        mechanism: Kind::Copy,
        lower: None,
        made_at: new.now,
        lifetime: new.lifetime,
        server: ServerFacts {
            major: binaries.version().major,
            version: binaries.version().to_string(),
            superuser: SUPERUSER.to_owned(),
            database: built.database.clone(),
            // They are in its data directory.
            settings: Vec::new(),
        },
        extra_settings: new.settings.clone(),
        port: new.port.map(port).transpose()?,
        notes: new.source.left_out.iter().cloned().chain(unrestored).collect(),
    };
    state.write_branch(building.path(), &branch)?;
    publish(state, building, branch)
}
