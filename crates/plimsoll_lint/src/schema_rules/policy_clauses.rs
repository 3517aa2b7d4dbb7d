//! The clauses of `CREATE POLICY` and `ALTER POLICY`, read from their text.

/// What a policy says; of a clause that is said twice, the later counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyClauses {
    /// Whether it adds rows, as policies do unless they are restrictive.
    pub(crate) permissive: bool,
    /// `all`, `select`, `insert`, `update` or `delete`.
    pub(crate) command: String,
    /// The roles that it is for.
    pub(crate) roles: Vec<String>,
    /// `USING`, without the outer parentheses.
    pub(crate) using: Option<String>,
    /// `WITH CHECK`, without the outer parentheses.
    pub(crate) check: Option<String>,
}

impl PolicyClauses {
    /// Reads clauses in lower case.
    pub(crate) fn read(clauses: &str) -> Self {
        let mut policy = Self {
            permissive: true,
            command: "all".to_owned(),
            roles: vec!["public".to_owned()],
            using: None,
            check: None,
        };
        let parts = parts(clauses);
        let mut at = 0;
        while let Some(word) = parts.get(at) {
            let next = parts.get(at + 1).copied().unwrap_or_default();
            match *word {
                "as" => policy.permissive = next != "restrictive",
                "for" => policy.command = next.to_owned(),
                "using" => policy.using = Some(inside(next).to_owned()),
                "check" => policy.check = Some(inside(next).to_owned()),
                "to" => {
                    let end = |part: &&str| ["using", "with", "for", "as"].contains(part);
                    let list: String = parts[at + 1..]
                        .iter()
                        .copied()
                        .take_while(|part| !end(part))
                        .collect::<Vec<_>>()
                        .join(" ");
                    policy.roles =
                        list.split(',').map(|role| role.trim().trim_matches('"').to_owned()).collect();
                }
                _ => {}
            }
            at += 1;
        }
        policy
    }

    /// Its conditions.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &str> {
        self.using.as_deref().into_iter().chain(self.check.as_deref())
    }
}

/// Words and groups in parentheses, each one part.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (None, 0_usize, None);
    for (at, character) in text.char_indices() {
        if let Some(open) = quote {
            if character == open {
                quote = None;
            }
            continue;
        }
        match character {
            '\'' | '"' => {
                quote = Some(character);
                start.get_or_insert(at);
            }
            '(' => {
                if depth == 0 {
                    parts.extend(start.take().map(|from: usize| &text[from..at]));
                    start = Some(at);
                }
                depth += 1;
            }
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    parts.extend(start.take().map(|from| &text[from..=at]));
                }
            }
            space if space.is_whitespace() && depth == 0 => {
                parts.extend(start.take().map(|from| &text[from..at]))
            }
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    parts.extend(start.map(|from| &text[from..]));
    parts
}

/// A condition without the parentheses around the whole of it.
pub(super) fn inside(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(within) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let mut depth = 0_i32;
        let whole = within.chars().all(|character| {
            depth += match character {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth >= 0
        });
        if !whole {
            break;
        }
        text = within.trim();
    }
    text
}

/// Calls that stand in no sub-select: the function, and the text of its arguments.
pub(super) fn bare_calls(condition: &str) -> Vec<(&str, &str)> {
    let bytes = condition.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte >= 0x80;
    let mut calls = Vec::new();
    // Where each open parenthesis stands, the call that it opens, and whether it holds a SELECT.
    let mut open: Vec<(usize, Option<&str>, bool)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\'' => at += 1 + condition[at + 1..].find('\'').unwrap_or(condition.len() - at - 1),
            b'(' => {
                let before = condition[..at].trim_end();
                let name_start = before.bytes().rposition(|byte| !is_word(byte)).map_or(0, |last| last + 1);
                let name = Some(&before[name_start..]).filter(|name| !name.is_empty());
                let selects = condition[at + 1..].trim_start().starts_with("select");
                open.push((at + 1, name, selects));
            }
            b')' => {
                if let Some((start, Some(name), _)) = open.pop()
                    && !open.iter().any(|(_, _, selects)| *selects)
                {
                    calls.push((name, &condition[start..at]));
                }
            }
            _ => {}
        }
        at += 1;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_told_apart() {
        let policy = PolicyClauses::read(
            "as restrictive for update to app, \"odd one\" using ((owner = current_user)) with check (true)",
        );
        assert!(!policy.permissive);
        assert_eq!((policy.command.as_str(), policy.roles.join("|")), ("update", "app|odd one".to_owned()));
        assert_eq!(
            (policy.using.as_deref(), policy.check.as_deref()),
            (Some("owner = current_user"), Some("true"))
        );
        let policy = PolicyClauses::read("using (a = 'x (') to reader using ((a) = (b))");
        assert_eq!((policy.roles[0].as_str(), policy.using.as_deref()), ("reader", Some("(a) = (b)")));
        assert_eq!(PolicyClauses::read("").command, "all");
    }

    #[test]
    fn calls_in_a_sub_select_are_not_bare() {
        let calls =
            bare_calls("a = current_setting('x (') and b = (select auth.uid()) and lower(c) in (1, 2)");
        assert_eq!(calls, [("current_setting", "'x ('"), ("lower", "c"), ("in", "1, 2")]);
    }
}
