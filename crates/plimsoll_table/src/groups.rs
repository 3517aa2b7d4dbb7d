//! Names of groups to small numbers, in the order in which they first appear.

use std::collections::HashMap;

use crate::error::{Fault, shown};
use crate::table::Groups;

/// The groups of a part's rows, or of a whole table's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grouping {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    of_row: Vec<u32>,
    /// The row before's: files are often in the order of their groups.
    last: u32,
}

impl Grouping {
    /// Takes the next row's group, by its name as it stands there.
    pub(crate) fn push(&mut self, name: &[u8]) -> Result<(), Fault> {
        let number = self.number(name)?;
        self.of_row.push(number);
        Ok(())
    }

    /// The number of a name, which is new where it wasn't there.
    pub(crate) fn number(&mut self, name: &[u8]) -> Result<u32, Fault> {
        if self.names.get(self.last as usize).is_some_and(|last| last.as_bytes() == name) {
            return Ok(self.last);
        }
        let Ok(name) = std::str::from_utf8(name) else {
            return Err(Fault::NotUtf8 { role: "group", value: shown(name) });
        };
        self.last = match self.numbers.get(name) {
            Some(number) => *number,
            None => self.add(name)?,
        };
        Ok(self.last)
    }

    fn add(&mut self, name: &str) -> Result<u32, Fault> {
        let number = u32::try_from(self.names.len()).map_err(|_| Fault::ManyGroups)?;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }

    /// Takes the rows of a later part.
    pub(crate) fn join(&mut self, later: &Self) -> Result<(), Fault> {
        let numbers = self.numbers_of(later)?;
        self.of_row.extend(later.of_row.iter().map(|number| numbers[*number as usize]));
        Ok(())
    }

    /// What each of another grouping's numbers is here.
    pub(crate) fn numbers_of(&mut self, other: &Self) -> Result<Vec<u32>, Fault> {
        other.names.iter().map(|name| self.number(name.as_bytes())).collect()
    }

    /// Begins another part.
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.numbers.clear();
        self.of_row.clear();
        self.last = 0;
    }

    pub(crate) fn finish(self) -> Groups {
        Groups { names: self.names, of_row: self.of_row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouping(names: &[&str]) -> Grouping {
        let mut grouping = Grouping::default();
        for name in names {
            grouping.push(name.as_bytes()).expect("UTF-8");
        }
        grouping
    }

    #[test]
    fn groups_are_numbered_as_they_appear_in_all_parts() {
        let mut whole = grouping(&["b", "a", "b"]);
        whole.join(&grouping(&["c", "a", "a"])).expect("few groups");
        let groups = whole.finish();
        assert_eq!(groups.names, ["b", "a", "c"]);
        assert_eq!(groups.of_row, [0, 1, 0, 2, 1, 1]);
    }

    #[test]
    fn a_name_is_text() {
        let told = grouping(&["a"]).push(b"M\xfcnchen").expect_err("not UTF-8").to_string();
        assert_eq!(told, r#"the group is "M�nchen", which isn't UTF-8; write the file in UTF-8"#);
    }
}
