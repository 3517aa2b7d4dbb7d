//! PostgreSQL's regression queries, as far as they are queries; see the README beside this file.

use std::io::Read;

use flate2::read::GzDecoder;
use plimsoll_sql::split::{Piece, split};

/// The scripts, in the order in which they run, each as its statements.
pub(crate) fn scripts() -> Vec<Vec<String>> {
    let mut text = String::new();
    let packed: &[u8] = include_bytes!("regression-queries.sql.gz");
    GzDecoder::new(packed).read_to_string(&mut text).expect("a corpus");
    text.split("-- script: ").skip(1).map(statements).collect()
}

fn statements(script: &str) -> Vec<String> {
    let body = script.split_once('\n').map_or("", |(_, body)| body);
    let statement = |piece| match piece {
        Piece::Statement { range, .. } => Some(body[range].to_owned()),
        Piece::MetaCommand { .. } => None,
    };
    split(body).into_iter().filter_map(statement).collect()
}
