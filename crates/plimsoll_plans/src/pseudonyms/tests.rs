//! Tests of what becomes of whole values.

use super::*;

fn values(element_type: &str, elements: &[&str]) -> Values {
    Values {
        element_type: element_type.to_owned(),
        elements: elements.iter().map(|&element| element.to_owned()).collect(),
    }
}

fn replaced(element_type: &str, elements: &[&str], schema: &str) -> Option<Vec<String>> {
    let entry =
        SchemaEntry { kind: "TABLE".into(), schema: "public".into(), name: "t".into(), sql: schema.into() };
    let types = Types::default();
    let mut pseudonyms = Pseudonyms {
        types: &types,
        domains: Domains::default(),
        kept_columns: HashSet::new(),
        kept_texts: spelled_out(&[entry]),
        numbers: HashMap::new(),
        texts: Words::default(),
    };
    let column = ("public".to_owned(), "t".to_owned(), "a".to_owned());
    let mut values = values(element_type, elements);
    pseudonyms.collect(&column, &values);
    pseudonyms.choose(&RandomState::new());
    pseudonyms.replace(&column, &mut values, 1).then_some(values.elements)
}

#[test]
fn texts_become_words_in_order() {
    let words = replaced("text", &["Ann", "Bob", "Zoe", ""], "").unwrap();
    assert!(words[..3].is_sorted_by(|one, other| one < other), "{words:?}");
    assert!(words[..3].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())), "{words:?}");
    assert_eq!(words[3], "");
}

#[test]
fn what_the_schema_spells_out_stays() {
    let words = replaced("text", &["it's", "paid", "Ann"], "check (a in ('it''s', 'paid'))").unwrap();
    assert_eq!(words[..2], ["it's", "paid"]);
    assert_ne!(words[2], "Ann");
}

#[test]
fn arrays_and_ranges_are_replaced_inside() {
    let arrays = replaced("text[]", &[r#"{"a b",c}"#, "{c}"], "").unwrap();
    let inner: Vec<_> = arrays.iter().map(|array| array::parse(array).unwrap()).collect();
    assert_eq!(inner[0][1], inner[1][0]);
    assert!(!arrays.concat().contains("a b"));
}

#[test]
fn what_is_not_understood_is_refused() {
    assert_eq!(replaced("json", &["{}"], ""), None);
    assert_eq!(replaced("date", &["0044-03-15 BC"], ""), None);
}
