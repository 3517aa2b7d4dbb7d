//! `plimsoll server`: a private server for a person to use, and what it takes to have one.

use std::path::Path;

use plimsoll_core::units::bytes;
use plimsoll_pg::server::{InstallPlan, Installed, Wanted};

use crate::args::{ServerAction, ServerArguments};
use crate::exit::{CLEAN, Failure, unless_stopped};
use crate::output::print;
use crate::private_database::Host;
use crate::settings::Settings;

pub(crate) async fn run(arguments: &ServerArguments, config: Option<&Path>) -> Result<u8, Failure> {
    match &arguments.action {
        Some(ServerAction::Install { major }) => unless_stopped(async { install(*major) }).await,
        Some(ServerAction::Find { major }) => {
            let settings = Settings::load(config, *major)?;
            settings.require_rehearsable()?;
            let wanted = major.map_or(settings.server, Wanted::Major);
            let binaries = Host::look()?.find(wanted, settings.binaries)?;
            print(&format!("{}\n", binaries.bin_folder().display()))?;
            Ok(CLEAN)
        }
        None => unless_stopped(serve(arguments, config)).await,
    }
}

fn install(major: u32) -> Result<u8, Failure> {
    let host = Host::look()?;
    let plan = InstallPlan::new(major, &host.cache).map_err(Failure::environment)?;
    if plan.already_installed(&host.user).is_none() {
        print(&format!(
            "fetching {} {} ({}) into {}\n",
            plan.package(),
            plan.version(),
            bytes(plan.download_bytes()),
            plan.destination().display()
        ))?;
    }
    let installed = plan.install(&host.user).map_err(Failure::environment)?;
    let word = match &installed {
        Installed::Now(_) => "installed",
        Installed::Already(_) => "already installed",
    };
    let binaries = installed.binaries();
    print(&format!("{word}: PostgreSQL {} in {}\n", binaries.version(), binaries.bin_folder().display()))?;
    Ok(CLEAN)
}

/// Runs until a signal or the end of standard input's terminal.
async fn serve(arguments: &ServerArguments, config: Option<&Path>) -> Result<u8, Failure> {
    let settings = Settings::load(config, arguments.postgres)?;
    settings.require_rehearsable()?;
    let host = Host::look()?;
    let binaries = host.find(settings.server, settings.binaries.clone())?;
    let server = host.start(binaries, vec![("timezone".into(), settings.time_zone.clone())]).await?;
    server.create_database(&settings.database).await.map_err(Failure::environment)?;
    let url = server.url(&settings.database);
    print(&format!("{url}\n"))?;
    eprint_line(&format!(
        "PostgreSQL {} runs until Ctrl-C; connect with\n  psql '{url}'",
        server.server_version()
    ));
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        if let Some(death) = server.death() {
            return Err(Failure::environment(format!("keep the private server running: {death}")));
        }
    }
}

/// The conversation goes to stderr; stdout holds the URL alone.
fn eprint_line(text: &str) {
    use std::io::Write as _;
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap_or_default();
}
