//! What a thread's statements were parsed to, kept for a thread that reads nearly the same text
//! again and again, as an editor's does. Off until [`remember_statements`] is called.
//!
//! Parsing a statement looks at nothing but its text, so that what is remembered is what parsing
//! would give. Deliberately absent: a bound on the number of threads that remember; one does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem;

use super::Statement;

/// Bytes of statements in each of the two halves. A half that is full becomes the old one, and what
/// isn't asked for until the next is full is forgotten.
const HALF: usize = 16 << 20;

thread_local! {
    static MEMORY: RefCell<Option<Memory>> = const { RefCell::new(None) };
}

/// Statements by their text, with ranges from its first byte.
#[derive(Default)]
struct Memory {
    young: HashMap<Box<str>, Statement>,
    old: HashMap<Box<str>, Statement>,
    young_bytes: usize,
}

/// Remembers from now on what this thread's statements are parsed to.
pub fn remember_statements() {
    MEMORY.with_borrow_mut(|memory| {
        memory.get_or_insert_default();
    });
}

/// What the text was parsed to before, or what `parse` makes of it.
pub(super) fn recall_or(sql: &str, parse: impl FnOnce() -> Statement) -> Statement {
    let known = MEMORY.with_borrow_mut(|memory| memory.as_mut().and_then(|memory| memory.recall(sql)));
    // Not parsed while the memory is borrowed: a body's statements are parsed within their own.
    known.unwrap_or_else(|| {
        let statement = parse();
        MEMORY.with_borrow_mut(|memory| {
            if let Some(memory) = memory {
                memory.keep(sql.into(), statement.clone());
            }
        });
        statement
    })
}

impl Memory {
    fn recall(&mut self, sql: &str) -> Option<Statement> {
        if let Some(statement) = self.young.get(sql) {
            return Some(statement.clone());
        }
        let (sql, statement) = self.old.remove_entry(sql)?;
        self.keep(sql, statement.clone());
        Some(statement)
    }

    fn keep(&mut self, sql: Box<str>, statement: Statement) {
        if self.young_bytes >= HALF {
            self.old = mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += sql.len();
        self.young.insert(sql, statement);
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_script;
    use super::*;

    const SCRIPT: &str = "create table t (id int);\nalter tabel t;\ndo $$ begin drop table t; end $$;\n\
                          copy t from stdin;\n1\n\\.\nselect 1";

    #[test]
    fn what_is_remembered_is_what_parsing_gives() {
        let texts =
            [SCRIPT.to_owned(), format!("-- é\n{SCRIPT}"), SCRIPT.replace("select 1", "select 2; select 1")];
        let parsed: Vec<_> = texts.iter().map(|text| parse_script(text)).collect();
        std::thread::spawn(move || {
            remember_statements();
            for _ in 0..2 {
                let remembered: Vec<_> = texts.iter().map(|text| parse_script(text)).collect();
                assert_eq!(remembered, parsed);
            }
            let known = MEMORY.with_borrow(|memory| memory.as_ref().map_or(0, |memory| memory.young.len()));
            // Five statements, the one in the block, and `select 2`; what is copied isn't parsed.
            assert_eq!(known, 6);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn what_is_asked_for_outlives_what_is_not() {
        let mut memory = Memory::default();
        let (statements, _) = parse_script("select 1");
        let statement = statements.into_iter().next().unwrap();
        let long = |name: char| -> Box<str> { name.to_string().repeat(HALF / 2).into() };
        for name in ['a', 'b', 'c', 'd'] {
            memory.keep(long(name), statement.clone());
            assert!(memory.recall(&long('a')).is_some());
        }
        memory.keep(long('e'), statement);
        assert!(memory.recall(&long('a')).is_some());
        assert!(memory.recall(&long('b')).is_none());
    }
}
