//! SQL put together from values that nothing quotes.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::plpgsql::statements;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "dynamic-sql-concatenation",
    other_tools: &[],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("dynamic_sql_concatenation.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for function in context.schema.functions().filter(|function| function.language == "plpgsql") {
        let found = statements(&function.body, 0).into_iter().find_map(|inner| match &inner.command {
            Command::DynamicSql { text } => unquoted_part(text).map(ToOwned::to_owned),
            _ => None,
        });
        let Some(part) = found else { continue };
        let problem = SchemaProblem::new(
            Subject::Function(function.name.name.clone()),
            format!(
                "{}() runs SQL that it puts together from {part}, which nothing quotes: whoever chooses the value chooses the statement",
                function.name
            ),
            "Use format('… %I … %L', …) or quote_ident() and quote_literal(), or pass values by EXECUTE … USING.",
        );
        problems.push(if function.security_definer { problem.severity(Severity::Error) } else { problem });
    }
}

/// The first part of a joined text that is neither a literal nor quoted.
fn unquoted_part(text: &str) -> Option<&str> {
    let parts = joined(text);
    if parts.len() < 2 {
        return None;
    }
    parts.into_iter().find(|part| !is_safe(part)).map(|part| part.split_whitespace().next().unwrap_or(part))
}

/// The parts between `||`, literals kept whole.
fn joined(text: &str) -> Vec<&str> {
    let text = text.trim();
    let text = text.get(..7).filter(|word| word.eq_ignore_ascii_case("execute")).map_or(text, |_| &text[7..]);
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    let bytes = text.as_bytes();
    for at in 0..bytes.len() {
        match bytes[at] {
            b'\'' => quoted = !quoted,
            b'|' if !quoted && bytes.get(at + 1) == Some(&b'|') => {
                parts.push(text[start..at].trim());
                start = at + 2;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

fn is_safe(part: &str) -> bool {
    const QUOTING: [&str; 4] = ["quote_ident", "quote_literal", "quote_nullable", "format"];
    const HARMLESS: [&str; 6] = ["::regclass", "::regtype", "::oid", "::int", "::bigint", "::numeric"];
    let lower = part.trim_start_matches(['(', ' ']).to_ascii_lowercase();
    let lower = lower.strip_prefix("pg_catalog.").unwrap_or(&lower);
    let is_literal = lower.starts_with(['\'', '$'])
        || lower.starts_with("e'")
        || lower.starts_with(|first: char| first.is_ascii_digit());
    is_literal
        || lower.is_empty()
        || QUOTING.iter().any(|name| lower.starts_with(name))
        || HARMLESS.iter().any(|cast| lower.contains(cast))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nothing_quotes_is_named() {
        let unsafe_part = |text| unquoted_part(text);
        assert_eq!(unsafe_part("execute 'delete from ' || name || ' where a'"), Some("name"));
        assert_eq!(unsafe_part("execute 'set x = ' || quote_literal(a) || b"), Some("b"));
        assert_eq!(unsafe_part("execute 'a || b'"), None);
        assert_eq!(unsafe_part("execute format('%I', a) || ' x'"), None);
        assert_eq!(unsafe_part("execute 'drop table ' || t::regclass"), None);
        assert_eq!(unsafe_part("execute statement"), None);
    }
}
