//! `EXPLAIN (FORMAT JSON)`, read in one pass without a tree of values and without recursion.

use std::borrow::Cow;

use plimsoll_core::plan::Plan;

use crate::ReadError;
use crate::builder::Builder;
use crate::properties::Property;

/// Reads the plans of EXPLAIN: several where a rule turned the statement into several, or where the outputs of several
/// statements follow each other. auto_explain's form, which has no list around it, is read too.
///
/// # Errors
/// When it isn't JSON, holds no plan, or one that is deeper than [`MOST_LEVELS`](crate::MOST_LEVELS).
pub fn from_json(text: &str) -> Result<Vec<Plan>, ReadError> {
    let mut scanner = Scanner { text, at: 0 };
    let mut plans = Vec::new();
    loop {
        match document(&mut scanner) {
            Ok(more) => plans.extend(more),
            Err(message) => return Err(ReadError::at(text, scanner.at, message)),
        }
        scanner.space();
        if scanner.at == text.len() {
            return Ok(plans);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    List,
}

fn document(scanner: &mut Scanner<'_>) -> Result<Vec<Plan>, String> {
    let mut builder = Builder::default();
    let mut open: Vec<Kind> = Vec::new();
    scanner.space();
    match scanner.peek() {
        Some(b'[') => builder.open_plans(),
        Some(b'{') => builder.open_plan(),
        _ => return Err("expected what EXPLAIN (FORMAT JSON) prints".to_owned()),
    }
    open.push(if scanner.peek() == Some(b'[') { Kind::List } else { Kind::Object });
    scanner.at += 1;
    let mut first = true;
    while let Some(kind) = open.last().copied() {
        scanner.space();
        let end = if kind == Kind::Object { b'}' } else { b']' };
        if scanner.peek() == Some(end) {
            builder.close()?;
            scanner.at += 1;
            open.pop();
            first = false;
            continue;
        }
        if !first {
            scanner.expect(b',')?;
            scanner.space();
        }
        first = false;
        let key = match kind {
            Kind::Object => {
                let key = scanner.string()?;
                scanner.space();
                scanner.expect(b':')?;
                scanner.space();
                Some(key)
            }
            Kind::List => None,
        };
        let key = key.as_deref();
        let nested = match scanner.peek() {
            Some(b'{') => Some(Kind::Object),
            Some(b'[') => Some(Kind::List),
            _ => None,
        };
        match nested {
            Some(nested) => {
                builder.open(key)?;
                open.push(nested);
                scanner.at += 1;
                first = true;
            }
            None => builder.value(key, scanner.scalar()?)?,
        }
    }
    builder.finish()
}

/// Where a text is read.
pub(crate) struct Scanner<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(match self.peek() {
            None => format!("the text ends where `{}` was expected", char::from(byte)),
            Some(_) => format!("expected `{}`", char::from(byte)),
        })
    }

    /// A string in JSON's quotes; raw line ends are let in, as pasted text may have them.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, String> {
        self.expect(b'"')?;
        let start = self.at;
        let mut owned = String::new();
        let mut copied = start;
        let bytes = self.text.as_bytes();
        loop {
            let Some(step) = bytes[self.at..].iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                self.at = start - 1;
                return Err("this string has no end".to_owned());
            };
            self.at += step;
            if bytes[self.at] == b'"' {
                let tail = &self.text[copied..self.at];
                self.at += 1;
                if copied == start {
                    return Ok(Cow::Borrowed(tail));
                }
                owned.push_str(tail);
                return Ok(Cow::Owned(owned));
            }
            owned.push_str(&self.text[copied..self.at]);
            owned.push(self.escape()?);
            copied = self.at;
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let kind = self.text.as_bytes().get(self.at + 1).copied();
        let character = match kind {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => return self.unicode(),
            _ => return Err("unknown escape in a string".to_owned()),
        };
        self.at += 2;
        Ok(character)
    }

    /// `\u1234`, or two of them that make a pair; what makes no character is replaced.
    fn unicode(&mut self) -> Result<char, String> {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            u16::from_str_radix(digits, 16).ok()
        };
        let first = unit(self.at).ok_or("expected four hexadecimal digits")?;
        let second = unit(self.at + 6).filter(|_| (0xD800..0xDC00).contains(&first));
        let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
        if let Some(pair) = pair {
            self.at += 12;
            return Ok(pair);
        }
        self.at += 6;
        Ok(char::decode_utf16([first]).next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn scalar(&mut self) -> Result<Property, String> {
        if self.peek() == Some(b'"') {
            return Ok(Property::Text(self.string()?.into_owned()));
        }
        let rest = &self.text[self.at..];
        let length =
            rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
        let word = &rest[..length];
        let value = match word {
            "" if rest.is_empty() => return Err("the text ends where a value was expected".to_owned()),
            "" => return Err("expected a value".to_owned()),
            "true" => Property::Bool(true),
            "false" => Property::Bool(false),
            "null" => Property::Text(String::new()),
            word => Property::of_number(word).ok_or("expected a value")?,
        };
        self.at += length;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_with_all_of_its_parts() {
        let text = r#"[{"Plan": {"Node Type": "Hash Join", "Join Type": "Left", "Parallel Aware": false,
            "Hash Cond": "(a.id = b.id)", "Total Cost": 12.5, "Plan Rows": 3, "Actual Rows": 4.00, "Actual Loops": 1,
            "Shared Hit Blocks": 7, "Shared Read Blocks": 2, "Temp Written Blocks": 5, "Plans": [
              {"Node Type": "Index Only Scan", "Scan Direction": "Backward", "Index Name": "a_pkey", "Schema": "public",
               "Relation Name": "a", "Alias": "x", "Index Cond": "(x.id > 1)", "Actual Loops": 2, "Actual Total Time": 1.5},
              {"Node Type": "Aggregate", "Strategy": "Hashed", "Group Key": ["b.id", "b.n"], "Whatever": {"a": [1, null]}}]},
            "Settings": {"work_mem": "64kB"}, "Query Identifier": -8912345678901234567,
            "Planning": {"Shared Hit Blocks": 3}, "Planning Time": 0.5,
            "Triggers": [{"Trigger Name": "t", "Relation": "a", "Time": 0.25, "Calls": 3}],
            "JIT": {"Functions": 2, "Options": {"Inlining": false}, "Timing": {"Generation": {"Deform": 0.1, "Total": 0.3}, "Total": 1.5}},
            "Execution Time": 0.25}]"#;
        let plan = from_json(text).unwrap().remove(0);
        assert_eq!((plan.execution_ms, plan.query_id), (Some(0.25), Some(-8_912_345_678_901_234_567)));
        assert_eq!(plan.settings, [("work_mem".to_owned(), "64kB".to_owned())]);
        assert_eq!((plan.planning_buffers.shared(), plan.planning_ms), (3, Some(0.5)));
        assert_eq!((plan.triggers[0].calls, plan.triggers[0].time_ms), (3, Some(0.25)));
        let jit = plan.jit.unwrap();
        assert_eq!((jit.functions, jit.generation_ms, jit.total_ms), (2, 0.3, 1.5));
        let root = plan.root;
        assert_eq!(
            (root.label().as_str(), root.buffers.shared(), root.buffers.temp()),
            ("Hash Left Join", 9, 5)
        );
        assert_eq!(root.total_rows(), 4.0);
        assert_eq!(root.children[0].label(), "Index Only Scan Backward using a_pkey on public.a x");
        assert_eq!(root.children[0].total_ms(), Some(3.0));
        assert_eq!(root.children[1].details(), ["Group Key: b.id, b.n"]);
        assert_eq!(root.children[1].others, [("Whatever".to_owned(), "a: 1, ".to_owned())]);
    }

    #[test]
    fn what_is_no_plan_is_refused_with_its_place() {
        let error = |text: &str| from_json(text).unwrap_err().to_string();
        assert_eq!(error("x"), "line 1, column 1: expected what EXPLAIN (FORMAT JSON) prints");
        assert_eq!(error("[]"), "line 1, column 3: the list holds no plan");
        assert_eq!(error("[{\"Plan\":\n{}}]"), "line 2, column 2: a node of the plan has no Node Type");
        assert_eq!(error("{\"a\": 1}"), "line 1, column 8: the object holds no Plan");
        assert_eq!(error("[3]"), "line 1, column 3: expected what EXPLAIN prints");
        assert_eq!(error("[{\"Plan\": {\"é\" 1"), "line 1, column 16: expected `:`");
        assert_eq!(error("[{\"Plan\": {\"a"), "line 1, column 12: this string has no end");
        assert_eq!(error("[{\"Plan\": {"), "line 1, column 12: the text ends where `\"` was expected");
    }

    #[test]
    fn strings_are_read_with_their_escapes() {
        let read = |text: &str| Scanner { text, at: 0 }.string().map(Cow::into_owned);
        assert_eq!(read(r#""a\n\"\\\u00e9\ud83d\ude00\ud83d""#).unwrap(), "a\n\"\\é😀\u{fffd}");
        assert!(read(r#""\u12é4""#).is_err() && read(r#""\x""#).is_err());
    }

    #[test]
    fn a_deep_plan_is_read_and_a_bottomless_one_refused() {
        let nested = |levels: usize| {
            let mut text = "[{\"Plan\": ".to_owned();
            text.push_str(&"{\"Node Type\": \"Limit\", \"Plans\": [".repeat(levels - 1));
            text.push_str("{\"Node Type\": \"Result\"}");
            text.push_str(&"]}".repeat(levels - 1));
            text + "}]"
        };
        let deep = from_json(&nested(crate::MOST_LEVELS)).unwrap();
        let mut nodes = 0;
        deep[0].root.walk(&mut |_| nodes += 1);
        assert_eq!(nodes, crate::MOST_LEVELS);
        drop(deep);
        let error = from_json(&nested(crate::MOST_LEVELS + 1)).unwrap_err();
        assert_eq!(error.message, "the plan has more than 1000 levels");
        let error = from_json(&format!("[{{\"Plan\": {{\"x\": {}", "[".repeat(1_000_000))).unwrap_err();
        assert_eq!(error.message, "a property is nested too deeply");
    }
}
