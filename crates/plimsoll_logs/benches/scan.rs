//! Reading logs of each format, one reader, beside a scan for newlines of the same bytes.
//!
//! Run `cargo bench -p plimsoll_logs`. With `PLIMSOLL_BENCH_LOGS=folder` the files `pg.log`, `pg.csv` and `pg.json` in it are read
//! instead of the statements made here (`benches/logs.py` makes such files with a real server).

mod sample;

use divan::Bencher;
use divan::counter::BytesCount;
use plimsoll_logs::{Format, Prefix, Scan, report};

fn main() {
    divan::main();
}

const RECORDS: usize = 100_000;

fn input(name: &str, made: fn(usize) -> String) -> Vec<u8> {
    match std::env::var_os("PLIMSOLL_BENCH_LOGS") {
        Some(folder) => std::fs::read(std::path::Path::new(&folder).join(name)).expect("read the log"),
        None => made(RECORDS).into_bytes(),
    }
}

fn measure(bencher: Bencher<'_, '_>, format: &Format, text: &[u8]) {
    bencher.counter(BytesCount::new(text.len())).bench(|| {
        let mut scan = Scan::new(1);
        scan.read(format, text).expect("read from memory");
        report::report(&scan.summary(), Vec::new())
    });
}

#[divan::bench(sample_count = 9, sample_size = 1)]
fn of_stderr(bencher: Bencher<'_, '_>) {
    let prefix = Prefix::new(sample::PREFIX).expect("a prefix");
    measure(bencher, &Format::Stderr(prefix), &input("pg.log", sample::stderr));
}

#[divan::bench(sample_count = 9, sample_size = 1)]
fn of_csvlog(bencher: Bencher<'_, '_>) {
    measure(bencher, &Format::Csv, &input("pg.csv", sample::csvlog));
}

#[divan::bench(sample_count = 9, sample_size = 1)]
fn of_jsonlog(bencher: Bencher<'_, '_>) {
    measure(bencher, &Format::Json, &input("pg.json", sample::jsonlog));
}

#[divan::bench(sample_count = 9, sample_size = 1)]
fn newlines_of_stderr(bencher: Bencher<'_, '_>) {
    let text = input("pg.log", sample::stderr);
    bencher.counter(BytesCount::new(text.len())).bench(|| memchr::memchr_iter(b'\n', &text).count());
}
