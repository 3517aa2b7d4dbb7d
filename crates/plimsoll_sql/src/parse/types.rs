//! Type nodes to data types.

use squawk_syntax::SyntaxKind;
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
            // The grammar takes `ships.` too.
            let name = Some(names::of_ref(path.path_ref()?)).filter(|name| !name.name.is_empty())?;
            let modifiers = modifiers(node);
            if name.schema.is_none() && name.name == "float" {
                return Some(float(&modifiers));
            }
            Some(DataType { modifiers, ..DataType::named(name) })
        }
        _ => builtin(node),
    }
}

/// `float(n)` asks for n binary digits, which the type that it stands for doesn't keep.
fn float(modifiers: &[i64]) -> DataType {
    let short = modifiers.first().is_some_and(|digits| *digits <= 24);
    DataType::named(ObjectName::unqualified(if short { "real" } else { "double precision" }))
}

/// The types that the grammar spells out: their name is their words without the modifiers.
fn builtin(node: &ast::Type) -> Option<DataType> {
    let text = tokens(node).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let words = without_parentheses(&text);
    let words: Vec<&str> =
        words.split_whitespace().filter(|word| *word != "setof" && *word != "national").collect();
    let name = match words.as_slice() {
        ["char" | "character" | "nchar", "varying"] => "character varying".to_owned(),
        ["nchar"] => "character".to_owned(),
        ["interval", fields @ ..] if !fields.is_empty() => format!("interval {}", fields.join(" ")),
        [kind @ ("time" | "timestamp"), "with", ..] => format!("{kind} with time zone"),
        [kind @ ("time" | "timestamp"), ..] => format!("{kind} without time zone"),
        words => words.join(" "),
    };
    let mut modifiers = modifiers(node);
    if modifiers.is_empty() && ["char", "character", "nchar"].contains(&name.as_str()) {
        modifiers.push(1);
    }
    Some(DataType { modifiers, ..DataType::named(ObjectName::unqualified(name)) })
}

fn without_parentheses(text: &str) -> String {
    match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => format!("{} {}", &text[..open], &text[close + 1..]),
        _ => text.to_owned(),
    }
}

/// The integers between a type's parentheses.
fn modifiers(node: &ast::Type) -> Vec<i64> {
    let inner: String =
        tokens(node).skip_while(|token| token != "(").skip(1).take_while(|token| token != ")").collect();
    inner.split(',').filter_map(|number| number.parse().ok()).collect()
}

/// A type's words and signs, without space and comments.
fn tokens(node: &ast::Type) -> impl Iterator<Item = String> {
    node.syntax()
        .descendants_with_tokens()
        .filter_map(|element| element.into_token())
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
        .map(|token| token.text().to_owned())
}
