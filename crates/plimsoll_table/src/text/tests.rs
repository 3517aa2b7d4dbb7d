use proptest::prelude::*;

use super::*;
use crate::table::ScoreColumn;

fn wanted() -> Wanted {
    Wanted {
        label: "y".to_owned(),
        scores: vec!["s".to_owned()],
        weight: Some("w".to_owned()),
        group: Some("g".to_owned()),
        ..Wanted::default()
    }
}

fn read_in_blocks(text: &[u8], format: Format, block: usize, threads: usize) -> Result<Table, TableError> {
    read_at(text, format, &wanted(), Pace { block, threads })
}

/// Cells of a row, one of which nobody asked for.
#[derive(Clone, Debug)]
struct Row {
    positive: bool,
    score: f64,
    weight: f64,
    group: String,
    noise: String,
}

fn row() -> impl Strategy<Value = Row> {
    let score = any::<f64>().prop_filter("finite", |score| score.is_finite());
    let text = || {
        prop::collection::vec(
            prop::sample::select(vec!["a", ",", "\t", "\"", "\n", "\r\n", "é", " ", "'"]),
            0..5,
        )
    };
    (any::<bool>(), score, 0_u32..9, text(), text()).prop_map(|(positive, score, weight, group, noise)| Row {
        positive,
        score,
        weight: f64::from(weight) / 2.0,
        group: group.concat(),
        noise: noise.concat(),
    })
}

fn written(rows: &[Row], delimiter: u8, quotes: csv::QuoteStyle, ending: csv::Terminator) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .quote_style(quotes)
        .terminator(ending)
        .from_writer(Vec::new());
    writer.write_record(["g", "y", "noise", "s", "w"]).expect("memory");
    for row in rows {
        let [label, score, weight] =
            [u8::from(row.positive).to_string(), row.score.to_string(), row.weight.to_string()];
        writer.write_record([&row.group, &label, &row.noise, &score, &weight]).expect("memory");
    }
    writer.into_inner().expect("memory")
}

fn lines(rows: &[Row]) -> Vec<u8> {
    let line = |row: &Row| {
        let Row { positive, score, weight, group, noise } = row;
        format!(
            "{}\n",
            serde_json::json!({"noise": [noise], "s": score, "g": group, "y": positive, "w": weight})
        )
    };
    rows.iter().map(line).collect::<String>().into_bytes()
}

fn check(found: &Table, rows: &[Row]) {
    assert!(found.positive.iter().copied().eq(rows.iter().map(|row| row.positive)));
    let ScoreColumn::F64(scores) = &found.scores[0] else { panic!("text has full width") };
    assert!(scores.iter().map(|score| score.to_bits()).eq(rows.iter().map(|row| row.score.to_bits())));
    assert!(found.weights.iter().flatten().copied().eq(rows.iter().map(|row| row.weight)));
    let groups = found.groups.as_ref().expect("asked for");
    let names = groups.of_row.iter().map(|number| groups.names[*number as usize].as_str());
    assert!(names.eq(rows.iter().map(|row| row.group.as_str())));
}

proptest! {
    #[test]
    fn what_was_written_is_read_in_blocks_of_any_size(
        rows in prop::collection::vec(row(), 1..30),
        block in 1_usize..80,
        threads in 1_usize..4,
        quotes in prop::sample::select(vec![csv::QuoteStyle::Necessary, csv::QuoteStyle::Always, csv::QuoteStyle::NonNumeric]),
        ending in prop::sample::select(vec![csv::Terminator::Any(b'\n'), csv::Terminator::CRLF]),
    ) {
        for (delimiter, format) in [(b',', Format::Csv), (b'\t', Format::Tsv)] {
            let text = written(&rows, delimiter, quotes, ending);
            check(&read_in_blocks(&text, format, block, threads).expect("sound"), &rows);
        }
        check(&read_in_blocks(&lines(&rows), Format::JsonLines, block, threads).expect("sound"), &rows);
    }

    #[test]
    fn what_is_told_does_not_depend_on_blocks(
        text in "(y,s,w,g\n)?([01xy\",. \n\r-]{0,12}(\n|,1,1,a\n|,2,-1,b\n)){0,12}",
        block in 1_usize..40,
        threads in 1_usize..4,
    ) {
        let told = |found: Result<Table, TableError>| found.map_err(|error| error.to_string());
        let whole = told(read_in_blocks(text.as_bytes(), Format::Csv, usize::MAX, 1));
        prop_assert_eq!(told(read_in_blocks(text.as_bytes(), Format::Csv, block, threads)), whole);
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), block in 1_usize..50) {
        for format in [Format::Csv, Format::Tsv, Format::JsonLines] {
            let _ = read_in_blocks(&bytes, format, block, 2);
        }
    }
}

#[test]
fn errors_tell_the_place_and_what_to_do() {
    let told = |text: &str, format| {
        read_text(text.as_bytes(), format, &wanted()).expect_err("it is wrong").to_string()
    };
    let csv = |rows: &str| told(&format!("y,s,w,g\n{rows}"), Format::Csv);
    assert_eq!(
        csv("0,1,1,a\n1,x,1,b\n"),
        "row 2 (line 3, character 3), column \"s\": the score is \"x\", not a number"
    );
    assert_eq!(
        csv("0,1,-2,a\n"),
        "row 1 (line 2, character 5), column \"w\": the weight is -2; a weight is a finite number of at least 0"
    );
    assert_eq!(
        csv("0,1,1,\"a\nb\"\n1,nan,1,c\n"),
        "row 2 (line 4, character 3), column \"s\": the score is NaN; write a number, or leave the row out"
    );
    assert_eq!(csv("0,1,1\n"), "row 1 (line 2): it has 3 cells, and the header has 4");
    assert!(csv("0,1,1,\"a\n").starts_with("row 1 (line 2): a quote is opened"), "{}", csv("0,1,1,\"a\n"));
    assert_eq!(csv(""), "it has no row; write one for each case");
    assert_eq!(told("", Format::Csv), "it is empty; write a header and a row for each case");
    assert!(told("y,s\n", Format::Csv).starts_with("there is no column \"w\"; the columns are"));
    let json = |line: &str| told(line, Format::JsonLines);
    assert!(
        json("{\"y\":1,\"s\":2,\"w\":1,\"g\":\"a\"}\n{\"y\":0,\n").starts_with("row 2 (line 2, character")
    );
    let missing = "{\"y\":1,\"s\":2,\"w\":1,\"g\":\"a\"}\n{\"y\":1,\"w\":1,\"g\":\"a\"}\n";
    assert_eq!(
        json(missing),
        "row 2 (line 2, character 1), column \"s\": the key is missing; write it in every line, or leave the row out"
    );
    assert!(json("[1]\n").starts_with("row 1 (line 1): it is"), "{}", json("[1]\n"));
}

#[test]
fn a_byte_order_mark_and_a_missing_last_line_end_are_fine() {
    let found =
        read_text(b"\xef\xbb\xbfy,s,w,g\r\n0, 1.5 ,1,a\r\n1,2,1,b", Format::Csv, &wanted()).expect("sound");
    assert_eq!((found.rows(), found.positive), (2, vec![false, true]));
}
