//! The tags that sqlcommenter's libraries write into a statement's last comment: which route, controller or trace it
//! came from.
//!
//! Source: the sqlcommenter specification, "Parsing": the statement's last comment holds pairs `key='value'`, separated
//! by commas; keys and values are percent-encoded, and a quote within a value has a backslash before it.

/// The tags of a statement, in the order in which they stand; none if its last token isn't such a comment.
#[must_use]
pub fn tags(statement: &str) -> Vec<(String, String)> {
    comment(statement).and_then(pairs).unwrap_or_default()
}

/// The inside of the comment that a statement ends in.
fn comment(statement: &str) -> Option<&str> {
    let end = statement.trim_end_matches(|letter: char| letter.is_ascii_whitespace() || letter == ';');
    let body = end.strip_suffix("*/")?;
    let start = body.rfind("/*")?;
    Some(body[start + 2..].trim())
}

/// Nothing where one pair is malformed: the comment is somebody's prose then.
fn pairs(comment: &str) -> Option<Vec<(String, String)>> {
    let mut rest = comment;
    let mut pairs = Vec::new();
    loop {
        let (key, value) = rest.split_once('=')?;
        let key = key.trim();
        if key.is_empty() || key.contains(|letter: char| letter.is_whitespace() || letter == '\'') {
            return None;
        }
        let value = value.trim_start().strip_prefix('\'')?;
        let end = closing_quote(value)?;
        pairs.push((decoded(key), decoded(&value[..end].replace("\\'", "'"))));
        rest = value[end + 1..].trim_start();
        if rest.is_empty() {
            return Some(pairs);
        }
        rest = rest.strip_prefix(',')?;
    }
}

fn closing_quote(value: &str) -> Option<usize> {
    let bytes = value.as_bytes();
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(b'\'', &bytes[from..])?;
        if at == 0 || bytes[at - 1] != b'\\' {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Undoes percent-encoding; what isn't such a code stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> =
            expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(tags(statement), expected, "{statement}");
    }

    #[test]
    fn tags_are_read_as_the_specification_writes_them() {
        check(
            "SELECT 1 /*action='%2Fparam*d',controller='index',framework='spring',\
             traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01',\
             tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/",
            &[
                ("action", "/param*d"),
                ("controller", "index"),
                ("framework", "spring"),
                ("traceparent", "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01"),
                ("tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
            ],
        );
        check(
            "SELECT 1 /*name='DROP%20TABLE%20FOO',route='%2Fpolls 1000'*/;",
            &[("name", "DROP TABLE FOO"), ("route", "/polls 1000")],
        );
        check("SELECT 1 /*a='it\\'s', b='2'*/", &[("a", "it's"), ("b", "2")]);
    }

    #[test]
    fn prose_holds_no_tags() {
        for statement in [
            "SELECT 1",
            "SELECT 1 /* why */",
            "SELECT /*a='1'*/ 1",
            "SELECT 1 /*a=1*/",
            "SELECT 1 /*a='1*/",
            "*/",
            "/**/",
            "SELECT 1 /*a='1'b*/",
        ] {
            check(statement, &[]);
        }
    }

    #[test]
    fn a_code_that_is_none_stays() {
        check("x/*a='100%',b='%zz',c='%ff'*/", &[("a", "100%"), ("b", "%zz"), ("c", "%ff")]);
    }
}
