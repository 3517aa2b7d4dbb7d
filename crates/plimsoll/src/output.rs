//! Results to stdout and files, complaints to stderr.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use plimsoll_core::{Report, SourceFile};
use plimsoll_report::{Colour, Format, Rendering, RuleHelp, Sources, render};

use crate::args::{ColorChoice, FailOn, OutputArguments, ReportArguments};
use crate::checkout::{FromRoot, is_read_at_root};
use crate::exit::{CLEAN, FINDINGS, Failure};
use crate::settings::current_folder;

/// Columns when the terminal doesn't tell.
const DEFAULT_WIDTH: usize = 100;

/// Prints a failure to stderr.
pub(crate) fn complain(failure: &Failure) {
    let text = match failure {
        Failure::Input(message) | Failure::Environment(message) => format!("plimsoll: failed to {message}\n"),
        Failure::Stopped(_) => "plimsoll: stopped; whatever it had started is gone\n".to_owned(),
    };
    // There is nobody left to tell when stderr is gone.
    io::stderr().write_all(text.as_bytes()).unwrap_or_default();
}

/// Says something on stderr, which is for the conversation.
pub(crate) fn tell(text: &str) {
    // There is nobody left to tell when stderr is gone.
    io::stderr().write_all(format!("plimsoll: {text}\n").as_bytes()).unwrap_or_default();
}

/// Prints a result to stdout. A reader that has seen enough is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::environment(format!("write to stdout: {why}")))
        }
        _ => Ok(()),
    }
}

/// Prints and writes a report as asked for, and returns the exit code that it calls for.
pub(crate) fn deliver(
    report: &Report,
    sources: &[SourceFile],
    arguments: &ReportArguments,
    color: ColorChoice,
) -> Result<u8, Failure> {
    write_reports(report, sources, &arguments.output, color)?;
    Ok(exit_code(report, arguments.fail_on))
}

/// The exit code that a report calls for.
pub(crate) fn exit_code(report: &Report, fail_on: FailOn) -> u8 {
    let worst = report.findings.iter().map(|finding| finding.severity).max();
    let fails = fail_on.threshold().is_some_and(|threshold| worst.is_some_and(|worst| worst >= threshold));
    if fails { FINDINGS } else { CLEAN }
}

/// Prints and writes a report as asked for.
pub(crate) fn write_reports(
    report: &Report,
    sources: &[SourceFile],
    arguments: &OutputArguments,
    color: ColorChoice,
) -> Result<(), Failure> {
    let asked_for = || arguments.reports.iter().map(|(format, _)| *format).chain([arguments.format]);
    let from_root = match asked_for().any(is_read_at_root) {
        true => FromRoot::of(report, sources, &current_folder()?),
        false => None,
    };
    let rendered = |format: Format| {
        let (colour, width) = terminal(color);
        let (report, sources) = match from_root.as_ref().filter(|_| is_read_at_root(format)) {
            Some(from_root) => (&from_root.report, &from_root.sources[..]),
            None => (report, sources),
        };
        let sources = Sources::new(sources);
        render(format, &Rendering { report, sources, colour, width, rule_help: &rule_help })
    };
    // A file that can't be written costs nobody the findings.
    let written: Vec<Result<(), Failure>> =
        arguments.reports.iter().map(|(format, path)| write_file(path, &rendered(*format))).collect();
    print(&rendered(arguments.format))?;
    written.into_iter().collect()
}

/// Writes a file whole or not at all.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    write_bytes(path, text.as_bytes())
}

/// As [`write_file`], for what is no text.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |why: io::Error| Failure::environment(format!("write {}: {why}", path.display()));
    // A device such as /dev/stderr can't be replaced by a rename.
    if path.exists() && !path.is_file() {
        return std::fs::write(path, bytes).map_err(failed);
    }
    // What a link leads to is replaced, not the link.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".plimsoll-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().set_permissions(permissions(&target)).map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Those of the file that is replaced. A temporary file is private; a new report is to be read by others, as far as the
/// umask lets it.
pub(crate) fn permissions(replaced: &Path) -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(replaced).map_or_else(
        |_| {
            let umask = rustix::process::umask(rustix::fs::Mode::empty());
            rustix::process::umask(umask);
            std::fs::Permissions::from_mode(0o666 & !umask.as_raw_mode())
        },
        |metadata| metadata.permissions(),
    )
}

/// Whether standard output is coloured, and its columns.
pub(crate) fn terminal(color: ColorChoice) -> (Colour, usize) {
    let stdout = io::stdout();
    let wants_colour = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            !set("NO_COLOR") && !dumb && stdout.is_terminal()
        }
    };
    let columns =
        rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col)).filter(|c| *c > 0);
    (if wants_colour { Colour::Always } else { Colour::Never }, columns.unwrap_or(DEFAULT_WIDTH))
}

fn rule_help(id: &str) -> Option<RuleHelp> {
    let (summary, help) = match (plimsoll_lint::rule(id), plimsoll_lint::schema_rule(id)) {
        (Some(rule), _) => (rule.summary(), rule.whole_page()),
        (None, Some(rule)) => (rule.summary(), rule.whole_page()),
        (None, None) => return None,
    };
    Some(RuleHelp { summary: summary.replace('`', ""), help, uri: None })
}
