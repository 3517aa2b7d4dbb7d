//! Installs a server into the usual cache, for tests: `cargo run --example install_server 18`.

use plimsoll_pg::server::{Cache, Environment, InstallPlan, Installed, ServerUser};

#[expect(clippy::print_stdout, reason = "an example tells what it does")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let major = std::env::args().nth(1).ok_or("which major version?")?.parse()?;
    let environment = Environment::read();
    let cache = Cache::locate(&environment)?;
    let plan = InstallPlan::new(major, &cache)?;
    let user = ServerUser::choose(&environment)?;
    match plan.install(&user)? {
        Installed::Now(binaries) => println!("installed {}", binaries.bin_folder().display()),
        Installed::Already(binaries) => println!("already there: {}", binaries.bin_folder().display()),
    }
    Ok(())
}
