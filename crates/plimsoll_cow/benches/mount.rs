//! What a view costs: to mount, and to read and write through, beside the plain folder.
//!
//! Run `cargo bench -p plimsoll_cow`. Needs a user that may mount; says so and ends where there is none.

#[cfg(target_os = "linux")]
mod linux;

fn main() {
    #[cfg(target_os = "linux")]
    match plimsoll_cow::availability() {
        Ok(()) => divan::main(),
        #[expect(clippy::print_stderr, reason = "the reason why nothing was measured")]
        Err(why) => eprintln!("skipped: {why}"),
    }
}
