//! Instructions that a record costs, from its bytes to the summary, by valgrind: the same on a busy machine as on a quiet one, and so a
//! gate. Fails when a format costs more than its limit.
//!
//! Run `cargo bench -p plimsoll_logs --bench instructions`. Without valgrind nothing is measured, and that is said.

#![expect(clippy::print_stdout, reason = "a benchmark's result is for who runs it")]

mod sample;

use std::process::{Command, ExitCode};

use plimsoll_logs::{Format, Prefix, Scan};

/// The most instructions that a record may cost; what was measured, and a twentieth.
const LIMITS: [(&str, u64); 3] = [("stderr", 3960), ("csvlog", 5880), ("jsonlog", 6960)];
/// What the start costs is in both, and so drops out.
const RECORDS: [usize; 2] = [5000, 25_000];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, format, records] = &arguments[..]
        && flag == "--read"
    {
        read(format, records.parse().expect("a number of records"));
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("valgrind isn't installed: no instructions were counted");
        return ExitCode::SUCCESS;
    }
    let mut code = ExitCode::SUCCESS;
    for (format, limit) in LIMITS {
        let [few, many] = RECORDS.map(|records| counted(format, records));
        let each = (many - few) / (RECORDS[1] - RECORDS[0]) as u64;
        println!("{format}: {each} instructions a record, at most {limit} are allowed");
        if each > limit {
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn read(format: &str, records: usize) {
    let (format, text) = match format {
        "stderr" => {
            let prefix = Prefix::new(sample::PREFIX).expect("a prefix");
            (Format::Stderr(prefix), sample::stderr(RECORDS[1]))
        }
        "csvlog" => (Format::Csv, sample::csvlog(RECORDS[1])),
        _ => (Format::Json, sample::jsonlog(RECORDS[1])),
    };
    // The same text is made each time, so that making it drops out as well.
    let end = text.len() / RECORDS[1] * records;
    let end = text[..end].rfind('\n').map_or(0, |end| end + 1);
    let mut scan = Scan::new(1);
    scan.read(&format, &text.as_bytes()[..end]).expect("read from memory");
    assert!(scan.summary().counts.records > 0);
}

fn counted(format: &str, records: usize) -> u64 {
    let own = std::env::current_exe().expect("this program");
    let ended = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(["--read", format, &records.to_string()])
        .output()
        .expect("run valgrind");
    let told = String::from_utf8_lossy(&ended.stderr);
    let counted = told.lines().find_map(|line| line.split_once("Collected : "));
    let counted = counted.and_then(|(_, number)| number.trim().parse().ok());
    counted.unwrap_or_else(|| panic!("valgrind told no count: {told}"))
}
