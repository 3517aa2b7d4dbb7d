//! Prints one of the tests' sample reports, `change` or `watched`, in the format that the first argument names, to look at it.

use std::io::Write;

use plimsoll_report::{Colour, Format, Rendering, Sources, render};

#[path = "../src/sample.rs"]
mod sample;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let format: Format = std::env::args().nth(1).unwrap_or_else(|| "terminal".to_owned()).parse()?;
    let report = match std::env::args().nth(2).as_deref() {
        Some("watched") => sample::watched(),
        _ => sample::report(),
    };
    let colour = if std::env::args().nth(3).is_some() { Colour::Always } else { Colour::Never };
    let sources = sample::sources();
    let rendering = Rendering {
        report: &report,
        sources: Sources::new(&sources),
        colour,
        width: 100,
        rule_help: &|_| None,
    };
    std::io::stdout().write_all(render(format, &rendering).as_bytes())?;
    Ok(())
}
