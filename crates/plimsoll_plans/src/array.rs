//! PostgreSQL's text form of one-dimensional arrays (documentation, "Array Input and Output Syntax").

/// The elements of an array without nulls; `None` for what is no such array.
pub(crate) fn parse(text: &str) -> Option<Vec<String>> {
    // Lower bounds other than 1 stand in front: `[0:2]={…}`.
    let text = if text.starts_with('[') { text.split_once('=')?.1 } else { text };
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    if inner.is_empty() {
        return Some(elements);
    }
    let mut element = String::new();
    let (mut is_quoted, mut was_quoted) = (false, false);
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => element.push(characters.next()?),
            '"' => {
                is_quoted = !is_quoted;
                was_quoted = true;
            }
            ',' if !is_quoted => {
                elements.push(finished(&mut element, &mut was_quoted)?);
            }
            '{' | '}' if !is_quoted => return None,
            other => element.push(other),
        }
    }
    elements.push(finished(&mut element, &mut was_quoted)?);
    (!is_quoted).then_some(elements)
}

fn finished(element: &mut String, was_quoted: &mut bool) -> Option<String> {
    let quoted = std::mem::take(was_quoted);
    let element = std::mem::take(element);
    (quoted || !element.eq_ignore_ascii_case("null")).then_some(element)
}

/// An array of these elements, each quoted.
pub(crate) fn format<'a>(elements: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::from("{");
    for element in elements {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        for character in element.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&[&str]>) {
        let parsed = parse(text);
        let seen = parsed.as_ref().map(|elements| elements.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(seen.as_deref(), expected, "{text}");
        if let Some(elements) = parsed {
            assert_eq!(parse(&format(elements.iter().map(String::as_str))), Some(elements));
        }
    }

    #[test]
    fn arrays_are_read_as_the_server_writes_them() {
        check("{}", Some(&[]));
        check("{1,-2.5,a b}", Some(&["1", "-2.5", "a b"]));
        check(
            r#"{"a,b","c\"d","e\\f","",NULLS,"NULL"}"#,
            Some(&["a,b", "c\"d", "e\\f", "", "NULLS", "NULL"]),
        );
        check(r#"{"{1,2}","{3}"}"#, Some(&["{1,2}", "{3}"]));
        check("[0:1]={7,8}", Some(&["7", "8"]));
    }

    #[test]
    fn what_is_no_plain_array_is_refused() {
        for text in ["", "{", "1,2", "{{1},{2}}", "{NULL}", r#"{"a}"#, "{a\\}"] {
            check(text, None);
        }
    }
}
