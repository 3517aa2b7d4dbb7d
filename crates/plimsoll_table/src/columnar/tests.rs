use super::*;
use crate::table::ScoreColumn;

/// Made by `tests/files/make.py`.
fn wanted(label: &str, score: &str) -> Wanted {
    Wanted { label: label.to_owned(), scores: vec![score.to_owned()], ..Wanted::default() }
}

fn whole() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/types.parquet")).expect("it is there")
}

fn read_whole(wanted: &Wanted) -> Result<Table, TableError> {
    read_parquet_bytes(whole(), wanted)
}

#[test]
fn every_type_of_label_and_score_comes_to_the_same() {
    let expected = read_whole(&wanted("flag", "double")).expect("sound");
    assert_eq!(expected.positive, [true, false, false, true, false, true, false]);
    let ScoreColumn::F64(scores) = &expected.scores[0] else { panic!("doubles are doubles") };
    assert_eq!(scores[..3], [0.5, -1.0, 2.25]);
    for label in ["int8", "int64", "uint8", "text", "double_label", "optional"] {
        assert_eq!(read_whole(&wanted(label, "double")).expect(label).positive, expected.positive, "{label}");
    }
    for score in ["float", "half", "whole"] {
        let found = read_whole(&wanted("flag", score)).expect(score);
        let first: Vec<f64> = match &found.scores[0] {
            ScoreColumn::F32(scores) => scores.iter().map(|score| f64::from(*score)).collect(),
            ScoreColumn::F64(scores) => scores.clone(),
        };
        let expected = if score == "whole" { vec![0.0, -1.0, 2.0] } else { vec![0.5, -1.0, 2.25] };
        assert_eq!(first[..3], expected, "{score}");
        assert_eq!(matches!(found.scores[0], ScoreColumn::F32(_)), score != "whole", "{score}");
    }
}

#[test]
fn groups_weights_and_times_are_read() {
    let mut asked = wanted("flag", "double");
    asked.weight = Some("whole_weight".to_owned());
    asked.group = Some("region".to_owned());
    for time in ["when", "when_text", "when_ms", "day"] {
        asked.time = Some(time.to_owned());
        let found = read_whole(&asked).expect(time);
        assert_eq!(found.days, Some(6.0), "{time}");
        let groups = found.groups.expect("asked for");
        assert_eq!(
            (&groups.names[..], &groups.of_row[..]),
            (&["eu".to_owned(), "us".to_owned(), String::new()][..], &[0, 1, 0, 2, 1, 0, 0][..])
        );
        assert_eq!(found.weights.expect("asked for"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_row_and_column() {
    let told =
        |label: &str, score: &str| read_whole(&wanted(label, score)).expect_err("it is wrong").to_string();
    insta_free(
        &told("flag", "with_nan"),
        "row 5, column \"with_nan\": the score is NaN; write a number, or leave the row out",
    );
    insta_free(
        &told("flag", "with_null"),
        "row 6, column \"with_null\": the score is null; fill it in, or leave the row out",
    );
    insta_free(
        &told("kinds", "double"),
        "column \"kinds\" has three kinds of labels: \"1\" (first in row 1), \"0\" (first in row 2), \"2\" (first in row 4); name the positive class with --positive",
    );
    insta_free(&told("flag", "list"), "there is no column \"list\"");
    assert!(told("flag", "when").contains("which can't be read as a score; cast it to double"));
    assert!(told("flag", "decimal").contains("cast it to double"));
    assert!(told("when", "double").contains("can't be read as a label"));
}

fn insta_free(told: &str, expected: &str) {
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn a_file_that_is_cut_off_or_damaged_is_refused() {
    let bytes = whole();
    for length in [4, 11, 100, bytes.len() - 1] {
        let found = read_parquet_bytes(bytes[..length].to_vec(), &wanted("flag", "double"));
        assert!(matches!(found, Err(TableError::Truncated)), "{length}: {found:?}");
    }
    assert!(matches!(read_parquet_bytes(Vec::new(), &wanted("a", "b")), Err(TableError::Empty)));
    assert!(matches!(
        read_parquet_bytes(b"y,s\n0,1\n1,2\n0,3\n".to_vec(), &wanted("a", "b")),
        Err(TableError::NotParquet)
    ));
}

#[test]
fn no_flipped_byte_makes_it_panic() {
    let bytes = whole();
    for at in 4..bytes.len() - 4 {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        // Whatever comes of it, it is an answer.
        let _ = read_parquet_bytes(damaged, &wanted("text", "double"));
    }
}

#[test]
fn a_file_is_read_as_its_bytes_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/types.parquet");
    let of_file =
        read_parquet(File::open(path).expect("it is there"), &wanted("flag", "double")).expect("sound");
    assert_eq!(of_file, read_whole(&wanted("flag", "double")).expect("sound"));
}
