//! A branch as the private server that a change is rehearsed on.

use std::path::{Path, PathBuf};

use plimsoll_pg::server::{Death, KeptServer, PrivateServer, log_tail};

use crate::branch::{self, NewBranch, Say};
use crate::error::BranchError;
use crate::host::Host;
use crate::keeper::{self, KeeperProgram, Kept};
use crate::manifest::{Branch, Lifetime};
use crate::mechanism::BranchFolders;
use crate::plans::{NewPlanBranch, create_of_plans};
use crate::state::State;

/// Makes a branch that goes with this program, and takes its server for a private one.
///
/// # Errors
/// When the branch can't be made or doesn't start; nothing is left of it then.
pub async fn on_branch(
    state: &State,
    host: &Host,
    program: &KeeperProgram,
    new: &NewBranch,
    say: &dyn Say,
) -> Result<(PrivateServer, Branch), BranchError> {
    debug_assert!(new.lifetime == Lifetime::WithProgram && new.port.is_none());
    let branch = branch::create(state, host, new, say).await?;
    started(state, host, program, branch)
}

/// Makes a plan branch that goes with this program, and starts it.
///
/// # Errors
/// When the branch can't be made or doesn't start; nothing is left of it then.
pub async fn on_plan_branch(
    state: &State,
    host: &Host,
    program: &KeeperProgram,
    new: &NewPlanBranch,
) -> Result<(PrivateServer, Branch), BranchError> {
    debug_assert!(new.lifetime == Lifetime::WithProgram && new.port.is_none());
    let branch = create_of_plans(state, host, new).await?;
    started(state, host, program, branch)
}

/// Starts a branch that goes with this program.
fn started(
    state: &State,
    host: &Host,
    program: &KeeperProgram,
    branch: Branch,
) -> Result<(PrivateServer, Branch), BranchError> {
    let kept = branch::start_new(state, &branch, program)?;
    // It runs by this installation, so it is there.
    let binaries = host.installation(branch.server.major)?;
    let server = OnBranch { state: state.clone(), branch: branch.clone(), kept };
    let superuser = branch.server.superuser.clone();
    Ok((PrivateServer::kept(Box::new(server), binaries, superuser), branch))
}

#[derive(Debug)]
struct OnBranch {
    state: State,
    branch: Branch,
    kept: Kept,
}

impl KeptServer for OnBranch {
    fn sockets(&self) -> &Path {
        &self.kept.running.sockets
    }

    fn data(&self) -> PathBuf {
        BranchFolders::of(&self.state.branch_folder(&self.branch.name)).data()
    }

    fn process(&self) -> u32 {
        self.kept.running.postmaster
    }

    fn death(&self) -> Option<Death> {
        // What can't be told counts as running: the connection's own error says more.
        let is_gone = matches!(keeper::running(&self.state, &self.branch.name), Ok(None));
        let log = self.state.branch_folder(&self.branch.name).join("server.log");
        is_gone.then(|| Death { status: None, log_tail: log_tail(&log) })
    }
}
