//! Whole texts: what is read is the same whatever the blocks, and what is refused is told as it stands first in the file.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{Pace, read_at};
use crate::{Format, Groups, ScoreColumn, Table, TableError, Wanted, read_text};

fn wanted() -> Wanted {
    Wanted { label: "y".to_owned(), scores: vec!["s".to_owned()], ..Wanted::default() }
}

fn all() -> Wanted {
    let column = |name: &str| Some(name.to_owned());
    Wanted { weight: column("w"), group: column("g"), time: column("t"), ..wanted() }
}

fn scores(table: &Table) -> &[f64] {
    match &table.scores[..] {
        [ScoreColumn::F64(scores)] => scores,
        other => panic!("one column of f64, not {other:?}"),
    }
}

fn check(text: &str, format: Format, positive: &[bool], expected: &[f64]) {
    let table = read_text(text.as_bytes(), format, &wanted()).expect("a sound table");
    assert_eq!(table.positive, positive, "{text:?}");
    let bits = |scores: &[f64]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(scores(&table)), bits(expected), "{text:?}");
}

/// The error, which is the same whatever the blocks.
fn error(text: impl AsRef<[u8]>, format: Format, wanted: &Wanted) -> String {
    let bytes = text.as_ref();
    let told = read_text(bytes, format, wanted).expect_err("something is wrong").to_string();
    for block in [1, 2, 7, 20] {
        let again =
            read_at(bytes, format, wanted, Pace { block, threads: 3 }).expect_err("something is wrong");
        assert_eq!(again.to_string(), told, "in blocks of {block}");
    }
    told
}

fn csv_error(text: impl AsRef<[u8]>) -> String {
    error(text, Format::Csv, &wanted())
}

#[test]
fn rows_are_read_however_they_are_written() {
    let expected = [0.25, -0.0, 5e-324];
    let positive = [true, false, true];
    check("y,s\n1,0.25\n0,-0.0\n1,5e-324\n", Format::Csv, &positive, &expected);
    check("\u{feff}y,s\r\n1, 0.25\r\n0 ,-0.0 \r\n1.0,5e-324\r\n\r\n", Format::Csv, &positive, &expected);
    check(
        "\n\"s\",x,\"y\"\n0.25,\"a,\n\"\"b\"\"\",t\n\n-0e0,5\",F\n\"5e-324\",,T",
        Format::Csv,
        &positive,
        &expected,
    );
    check("x\ty\ts\n,\t1\t0.25\n\t-1\t-0\n\t+1\t5e-324\n", Format::Tsv, &positive, &expected);
    let lines = "{\"y\":true,\"s\":0.25}\r\n\n {\"s\":\"-0.0\",\"x\":[{}],\"y\":\"False\"}\n{\"y\":true,\"s\":5e-324}";
    check(lines, Format::JsonLines, &positive, &expected);
}

#[test]
fn weights_groups_and_days_are_read() {
    let text = "t,w,g,s,y\n2026-01-01,1,b,0,0\n2026-01-03T12:00:00Z,0.5,a,0,1\n2026-01-02,0,b,1,1\n";
    let table = read_text(text.as_bytes(), Format::Csv, &all()).expect("a sound table");
    assert_eq!(table.weights, Some(vec![1.0, 0.5, 0.0]));
    let names = vec!["b".to_owned(), "a".to_owned()];
    assert_eq!(table.groups, Some(Groups { names, of_row: vec![0, 1, 0] }));
    assert_eq!(table.days, Some(2.5));
}

#[test]
fn json_groups_are_text_numbers_or_null() {
    let text = r#"{"y":1,"s":1,"w":1,"t":0,"g":null}
{"y":1,"s":1,"w":1,"t":"1970-01-02","g":"M\u00fcnchen"}
{"y":1,"s":1,"w":1,"t":0,"g":7}"#;
    let table = read_text(text.as_bytes(), Format::JsonLines, &all()).expect("a sound table");
    let groups = table.groups.expect("wanted");
    assert_eq!(groups.names, ["", "München", "7"]);
    assert_eq!(table.days, Some(1.0));
}

#[test]
fn a_named_class_is_positive_and_all_others_are_not() {
    let wanted = Wanted { positive: Some("spam".to_owned()), ..wanted() };
    let table = read_text(b"y,s\nspam,1\nham,2\neggs,3\n", Format::Csv, &wanted).expect("a sound table");
    assert_eq!(table.positive, [true, false, false]);
    let told = error("y,s\nSpam,1\nham,2\n", Format::Csv, &wanted);
    assert_snapshot!(told, @r#"column "y" has no label "spam"; it has "Spam" (first in row 1), "ham" (first in row 2)"#);
}

#[test]
fn a_file_without_rows_is_refused() {
    assert_snapshot!(csv_error(""), @"it is empty; write a header and a row for each case");
    assert_snapshot!(csv_error("\u{feff}\r\n \n"), @"it is empty; write a header and a row for each case");
    assert_snapshot!(csv_error("y,s\n\n"), @"it has no row; write one for each case");
    assert_snapshot!(error("y", Format::Parquet, &wanted()), @"it is Parquet, which isn't text; read it as Parquet");
}

#[test]
fn a_header_lacks_no_column_and_repeats_none() {
    assert_snapshot!(csv_error("Y,score\n1,1\n"), @r#"there is no column "y"; did you mean "Y"? (the columns are "Y", "score")"#);
    assert_snapshot!(csv_error("y,p\n1,1\n"), @r#"there is no column "s"; the columns are "y", "p""#);
    assert_snapshot!(csv_error("y,s,s\n1,1,1\n"), @r#"columns 2 and 3 are both named "s"; rename one of them"#);
    assert_snapshot!(csv_error(b"y,s,gr\xfc\xdfe\n1,1,1\n"), @"line 1: the header's column 3 isn't UTF-8; write the file in UTF-8");
    assert_snapshot!(csv_error(b"\xff\xfey\0,\0"), @"line 1: the header's column 1 isn't UTF-8; write the file in UTF-8");
    assert_snapshot!(csv_error("y,\"s\n1,1\n"), @"line 1: a quote is opened in the header and never closed; close it, or double a quote that is meant");
}

#[test]
fn a_wrong_score_is_told_with_its_place() {
    assert_snapshot!(csv_error("y,s\n1,0.5\n\n0,\n"), @r#"row 2 (line 4, character 3), column "s": the score is empty; fill it in, or leave the row out"#);
    assert_snapshot!(csv_error("y,s\n1,NaN\n"), @r#"row 1 (line 2, character 3), column "s": the score is NaN; write a number, or leave the row out"#);
    assert_snapshot!(csv_error("y,s\n1,-inf\n"), @r#"row 1 (line 2, character 3), column "s": the score is infinite; write a finite number, or leave the row out"#);
    assert_snapshot!(csv_error("x,y,s\n\"ä\n\",1,1\n\"é\nü\",1,high\n"), @r#"row 2 (line 5, character 6), column "s": the score is "high", not a number"#);
    assert_snapshot!(csv_error(b"y,s\n1,\xff\n"), @r#"row 1 (line 2, character 3), column "s": the score is "�", not a number"#);
}

#[test]
fn a_wrong_weight_time_or_group_is_told_with_its_place() {
    let told = |row: &[u8]| error([b"y,s,w,t,g\n1,0,1,0,a\n", row].concat(), Format::Csv, &all());
    assert_snapshot!(told(b"1,0,-1,0,a"), @r#"row 2 (line 3, character 5), column "w": the weight is -1; a weight is a finite number of at least 0"#);
    assert_snapshot!(told(b"1,0,nan,0,a"), @r#"row 2 (line 3, character 5), column "w": the weight is NaN; write a number, or leave the row out"#);
    assert_snapshot!(told(b"1,0,1e999,0,a"), @r#"row 2 (line 3, character 5), column "w": the weight is infinite; write a finite number, or leave the row out"#);
    assert_snapshot!(told(b"1,0,1,May 5,a"), @r#"row 2 (line 3, character 7), column "t": the time is "May 5", not a moment; write 2026-01-31, 2026-01-31T12:00:00Z or seconds since 1970"#);
    assert_snapshot!(told(b"1,0,1,1769862896000,a"), @r#"row 2 (line 3, character 7), column "t": the time is 1769862896000, past the year 5138 in seconds since 1970; write seconds, not milliseconds"#);
    assert_snapshot!(told(b"1,0,1,0,\xe4"), @r#"row 2 (line 3, character 9), column "g": the group is "�", which isn't UTF-8; write the file in UTF-8"#);
}

#[test]
fn a_row_has_as_many_cells_as_the_header() {
    assert_snapshot!(csv_error("y,s,x\n1,1,1\n1,1\n"), @"row 2 (line 3): it has 2 cells, and the header has 3");
    assert_snapshot!(csv_error("s,y\n1,1\n0,5,1\n"), @"row 2 (line 3): it has 3 cells, and the header has 2");
    assert_snapshot!(csv_error("y,s\n\"1\n\"\n"), @"row 1 (line 2): it has 1 cell, and the header has 2");
    assert_snapshot!(csv_error("y,s\n1,1\n0,\"2\n1,1\n"), @"row 2 (line 3): a quote is opened and never closed; close it, or double a quote that is meant");
}

#[test]
fn labels_that_tell_nothing_are_told_with_their_rows() {
    assert_snapshot!(csv_error("y,s\nno,1\n\nno,1\nyes,1\n"), @r#"column "y" has labels that don't tell which is positive: "no" (first in row 1), "yes" (first in row 3); name the positive class with --positive"#);
    assert_snapshot!(csv_error("y,s\n0,1\n1,1\n2,1\n3,1\n"), @r#"column "y" has three kinds of labels: "0" (first in row 1), "1" (first in row 2), "2" (first in row 3); name the positive class with --positive"#);
    assert_snapshot!(csv_error("y,s\n0,1\n ,1\n"), @r#"row 2 (line 3, character 1), column "y": the label is empty; fill it in, or leave the row out"#);
    assert_snapshot!(csv_error("y,s\nnan,1\n"), @r#"row 1 (line 2, character 1), column "y": the label is NaN; write a number, or leave the row out"#);
    assert_snapshot!(csv_error(b"y,s\n\xff,1\n"), @r#"row 1 (line 2, character 1), column "y": the label is "�", which isn't UTF-8; write the file in UTF-8"#);
}

#[test]
fn what_comes_first_is_told() {
    let rows = |rows: &str| csv_error(format!("y,s\n0,1\n1,1\n{rows}"));
    assert_snapshot!(rows("2,1\n0,x\n"), @r#"column "y" has three kinds of labels: "0" (first in row 1), "1" (first in row 2), "2" (first in row 3); name the positive class with --positive"#);
    assert_snapshot!(rows("0,x\n2,1\n"), @r#"row 3 (line 4, character 3), column "s": the score is "x", not a number"#);
    assert_snapshot!(rows("0,x\n0\n0,\"\n"), @r#"row 3 (line 4, character 3), column "s": the score is "x", not a number"#);
    assert_snapshot!(rows("0\n0,x\n0,\"\n"), @"row 3 (line 4): it has 1 cell, and the header has 2");
}

#[test]
fn a_wrong_line_of_json_is_told_with_its_place() {
    let told = |line: &str| {
        let text = format!("{}\n\n{line}\n", r#"{"y":1,"s":0,"w":1,"t":0,"g":"a"}"#);
        error(text, Format::JsonLines, &all())
    };
    assert_snapshot!(told(r#"{"y":1,"s":0,"w":1,"t":0"#), @"row 2 (line 3, character 24): it isn't JSON: EOF while parsing an object; write one object a line");
    assert_snapshot!(told(r#"{"y":1,"s":NaN}"#), @"row 2 (line 3, character 12): it isn't JSON: expected value; write one object a line");
    assert_snapshot!(told("1,2"), @"row 2 (line 3): it is a number, not an object; write one object a line, as `jq -c '.[]'` does");
    assert_snapshot!(told(r#"{"y":1,"s":0,"w":1,"t":0}"#), @r#"row 2 (line 3, character 1), column "g": the key is missing; write it in every line, or leave the row out"#);
    assert_snapshot!(told(r#"{"y":1,"s":null,"w":1,"t":0,"g":1}"#), @r#"row 2 (line 3, character 12), column "s": the score is null; fill it in, or leave the row out"#);
    assert_snapshot!(told(r#"{"y":1,"s":[1],"w":1,"t":0,"g":1}"#), @r#"row 2 (line 3, character 12), column "s": the score is a list, not a single value"#);
    assert_snapshot!(told(r#"{"y":1,"s":true,"w":1,"t":0,"g":1}"#), @r#"row 2 (line 3, character 12), column "s": the score is "true", not a number"#);
    assert_snapshot!(told(r#"{"y":1,"s":1,"w":1,"t":0,"g":{}}"#), @r#"row 2 (line 3, character 30), column "g": the group is an object, not a single value"#);
    assert_snapshot!(told(r#"{"y":1,"s":1,"s":1,"w":1,"t":0,"g":1}"#), @r#"row 2 (line 3, character 18), column "s": the key stands twice in the line; leave one out"#);
}

#[test]
fn the_first_line_of_json_tells_the_columns() {
    let told = |text: &str| error(text, Format::JsonLines, &wanted());
    assert_snapshot!(told(r#"{"label":1,"S":0}"#), @r#"there is no column "y"; the columns are "S", "label""#);
    assert_snapshot!(told(r#"{"y":1,"S":0}"#), @r#"there is no column "s"; did you mean "S"? (the columns are "S", "y")"#);
    assert_snapshot!(told("[{\"y\":1,\n\"s\":0}]"), @"row 1 (line 1): it is a list, not an object; write one object a line, as `jq -c '.[]'` does");
}

/// A row of a table as somebody may write it.
#[derive(Clone, Debug)]
struct Row {
    positive: bool,
    score: f64,
    group: String,
    quoted: [bool; 3],
}

prop_compose! {
    fn row()(positive: bool, score in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
             group in "[ab,\"\r\n\u{e4}]{0,5}", quoted: [bool; 3]) -> Row {
        Row { positive, score, group, quoted }
    }
}

fn cell(text: &str, quoted: bool) -> String {
    if quoted || text.contains(['"', ',', '\t', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

fn written(rows: &[Row], delimiter: &str, line_break: &str) -> String {
    let mut text = ["g", "s", "y"].join(delimiter) + line_break;
    for row in rows {
        let cells = [row.group.clone(), format!("{:e}", row.score), u8::from(row.positive).to_string()];
        let cells: Vec<_> = cells.iter().zip(row.quoted).map(|(text, quoted)| cell(text, quoted)).collect();
        text += &(cells.join(delimiter) + line_break);
    }
    text
}

fn same(table: &Table, rows: &[Row]) {
    let scores: Vec<u64> = scores(table).iter().map(|score| score.to_bits()).collect();
    assert_eq!(scores, rows.iter().map(|row| row.score.to_bits()).collect::<Vec<_>>());
    assert_eq!(table.positive, rows.iter().map(|row| row.positive).collect::<Vec<_>>());
    let groups = table.groups.as_ref().expect("wanted");
    let names: Vec<_> = groups.of_row.iter().map(|group| groups.names[*group as usize].as_str()).collect();
    assert_eq!(names, rows.iter().map(|row| row.group.as_str()).collect::<Vec<_>>());
}

/// What the csv crate makes of a text: its rows without the header.
fn by_csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let records = reader.into_byte_records().map_while(Result::ok);
    records.map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect()
}

proptest! {
    #[test]
    fn any_table_is_read_as_it_was_written(
        rows in prop::collection::vec(row(), 1..40), tabs: bool, returns: bool, block in 1_usize..200, threads in 1_usize..4,
    ) {
        let (delimiter, format) = if tabs { ("\t", Format::Tsv) } else { (",", Format::Csv) };
        let text = written(&rows, delimiter, if returns { "\r\n" } else { "\n" });
        let wanted = Wanted { group: Some("g".to_owned()), ..wanted() };
        let table = read_at(text.as_bytes(), format, &wanted, Pace { block, threads }).expect("a sound table");
        same(&table, &rows);
    }

    #[test]
    fn any_text_is_read_or_refused_the_same_in_any_blocks(
        text in "[ysg01,.\"\r\n\\-e{}:]{0,60}", json: bool, block in 1_usize..20, threads in 1_usize..4,
    ) {
        let format = if json { Format::JsonLines } else { Format::Csv };
        let text = if json { format!("{{\"y\":1,\"s\":1}}\n{text}") } else { format!("y,s\n{text}") };
        let told = |table: Result<Table, TableError>| table.map_err(|error| error.to_string());
        let whole = told(read_at(text.as_bytes(), format, &wanted(), Pace { block: 1 << 20, threads: 1 }));
        prop_assert_eq!(told(read_at(text.as_bytes(), format, &wanted(), Pace { block, threads })), whole);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        for format in [Format::Csv, Format::Tsv, Format::JsonLines] {
            let _ = read_text(&[b"\"y\",s\n", &bytes[..]].concat(), format, &wanted());
            let _ = read_text(&bytes, format, &wanted());
        }
    }

    #[test]
    fn quotes_mean_what_they_mean_elsewhere(text in "(([ab\" ]|\"\"){0,4}[,\n]){1,12}") {
        let text = format!("y,g\n{text}");
        prop_assume!(text.matches('"').count() % 2 == 0);
        let cells = super::separated::all_cells(text.as_bytes());
        if let Some(cells) = cells {
            prop_assert_eq!(cells[1..].to_vec(), by_csv(text.as_bytes()));
        }
    }
}
