//! The plainest statements without a syntax tree: most of what migrations hold, at the lexer's speed.
//!
//! A statement is read only if each of its tokens is understood; anything else is the parser's, which
//! gives the same command more slowly. A test holds the two against each other.

use std::ops::Range;

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

use crate::command::{
    ActionKind, AlterTable, ColumnBytes, ColumnDefinition, Command, Comparison, Constraint, ConstraintKind,
    CreateFunction, CreateIndex, CreateTable, Drop, Expression, Generated, IndexKey, KeyConstraint, Modify,
    ModifyKind, ObjectKind, TableAction, UsingExpression, Volatility,
};
use crate::data_type::DataType;
use crate::name::{ObjectName, is_reserved};

/// Reads a statement, if it is plain.
pub(super) fn command(sql: &str) -> Option<Command> {
    // Not worth its tokens.
    let read = reader(sql.split(|c: char| !c.is_ascii_alphabetic()).next()?)?;
    let mut cursor = Cursor::new(sql)?;
    cursor.at = 1;
    let command = read(&mut cursor)?;
    cursor.is_at_end().then_some(command)
}

/// What reads a statement that begins with this word.
fn reader(word: &str) -> Option<fn(&mut Cursor) -> Option<Command>> {
    let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
    Some(match word.as_bytes().first()?.to_ascii_lowercase() {
        b'a' if is("alter") => alter_table,
        b'b' if is("begin") => |cursor| transaction(cursor, Command::Begin),
        b'c' if is("comment") => comment,
        b'c' if is("commit") => |cursor| transaction(cursor, Command::Commit { chain: false }),
        b'c' if is("create") => create,
        b'd' if is("drop") => drop,
        b'i' if is("insert") => insert,
        b'r' if is("rollback") => |cursor| transaction(cursor, Command::Rollback { chain: false }),
        b's' if is("set") => set_constraints,
        _ => return None,
    })
}

struct Token<'a> {
    text: &'a str,
    kind: TokenKind,
    start: usize,
}

struct Cursor<'a> {
    sql: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(sql: &'a str) -> Option<Self> {
        let mut tokens = Vec::with_capacity(sql.len() / 6);
        let mut at = 0;
        for token in tokenize(sql) {
            let end = at + token.len as usize;
            match token.kind {
                TokenKind::Eof => break,
                TokenKind::Whitespace => {}
                // A comment within a node would stand in the texts that the parser gives.
                TokenKind::LineComment | TokenKind::BlockComment { .. } => return None,
                kind => tokens.push(Token { text: &sql[at..end], kind, start: at }),
            }
            at = end;
        }
        Some(Self { sql, tokens, at: 0 })
    }

    fn is_at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn sees(&self, word: &str) -> bool {
        self.peek()
            .is_some_and(|token| token.kind == TokenKind::Ident && token.text.eq_ignore_ascii_case(word))
    }

    /// Takes a word if it is the next.
    fn takes(&mut self, word: &str) -> bool {
        let seen = self.sees(word);
        self.at += usize::from(seen);
        seen
    }

    /// Takes words that must all be next, or none.
    fn takes_all(&mut self, words: &[&str]) -> bool {
        let from = self.at;
        if words.iter().all(|word| self.takes(word)) {
            return true;
        }
        self.at = from;
        false
    }

    /// Takes words of which the first decides; `None` where the others don't follow.
    fn takes_whole(&mut self, words: &[&str]) -> Option<bool> {
        if !self.sees(words[0]) {
            return Some(false);
        }
        self.takes_all(words).then_some(true)
    }

    fn takes_sign(&mut self, kind: TokenKind) -> bool {
        let seen = self.peek().is_some_and(|token| token.kind == kind);
        self.at += usize::from(seen);
        seen
    }

    /// Takes the `::` of a cast.
    fn takes_cast(&mut self) -> bool {
        let (first, second) = (self.tokens.get(self.at), self.tokens.get(self.at + 1));
        let is_cast = matches!((first, second), (Some(first), Some(second))
            if first.kind == TokenKind::Colon && second.kind == TokenKind::Colon && second.start == first.start + 1);
        self.at += 2 * usize::from(is_cast);
        is_cast
    }

    fn expects(&mut self, word: &str) -> Option<()> {
        self.takes(word).then_some(())
    }

    fn expects_sign(&mut self, kind: TokenKind) -> Option<()> {
        self.takes_sign(kind).then_some(())
    }

    /// Byte at which the next token starts.
    fn start(&self) -> Option<usize> {
        self.peek().map(|token| token.start)
    }

    /// Byte behind the last token taken.
    fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |last| self.tokens[last].start + self.tokens[last].text.len())
    }

    /// The tokens taken since one, without what parts them.
    fn text_since(&self, from: usize) -> String {
        self.tokens[from..self.at].iter().map(|token| token.text).collect()
    }

    /// An identifier, folded; never a reserved word.
    fn identifier(&mut self) -> Option<String> {
        let token = self.peek()?;
        let name = match token.kind {
            TokenKind::Ident if token.text.is_ascii() => {
                let folded = token.text.to_ascii_lowercase();
                // Words of these statements that may be names, too, are told apart by the parser.
                if is_reserved(&folded)
                    || ["cascade", "restrict", "concurrently", "if"].contains(&folded.as_str())
                    || !folded.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                {
                    return None;
                }
                folded
            }
            TokenKind::QuotedIdent { terminated: true, uescape: false } if token.text.starts_with('"') => {
                let inner = &token.text[1..token.text.len() - 1];
                if inner.is_empty() || inner.contains('"') {
                    return None;
                }
                inner.to_owned()
            }
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// A possibly qualified name.
    fn name(&mut self) -> Option<ObjectName> {
        let first = self.identifier()?;
        if !self.takes_sign(TokenKind::Dot) {
            return Some(ObjectName::unqualified(first));
        }
        let name = ObjectName::qualified(first, self.identifier()?);
        // `database.schema.table`.
        (!self.peek().is_some_and(|token| token.kind == TokenKind::Dot)).then_some(name)
    }

    /// `(a, b)`.
    fn columns(&mut self) -> Option<Vec<String>> {
        self.expects_sign(TokenKind::OpenParen)?;
        let mut columns = vec![self.identifier()?];
        while self.takes_sign(TokenKind::Comma) {
            columns.push(self.identifier()?);
        }
        self.expects_sign(TokenKind::CloseParen)?;
        Some(columns)
    }

    /// A plain string's content, without escapes in it.
    fn string(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        let TokenKind::Literal { kind: LiteralKind::Str { terminated: true } } = token.kind else {
            return None;
        };
        let inner = token.text.strip_prefix('\'')?.strip_suffix('\'')?;
        self.at += 1;
        // Two literals with nothing but a line's end between them are one.
        let joined = self.peek().is_some_and(|next| matches!(next.kind, TokenKind::Literal { .. }));
        (!joined).then_some(inner)
    }

    /// A dollar-quoted string's content, and which bytes that is.
    fn dollar_quoted(&mut self) -> Option<(Range<usize>, &'a str)> {
        let token = self.peek()?;
        let TokenKind::Literal { kind: LiteralKind::DollarQuotedString { terminated: true } } = token.kind
        else {
            return None;
        };
        let quote = token.text[1..].find('$')? + 2;
        let content = token.text.get(quote..token.text.len().checked_sub(quote)?)?;
        let start = token.start + quote;
        self.at += 1;
        Some((start..start + content.len(), content))
    }

    /// A number, string, TRUE, FALSE or NULL.
    fn takes_literal(&mut self) -> bool {
        let Some(token) = self.peek() else { return false };
        match token.kind {
            TokenKind::Literal { kind: LiteralKind::Int { trailing_junk_start, .. } } => {
                let clean = trailing_junk_start as usize >= token.text.len()
                    && token.text.bytes().all(|byte| byte.is_ascii_digit());
                self.at += usize::from(clean);
                clean
            }
            TokenKind::Literal { kind: LiteralKind::Str { .. } } => self.string().is_some(),
            TokenKind::Ident => self.takes("true") || self.takes("false") || self.takes("null"),
            _ => false,
        }
    }
}

/// `BEGIN`, `COMMIT`, `ROLLBACK`, without options.
fn transaction(cursor: &mut Cursor, command: Command) -> Option<Command> {
    if !cursor.takes("transaction") {
        cursor.takes("work");
    }
    Some(command)
}

/// Of `SET CONSTRAINTS` nothing is kept; other settings are the parser's.
fn set_constraints(cursor: &mut Cursor) -> Option<Command> {
    cursor.expects("constraints")?;
    if !cursor.takes("all") {
        cursor.name()?;
        while cursor.takes_sign(TokenKind::Comma) {
            cursor.name()?;
        }
    }
    (cursor.takes("immediate") || cursor.takes("deferred")).then_some(Command::Other)
}

fn create_trigger(cursor: &mut Cursor, or_replace: bool) -> Option<Command> {
    let name = cursor.identifier()?;
    let time = cursor.takes("before") || cursor.takes("after") || cursor.takes_all(&["instead", "of"]);
    time.then_some(())?;
    loop {
        let event = ["insert", "update", "delete", "truncate"].iter().any(|word| cursor.takes(word));
        event.then_some(())?;
        if !cursor.takes("or") {
            break;
        }
    }
    cursor.expects("on")?;
    let table = cursor.name()?;
    cursor.expects("for")?;
    cursor.takes("each");
    let each_row = cursor.takes("row");
    (each_row || cursor.takes("statement")).then_some(())?;
    cursor.expects("execute")?;
    (cursor.takes("function") || cursor.takes("procedure")).then_some(())?;
    let function = Some(cursor.name()?);
    cursor.expects_sign(TokenKind::OpenParen)?;
    cursor.expects_sign(TokenKind::CloseParen)?;
    Some(Command::CreateTrigger { name, table, from: None, or_replace, function, each_row })
}

fn create(cursor: &mut Cursor) -> Option<Command> {
    if cursor.takes("table") {
        return create_table(cursor);
    }
    let or_replace = cursor.takes_all(&["or", "replace"]);
    if cursor.takes("trigger") {
        return create_trigger(cursor, or_replace);
    }
    if cursor.takes("function") {
        return create_function(cursor, or_replace);
    }
    if or_replace {
        return None;
    }
    let unique = cursor.takes("unique");
    let index_word = cursor.peek()?.start..cursor.peek()?.start + "index".len();
    cursor.expects("index")?;
    let concurrently = cursor.takes("concurrently");
    let if_not_exists = cursor.takes_whole(&["if", "not", "exists"])?;
    let name = if cursor.sees("on") { None } else { Some(cursor.identifier()?) };
    cursor.expects("on")?;
    let only = cursor.takes("only");
    let table = cursor.name()?;
    let method = if cursor.takes("using") { cursor.identifier()? } else { "btree".to_owned() };
    cursor.expects_sign(TokenKind::OpenParen)?;
    let mut keys = vec![index_key(cursor)?];
    while cursor.takes_sign(TokenKind::Comma) {
        keys.push(index_key(cursor)?);
    }
    cursor.expects_sign(TokenKind::CloseParen)?;
    let partial = cursor.takes("where");
    let mut predicate_columns = Vec::new();
    if partial {
        predicate_columns.push(cursor.identifier()?);
        cursor.expects("is")?;
        cursor.takes("not");
        cursor.expects("null")?;
    }
    Some(Command::CreateIndex(Box::new(CreateIndex {
        name,
        table,
        unique,
        concurrently,
        if_not_exists,
        only,
        method,
        keys,
        partial,
        predicate_columns,
        index_word,
    })))
}

/// A function in PL/pgSQL, whose body is a string that isn't looked into here.
fn create_function(cursor: &mut Cursor, or_replace: bool) -> Option<Command> {
    let mut function = CreateFunction { name: cursor.name()?, or_replace, ..CreateFunction::default() };
    cursor.expects_sign(TokenKind::OpenParen)?;
    if !cursor.takes_sign(TokenKind::CloseParen) {
        loop {
            cursor.identifier()?;
            data_type(cursor)?;
            if !cursor.takes_sign(TokenKind::Comma) {
                break;
            }
        }
        cursor.expects_sign(TokenKind::CloseParen)?;
    }
    cursor.expects("returns")?;
    let from = cursor.at;
    data_type(cursor)?;
    // The parser's spelling of more than a word is its own.
    (cursor.at == from + 1).then_some(())?;
    function.returns = cursor.tokens[from].text.to_ascii_lowercase();
    let (mut has_volatility, mut has_rights) = (false, false);
    while !cursor.is_at_end() {
        let volatility = [
            ("immutable", Volatility::Immutable),
            ("stable", Volatility::Stable),
            ("volatile", Volatility::Volatile),
        ];
        if let Some((_, volatility)) = volatility.into_iter().find(|(word, _)| cursor.takes(word)) {
            (!std::mem::replace(&mut has_volatility, true)).then_some(())?;
            function.volatility = volatility;
        } else if cursor.takes_all(&["security", "definer"]) {
            (!std::mem::replace(&mut has_rights, true)).then_some(())?;
            function.security_definer = true;
        } else if cursor.takes_all(&["language", "plpgsql"]) {
            function.language.is_empty().then_some(())?;
            function.language = "plpgsql".to_owned();
        } else {
            cursor.expects("as")?;
            function.body.is_none().then_some(())?;
            let (range, text) = cursor.dollar_quoted()?;
            function.body = Some(range);
            function.body_text = text.to_owned();
        }
    }
    (!function.language.is_empty() && function.body.is_some())
        .then(|| Command::CreateFunction(Box::new(function)))
}

/// A column with its order; its text is that of one word where nothing but single spaces part it.
fn index_key(cursor: &mut Cursor) -> Option<IndexKey> {
    let from = cursor.at;
    let column = cursor.identifier()?;
    let ordering = ["asc", "desc", "nulls"].iter().any(|word| cursor.sees(word));
    let has_class = !ordering && cursor.peek().is_some_and(|token| token.kind == TokenKind::Ident);
    let operator_class = if has_class { Some(cursor.identifier()?) } else { None };
    let ordered = cursor.takes("asc") || cursor.takes("desc");
    if ordered && cursor.takes("nulls") && !(cursor.takes("first") || cursor.takes("last")) {
        return None;
    }
    let words: Vec<&str> = cursor.tokens[from..cursor.at].iter().map(|token| token.text).collect();
    let text = words.join(" ");
    let spaced = cursor.end() - cursor.tokens[from].start == text.len();
    spaced.then(|| IndexKey { text, columns: vec![column.clone()], column: Some(column), operator_class })
}

fn create_table(cursor: &mut Cursor) -> Option<Command> {
    let if_not_exists = cursor.takes_whole(&["if", "not", "exists"])?;
    let name = cursor.name()?;
    cursor.expects_sign(TokenKind::OpenParen)?;
    let (mut columns, mut constraints) = (Vec::new(), Vec::new());
    loop {
        let starts_constraint = ["constraint", "primary", "unique", "foreign", "check", "exclude", "like"]
            .iter()
            .any(|word| cursor.sees(word));
        match starts_constraint {
            true => constraints.push(table_constraint(cursor)?),
            false => columns.push(column(cursor)?),
        }
        if !cursor.takes_sign(TokenKind::Comma) {
            break;
        }
    }
    cursor.expects_sign(TokenKind::CloseParen)?;
    columns.shrink_to_fit();
    Some(Command::CreateTable(Box::new(CreateTable {
        name,
        if_not_exists,
        temporary: false,
        unlogged: false,
        foreign: false,
        columns,
        constraints,
        partition_of: None,
        bound: None,
        partition_by: None,
        inherits: Vec::new(),
        like: Vec::new(),
        of_type: None,
    })))
}

fn column(cursor: &mut Cursor) -> Option<ColumnDefinition> {
    let start = cursor.start()?;
    let name = cursor.identifier()?;
    let type_start = cursor.start()?;
    let data_type = Some(data_type(cursor)?);
    let type_bytes = type_start..cursor.end();
    let mut column = ColumnDefinition {
        name,
        data_type,
        collation: None,
        default: None,
        generated: None,
        generation: None,
        constraints: Vec::new(),
        bytes: ColumnBytes::default(),
    };
    while let Some(start) = cursor.start() {
        let own = || vec![column.name.clone()];
        let name = if cursor.takes("constraint") { Some(cursor.identifier()?) } else { None };
        let named = name.is_some();
        let constraint = |kind: ConstraintKind, end: usize| {
            // Most columns have one; a vector grows to four at once.
            column.constraints.reserve_exact(1);
            column.constraints.push(Constraint {
                name,
                kind,
                not_valid: false,
                not_enforced: false,
                no_inherit: false,
                range: start..end,
            });
        };
        if cursor.takes_whole(&["not", "null"])? {
            constraint(ConstraintKind::NotNull { column: own().pop()? }, cursor.end());
        } else if cursor.takes("references") {
            let references = cursor.name()?;
            let opens = cursor.peek().is_some_and(|token| token.kind == TokenKind::OpenParen);
            let referenced_columns = if opens { cursor.columns()? } else { Vec::new() };
            foreign_key_options(cursor)?;
            let columns = own();
            constraint(ConstraintKind::ForeignKey { columns, references, referenced_columns }, cursor.end());
        } else if cursor.takes("check") {
            let kind = check(cursor)?;
            constraint(kind, cursor.end());
        } else if !named && cursor.takes("null") {
        } else if cursor.takes_whole(&["primary", "key"])? {
            let key = KeyConstraint { columns: own(), using_index: None };
            constraint(ConstraintKind::PrimaryKey(key), cursor.end());
        } else if cursor.takes("unique") {
            let key = KeyConstraint { columns: own(), using_index: None };
            constraint(ConstraintKind::Unique(key), cursor.end());
        } else if named {
            return None;
        } else if cursor.takes("default") {
            column.default = Some(Box::new(plain_expression(cursor)?));
        } else if cursor.takes("generated") {
            if !cursor.takes("always") && !cursor.takes_all(&["by", "default"]) {
                return None;
            }
            cursor.takes_all(&["as", "identity"]).then_some(())?;
            column.generated = Some(Generated::Identity);
        } else {
            break;
        }
        if cursor.peek().is_some_and(|token| {
            !matches!(token.kind, TokenKind::Ident | TokenKind::Comma | TokenKind::CloseParen)
        }) {
            return None;
        }
    }
    column.bytes = ColumnBytes::new(&(start..cursor.end()), Some(&type_bytes));
    Some(column)
}

/// A literal, perhaps with a sign or cast to a type, or a call without arguments.
fn plain_expression(cursor: &mut Cursor) -> Option<Expression> {
    let start = cursor.start()?;
    let from = cursor.at;
    let null = cursor.sees("null");
    let mut calls = Vec::new();
    if cursor.takes_sign(TokenKind::Minus) {
        cursor.takes_literal().then_some(())?;
    } else if cursor.takes_literal() {
        if cursor.takes_cast() {
            data_type(cursor)?;
        }
    } else {
        calls.push(ObjectName::unqualified(cursor.identifier()?));
        cursor.expects_sign(TokenKind::OpenParen)?;
        cursor.expects_sign(TokenKind::CloseParen)?;
    }
    let range = start..cursor.end();
    let text = cursor.text_since(from);
    (text.len() == range.len()).then(|| Expression { text, range, calls, columns: Vec::new(), null })
}

/// A type of one word, and the few of several.
fn data_type(cursor: &mut Cursor) -> Option<DataType> {
    const TREE_ONLY: [&str; 9] =
        ["bit", "interval", "national", "setof", "nchar", "dec", "float", "json", "char"];
    let first = cursor.peek()?;
    let quoted = first.kind != TokenKind::Ident;
    let mut word = cursor.identifier()?;
    if quoted
        || TREE_ONLY.contains(&word.as_str())
        || cursor.peek().is_some_and(|token| token.kind == TokenKind::Dot)
    {
        return None;
    }
    match word.as_str() {
        "double" => {
            cursor.expects("precision")?;
            word = "double precision".to_owned();
        }
        "character" => {
            cursor.expects("varying")?;
            word = "character varying".to_owned();
        }
        _ => {}
    }
    let mut modifiers = Vec::new();
    if cursor.takes_sign(TokenKind::OpenParen) {
        loop {
            let token = cursor.peek()?;
            modifiers.push(token.text.parse().ok()?);
            cursor.at += 1;
            if !cursor.takes_sign(TokenKind::Comma) {
                break;
            }
        }
        cursor.expects_sign(TokenKind::CloseParen)?;
    }
    if ["timestamp", "time"].contains(&word.as_str()) {
        let with = cursor.takes_whole(&["with", "time", "zone"])?;
        let without = !with && cursor.takes_whole(&["without", "time", "zone"])?;
        word = match (with, without) {
            (true, _) => format!("{word} with time zone"),
            _ => format!("{word} without time zone"),
        };
    }
    if cursor.peek().is_some_and(|token| token.kind == TokenKind::OpenBracket) || cursor.sees("array") {
        return None;
    }
    Some(DataType { modifiers, ..DataType::named(ObjectName::unqualified(word)) })
}

fn table_constraint(cursor: &mut Cursor) -> Option<Constraint> {
    let start = cursor.start()?;
    let name = if cursor.takes("constraint") { Some(cursor.identifier()?) } else { None };
    let mut not_valid = false;
    let kind = if cursor.takes_whole(&["primary", "key"])? {
        ConstraintKind::PrimaryKey(KeyConstraint { columns: cursor.columns()?, using_index: None })
    } else if cursor.takes("unique") {
        ConstraintKind::Unique(KeyConstraint { columns: cursor.columns()?, using_index: None })
    } else if cursor.takes("check") {
        let kind = check(cursor)?;
        not_valid = cursor.takes_whole(&["not", "valid"])?;
        kind
    } else {
        cursor.takes_whole(&["foreign", "key"])?.then_some(())?;
        let columns = cursor.columns()?;
        cursor.expects("references")?;
        let references = cursor.name()?;
        let named = cursor.peek().is_some_and(|token| token.kind == TokenKind::OpenParen);
        let referenced_columns = if named { cursor.columns()? } else { Vec::new() };
        foreign_key_options(cursor)?;
        not_valid = cursor.takes_whole(&["not", "valid"])?;
        ConstraintKind::ForeignKey { columns, references, referenced_columns }
    };
    let range = start..cursor.end();
    Some(Constraint { name, kind, not_valid, not_enforced: false, no_inherit: false, range })
}

/// `(column >= 0)`: a column beside a whole number.
fn check(cursor: &mut Cursor) -> Option<ConstraintKind> {
    cursor.expects_sign(TokenKind::OpenParen)?;
    let start = cursor.start()?;
    let column = cursor.identifier()?;
    let operator_start = cursor.start()?;
    while cursor.takes_sign(TokenKind::Lt)
        || cursor.takes_sign(TokenKind::Gt)
        || cursor.takes_sign(TokenKind::Eq)
    {}
    let operator = cursor.sql.get(operator_start..cursor.end())?;
    ["<", "<=", "=", ">=", ">", "<>"].contains(&operator).then_some(())?;
    let value = cursor.peek()?.text;
    (value.bytes().all(|byte| byte.is_ascii_digit()) && cursor.takes_literal()).then_some(())?;
    let expression = cursor.sql[start..cursor.end()].to_owned();
    cursor.expects_sign(TokenKind::CloseParen)?;
    Some(ConstraintKind::Check {
        expression,
        proves_not_null: Vec::new(),
        columns: vec![column.clone()],
        comparisons: vec![Comparison {
            column,
            operator: operator.to_owned(),
            values: vec![value.to_owned()],
        }],
    })
}

/// What a foreign key does when its row goes, and when it is checked.
fn foreign_key_options(cursor: &mut Cursor) -> Option<()> {
    while cursor.takes("on") {
        (cursor.takes("delete") || cursor.takes("update")).then_some(())?;
        let action = cursor.takes("cascade")
            || cursor.takes("restrict")
            || cursor.takes_all(&["no", "action"])
            || cursor.takes_all(&["set", "null"])
            || cursor.takes_all(&["set", "default"]);
        action.then_some(())?;
    }
    if cursor.takes("deferrable") {
        cursor.takes_whole(&["initially", "deferred"])?;
    }
    Some(())
}

fn alter_table(cursor: &mut Cursor) -> Option<Command> {
    cursor.expects("table")?;
    let if_exists = cursor.takes_whole(&["if", "exists"])?;
    let only = cursor.takes("only");
    let name = cursor.name()?;
    let mut actions = vec![action(cursor)?];
    while cursor.takes_sign(TokenKind::Comma) {
        actions.push(action(cursor)?);
    }
    Some(Command::AlterTable(AlterTable { kind: ObjectKind::Table, name, only, if_exists, actions }))
}

fn action(cursor: &mut Cursor) -> Option<TableAction> {
    let start = cursor.start()?;
    let kind = if cursor.takes("add") {
        if ["constraint", "primary", "unique", "foreign", "check"].iter().any(|word| cursor.sees(word)) {
            ActionKind::AddConstraint(table_constraint(cursor)?)
        } else {
            if ["exclude", "not"].iter().any(|word| cursor.sees(word)) {
                return None;
            }
            cursor.takes("column");
            let if_not_exists = cursor.takes_whole(&["if", "not", "exists"])?;
            ActionKind::AddColumn { column: Box::new(column(cursor)?), if_not_exists }
        }
    } else if cursor.takes("drop") {
        if cursor.takes("constraint") {
            let if_exists = cursor.takes_whole(&["if", "exists"])?;
            let name = cursor.identifier()?;
            ActionKind::DropConstraint { name, if_exists, cascade: behaviour(cursor) }
        } else {
            cursor.takes("column");
            let if_exists = cursor.takes_whole(&["if", "exists"])?;
            let name = cursor.identifier()?;
            ActionKind::DropColumn { name, if_exists, cascade: behaviour(cursor) }
        }
    } else if cursor.takes("rename") {
        if cursor.takes("to") {
            ActionKind::RenameTo { to: cursor.identifier()? }
        } else {
            cursor.expects("column")?;
            let from = cursor.identifier()?;
            cursor.expects("to")?;
            ActionKind::RenameColumn { from, to: cursor.identifier()? }
        }
    } else if cursor.takes("validate") {
        cursor.expects("constraint")?;
        ActionKind::ValidateConstraint { name: cursor.identifier()? }
    } else {
        cursor.expects("alter")?;
        cursor.takes("column");
        let column = cursor.identifier()?;
        alter_column(cursor, column)?
    };
    Some(TableAction { range: start..cursor.end(), kind })
}

/// `CASCADE`, or the `RESTRICT` that is meant anyway.
fn behaviour(cursor: &mut Cursor) -> bool {
    let cascade = cursor.takes("cascade");
    if !cascade {
        cursor.takes("restrict");
    }
    cascade
}

fn alter_column(cursor: &mut Cursor, column: String) -> Option<ActionKind> {
    if cursor.takes("drop") {
        if cursor.takes("default") {
            return Some(ActionKind::DropDefault { column });
        }
        return cursor.takes_all(&["not", "null"]).then_some(ActionKind::DropNotNull { column });
    }
    if cursor.takes("type") || cursor.takes_all(&["set", "data", "type"]) {
        let from = cursor.at;
        let data_type = data_type(cursor)?;
        let text = cursor.text_since(from);
        // With COLLATE behind it, or more than a cast, it is the parser's.
        let using = if cursor.takes("using") { Some(cast_of_column(cursor, &column, &text)?) } else { None };
        return Some(ActionKind::AlterColumnType { column, data_type, using, collation: None });
    }
    cursor.expects("set")?;
    if cursor.takes("default") {
        return Some(ActionKind::SetDefault { column, default: Some(plain_expression(cursor)?) });
    }
    cursor.takes_all(&["not", "null"]).then_some(ActionKind::SetNotNull { column })
}

/// `c::type`, where the column is the one whose type changes, to just that type.
fn cast_of_column(cursor: &mut Cursor, column: &str, to: &str) -> Option<UsingExpression> {
    let operand = cursor.identifier()?;
    (operand == column && cursor.takes_cast()).then_some(())?;
    let from = cursor.at;
    data_type(cursor)?;
    (cursor.text_since(from) == to).then_some(UsingExpression::SameColumn)
}

/// `INSERT INTO … VALUES` of literals alone.
fn insert(cursor: &mut Cursor) -> Option<Command> {
    cursor.expects("into")?;
    let table = cursor.name()?;
    let mut columns = Vec::new();
    if cursor.peek()?.kind == TokenKind::OpenParen {
        columns = cursor.columns()?;
    }
    cursor.expects("values")?;
    let mut strings = Vec::new();
    loop {
        cursor.expects_sign(TokenKind::OpenParen)?;
        loop {
            let negative = cursor.takes_sign(TokenKind::Minus);
            match cursor.string() {
                Some(text) if !negative && !text.contains('\'') => {
                    if strings.len() < 100 {
                        strings.push(text.to_owned());
                    }
                }
                Some(_) => return None,
                None => cursor.takes_literal().then_some(())?,
            }
            if !cursor.takes_sign(TokenKind::Comma) {
                break;
            }
        }
        cursor.expects_sign(TokenKind::CloseParen)?;
        if !cursor.takes_sign(TokenKind::Comma) {
            break;
        }
    }
    let kind = ModifyKind::InsertValues;
    let written_twice = super::modify::named_twice(columns);
    Some(Command::Modify(Modify {
        table,
        kind,
        bounded: true,
        sought: Vec::new(),
        reads: Vec::new(),
        strings,
        written_twice,
    }))
}

/// `COMMENT ON` a relation; of what it says of columns and indexes nothing is kept.
fn comment(cursor: &mut Cursor) -> Option<Command> {
    cursor.expects("on")?;
    let dotted = cursor.takes("column");
    let index = !dotted && cursor.takes("index");
    if !dotted && !index && !cursor.takes("table") && !cursor.takes("view") {
        return None;
    }
    let mut parts = vec![cursor.identifier()?];
    while cursor.takes_sign(TokenKind::Dot) {
        parts.push(cursor.identifier()?);
    }
    let fits = if dotted { (2..=3).contains(&parts.len()) } else { parts.len() <= 2 };
    fits.then_some(())?;
    cursor.expects("is")?;
    (cursor.takes("null") || cursor.string().is_some()).then_some(())?;
    if dotted || index {
        return Some(Command::Other);
    }
    let name = parts.pop()?;
    Some(Command::Comment { on: ObjectName { schema: parts.pop(), name } })
}

fn drop(cursor: &mut Cursor) -> Option<Command> {
    let kind = match () {
        () if cursor.takes("table") => ObjectKind::Table,
        () if cursor.takes("index") => ObjectKind::Index,
        () if cursor.takes("view") => ObjectKind::View,
        () => return None,
    };
    let concurrently = kind == ObjectKind::Index && cursor.takes("concurrently");
    let if_exists = cursor.takes_whole(&["if", "exists"])?;
    let mut names = vec![cursor.name()?];
    while cursor.takes_sign(TokenKind::Comma) {
        names.push(cursor.name()?);
    }
    let cascade = behaviour(cursor);
    Some(Command::Drop(Drop { kind, names, if_exists, concurrently, cascade }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{StatementKind, parse_by_tree};
    use super::*;
    use crate::parse::parse_script;

    /// What the fast path reads, the parser reads the same.
    fn check(sql: &str) -> bool {
        let Some(fast) = command(sql) else { return false };
        let StatementKind::Command(tree) = parse_by_tree(sql, 0) else { panic!("the parser refuses {sql}") };
        assert_eq!(fast, *tree, "{sql}");
        true
    }

    #[test]
    fn plain_statements_are_read_as_the_parser_reads_them() {
        for sql in [
            "CREATE TABLE \"Big\".ships (\"id\" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, a \
             varchar(20) NULL DEFAULT 'x', b numeric(12, 2) DEFAULT -1 UNIQUE, at timestamp(3) with time zone DEFAULT \
             now(), PRIMARY KEY (id, a), CONSTRAINT fk FOREIGN KEY (b) REFERENCES app.u (x, y) ON DELETE SET NULL ON \
             UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED)",
            "create table if not exists t (a int default null, b double precision, c character varying(5) not null)",
            "create unique index concurrently if not exists i on only t using gin (a, b DESC, c asc nulls last)",
            "create index on t (a)",
            "alter table if exists only t add column if not exists a text not null default 'b', drop b cascade, drop \
             column if exists c restrict, alter column d set not null, alter e drop default, alter f type text, alter g \
             set data type numeric(5), alter h set default 5, add constraint u unique (a, b), add foreign key (a) \
             references b not valid, drop constraint if exists k cascade, validate constraint v",
            "alter table a rename to b",
            "alter table \"t\" add column \"a\" bigint null constraint \"k\" references app.u (id) deferrable initially \
             deferred, add b int not null default 0 constraint n not null constraint u unique references v on delete cascade",
            "alter table t add a jsonb default '{}'::jsonb not null, alter b set default null::int",
            "create table t (a int check (a >= 0) default 1, constraint c check (\"A\" <>  5), check (b<10))",
            "alter table t add constraint c check (a > 0) not valid, add check (a = 1), add a int null check (a <= 7) unique",
            "alter table t alter a type bigint using \"a\"::bigint, alter column b type varchar(20) using b::varchar(20)",
            "create index on t (a varchar_pattern_ops, b int4_ops desc nulls last)",
            "begin",
            "BEGIN TRANSACTION",
            "commit work",
            "rollback",
            "set constraints all immediate",
            "set constraints \"a\", b.c deferred",
            "create trigger g before insert or update on s.t for each row execute function f.g()",
            "create unique index i on t (a) where b is not null",
            "create index on t (a) where \"B\" is null",
            "create or replace function app.f(a integer, b varchar(20)) returns TRIGGER language plpgsql security definer as \
             $body$ begin return new; -- é\nend $body$",
            "create function f() returns void as $$begin end$$ language plpgsql stable",
            "create or replace trigger g after truncate on t for statement execute procedure h()",
            "alter table a rename column b to c",
            "insert into t (a, b) values (1, 'x'), (-2.5, null)",
            "insert into app.t values (true, 'it')",
            "comment on table t is 'x'",
            "comment on column a.b.c is null",
            "drop table if exists a, app.b cascade",
            "drop index concurrently i",
        ] {
            assert!(check(sql) || sql.contains("2.5"), "{sql} isn't plain");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_parser() {
        for sql in [
            "create table t (a int, )",
            "create table t (order int)",
            "create index i on t (lower(a))",
            "alter table t add column a int default (1 + 2)",
            "alter table t alter a type text using b",
            "alter table t alter a type text using a::varchar",
            "alter table t add column a int constraint c default 1",
            "create index on t (a) where b > 0",
            "create table t (a int check (a >= 0 and a < 9))",
            "create table t (a int check (a > = 0))",
            "create table t (a int check (a > 1.5))",
            "create or replace index i on t (a)",
            "create function f() returns int language sql as $$select 1$$",
            "create function f() returns void language plpgsql as $$begin end$$ stable volatile",
            "create function f() returns void language plpgsql",
            "create function f() returns setof int language plpgsql as $$begin end$$",
            "begin isolation level serializable",
            "commit and chain",
            "rollback to savepoint a",
            "set search_path = a",
            "set constraints deferred",
            "create trigger g before update of a on t for each row execute function f()",
            "insert into t values (now())",
            "create table t (a int) partition by range (a)",
            "create table t (a int default 'a'::text || 'b')",
            "create table t (a int default 'a': :text)",
            "drop table",
            "alter table t add column a int -- why\n not null",
        ] {
            assert!(command(sql).is_none(), "{sql}");
        }
    }

    #[test]
    fn every_statement_of_the_example_and_the_table_of_kinds_agrees() {
        let texts = [
            include_str!("../../../plimsoll_pg/tests/ddl/kinds.sql"),
            include_str!("../../../plimsoll_pg/tests/ddl/schema.sql"),
        ];
        let mut plain = 0;
        for text in texts {
            for statement in parse_script(text).0 {
                plain += usize::from(check(&text[statement.range]));
            }
        }
        assert!(plain > 200, "{plain}");
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_read_as_the_parser_reads_it(
            start in "(create table|create index|create trigger g|create function f\\(\\) returns|set constraints|begin|commit|create unique index|alter table|alter table t add|insert into t values|insert into|drop table|comment on)",
            rest in "( (a|t|\"B\"|int|text|varchar|numeric|\\(|\\)|,|1|'x'|-1|\\.|not null|null|primary key|unique|default|references|constraint|foreign key|on delete cascade|add column|drop column|alter column|set not null|type|using|values|if exists|if not exists|concurrently|on|only|is|cascade|timestamp with time zone|generated always as identity|desc|nulls first|::|initially deferred|deferrable|before|insert|or|for each row|execute function|all|immediate|transaction|text_ops|check|>=|<|where a is null|language plpgsql|as|\\$\\$ x \\$\\$|stable|security definer|immutable)){1,12}",
        ) {
            check(&format!("{start}{rest}"));
        }
    }
}
