//! Statements to commands, by squawk's parser of PostgreSQL's grammar.
//!
//! Each statement is parsed on its own, so that ranges within it are relative to its first byte
//! and one bad statement spoils one statement.

mod expression;
mod fast;
mod index;
mod memory;
mod modify;
mod names;
mod object;
mod routine;
mod table;
mod types;

use std::ops::Range;
use std::sync::Arc;

use squawk_syntax::ast::{self, AstNode, Stmt};
use squawk_syntax::{Parse, SourceFile as Tree, SyntaxKind};

use crate::command::{Command, ObjectKind, SetParameter};
use crate::data_type::DataType;
use crate::plpgsql::{self, InnerStatement};
use crate::split::{Piece, split};

pub(crate) use expression::fold_identifier;
pub use memory::remember_statements;

/// A statement of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Bytes in the script, from the first token to the last, without the semicolon.
    pub range: Range<usize>,
    /// The rows of a `COPY … FROM STDIN`, bytes in the script.
    pub copy_data: Option<Range<usize>>,
    /// What it is.
    pub kind: StatementKind,
    /// For a DO block: the SQL statements in its body, bytes in the script.
    pub inner: Vec<InnerStatement>,
}

/// A statement that was understood, or why it wasn't.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// It parses.
    Command(Arc<Command>),
    /// It doesn't.
    Invalid(SyntaxError),
}

/// Why a statement doesn't parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What the parser expected or refused.
    pub message: String,
    /// Bytes in the script.
    pub range: Range<usize>,
}

/// Tokens up to which a statement is parsed on the caller's stack. The parser recurses once or
/// more for a token that nests, at up to 8 kB a level in a debug build.
const TOKENS_ON_OWN_STACK: usize = 300;

/// Tokens beyond which a statement isn't parsed: those are data loads, and a tree that nests as
/// deep would need a stack that no machine wants to give. PostgreSQL's own `max_stack_depth`
/// refuses such nesting too.
const MOST_TOKENS: usize = 20_000;

/// Parentheses beyond which a statement isn't parsed: the syntax tree's node cache takes time with
/// the square of its depth, 9 s for `select * from` and 10,000 of them.
const DEEPEST_PARENTHESES: usize = 1_000;

/// Stack for a statement between the two, in bytes; only what is used takes memory.
const LARGE_STACK: usize = 512 << 20;

impl Statement {
    /// The command, if the statement parses.
    #[must_use]
    pub fn command(&self) -> Option<&Command> {
        match &self.kind {
            StatementKind::Command(command) => Some(command),
            StatementKind::Invalid(_) => None,
        }
    }

    /// The command and, behind a DO block, those of its body.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.command().into_iter().chain(self.inner.iter().map(|inner| &inner.command))
    }

    /// Whether it undoes what statements before it did.
    #[must_use]
    pub fn rolls_back(&self) -> bool {
        matches!(self.command(), Some(Command::Rollback { .. } | Command::RollbackTo(_)))
    }

    /// A statement that is all of a text.
    fn alone(sql: &str, kind: StatementKind) -> Self {
        let inner = match &kind {
            StatementKind::Command(command) => inner_statements(sql, &(0..sql.len()), command),
            StatementKind::Invalid(_) => Vec::new(),
        };
        Self { range: 0..sql.len(), copy_data: None, kind, inner }
    }

    /// Moves its ranges by `offset` bytes, from a section's text to its file's.
    pub(crate) fn shift(&mut self, offset: usize) {
        let shift = |range: &mut Range<usize>| *range = range.start + offset..range.end + offset;
        shift(&mut self.range);
        self.copy_data.iter_mut().for_each(shift);
        self.inner.iter_mut().for_each(|inner| shift(&mut inner.range));
        if let StatementKind::Invalid(error) = &mut self.kind {
            shift(&mut error.range);
        }
    }
}

/// Splits and parses a script. psql commands are returned apart, as byte ranges.
#[must_use]
pub fn parse_script(text: &str) -> (Vec<Statement>, Vec<Range<usize>>) {
    let mut statements = Vec::new();
    let mut meta_commands = Vec::new();
    for piece in split(text) {
        match piece {
            Piece::MetaCommand { range } => meta_commands.push(range),
            Piece::Statement { range, tokens, depth, copy_data } => {
                let sql = &text[range.clone()];
                let mut statement = match &copy_data {
                    Some(_) => {
                        Statement::alone(sql, StatementKind::Command(Arc::new(Command::CopyFromStdin)))
                    }
                    None => memory::recall_or(sql, || parsed(sql, tokens, depth)),
                };
                statement.shift(range.start);
                statement.copy_data = copy_data;
                statements.push(statement);
            }
        }
    }
    statements.shrink_to_fit();
    (statements, meta_commands)
}

/// A statement's text as a statement, its ranges seen from its first byte.
fn parsed(sql: &str, tokens: usize, depth: usize) -> Statement {
    let kind = if tokens > MOST_TOKENS || depth > DEEPEST_PARENTHESES {
        StatementKind::Command(Arc::new(Command::Other))
    } else {
        parse_with_room(sql, &(0..sql.len()), tokens)
    };
    Statement::alone(sql, kind)
}

/// The SQL statements of a DO block's body.
fn inner_statements(text: &str, range: &Range<usize>, command: &Command) -> Vec<InnerStatement> {
    let Command::Do { body: Some(body) } = command else { return Vec::new() };
    let body = range.start + body.start..range.start + body.end;
    text.get(body.clone()).map(|inner| plpgsql::statements(inner, body.start)).unwrap_or_default()
}

/// Parses where the stack suffices for how deep the statement may nest.
fn parse_with_room(text: &str, range: &Range<usize>, tokens: usize) -> StatementKind {
    if tokens <= TOKENS_ON_OWN_STACK {
        return parse_statement(text, range);
    }
    let unknown = || StatementKind::Command(Arc::new(Command::Other));
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(LARGE_STACK);
        let parsed = thread.spawn_scoped(scope, || parse_statement(text, range));
        parsed.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(unknown)
    })
}

fn parse_statement(text: &str, range: &Range<usize>) -> StatementKind {
    let sql = &text[range.clone()];
    if let Some(command) = fast::command(sql) {
        return StatementKind::Command(Arc::new(command));
    }
    parse_by_tree(sql, range.start)
}

/// Parses by squawk's parser; `offset` is where the statement starts in the script.
fn parse_by_tree(sql: &str, offset_in_script: usize) -> StatementKind {
    let mut parse = Tree::parse(sql);
    // Asked for once: the answer costs as much as the parse.
    let mut errors = parse.errors();
    if let Some(first) = errors.first()
        && let Some(mended) = without_storage_clauses(sql, usize::from(first.range().start()))
    {
        parse = mended;
        errors.clear();
    }
    if let Some(error) = errors.first() {
        let offset = usize::from(error.range().start()).min(sql.len());
        let token = token_at(sql, offset);
        let message = said(error.message(), &sql[token.clone()]);
        return StatementKind::Invalid(SyntaxError {
            message,
            range: offset_in_script + token.start..offset_in_script + token.end,
        });
    }
    let command = parse.tree().stmts().next().map_or(Command::Other, |statement| command(&statement));
    StatementKind::Command(Arc::new(command))
}

/// `ADD COLUMN … STORAGE x` and `COMPRESSION x`, which the grammar lacks: parsed with those two
/// words blanked out, so that ranges stay true.
fn without_storage_clauses(sql: &str, mut offset: usize) -> Option<Parse<Tree>> {
    let mut sql = sql.to_owned();
    for _ in 0..16 {
        let word = token_at(&sql, offset.min(sql.len()));
        if !["storage", "compression"].iter().any(|clause| sql[word.clone()].eq_ignore_ascii_case(clause)) {
            return None;
        }
        let setting = token_at(&sql, word.end);
        if setting.start < word.end || !sql[word.start..setting.end].is_ascii() {
            return None;
        }
        let end = setting.start + sql[setting.clone()].find([',', ')', ';']).unwrap_or(setting.len());
        sql.replace_range(word.start..end, &" ".repeat(end - word.start));
        let parse = Tree::parse(&sql);
        match parse.errors().first() {
            None => return Some(parse),
            Some(error) => offset = usize::from(error.range().start()),
        }
    }
    None
}

/// The run of characters between white space at an offset; the last one where nothing follows.
fn token_at(sql: &str, offset: usize) -> Range<usize> {
    let offset = (0..=offset).rev().find(|at| sql.is_char_boundary(*at)).unwrap_or(0);
    let after = sql[offset..].trim_start();
    let start = if after.is_empty() { sql.trim_end().len() } else { sql.len() - after.len() };
    let word_start = match after.is_empty() {
        true => sql[..start].rfind(char::is_whitespace).map_or(0, |space| space + 1),
        false => start,
    };
    let word_start = (word_start..=start).find(|at| sql.is_char_boundary(*at)).unwrap_or(start);
    let end = sql[word_start..].find(char::is_whitespace).map_or(sql.len(), |space| word_start + space);
    word_start..end
}

/// The parser's message without the names of its own token kinds.
fn said(message: &str, token: &str) -> String {
    let expected = message.split(", found ").next().unwrap_or(message);
    let short: String = token.chars().take(40).collect();
    match expected.strip_prefix("expected ") {
        // It lists keywords by its own names: `COLUMN_KW`.
        // A statement that goes on where it should have ended.
        Some("command") => format!("unexpected `{short}`"),
        Some(rest) if !rest.contains("_KW") => format!("expected {rest} at `{short}`"),
        Some(_) => format!("unexpected `{short}`"),
        None => expected.to_owned(),
    }
}

/// Reads a data type alone, such as `varchar(50)[]`.
#[must_use]
pub fn parse_data_type(text: &str) -> Option<DataType> {
    let parse = Tree::parse(&format!("select null::{text}"));
    if !parse.errors().is_empty() {
        return None;
    }
    let tree = parse.tree();
    tree.syntax().descendants().find_map(ast::Type::cast).and_then(|node| types::data_type(&node))
}

/// Bytes of a node within its statement.
fn range_of(node: &impl AstNode) -> Range<usize> {
    let range = node.syntax().text_range();
    // White space that the parser counts in isn't the node's.
    let trailing = |c: &char| c.is_ascii_whitespace();
    let mut behind = 0;
    node.syntax().text().for_each_chunk(|chunk| {
        let spaces = chunk.chars().rev().take_while(trailing).count();
        behind = if spaces == chunk.len() { behind + spaces } else { spaces };
    });
    range.start().into()..usize::from(range.end()) - behind
}

fn command(statement: &Stmt) -> Command {
    understood(statement).unwrap_or(Command::Other)
}

/// `None` where a part that the grammar leaves optional is missing: then nothing is known.
fn understood(statement: &Stmt) -> Option<Command> {
    let command = match statement {
        Stmt::Reassign(_) | Stmt::DropOwned(_) => {
            let words = words(statement);
            let role = words.split_once(" owned by ")?.1.split(' ').next()?;
            Command::OwnedBy { role: fold_identifier(role) }
        }
        Stmt::CreateTable(node) => Command::CreateTable(Box::new(table::create_table(node)?)),
        Stmt::CreateForeignTable(node) => Command::CreateTable(Box::new(table::create_foreign_table(node)?)),
        Stmt::CreateTableAs(node) => Command::CreateTableAs {
            name: names::of(node.table_name()?.path()?),
            if_not_exists: node.if_not_exists().is_some(),
            temporary: matches!(node.persistence(), Some(ast::Persistence::Temp(_))),
        },
        Stmt::AlterTable(_) | Stmt::AlterMaterializedView(_)
            if words(statement).contains(" all in tablespace ") =>
        {
            let words = words(statement);
            let from = words.split_once(" all in tablespace ")?.1.split(' ').next()?;
            let kind = match statement {
                Stmt::AlterTable(_) => ObjectKind::Table,
                _ => ObjectKind::MaterializedView,
            };
            Command::MoveAll { kind, from: fold_identifier(from) }
        }
        Stmt::AlterTable(node) => Command::AlterTable(table::alter_table(node)?),
        Stmt::AlterMaterializedView(_)
        | Stmt::AlterView(_)
        | Stmt::AlterSequence(_)
        | Stmt::AlterForeignTable(_) => Command::AlterTable(table::alter_other(statement)?),
        Stmt::CreateIndex(node) => index::create_index(node)?,
        Stmt::AlterIndex(node) => index::alter_index(node)?,
        Stmt::Reindex(node) => index::reindex(node)?,
        Stmt::Refresh(node) => Command::Refresh {
            name: names::of_ref(node.view_ref()?.path_ref()?),
            concurrently: has_word(node, "concurrently"),
            with_data: !words(node).ends_with("with no data"),
        },
        Stmt::Truncate(node) => {
            let words = words(node);
            Command::Truncate {
                names: names::all_below(node),
                cascade: words.ends_with(" cascade"),
                only: words.starts_with("truncate only ") || words.starts_with("truncate table only "),
            }
        }
        Stmt::Cluster(node) => Command::Cluster { name: names::all_below(node).into_iter().next() },
        Stmt::Vacuum(node) => {
            let words = words(node);
            let full = words.starts_with("vacuum full") || option_is_on(&words, "full");
            Command::Vacuum { full, names: names::all_below(node) }
        }
        Stmt::Analyze(node) => Command::Analyze { names: names::all_below(node) },
        Stmt::Lock(node) => {
            Command::LockTable { names: names::all_below(node), mode: table::lock_mode(node) }
        }
        Stmt::CreateTrigger(node) => Command::CreateTrigger {
            name: names::folded(node.trigger()?.syntax()),
            table: names::all_below(&node.on_relation()?).pop()?,
            from: node.from_table().and_then(|from| names::all_below(&from).pop()),
            or_replace: node.or_replace().is_some(),
            function: node.call_expr().and_then(|call| expression::calls(call.syntax()).pop()),
            each_row: node.trigger_level().is_some_and(|level| words(&level).ends_with("row")),
        },
        Stmt::Do(node) => Command::Do { body: node.body().and_then(|body| quoted_body(&body)) },
        Stmt::Begin(_) => Command::Begin,
        Stmt::Commit(ast::Commit::CommitTransaction(node)) => Command::Commit { chain: chains(node) },
        Stmt::Rollback(ast::Rollback::RollbackTransaction(node)) => Command::Rollback { chain: chains(node) },
        Stmt::Rollback(ast::Rollback::RollbackToSavepoint(node)) => {
            Command::RollbackTo(names::folded(node.savepoint_ref()?.syntax()))
        }
        Stmt::SavepointCreate(node) => Command::Savepoint(names::folded(node.savepoint()?.syntax())),
        Stmt::ReleaseSavepoint(node) => {
            Command::ReleaseSavepoint(names::folded(node.savepoint_ref()?.syntax()))
        }
        Stmt::Set(node) => Command::Set(set_parameter(node)?),
        Stmt::Reset(node) => Command::Reset { name: reset_parameter(node) },
        Stmt::Select(node) => select(node),
        Stmt::Call(node) => Command::Query {
            calls: names::path_below(&node.procedure_name_ref()?).map(names::of_ref).into_iter().collect(),
            reads: Vec::new(),
            sought: Vec::new(),
        },
        Stmt::CompoundSelect(_) | Stmt::Values(_) | Stmt::Explain(_) | Stmt::Execute(_) => query(statement),
        Stmt::SelectInto(node) => {
            let into = node.into_clause()?;
            Command::CreateTableAs {
                name: names::of(into.table_name()?.path()?),
                if_not_exists: false,
                temporary: words(&into).contains(" temp"),
            }
        }
        Stmt::Insert(_) | Stmt::Update(_) | Stmt::Delete(_) | Stmt::Merge(_) => modify::modify(statement)?,
        Stmt::CreateDatabase(_) => Command::OutsideTransactionOnly { words: "CREATE DATABASE" },
        Stmt::DropDatabase(_) => Command::OutsideTransactionOnly { words: "DROP DATABASE" },
        Stmt::AlterSystem(_) => Command::OutsideTransactionOnly { words: "ALTER SYSTEM" },
        Stmt::CreateTablespace(_) => Command::OutsideTransactionOnly { words: "CREATE TABLESPACE" },
        Stmt::DropTablespace(_) => Command::OutsideTransactionOnly { words: "DROP TABLESPACE" },
        _ => object::object(statement)?,
    };
    Some(command)
}

/// Whether a parenthesised option is given and not switched off: `(full)`, `(full true)`.
fn option_is_on(words: &str, option: &str) -> bool {
    let Some((_, rest)) = words.split_once('(') else { return false };
    rest.split(')').next().unwrap_or_default().split(',').any(|setting| {
        let mut parts = setting.split_whitespace();
        parts.next() == Some(option) && !matches!(parts.next(), Some("false" | "off" | "0"))
    })
}

/// Bytes of a string's content in the statement: dollar-quoted, or plain and without escapes.
fn quoted_body(literal: &ast::Literal) -> Option<Range<usize>> {
    let range = range_of(literal);
    let text = literal.syntax().text().to_string();
    let quote = match text.as_bytes().first()? {
        b'$' => text[1..].find('$')? + 2,
        b'\'' if !text[1..text.len() - 1].contains("''") => 1,
        _ => return None,
    };
    (text.len() >= 2 * quote).then(|| range.start + quote..range.end - quote)
}

/// A node's tokens without comments, in lower case, single spaces between them; cut at 500 bytes.
fn words(node: &impl AstNode) -> String {
    let mut words = String::new();
    for token in node.syntax().descendants_with_tokens().filter_map(|element| element.into_token()) {
        if matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT) {
            continue;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&token.text().to_ascii_lowercase());
        if words.len() > 500 {
            break;
        }
    }
    words
}

fn set_parameter(node: &ast::Set) -> Option<SetParameter> {
    let local = matches!(node.set_scope(), Some(ast::SetScope::LocalScope(_)));
    let target = node.set_target()?;
    let text = target.syntax().text().to_string();
    match target {
        ast::SetTarget::SetConfig(config) => {
            let name = config.config_parameter_ref()?.syntax().text().to_string().to_ascii_lowercase();
            let assigned = config.config_assignment()?.syntax().text().to_string();
            Some(SetParameter { name, values: assigned_values(&assigned), local })
        }
        ast::SetTarget::SetTimeZone(_) => {
            let value = text.split_whitespace().last()?.trim_matches('\'').to_owned();
            Some(SetParameter { name: "timezone".into(), values: vec![value], local })
        }
        ast::SetTarget::SetSchemaValue(_) => {
            let value = text.split_whitespace().last()?.trim_matches('\'').to_owned();
            Some(SetParameter { name: "search_path".into(), values: vec![value], local })
        }
        _ => None,
    }
}

/// The values of `= a, 'b'` or `TO DEFAULT`.
fn assigned_values(text: &str) -> Vec<String> {
    let text = text.trim();
    let text =
        text.strip_prefix('=').or_else(|| text.get(2..).filter(|_| text[..2].eq_ignore_ascii_case("to")));
    let values = text.unwrap_or_default().trim();
    if values.eq_ignore_ascii_case("default") {
        return Vec::new();
    }
    values.split(',').map(|value| value.trim().trim_matches(['\'', '"']).to_owned()).collect()
}

fn reset_parameter(node: &ast::Reset) -> Option<String> {
    match node.reset_target()? {
        ast::ResetTarget::ConfigParameterRef(name) => {
            Some(name.syntax().text().to_string().to_ascii_lowercase())
        }
        ast::ResetTarget::ResetTimeZone(_) => Some("timezone".into()),
        _ => None,
    }
}

/// A SELECT matters where it calls `set_config('name', 'value', is_local)`, and for what it runs.
fn select(node: &ast::Select) -> Command {
    match expression::set_config(node.syntax()) {
        Some(set) => Command::Set(set),
        None => query(node),
    }
}

fn query(node: &impl AstNode) -> Command {
    let mut clauses = node.syntax().descendants().filter_map(ast::WhereClause::cast);
    let sought = match (clauses.next(), clauses.next()) {
        (Some(only), None) => only.expr().map(|condition| expression::sought(&condition)).unwrap_or_default(),
        _ => Vec::new(),
    };
    let reads = names::relations_read(node.syntax());
    Command::Query { calls: expression::calls(node.syntax()), reads, sought }
}

fn chains(node: &impl AstNode) -> bool {
    let words = node.syntax().text().to_string().to_ascii_lowercase();
    words.contains("chain") && !words.contains("no")
}

/// Whether a keyword stands directly below a node.
fn has_word(node: &impl AstNode, word: &str) -> bool {
    node.syntax()
        .children_with_tokens()
        .filter_map(|element| element.into_token())
        .any(|token| token.text().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
