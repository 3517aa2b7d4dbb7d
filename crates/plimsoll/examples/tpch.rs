//! Writes a project with TPC-H's tables, rows and 22 queries into a folder: what `benches/regress.py` measures.
//!
//! Usage: tpch FOLDER SCALE, where scale 1 is about 1 GB.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use tpchgen::csv;
use tpchgen::generators as of;

/// Tables, indexes and foreign keys, with rows of another generator among them.
const SCHEMA: &str = include_str!("../../plimsoll_plans/tests/plans/tpch.sql");
const QUERIES: &str = include_str!("../../plimsoll_plans/tests/plans/tpch_queries.sql");

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, scale] = arguments.as_slice() else {
        return Err(io::Error::other("usage: tpch FOLDER SCALE"));
    };
    let scale: f64 = scale.parse().map_err(io::Error::other)?;
    let folder = Path::new(folder);
    for part in ["migrations", "queries", "rows"] {
        std::fs::create_dir_all(folder.join(part))?;
    }
    let folder = folder.canonicalize()?;
    write_rows(&folder.join("rows"), scale)?;
    let copies: Vec<String> = TABLES
        .iter()
        .map(|table| format!("copy {table} from '{}/rows/{table}.csv' (format csv);\n", folder.display()))
        .collect();
    std::fs::write(folder.join("seed.sql"), copies.concat())?;
    let own_rows = |statement: &&str| {
        let bare = statement.trim_start().lines().find(|line| !line.starts_with("--")).unwrap_or_default();
        bare.starts_with("create table")
            || bare.starts_with("create index")
            || bare.starts_with("alter table")
    };
    let schema: Vec<&str> = SCHEMA.split(";\n").filter(own_rows).collect();
    std::fs::write(folder.join("migrations/0001_tpch.sql"), schema.join(";\n") + ";\n")?;
    std::fs::write(folder.join("queries/tpch.sql"), QUERIES.replace("-- q", "-- name: q"))?;
    std::fs::write(
        folder.join("plimsoll.toml"),
        "[database]\nseed = \"seed.sql\"\n[queries]\ntimeout = \"5min\"\n",
    )
}

const TABLES: [&str; 8] =
    ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"];

fn write_rows(folder: &Path, scale: f64) -> io::Result<()> {
    write(folder, "region", of::RegionGenerator::new(scale, 1, 1).iter().map(csv::RegionCsv::new))?;
    write(folder, "nation", of::NationGenerator::new(scale, 1, 1).iter().map(csv::NationCsv::new))?;
    write(folder, "supplier", of::SupplierGenerator::new(scale, 1, 1).iter().map(csv::SupplierCsv::new))?;
    write(folder, "customer", of::CustomerGenerator::new(scale, 1, 1).iter().map(csv::CustomerCsv::new))?;
    write(folder, "part", of::PartGenerator::new(scale, 1, 1).iter().map(csv::PartCsv::new))?;
    write(folder, "partsupp", of::PartSuppGenerator::new(scale, 1, 1).iter().map(csv::PartSuppCsv::new))?;
    write(folder, "orders", of::OrderGenerator::new(scale, 1, 1).iter().map(csv::OrderCsv::new))?;
    write(folder, "lineitem", of::LineItemGenerator::new(scale, 1, 1).iter().map(csv::LineItemCsv::new))
}

fn write<Row: Display>(folder: &Path, table: &str, rows: impl Iterator<Item = Row>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(folder.join(format!("{table}.csv")))?);
    for row in rows {
        writeln!(file, "{row}")?;
    }
    file.flush()
}
