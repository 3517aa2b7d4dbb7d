//! `EXPLAIN (FORMAT YAML)`: maps and lists by indentation, strings in JSON's quotes. Whatever else YAML has, EXPLAIN doesn't
//! print.

use plimsoll_core::plan::Plan;

use crate::ReadError;
use crate::builder::Builder;
use crate::json::Scanner;
use crate::properties::Property;

/// Reads the plans of EXPLAIN.
///
/// # Errors
/// When it isn't what EXPLAIN prints, holds no plan, or one that is deeper than [`MOST_LEVELS`](crate::MOST_LEVELS).
pub fn from_yaml(text: &str) -> Result<Vec<Plan>, ReadError> {
    let mut reader = Reader { builder: Builder::default(), open: Vec::new() };
    let lines: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_end()))
        .filter(|(_, line)| !matches!(line.trim_start(), "" | "---" | "..."))
        .collect();
    for (index, (number, line)) in lines.iter().enumerate() {
        let next = lines.get(index + 1).map(|(_, line)| *line);
        reader.line(line, next).map_err(|message| {
            let column = indentation(line) + 1;
            ReadError { line: *number, column, message }
        })?;
    }
    let last = lines.last().map_or(1, |(number, _)| *number);
    reader.end().map_err(|message| ReadError { line: last, column: 1, message })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    List,
}

struct Reader {
    builder: Builder,
    /// What is open, with the indentation of its keys or dashes.
    open: Vec<(usize, Kind)>,
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn item(content: &str) -> Option<&str> {
    content.strip_prefix('-').filter(|rest| rest.starts_with(' ')).map(str::trim_start)
}

impl Reader {
    fn line(&mut self, line: &str, next: Option<&str>) -> Result<(), String> {
        let mut indent = indentation(line);
        let mut content = &line[indent..];
        while let Some(rest) = item(content) {
            self.close_to(indent, Kind::List)?;
            if self.open.is_empty() {
                self.builder.open_plans();
                self.open.push((indent, Kind::List));
            }
            if self.open.last() != Some(&(indent, Kind::List)) {
                return Err("this item stands in no list".to_owned());
            }
            if key_and_value(rest).is_none() {
                return self.builder.value(None, value(rest)?);
            }
            indent = line.len() - rest.len();
            content = rest;
            self.builder.open(None)?;
            self.open.push((indent, Kind::Map));
        }
        let (key, written) = key_and_value(content).ok_or("expected `Key: value`")?;
        self.close_to(indent, Kind::Map)?;
        if self.open.is_empty() {
            self.builder.open_plan();
            self.open.push((indent, Kind::Map));
        }
        if self.open.last() != Some(&(indent, Kind::Map)) {
            return Err("this line is indented like none before it".to_owned());
        }
        if !written.is_empty() {
            return self.builder.value(Some(key), value(written)?);
        }
        let below = next.map(|next| {
            let depth = indentation(next);
            (depth, if item(&next[depth..]).is_some() { Kind::List } else { Kind::Map })
        });
        match below {
            Some((depth, kind))
                if depth > indent || depth == indent && kind == Kind::List && !self.in_list(depth) =>
            {
                self.builder.open(Some(key))?;
                self.open.push((depth, kind));
                Ok(())
            }
            _ => self.builder.value(Some(key), Property::Text(String::new())),
        }
    }

    fn in_list(&self, indent: usize) -> bool {
        self.open.contains(&(indent, Kind::List))
    }

    /// Ends what is indented deeper than a line, and a list where a key follows at its dashes' place.
    fn close_to(&mut self, indent: usize, kind: Kind) -> Result<(), String> {
        while let Some((depth, open)) = self.open.last().copied() {
            if depth < indent || depth == indent && open == kind {
                break;
            }
            if depth == indent && open == Kind::Map {
                break;
            }
            self.builder.close()?;
            self.open.pop();
        }
        Ok(())
    }

    fn end(mut self) -> Result<Vec<Plan>, String> {
        for _ in 0..self.open.len() {
            self.builder.close()?;
        }
        self.builder.finish()
    }
}

fn key_and_value(content: &str) -> Option<(&str, &str)> {
    if content.starts_with(['"', '[']) {
        return None;
    }
    let (key, value) = content.split_once(": ").or_else(|| content.strip_suffix(':').map(|key| (key, "")))?;
    Some((key, value.trim()))
}

/// A string in quotes, a number, a word, or a list in brackets.
fn value(written: &str) -> Result<Property, String> {
    if let Some(list) = written.strip_prefix('[') {
        let mut scanner = Scanner { text: list, at: 0 };
        let mut parts = Vec::new();
        loop {
            scanner.space();
            match scanner.peek() {
                Some(b']') => return Ok(Property::List(parts)),
                Some(b',') => scanner.at += 1,
                _ => parts.push(Property::Text(scanner.string()?.into_owned())),
            }
        }
    }
    if written.starts_with('"') {
        return Ok(Property::Text(Scanner { text: written, at: 0 }.string()?.into_owned()));
    }
    Ok(match written {
        "true" => Property::Bool(true),
        "false" => Property::Bool(false),
        word => Property::of_number(word).unwrap_or_else(|| Property::Text(word.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plan_is_refused_with_its_place() {
        let error = |text: &str| from_yaml(text).unwrap_err().to_string();
        assert_eq!(
            error("- Plan:\n    Node Type: \"Limit\"\n   x: 1"),
            "line 3, column 4: this line is indented like none before it"
        );
        assert_eq!(error("- Plan:\n    Node Type"), "line 2, column 5: expected `Key: value`");
        assert_eq!(error("- Plan:\n    Node Type: \"Limit"), "line 2, column 5: this string has no end");
        assert_eq!(error("- a: 1"), "line 1, column 1: the object holds no Plan");
        assert_eq!(error("- Plan: 3"), "line 1, column 1: the Plan is no object");
    }
}
