//! `~/.pgpass`: a password for a host, port, database and user (documentation, "The Password File").

/// Which connection asks.
pub(super) struct Asked<'a> {
    pub(super) host: &'a str,
    pub(super) port: &'a str,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// The password of the first line that fits.
pub(super) fn password(file: &str, asked: &Asked) -> Option<String> {
    file.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line).into_iter();
        let mut fits = |wanted: &str| fields.next().is_some_and(|field| field == "*" || field == wanted);
        let all = fits(asked.host) && fits(asked.port) && fits(asked.database) && fits(asked.user);
        if all { fields.next() } else { None }
    })
}

/// Fields between colons; a backslash takes the next character's meaning away.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let character = match character {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => match characters.next() {
                Some(escaped) => escaped,
                None => break,
            },
            other => other,
        };
        if let Some(field) = fields.last_mut() {
            field.push(character);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: Option<&str>) {
        let asked = Asked { host: "db:1", port: "5432", database: "harbour", user: "reader" };
        assert_eq!(password(file, &asked).as_deref(), expected, "{file}");
    }

    #[test]
    fn the_first_line_that_fits_is_taken() {
        check("db\\:1:5432:harbour:reader:se\\:cr\\\\et", Some("se:cr\\et"));
        check("# c\n*:*:*:other:x\n*:*:*:reader:y\n*:*:*:*:z", Some("y"));
        check("*:*:harbour:*:with:colon", Some("with:colon"));
        check("*:5433:*:*:x\nshort:line\n", None);
    }
}
