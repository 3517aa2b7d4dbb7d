//! Which columns are wanted, and where a header has them.

use crate::error::TableError;

/// The columns to read, by their names in the header, or their keys in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Tells whether a case is positive: 0/1, -1/1, true/false, t/f in any case.
    pub label: String,
    /// The label of positive cases; every other label is negative then, however many kinds there are. Numbers are equal as
    /// numbers, true and false in any case, all others to the letter.
    pub positive: Option<String>,
    /// Scores of detectors: greater is likelier positive.
    pub scores: Vec<String>,
    /// What each case weighs.
    pub weight: Option<String>,
    /// Which group each case is in.
    pub group: Option<String>,
    /// When each case was: ISO 8601, or seconds since 1970.
    pub time: Option<String>,
}

/// What a column is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Label,
    /// By its place in [`Wanted::scores`].
    Score(usize),
    Weight,
    Group,
    Time,
}

impl Role {
    /// What a value of it is called.
    pub(crate) const fn called(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Score(_) => "score",
            Self::Weight => "weight",
            Self::Group => "group",
            Self::Time => "time",
        }
    }
}

/// A column that is read.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its place in the header, from 0; in JSON, its place among the targets.
    pub(crate) column: usize,
    pub(crate) name: String,
    pub(crate) role: Role,
}

impl Wanted {
    /// Each column that is wanted, and what for. A column may be wanted for two things.
    pub(crate) fn roles(&self) -> Vec<(Role, &str)> {
        let mut roles = vec![(Role::Label, self.label.as_str())];
        roles.extend(self.scores.iter().enumerate().map(|(at, name)| (Role::Score(at), name.as_str())));
        let others = [(Role::Weight, &self.weight), (Role::Group, &self.group), (Role::Time, &self.time)];
        roles.extend(others.into_iter().filter_map(|(role, name)| Some((role, name.as_deref()?))));
        roles
    }

    /// Where the header has the wanted columns, from left to right.
    pub(crate) fn find(&self, header: &[String]) -> Result<Vec<Target>, TableError> {
        let mut targets = Vec::new();
        for (role, name) in self.roles() {
            let column = place(header, name)?;
            targets.push(Target { column, name: name.to_owned(), role });
        }
        targets.sort_by_key(|target| target.column);
        Ok(targets)
    }
}

fn place(header: &[String], name: &str) -> Result<usize, TableError> {
    let mut places = (0..header.len()).filter(|at| header[*at] == name);
    match (places.next(), places.next()) {
        (Some(only), None) => Ok(only),
        (Some(first), Some(second)) => {
            let columns = [first + 1, second + 1];
            Err(TableError::RepeatedColumn { name: name.to_owned(), columns })
        }
        (None, _) => Err(missing(header, name)),
    }
}

/// That a column isn't there, with what may have been meant.
pub(crate) fn missing(header: &[String], name: &str) -> TableError {
    let likeness =
        |column: &String| strsim::jaro_winkler(&column.trim().to_lowercase(), &name.to_lowercase());
    let nearest = header
        .iter()
        .map(|column| (likeness(column), column))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, column)| column.clone());
    TableError::MissingColumn { name: name.to_owned(), header: header.to_vec(), nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        let scores = vec!["b".to_owned(), "a".to_owned()];
        Wanted { label: "label".to_owned(), scores, group: Some("a".to_owned()), ..Wanted::default() }
    }

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_from_left_to_right() {
        let found = wanted().find(&header(&["x", "a", "label", "b"])).expect("all are there");
        let found: Vec<_> = found.iter().map(|target| (target.column, target.role)).collect();
        assert_eq!(found, [(1, Role::Score(1)), (1, Role::Group), (2, Role::Label), (3, Role::Score(0))]);
    }

    #[test]
    fn a_missing_column_is_told_with_the_nearest() {
        let error = wanted().find(&header(&["Label", "a", "b"])).expect_err("no label");
        let told = r#"there is no column "label"; did you mean "Label"? (the columns are "Label", "a", "b")"#;
        assert_eq!(error.to_string(), told);
        let error = wanted().find(&header(&["label", "", "b"])).expect_err("no a");
        assert_eq!(error.to_string(), r#"there is no column "a"; the columns are "label", "", "b""#);
    }

    #[test]
    fn a_wanted_column_stands_once() {
        let error = wanted().find(&header(&["label", "b", "b", "a"])).expect_err("two of b");
        assert_eq!(error.to_string(), r#"columns 2 and 3 are both named "b"; rename one of them"#);
        wanted().find(&header(&["label", "x", "x", "a", "b"])).expect("nobody asked for x");
    }
}
