//! Paths of `file:` URIs (RFC 8089). Others name no file.

use std::path::PathBuf;

/// The absolute path that a `file:` URI names.
pub(crate) fn path_of(uri: &str) -> Option<PathBuf> {
    let scheme = uri.get(..5)?;
    let rest = scheme.eq_ignore_ascii_case("file:").then(|| &uri[5..])?;
    let path = match rest.strip_prefix("//") {
        // The authority before the path is empty, or says that the file is here.
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => rest,
    };
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.starts_with('/').then(|| decoded(path)).flatten().map(PathBuf::from)
}

/// The text with `%xx` replaced; none where that isn't UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| first == b'%').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            digits
                .bytes()
                .all(|digit| digit.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(digits, 16).ok())?
        });
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn only_file_uris_name_a_path() {
        let check = |uri: &str, expected: Option<&str>| {
            assert_eq!(path_of(uri).as_deref(), expected.map(Path::new), "{uri}");
        };
        check("file:///a/b.sql", Some("/a/b.sql"));
        check("file:///a/b%20c%C3%A9.sql", Some("/a/b cé.sql"));
        check("file://localhost/a", Some("/a"));
        check("FILE:/a", Some("/a"));
        check("file:///100%", Some("/100%"));
        check("file:///%+1%zz", Some("/%+1%zz"));
        check("file:///%ff", None);
        check("file://elsewhere/a", None);
        check("untitled:Untitled-1", None);
        check("é", None);
        check("", None);
    }
}
