//! `EXPLAIN (FORMAT XML)`: elements and text. Whatever else XML has, EXPLAIN doesn't print; comments and declarations are
//! passed over, entities are those five that need no declaration.

use plimsoll_core::plan::Plan;

use crate::ReadError;
use crate::builder::Builder;
use crate::properties::Property;

/// Reads the plans of EXPLAIN, of several statements too, where their outputs follow each other.
///
/// # Errors
/// When it isn't what EXPLAIN prints, holds no plan, or one that is deeper than [`MOST_LEVELS`](crate::MOST_LEVELS).
pub fn from_xml(text: &str) -> Result<Vec<Plan>, ReadError> {
    let mut reader = Reader { builder: Builder::default(), text, at: 0, open: Vec::new(), pending: false };
    let read = reader.read();
    let at = reader.at;
    read.and_then(|()| reader.builder.finish()).map_err(|message| ReadError::at(text, at, message))
}

struct Reader<'a> {
    builder: Builder,
    text: &'a str,
    at: usize,
    /// Elements that are open, by their names.
    open: Vec<&'a str>,
    /// Whether the innermost of them is yet to show that it holds elements, not text.
    pending: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<(), String> {
        let mut content = "";
        while let Some(tag) = self.text[self.at..].find('<') {
            let before = &self.text[self.at..self.at + tag];
            if self.open.is_empty() && !before.trim().is_empty() {
                return Err("text stands outside of the elements".to_owned());
            }
            self.at += tag;
            let rest = &self.text[self.at..];
            if let Some(comment) = rest.strip_prefix("<!--") {
                self.at += 7 + comment.find("-->").ok_or("this comment has no end")?;
                continue;
            }
            let length = rest.find('>').ok_or("this tag has no end")?;
            let inside = &rest[1..length];
            if inside.starts_with(['?', '!']) {
                self.at += length + 1;
                continue;
            }
            if self.pending {
                content = before;
            }
            if let Some(name) = inside.strip_prefix('/') {
                self.close(name.trim(), content)?;
            } else {
                let name = inside.trim_end_matches('/').split_ascii_whitespace().next().unwrap_or_default();
                self.open(name)?;
                if inside.ends_with('/') {
                    self.close(name, "")?;
                }
            }
            self.at += length + 1;
        }
        match self.open.last() {
            Some(name) => Err(format!("the text ends within <{name}>")),
            None if self.text[self.at..].trim().is_empty() => Ok(()),
            None => Err("text stands outside of the elements".to_owned()),
        }
    }

    fn open(&mut self, name: &'a str) -> Result<(), String> {
        if self.open.is_empty() {
            if name != "explain" {
                return Err(
                    "expected what EXPLAIN (FORMAT XML) prints, which begins with <explain>".to_owned()
                );
            }
            self.builder.open_plans();
            self.pending = false;
        } else {
            self.settle()?;
            self.pending = true;
        }
        self.open.push(name);
        Ok(())
    }

    /// What was pending holds elements.
    fn settle(&mut self) -> Result<(), String> {
        if self.pending {
            let key = self.key();
            self.builder.open(key.as_deref())?;
        }
        Ok(())
    }

    fn close(&mut self, name: &str, content: &str) -> Result<(), String> {
        match self.open.last() {
            Some(open) if *open == name => {}
            Some(open) => return Err(format!("</{name}> stands where </{open}> was expected")),
            None => return Err(format!("</{name}> ends nothing")),
        }
        if self.pending {
            let key = self.key();
            let empty = content.trim().is_empty() && content.contains('\n');
            let text = if empty { String::new() } else { unescaped(content)? };
            self.builder.value(key.as_deref(), Property::Text(text))?;
        } else {
            self.builder.close()?;
        }
        self.open.pop();
        self.pending = false;
        Ok(())
    }

    /// The name of the innermost element as the other formats have it; none for an item of a list.
    fn key(&self) -> Option<String> {
        let name = self.open.last()?;
        let parent = self.open.len().checked_sub(2).map_or("", |index| self.open[index]);
        if *name == "Item" || parent.strip_suffix('s') == Some(name) {
            return None;
        }
        if parent == "Settings" {
            return Some((*name).to_owned());
        }
        let words = name.replace('-', " ");
        Some(match words.as_str() {
            "One Time Filter" => "One-Time Filter".to_owned(),
            _ => words.replace("I O ", "I/O "),
        })
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (name, after) = rest[at + 1..].split_once(';').ok_or("this entity has no end")?;
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => numeric(name).ok_or_else(|| format!("unknown entity &{name};"))?,
        });
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn numeric(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plan_is_refused_with_its_place() {
        let error = |text: &str| from_xml(text).unwrap_err().to_string();
        assert_eq!(
            error("<html/>"),
            "line 1, column 1: expected what EXPLAIN (FORMAT XML) prints, which begins with <explain>"
        );
        assert_eq!(
            error("<explain>\n<Query></explain>"),
            "line 2, column 8: </explain> stands where </Query> was expected"
        );
        assert_eq!(error("<explain><Query><Plan>"), "line 1, column 23: the text ends within <Plan>");
        assert_eq!(error("<explain></explain>"), "line 1, column 20: the list holds no plan");
        assert_eq!(error("<explain><Query><a>&x;</a>"), "line 1, column 23: unknown entity &x;");
    }
}
