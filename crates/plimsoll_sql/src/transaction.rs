//! In which transaction each statement of a migration runs: what its tool wraps, what one
//! multi-statement query makes one transaction, and the script's own BEGIN and COMMIT.
//!
//! Source: PostgreSQL documentation, "Multiple Statements in a Simple Query".

use crate::command::Command;
use crate::migration::TransactionHabit;
use crate::parse::Statement;

/// What holds a statement's transaction open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Nothing: the statement is a transaction of its own.
    None,
    /// The tool's BEGIN around the file.
    Tool,
    /// The implicit transaction of a query of several statements.
    Batch,
    /// The script's own BEGIN.
    Explicit,
}

/// Where a statement runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What holds its transaction open.
    pub block: Block,
    /// Number of its transaction in the file, from 0.
    pub transaction: usize,
}

impl Place {
    /// Whether the statement runs in a transaction with others.
    #[must_use]
    pub fn in_transaction(self) -> bool {
        self.block != Block::None
    }
}

/// The place of each statement of a file.
#[must_use]
pub fn places(statements: &[Statement], habit: TransactionHabit) -> Vec<Place> {
    let habit = match habit {
        // One statement in one query is no batch.
        TransactionHabit::Batch if statements.len() < 2 => TransactionHabit::Statement,
        habit => habit,
    };
    let mut open = match habit {
        TransactionHabit::File => Block::Tool,
        TransactionHabit::Batch => Block::Batch,
        TransactionHabit::Statement => Block::None,
    };
    let after_end = if habit == TransactionHabit::Batch { Block::Batch } else { Block::None };
    let mut transaction = 0;
    let mut places = Vec::with_capacity(statements.len());
    for statement in statements {
        match statement.command() {
            Some(Command::Begin) => {
                open = if open == Block::Tool { Block::Tool } else { Block::Explicit };
                places.push(Place { block: open, transaction });
            }
            Some(Command::Commit { chain } | Command::Rollback { chain }) if open != Block::None => {
                places.push(Place { block: open, transaction });
                open = if *chain { Block::Explicit } else { after_end };
                transaction += 1;
            }
            _ => {
                places.push(Place { block: open, transaction });
                transaction += usize::from(open == Block::None);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_script;

    fn check(habit: TransactionHabit, sql: &str, expected: &str) {
        let shown: Vec<String> = places(&parse_script(sql).0, habit)
            .into_iter()
            .map(|place| format!("{:?}{}", place.block, place.transaction))
            .collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn a_wrapped_file_is_one_transaction() {
        check(TransactionHabit::File, "select 1; select 2", "Tool0 Tool0");
    }

    #[test]
    fn a_commit_ends_the_tools_transaction() {
        check(TransactionHabit::File, "select 1; commit; select 2; select 3", "Tool0 Tool0 None1 None2");
    }

    #[test]
    fn explicit_blocks_stand_between_lone_statements() {
        check(
            TransactionHabit::Statement,
            "select 1; begin; select 2; commit; select 3",
            "None0 Explicit1 Explicit1 Explicit1 None2",
        );
    }

    #[test]
    fn a_batch_of_one_is_none() {
        check(TransactionHabit::Batch, "select 1", "None0");
        check(TransactionHabit::Batch, "select 1; select 2", "Batch0 Batch0");
        check(
            TransactionHabit::Batch,
            "begin; select 1; commit; select 2",
            "Explicit0 Explicit0 Explicit0 Batch1",
        );
    }
}
