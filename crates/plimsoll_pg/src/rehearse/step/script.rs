//! Statements that a program sent one by one, as one script.

/// A script in the making.
#[derive(Debug)]
pub struct ProgramScript {
    text: String,
    statements: usize,
    /// Line of the next statement, from 1.
    line: usize,
}

impl Default for ProgramScript {
    fn default() -> Self {
        Self { text: String::new(), statements: 0, line: 1 }
    }
}

impl ProgramScript {
    /// Appends a statement without its semicolon; returns its index, from 0, and its line, from 1.
    pub fn add(&mut self, sql: &str) -> (usize, usize) {
        let place = (self.statements, self.line);
        // The rows of a COPY aren't part of the script.
        let rows = if is_copy_in(sql) { "\\.\n" } else { "" };
        // The last line may end with a comment, which would swallow the semicolon.
        let last = sql.lines().next_back().unwrap_or_default();
        let end = if last.contains("--") { "\n;" } else { ";" };
        let added = format!("{sql}{end}\n{rows}");
        self.line += added.matches('\n').count();
        self.text.push_str(&added);
        self.statements += 1;
        place
    }

    /// The script.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Whether rows follow in a script.
fn is_copy_in(sql: &str) -> bool {
    let is_copy = sql.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("copy"));
    is_copy && sql.to_ascii_lowercase().contains("stdin")
}
