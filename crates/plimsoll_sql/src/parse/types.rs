//! Type nodes to data types.

use squawk_syntax::ast::{self, AstNode};

use super::names;
use crate::data_type::DataType;
use crate::name::ObjectName;

/// The data type that a node spells; none where the grammar leaves it open.
pub(super) fn data_type(node: &ast::Type) -> Option<DataType> {
    match node {
        ast::Type::ArrayType(array) => {
            let element = array.syntax().children().find_map(ast::Type::cast)?;
            Some(DataType { array: true, ..data_type(&element)? })
        }
        ast::Type::PathType(path) => {
            let name = names::of_ref(path.path_ref()?);
            Some(DataType { modifiers: modifiers(node), ..DataType::named(name) })
        }
        _ => builtin(node),
    }
}

/// The types that the grammar spells out: their name is their words without the modifiers.
fn builtin(node: &ast::Type) -> Option<DataType> {
    let text = node.syntax().text().to_string().to_ascii_lowercase();
    let words = without_parentheses(&text);
    let words: Vec<&str> =
        words.split_whitespace().filter(|word| *word != "setof" && *word != "national").collect();
    let name = match words.as_slice() {
        ["char" | "character" | "nchar", "varying"] => "character varying".to_owned(),
        ["nchar"] => "character".to_owned(),
        ["interval", ..] => "interval".to_owned(),
        [kind @ ("time" | "timestamp"), "with", ..] => format!("{kind} with time zone"),
        [kind @ ("time" | "timestamp"), ..] => format!("{kind} without time zone"),
        words => words.join(" "),
    };
    Some(DataType { modifiers: modifiers(node), ..DataType::named(ObjectName::unqualified(name)) })
}

fn without_parentheses(text: &str) -> String {
    match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => format!("{} {}", &text[..open], &text[close + 1..]),
        _ => text.to_owned(),
    }
}

/// The integers between a type's parentheses.
fn modifiers(node: &ast::Type) -> Vec<i64> {
    let text = node.syntax().text().to_string();
    let Some((_, inner)) = text.split_once('(') else { return Vec::new() };
    let inner = inner.split_once(')').map_or(inner, |(inner, _)| inner);
    inner.split(',').filter_map(|number| number.trim().parse().ok()).collect()
}
