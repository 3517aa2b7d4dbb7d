//! `plimsoll branch`: private, writable copies of a trunk.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_branch::masking::Required;
use plimsoll_branch::mechanism::Kind;
use plimsoll_branch::yard::Entered;
use plimsoll_branch::{
    Branch, BranchError, Host, KeeperProgram, Kept, Lifetime, Moment, Name, NewBranch, Origin, Parent,
    PrivateAddress, RowCount, Running, SOCKET_PORT, Say, State, collect, yard,
};
use plimsoll_core::units::{bytes, count};
use plimsoll_pg::catalogue::{Target, Variables};
use plimsoll_pg::server::{Cache, Environment, MISLEADING, ServerUser, percent_encoded};

use super::trunk::{now, required, without_password};
use super::{plans, pool};
use crate::branch_args::{BranchAction, BranchArguments, BranchCreate, ListFormat, YardArguments};
use crate::exit::{CLEAN, ENVIRONMENT, Failure, unless_stopped};
use crate::output::{complain, print, tell};
use crate::program;
use crate::settings::{MaskingSettings, Settings};

/// Where trunks and branches are, and what runs them.
pub(crate) struct Workshop {
    pub(crate) state: State,
    pub(crate) host: Host,
    pub(crate) keeper: KeeperProgram,
    pub(crate) masking: MaskingSettings,
    _entered: Entered,
}

/// Whether what was left by others is removed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leftovers {
    Removed,
    Kept,
}

impl Workshop {
    /// Makes the folders, and removes what no manifest owns any more.
    pub(crate) fn open(config: Option<&Path>) -> Result<Self, Failure> {
        Self::look(config, Leftovers::Removed)
    }

    fn look(config: Option<&Path>, leftovers: Leftovers) -> Result<Self, Failure> {
        // A project's configuration may name the installation; no project is needed.
        let Settings { binaries: explicit, masking, .. } = Settings::load(config, None)?;
        let environment = Environment::read();
        let cache = Cache::locate(&environment).map_err(Failure::environment)?;
        let state = located(&environment)?;
        let user = state.user().clone();
        let (state, entered) = yard::enter(&state).map_err(failure)?;
        if leftovers == Leftovers::Removed {
            for error in collect(&state, now()).failed {
                tell(&format!("note: could not {error}"));
            }
        }
        let program = std::env::current_exe()
            .map_err(|why| Failure::environment(format!("find this program's own file: {why}")))?;
        let mut arguments = vec!["keep-branch".to_owned()];
        if let Some(config) = config {
            let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
            arguments =
                vec!["--config".to_owned(), config.to_string_lossy().into_owned(), "keep-branch".to_owned()];
        }
        let keeper = KeeperProgram { program, arguments };
        let host = Host { environment, cache, user, explicit };
        Ok(Self { state, host, keeper, masking, _entered: entered })
    }

    /// Whether the state's file system clones files.
    pub(crate) fn clones(&self) -> bool {
        let mechanism = Kind::BlockClone.mechanism();
        mechanism
            .zip(self.state.trial().ok())
            .is_some_and(|(mechanism, trial)| mechanism.probe(trial.path()).is_ok())
    }

    /// Refuses to branch from what isn't masked, where the configuration or the command line asks for that.
    pub(crate) fn require_masked(&self, origin: &Origin, typed: Required) -> Result<(), Failure> {
        match self.masking.required(typed) {
            Required::Yes => plimsoll_branch::require_masked(&self.state, origin).map_err(failure),
            Required::No => Ok(()),
        }
    }

    fn start(&self, branch: &Branch) -> Result<Kept, Failure> {
        plimsoll_branch::start(&self.state, branch, &self.keeper).map_err(failure)
    }

    fn start_new(&self, branch: &Branch) -> Result<Kept, Failure> {
        plimsoll_branch::start_new(&self.state, branch, &self.keeper).map_err(failure)
    }

    /// Starts a branch if it doesn't run.
    fn running(&self, name: &Name) -> Result<(Branch, Running), Failure> {
        let branch = self.state.known_branch(name).map_err(failure)?;
        let running = self.start(&branch)?.running.clone();
        Ok((branch, running))
    }
}

/// The state's folder, which need not be there.
pub(super) fn located(environment: &Environment) -> Result<State, Failure> {
    let user = ServerUser::choose(environment).map_err(Failure::environment)?;
    State::locate(environment, user).map_err(failure)
}

/// Says what the library has to say on standard error.
pub(crate) struct Talk;

impl Say for Talk {
    fn say(&self, text: String) {
        tell(&text);
    }
}

/// What a failure means for the exit code.
pub(crate) fn failure(error: BranchError) -> Failure {
    if error.is_input() { Failure::input(error) } else { Failure::environment(error) }
}

pub(crate) async fn run(arguments: &BranchArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let shop = || Workshop::open(config);
    match &arguments.action {
        BranchAction::Create(arguments) => create(&shop()?, arguments).await,
        BranchAction::Capture(arguments) => unless_stopped(plans::capture(&shop()?, arguments)).await,
        BranchAction::List(arguments) => list(&shop()?, arguments.format),
        BranchAction::Url { name, database } => {
            let (branch, running) = shop()?.running(name)?;
            print(&format!("{}\n", url(&branch, &running, database.as_deref())))?;
            Ok(CLEAN)
        }
        BranchAction::Psql { name, arguments } => psql(&shop()?, name, arguments),
        BranchAction::Reset { name } => unless_stopped(reset(&shop()?, name)).await,
        BranchAction::Diff { name } => unless_stopped(diff(&shop()?, name)).await,
        BranchAction::Stop { names } => {
            let shop = shop()?;
            for name in names {
                plimsoll_branch::stop(&shop.state, name).map_err(failure)?;
                tell(&format!("stopped branch {name}"));
            }
            Ok(CLEAN)
        }
        BranchAction::Drop { names } => {
            let shop = shop()?;
            for name in names {
                plimsoll_branch::drop_branch(&shop.state, name).map_err(failure)?;
                tell(&format!("dropped branch {name}"));
            }
            Ok(CLEAN)
        }
        BranchAction::Gc => gc(config),
        BranchAction::Doctor => doctor(&shop()?),
        BranchAction::Pool(arguments) => pool::keep(arguments, config).await,
        BranchAction::Take(arguments) => pool::take(arguments).await,
        BranchAction::Yard(arguments) => about_yard(arguments),
    }
}

/// Lets nobody else read the files that this process makes: a server's log may have rows' values in it.
pub(super) fn only_for_us() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// What runs in the background for each branch.
pub(crate) fn keep(name: &Name, config: Option<&Path>) -> Result<u8, Failure> {
    only_for_us();
    let shop = Workshop::look(config, Leftovers::Kept)?;
    match plimsoll_branch::keep(&shop.state, &shop.host, name) {
        Ok(()) => Ok(CLEAN),
        Err(error) => {
            // Whoever started it reads why; on standard error it would be said twice.
            print(&format!("{error}\n"))?;
            Ok(ENVIRONMENT)
        }
    }
}

async fn create(shop: &Workshop, arguments: &BranchCreate) -> Result<u8, Failure> {
    let began = Instant::now();
    let lifetime = match (arguments.ttl, arguments.exec.is_empty()) {
        (Some(span), _) => Lifetime::Until(now().after(span)),
        (None, true) => Lifetime::Unlimited,
        (None, false) => Lifetime::WithProgram,
    };
    let branch = match &arguments.plans_of {
        Some(of) => unless_stopped(plans::create(shop, arguments, of, lifetime)).await?,
        None => cut(shop, arguments, lifetime).await?,
    };
    let kept = shop.start_new(&branch)?;
    for note in &branch.notes {
        tell(&format!("note: {note}"));
    }
    let taken = began.elapsed();
    tell(&format!(
        "branch {} of {}, by {}, ready in {:.2} s",
        branch.name,
        branch.parent.in_words(),
        branch.mechanism,
        taken.as_secs_f64()
    ));
    if arguments.exec.is_empty() {
        print(&format!("{}\n", url(&branch, &kept.running, None)))?;
        return Ok(CLEAN);
    }
    let ran = execute(&branch, &kept.running, &arguments.exec).await;
    // Waits until the branch is gone.
    drop(kept);
    ran
}

/// Makes a branch of a trunk or of another branch.
async fn cut(shop: &Workshop, arguments: &BranchCreate, lifetime: Lifetime) -> Result<Branch, Failure> {
    let origin = origin(shop, arguments.from.as_deref())?;
    shop.require_masked(&origin, required(arguments.require_masking))?;
    let new = NewBranch {
        name: arguments.name.clone(),
        origin,
        lifetime,
        mechanism: arguments.mechanism,
        port: arguments.port,
        settings: arguments.settings.clone(),
        now: now(),
    };
    let making =
        async { plimsoll_branch::create(&shop.state, &shop.host, &new, &Talk).await.map_err(failure) };
    unless_stopped(making).await
}

async fn execute(branch: &Branch, running: &Running, command: &[OsString]) -> Result<u8, Failure> {
    let status = program::run_in_front(command, |child| {
        for name in MISLEADING {
            child.env_remove(name);
        }
        child.envs(environment(branch, running));
    });
    Ok(program::code(status.await?))
}

/// What leads a program to the branch.
fn environment(branch: &Branch, running: &Running) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("DATABASE_URL", url(branch, running, None)),
        ("PGHOST", running.sockets.to_string_lossy().into_owned()),
        ("PGPORT", SOCKET_PORT.to_string()),
        ("PGUSER", branch.server.superuser.clone()),
        ("PGDATABASE", branch.server.database.clone()),
    ];
    if let Some(port) = &branch.port {
        variables.retain(|(name, _)| !["PGHOST", "PGPORT"].contains(name));
        variables.push(("PGHOST", "127.0.0.1".to_owned()));
        variables.push(("PGPORT", port.number.to_string()));
        variables.push(("PGPASSWORD", port.password.clone()));
    }
    variables
}

/// As libpq and most drivers understand it.
fn url(branch: &Branch, running: &Running, database: Option<&str>) -> String {
    let user = percent_encoded(&branch.server.superuser);
    let database = percent_encoded(database.unwrap_or(&branch.server.database));
    match &branch.port {
        Some(port) => format!("postgresql://{user}:{}@127.0.0.1:{}/{database}", port.password, port.number),
        None => {
            let host = percent_encoded(&running.sockets.to_string_lossy());
            format!("postgresql://{user}@/{database}?host={host}&port={SOCKET_PORT}")
        }
    }
}

pub(super) fn origin(shop: &Workshop, from: Option<&str>) -> Result<Origin, Failure> {
    let state = &shop.state;
    match from {
        Some(url) if url.contains("://") || url.contains('=') => {
            let target = Target::resolve(Some(url), &Variables::default()).map_err(Failure::input)?;
            let shown = without_password(url);
            let folder = target.socket_folder().ok_or_else(|| {
                let why = "it isn't reached by a socket, as private servers are; other servers are taken by `plimsoll trunk create --from`";
                Failure::input(format!("branch from {shown}: {why}"))
            })?;
            Ok(Origin::Server(PrivateAddress {
                folder: folder.to_owned(),
                superuser: target.user().to_owned(),
                database: target.database().to_owned(),
                url: shown,
            }))
        }
        Some(name) => {
            let name = &name.parse::<Name>().map_err(Failure::input)?;
            let (trunk, branch) = (state.trunk(name).map_err(failure)?, state.branch(name).map_err(failure)?);
            match (trunk, branch) {
                (Some(_), None) => Ok(Origin::Trunk(name.clone())),
                (None, Some(_)) => Ok(Origin::Branch(name.clone())),
                (Some(_), Some(_)) => Err(Failure::input(format!(
                    "branch from {name}: there are a trunk and a branch of this name; drop one of them"
                ))),
                (None, None) => Err(Failure::input(format!(
                    "branch from {name}: there is neither a trunk nor a branch of this name; `plimsoll trunk list` and `plimsoll branch list` tell them"
                ))),
            }
        }
        None => {
            let trunks: Vec<_> = state.all_trunks().into_iter().filter_map(Result::ok).collect();
            match &trunks[..] {
                [only] => Ok(Origin::Trunk(only.name.clone())),
                [] => Err(Failure::input(
                    "branch from a trunk: there is none; `plimsoll trunk create NAME --from SOURCE` takes one",
                )),
                several => {
                    let names: Vec<&str> = several.iter().map(|trunk| trunk.name.as_str()).collect();
                    Err(Failure::input(format!(
                        "branch from a trunk: say by --from which of {}",
                        names.join(", ")
                    )))
                }
            }
        }
    }
}

async fn reset(shop: &Workshop, name: &Name) -> Result<u8, Failure> {
    let was_running = plimsoll_branch::running(&shop.state, name).map_err(failure)?.is_some();
    let branch =
        plimsoll_branch::reset(&shop.state, &shop.host, name, now(), &Talk).await.map_err(failure)?;
    if was_running {
        shop.start(&branch)?;
    }
    tell(&format!("reset branch {name} to {}", branch.parent.in_words()));
    Ok(CLEAN)
}

/// Prints what is other than in the parent, as it is now. Exits with 0 either way.
async fn diff(shop: &Workshop, name: &Name) -> Result<u8, Failure> {
    let (branch, running) = shop.running(name)?;
    let (parent, parent_running, _kept) = match &branch.parent {
        Parent::Branch { name } => {
            let (parent, running) = shop.running(name)?;
            (parent, running, None)
        }
        Parent::Plans { .. } | Parent::Server { .. } => {
            let parent = branch.parent.in_words();
            return Err(Failure::input(format!(
                "compare branch {name}: it is made of {parent}, and has no parent here"
            )));
        }
        // A trunk has no server: a branch of it, for the moment, has.
        Parent::Trunk { name: trunk, .. } => {
            let name = format!("diff-{}", std::process::id()).parse().map_err(Failure::environment)?;
            let new = NewBranch::with_program(name, Origin::Trunk(trunk.clone()), Vec::new(), now());
            let made =
                plimsoll_branch::create(&shop.state, &shop.host, &new, &Talk).await.map_err(failure)?;
            let kept = shop.start_new(&made)?;
            (made, kept.running.clone(), Some(kept))
        }
    };
    let schema = |branch, running| plimsoll_branch::schema(branch, running, &shop.host);
    let before = schema(&parent, &parent_running).await.map_err(failure)?;
    let after = schema(&branch, &running).await.map_err(failure)?;
    let mut text = similar::TextDiff::from_lines(&before, &after)
        .unified_diff()
        .header(&branch.parent.in_words(), &format!("branch {name}"))
        .to_string();
    let before = plimsoll_branch::row_counts(&parent, &parent_running).await.map_err(failure)?;
    let after = plimsoll_branch::row_counts(&branch, &running).await.map_err(failure)?;
    text.push_str(&rows_changed(&before, &after));
    if text.is_empty() {
        tell(&format!(
            "branch {name} has the schema and the numbers of rows of {}",
            branch.parent.in_words()
        ));
    }
    print(&text)?;
    Ok(CLEAN)
}

/// A table for those whose number of rows changed; empty if there are none.
fn rows_changed(before: &BTreeMap<String, RowCount>, after: &BTreeMap<String, RowCount>) -> String {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let shown = |number: Option<&RowCount>| match number {
        None => "-".to_owned(),
        Some(None) => "?".to_owned(),
        Some(Some(number)) => count(*number),
    };
    let changed: Vec<Vec<String>> = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| vec![name.clone(), shown(before.get(name)), shown(after.get(name))])
        .collect();
    if changed.is_empty() { String::new() } else { table(&["TABLE", "ROWS BEFORE", "ROWS NOW"], changed) }
}

/// Becomes psql, so that its signals and its exit code are psql's.
fn psql(shop: &Workshop, name: &Name, arguments: &[OsString]) -> Result<u8, Failure> {
    use std::os::unix::process::CommandExt as _;
    let (branch, running) = shop.running(name)?;
    let beside = shop.host.installation(branch.server.major).map_err(failure)?.program("psql");
    // A ready-made server may come without it.
    let program = if beside.exists() { beside } else { PathBuf::from("psql") };
    let mut command = std::process::Command::new(&program);
    for name in MISLEADING {
        command.env_remove(name);
    }
    let why = command.args(arguments).envs(environment(&branch, &running)).exec();
    Err(Failure::environment(format!(
        "run {}: {why}; install PostgreSQL's client programs",
        program.display()
    )))
}

fn list(shop: &Workshop, format: ListFormat) -> Result<u8, Failure> {
    let mut rows = Vec::new();
    let mut values = Vec::new();
    let mut damaged = Ok(CLEAN);
    for branch in shop.state.all_branches() {
        let branch = match branch {
            Ok(branch) => branch,
            Err(error) => {
                damaged = Err(failure(error));
                continue;
            }
        };
        let running = plimsoll_branch::running(&shop.state, &branch.name).map_err(failure)?;
        let own = shop.state.own_bytes(&branch);
        rows.push(vec![
            branch.name.to_string(),
            branch.parent.in_words(),
            branch.server.version.clone(),
            if running.is_some() { "running" } else { "stopped" }.to_owned(),
            branch.mechanism.to_string(),
            own.map_or_else(|| "?".to_owned(), bytes),
            ago(branch.made_at, now()),
            left(branch.lifetime, now()),
        ]);
        values.push(serde_json::json!({
            "name": branch.name,
            "parent": branch.parent,
            "postgresql": branch.server.version,
            "database": branch.server.database,
            "running": running.is_some(),
            "isolated": running.as_ref().map(|running| running.isolated),
            "url": running.as_ref().map(|running| url(&branch, running, None)),
            "mechanism": branch.mechanism,
            "own_bytes": own,
            "made_at": branch.made_at,
            "lifetime": branch.lifetime,
            "notes": branch.notes,
        }));
    }
    match format {
        ListFormat::Json => {
            print(&format!("{:#}\n", serde_json::json!({ "format": 1, "branches": values })))?
        }
        ListFormat::Terminal => {
            let head = ["BRANCH", "OF", "POSTGRESQL", "STATE", "BY", "OWN FILES", "MADE", "LEFT"];
            print(&table(&head, rows))?;
        }
    }
    damaged
}

fn gc(config: Option<&Path>) -> Result<u8, Failure> {
    let shop = Workshop::look(config, Leftovers::Kept)?;
    let collected = collect(&shop.state, now());
    for removed in &collected.removed {
        tell(&format!("removed {removed}"));
    }
    if collected.removed.is_empty() && collected.failed.is_empty() {
        tell("nothing to remove");
    }
    let mut failures = collected.failed.into_iter().map(failure);
    let Some(first) = failures.next() else { return Ok(CLEAN) };
    failures.for_each(|failure| complain(&failure));
    Err(first)
}

fn about_yard(arguments: &YardArguments) -> Result<u8, Failure> {
    let state = located(&Environment::read())?;
    if arguments.remove {
        yard::remove(&state).map_err(failure)?;
        tell("removed the yard");
        return Ok(CLEAN);
    }
    let found = match arguments.size {
        Some(size) => Some(yard::make(&state, size).map_err(failure)?),
        None => {
            let is_root = rustix::process::geteuid().is_root();
            match yard::look(&state).map_err(failure)? {
                Some(found) if found.used.is_none() && is_root => {
                    let (state, _entered) = yard::enter(&state).map_err(failure)?;
                    yard::look(&state).map_err(failure)?
                }
                found => found,
            }
        }
    };
    let Some(found) = found else {
        print(&format!(
            "no yard in {}; `plimsoll branch yard --size 50GB` makes one, as root\n",
            state.root().display()
        ))?;
        return Ok(CLEAN);
    };
    let used = match found.used {
        Some(used) => format!("mounted at {}, {} of it used", found.folder.display(), bytes(used)),
        None => "not mounted; `plimsoll branch yard` mounts it, as root".to_owned(),
    };
    print(&format!(
        "yard {}: {} at most, takes {} of the file system beneath; {used}\n",
        found.image.display(),
        bytes(found.size),
        bytes(found.taken)
    ))?;
    Ok(CLEAN)
}

fn doctor(shop: &Workshop) -> Result<u8, Failure> {
    let trial = shop.state.trial().map_err(failure)?;
    let place = trial.path();
    let mut text = format!("trunks and branches are in {}\n", shop.state.base().display());
    let best = plimsoll_branch::mechanism::best(place).kind();
    for kind in Kind::ALL {
        let probed =
            kind.mechanism().ok_or_else(|| "this system doesn't have it".to_owned()).and_then(|mechanism| {
                mechanism.probe(place)?;
                mechanism.measure(place)
            });
        let said = match probed {
            Ok(measured) => format!("{}; {}", measured, kind.cost()),
            Err(why) => format!("can't be used here: {why}"),
        };
        let mark = if kind == best { "→" } else { " " };
        text.push_str(&format!("{mark} {kind}: {said}\n"));
    }
    let clones = matches!(best, Kind::BtrfsSnapshot | Kind::BlockClone);
    if !clones && cfg!(target_os = "linux") && rustix::process::geteuid().is_root() {
        text.push_str("this file system doesn't clone files: `plimsoll branch yard --size 50GB` makes one that does, in an image (with xfsprogs)\n");
    }
    let network = if plimsoll_pg::server::network_can_be_taken() {
        "branches have no network, so that nothing in their data reaches another host"
    } else {
        "this machine gives branches no network of their own: foreign servers and extensions in their data could reach other hosts, had their addresses not been taken out"
    };
    text.push_str(&format!("{network}\n"));
    print(&text)?;
    Ok(CLEAN)
}

/// How long ago, for people.
pub(crate) fn ago(then: Moment, now: Moment) -> String {
    format!("{} ago", span(then.until(now)))
}

fn left(lifetime: Lifetime, now: Moment) -> String {
    match lifetime {
        Lifetime::Unlimited => "until dropped".to_owned(),
        Lifetime::Until(moment) => span(now.until(moment)),
        Lifetime::WithProgram => "with its program".to_owned(),
    }
}

fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = rows[0].len();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_roughly() {
        for (seconds, expected) in [(5, "5 s"), (120, "2 min"), (7200, "2 h"), (180_000, "2 days")] {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["longer".to_owned(), String::new()]];
        assert_eq!(table(&["NAME", "N"], rows), "NAME    N\na       1\nlonger\n");
    }
}
