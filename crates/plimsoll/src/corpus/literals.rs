//! Literals in the texts of calls: those that differ from call to call become parameters, and those that may name somebody are
//! left out.

use std::ops::Range;

use plimsoll_sql::NormalForm;
use plimsoll_traffic::Sample;

use super::saved::LEFT_OUT;

/// One text for several calls, and the values of each.
pub(super) struct Places {
    pub(super) text: String,
    /// Values of `$1`, `$2`, ….
    pub(super) sets: Vec<Vec<Option<String>>>,
}

impl Places {
    /// Of calls of one query; none if there is no call. Calls whose literals can't be parameters are left out, but for the first.
    pub(super) fn of(samples: &[Sample]) -> Option<Self> {
        let first = samples.first()?;
        let alike: Vec<&Sample> =
            samples.iter().filter(|sample| sample.bound.len() == first.bound.len()).collect();
        let literals: Vec<Vec<Range<usize>>> = alike.iter().map(|sample| literals(&sample.text)).collect();
        let fits = |at: usize| {
            let (sample, places) = (alike[at], &literals[at]);
            places.len() == literals[0].len()
                && between(&sample.text, places) == between(&first.text, &literals[0])
        };
        let fitting: Vec<usize> = (0..alike.len()).filter(|at| fits(*at)).collect();
        let value = |at: usize, place: usize| &alike[at].text[literals[at][place].clone()];
        let differing: Vec<usize> = (0..literals[0].len())
            .filter(|place| fitting.iter().any(|at| value(*at, *place) != value(0, *place)))
            .collect();
        let numbered: Option<Vec<(usize, &'static str)>> = differing
            .iter()
            .map(|place| {
                let values: Vec<&str> = fitting.iter().map(|at| value(*at, *place)).collect();
                Some((*place, cast_of(&first.text, &literals[0][*place], &values)?))
            })
            .collect();
        let Some(numbered) = numbered else {
            let same = samples.iter().filter(|sample| sample.text == first.text);
            return Some(Self {
                text: first.text.clone(),
                sets: same.map(|sample| sample.bound.clone()).collect(),
            });
        };
        let mut text = String::new();
        let mut end = 0;
        for (number, (place, cast)) in (first.bound.len() + 1..).zip(&numbered) {
            let range = &literals[0][*place];
            text.push_str(&first.text[end..range.start]);
            text.push_str(&format!("${number}{cast}"));
            end = range.end;
        }
        text.push_str(&first.text[end..]);
        let set = |at: &usize| {
            let own = numbered.iter().map(|(place, _)| Some(unquoted(value(*at, *place))));
            alike[*at].bound.iter().cloned().chain(own).collect()
        };
        Some(Self { text, sets: fitting.iter().map(set).collect() })
    }
}

/// The literals of a statement; not its parameters.
fn literals(text: &str) -> Vec<Range<usize>> {
    let mut form = NormalForm::default();
    form.of(text);
    let places = form.values().iter().map(|place| place.range.clone());
    places.filter(|range| !is_parameter(&text[range.clone()])).collect()
}

fn is_parameter(value: &str) -> bool {
    value.strip_prefix('$').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// What stands between and around the literals, without a comment at the end, which may differ from call to call.
fn between<'a>(text: &'a str, places: &[Range<usize>]) -> Vec<&'a str> {
    let starts = std::iter::once(0).chain(places.iter().map(|place| place.end));
    let ends = places.iter().map(|place| place.start).chain(std::iter::once(without_comment(text).len()));
    starts.zip(ends).map(|(start, end)| &text[start..end.max(start)]).collect()
}

/// The cast behind a parameter that stands for these literals at this place; none if a parameter can't stand there. What is an
/// `integer` to PostgreSQL has to stay one; a text has no type of its own, and neither has a parameter.
fn cast_of(text: &str, place: &Range<usize>, values: &[&str]) -> Option<&'static str> {
    let before = text[..place.start].trim_end();
    let word_start =
        before.rfind(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '"');
    let word = before[word_start.map_or(0, |at| at + 1)..].to_ascii_lowercase();
    // `interval '1 day'`, `e'…'` and names of types; `order by 1`.
    const MAY_PRECEDE: [&str; 17] = [
        "", "limit", "offset", "like", "ilike", "between", "and", "or", "not", "then", "else", "when",
        "from", "any", "in", "select", "return",
    ];
    if !MAY_PRECEDE.contains(&word.as_str()) || is_ordering(text, place.start) {
        return None;
    }
    if values.iter().all(|value| value.starts_with('\'') && value.ends_with('\'') && value.len() > 1) {
        return Some("");
    }
    let is_integer = |value: &&str| value.bytes().all(|byte| byte.is_ascii_digit());
    if values.iter().all(|value| is_integer(value) && value.parse::<i32>().is_ok()) {
        return Some("::integer");
    }
    if values.iter().all(|value| is_integer(value) && value.parse::<i64>().is_ok()) {
        return Some("::bigint");
    }
    values.iter().all(|value| value.parse::<f64>().is_ok()).then_some("::numeric")
}

/// Whether `ORDER BY` or `GROUP BY` is the last word of its kind before this place: a number there is a column's.
fn is_ordering(text: &str, at: usize) -> bool {
    let before = text[..at].to_ascii_lowercase();
    let last = [" by ", " limit ", " offset ", " where ", " having "]
        .into_iter()
        .max_by_key(|word| before.rfind(word));
    last == Some(" by ") && before.contains(" by ")
}

fn unquoted(literal: &str) -> String {
    match literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inside) => inside.replace("''", "'"),
        None => literal.to_owned(),
    }
}

/// The text with other literals in the places of those that aren't to be kept.
pub(crate) fn harmless_text(text: &str, keep_values: bool, hidden: &mut usize) -> String {
    if keep_values {
        return text.to_owned();
    }
    let mut written = String::new();
    let mut at = 0;
    for place in literals(text) {
        let value = &text[place.clone()];
        let quoted = value.contains('\'') || value.starts_with('$');
        let inside = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        if !quoted || inside.is_some_and(is_harmless) {
            continue;
        }
        written.push_str(&text[at..place.start]);
        written.push_str(&format!("'{LEFT_OUT}'"));
        at = place.end;
        *hidden += 1;
    }
    written.push_str(&text[at..]);
    // A comment may name a person or a route.
    let length = without_comment(&written).len();
    written.truncate(length);
    written
}

fn without_comment(text: &str) -> &str {
    match text.rfind("/*") {
        Some(start) if text.trim_end().trim_end_matches(';').trim_end().ends_with("*/") => {
            text[..start].trim_end()
        }
        _ => text,
    }
}

/// Numbers, booleans, dates, times and UUIDs name nobody by themselves.
pub(crate) fn is_harmless(value: &str) -> bool {
    let bytes = value.as_bytes();
    let digits =
        |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let of_time = |byte: u8| byte.is_ascii_digit() || b"+-.: TZ".contains(&byte);
    let date = digits(0, 4) && bytes.get(4) == Some(&b'-');
    let time = digits(0, 2) && bytes.get(2) == Some(&b':');
    let uuid = value.len() == 36 && value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let word = matches!(value, "t" | "f" | "true" | "false");
    let number =
        value.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit()) && value.parse::<f64>().is_ok();
    word || uuid || number || ((date || time) && value.bytes().all(of_time)) || is_interval(value)
}

/// `1 day`, `-2 hours 30 minutes`: numbers with units of time behind them.
fn is_interval(value: &str) -> bool {
    const UNITS: [&str; 14] = [
        "microsecond",
        "millisecond",
        "second",
        "sec",
        "minute",
        "min",
        "hour",
        "day",
        "week",
        "month",
        "mon",
        "year",
        "decade",
        "century",
    ];
    let words: Vec<&str> = value.split_whitespace().collect();
    let pairs = words.chunks(2).all(|pair| {
        let [number, unit] = pair else { return false };
        let unit = unit.to_ascii_lowercase();
        number.parse::<f64>().is_ok_and(f64::is_finite) && UNITS.contains(&unit.trim_end_matches('s'))
    });
    !words.is_empty() && pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(samples: &[(&str, &[&str])], text: &str, sets: &[&[&str]]) {
        let owned = |values: &[&str]| -> Vec<Option<String>> {
            values.iter().map(|value| Some((*value).to_owned())).collect()
        };
        let samples: Vec<Sample> = samples
            .iter()
            .map(|(text, bound)| Sample { text: (*text).to_owned(), bound: owned(bound) })
            .collect();
        let places = Places::of(&samples).unwrap();
        assert_eq!(places.text, text);
        assert_eq!(places.sets, sets.iter().map(|set| owned(set)).collect::<Vec<_>>());
    }

    #[test]
    fn calls_of_one_text_are_sets() {
        check(&[("select $1", &["a"]), ("select $1", &["b"])], "select $1", &[&["a"], &["b"]]);
    }

    #[test]
    fn literals_that_differ_become_parameters() {
        check(
            &[
                ("select * from t where a = 1 and b = 'x' and c = 'o''k' limit 5", &[]),
                ("select * from t where a = 70000000000 and b = 'x' and c = 'no' limit 5 /*route='y'*/", &[]),
            ],
            "select * from t where a = $1::bigint and b = 'x' and c = $2 limit 5",
            &[&["1", "o'k"], &["70000000000", "no"]],
        );
        check(
            &[("select $1 from t where a = 1", &["x"]), ("select $1 from t where a = 1.5", &["y"])],
            "select $1 from t where a = $2::numeric",
            &[&["x", "1"], &["y", "1.5"]],
        );
    }

    #[test]
    fn where_no_parameter_can_stand_the_first_call_stands_for_all() {
        let days = "select now() - interval '1 day'";
        check(&[(days, &[]), ("select now() - interval '2 day'", &[])], days, &[&[]]);
        let ordered = "select a, b from t order by 1";
        check(&[(ordered, &[]), ("select a, b from t order by 2", &[])], ordered, &[&[]]);
    }

    /// The text with its parameters' values back in their places.
    fn filled(places: &Places, set: usize) -> String {
        let mut text = places.text.clone();
        for (at, value) in places.sets[set].iter().enumerate().rev() {
            let value = value.as_deref().unwrap();
            let number = at + 1;
            for cast in ["::integer", "::bigint", "::numeric"] {
                text = text.replace(&format!("${number}{cast}"), value);
            }
            text = text.replace(&format!("${number}"), &format!("'{}'", value.replace('\'', "''")));
        }
        text
    }

    proptest! {
        #[test]
        fn each_set_in_the_text_is_its_call(
            calls in proptest::collection::vec(("[0-9]{1,12}", "'([a-z ]|''){0,5}'", "[0-9]{1,3}\\.[0-9]", "[1-9]"), 1..5)
        ) {
            let samples: Vec<Sample> = calls
                .iter()
                .map(|(a, b, c, d)| {
                    let text = format!(
                        "select x, {c} from t where a = {a} and b in ({b}, 'same') and i > interval '1 day' order by 1 limit {d}"
                    );
                    Sample { text, bound: Vec::new() }
                })
                .collect();
            let places = Places::of(&samples).unwrap();
            prop_assert!(!places.sets.is_empty() && places.sets.len() <= samples.len());
            for set in 0..places.sets.len() {
                let filled = filled(&places, set);
                prop_assert!(samples.iter().any(|sample| sample.text == filled), "{filled} of {samples:?}");
            }
        }

        #[test]
        fn any_texts_have_a_place(texts in proptest::collection::vec("(select |from |interval |order by |[0-9'$ (),a-cé/*;-]){0,30}", 1..4)) {
            let samples: Vec<Sample> =
                texts.into_iter().map(|text| Sample { text, bound: Vec::new() }).collect();
            let places = Places::of(&samples).unwrap();
            prop_assert!(places.sets.iter().all(|set| set.len() == places.sets[0].len()));
            harmless_text(&places.text, false, &mut 0);
        }
    }

    #[test]
    fn numbers_times_and_intervals_name_nobody() {
        for value in ["-1.5", "2024-01-01 10:00:00+00", "10:00", "t", "1 day", "-2 hours 30 min"] {
            assert!(is_harmless(value), "{value}");
        }
        for value in ["Ada", "1 Ada", "inf day", "day", "", "2024-01-01 Ada", "1 day Ada"] {
            assert!(!is_harmless(value), "{value}");
        }
    }

    #[test]
    fn texts_that_may_name_somebody_are_left_out() {
        let mut hidden = 0;
        let text = harmless_text(
            "select 'Ada', 5, '2024-01-01', E'x', $1, $$y$$ /*route='/ada'*/",
            false,
            &mut hidden,
        );
        assert_eq!(
            (text.as_str(), hidden),
            ("select 'left out', 5, '2024-01-01', 'left out', $1, 'left out'", 3)
        );
    }
}
