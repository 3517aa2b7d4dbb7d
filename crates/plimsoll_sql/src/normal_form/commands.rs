//! Commands of which a part differs from call to call though it is no literal: names that drivers make up, and what a
//! setting is set to.

use std::ops::Range;

use super::lexer::{Kind, Lexer, Token};
use super::writer::{Before, Writer};

impl Writer<'_> {
    /// Writes a statement whose names a driver makes up anew each time, or one that sets something; otherwise writes
    /// nothing. Whether it was one, and is written to its end.
    pub(super) fn write_command(&mut self, lexer: &mut Lexer<'_>) -> bool {
        let mut ahead = *lexer;
        let Some(first) = ahead.next() else { return false };
        match self.lower(first) {
            verb @ ("savepoint" | "close" | "declare" | "deallocate") => self.write_named(verb, lexer, ahead),
            "release" => self.write_named("release savepoint", lexer, ahead),
            "end" | "commit" => self.write_named("commit", lexer, ahead),
            "rollback" | "abort" => self.write_named("rollback", lexer, ahead),
            "fetch" => self.write_fetch(lexer),
            "begin" => self.write_begin(lexer),
            "set" => self.write_set(lexer, ahead),
            _ => false,
        }
    }

    fn write_named<'a>(&mut self, verb: &str, lexer: &mut Lexer<'a>, mut ahead: Lexer<'a>) -> bool {
        let mut next = ahead.next();
        while next.is_some_and(|token| matches!(self.lower(token), "work" | "transaction" | "savepoint")) {
            next = ahead.next();
        }
        let Some(token) = next.filter(|token| self.lower(*token) != ";") else {
            self.form.text.push_str(verb);
            return true;
        };
        let of_name = matches!(token.kind, Kind::Word | Kind::Quoted);
        match (verb, self.lower(token)) {
            ("rollback", "to") => self.form.text.push_str("rollback to savepoint $1"),
            ("commit" | "rollback", _) | ("close" | "deallocate", "all") => return false,
            _ if !of_name => return false,
            ("declare", _) => {
                *lexer = self.write_declared(ahead);
                return false;
            }
            _ => {
                self.form.text.push_str(verb);
                self.form.text.push_str(" $1");
            }
        }
        true
    }

    /// `DECLARE name … CURSOR … FOR`; the query is left.
    fn write_declared<'a>(&mut self, mut lexer: Lexer<'a>) -> Lexer<'a> {
        self.form.text.push_str("declare $1");
        (self.numbered, self.before) = (1, Before::Keyword);
        while let Some(token) = lexer.next() {
            self.write_word(token, &mut lexer);
            if self.lower(token) == "for" {
                break;
            }
        }
        lexer
    }

    /// `FETCH 100 FROM "made up"`, of which FROM and IN may be left out.
    fn write_fetch(&mut self, lexer: &mut Lexer<'_>) -> bool {
        let whole = *lexer;
        let names = whole.filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
        let last = names.last().map(|token| token.start);
        while let Some(token) = lexer.next() {
            if Some(token.start) == last {
                self.write_value(token.start..token.end);
            } else if !matches!(self.lower(token), ";" | "from" | "in") {
                self.write(token, lexer);
            }
        }
        true
    }

    /// `BEGIN WORK` and `BEGIN TRANSACTION` are `BEGIN`.
    fn write_begin(&mut self, lexer: &mut Lexer<'_>) -> bool {
        lexer.next();
        self.form.text.push_str("begin");
        self.before = Before::Keyword;
        let ahead = *lexer;
        if lexer.next().is_none_or(|token| !matches!(self.lower(token), "work" | "transaction")) {
            *lexer = ahead;
        }
        false
    }

    /// `SET [SESSION | LOCAL] name TO value, …`; what other commands begin with SET are left.
    fn write_set(&mut self, lexer: &mut Lexer<'_>, mut ahead: Lexer<'_>) -> bool {
        let Some(mut name) = ahead.next() else { return false };
        let local = self.lower(name) == "local";
        let session = self.lower(name) == "session";
        if local || session {
            let Some(next) = ahead.next() else { return false };
            name = next;
        }
        let value_of = match self.lower(name) {
            "transaction" | "constraints" | "characteristics" => return false,
            "role" => "role",
            "authorization" if session => "session authorization",
            "time" => {
                ahead.next();
                "timezone"
            }
            _ => {
                let mut behind = ahead.next();
                // `plpgsql.check_asserts`
                let mut end = name.end;
                while behind.is_some_and(|token| self.text_of(token) == ".") {
                    end = ahead.next().map_or(end, |token| token.end);
                    behind = ahead.next();
                }
                name.end = end;
                if !behind.is_some_and(|token| matches!(self.lower(token), "to" | "=")) {
                    return false;
                }
                ""
            }
        };
        let Some(value) = self.rest(ahead) else { return false };
        self.form.text.push_str(if local { "set local " } else { "set " });
        self.before = Before::Open;
        match value_of {
            "" => self.write_setting(name),
            name => self.form.text.push_str(name),
        }
        self.form.text.push_str(" to");
        self.before = Before::Keyword;
        match &self.source[value.clone()] {
            word if word.eq_ignore_ascii_case("default") => self.form.text.push_str(" default"),
            _ => self.write_value(value),
        }
        *lexer = Lexer::new("");
        true
    }

    fn write_setting(&mut self, name: Token) {
        let start = self.form.text.len();
        self.form.text.push_str(&self.source[name.start..name.end]);
        self.form.text[start..].make_ascii_lowercase();
    }

    /// From the first token to the last, without a semicolon.
    fn rest(&self, lexer: Lexer<'_>) -> Option<Range<usize>> {
        let mut tokens = lexer.filter(|token| self.text_of(*token) != ";");
        let first = tokens.next()?;
        Some(first.start..tokens.last().unwrap_or(first).end)
    }

    pub(super) fn text_of(&self, token: Token) -> &str {
        &self.source[token.start..token.end]
    }

    /// The token's text, if it is a word that a command is told by; in lower case.
    fn lower(&self, token: Token) -> &'static str {
        const LOOKED_FOR: [&str; 28] = [
            "savepoint",
            "close",
            "declare",
            "deallocate",
            "release",
            "end",
            "commit",
            "rollback",
            "abort",
            "fetch",
            "begin",
            "set",
            "work",
            "transaction",
            "to",
            "all",
            "for",
            ";",
            "=",
            "from",
            "in",
            "local",
            "session",
            "role",
            "authorization",
            "constraints",
            "characteristics",
            "time",
        ];
        let text = self.text_of(token);
        LOOKED_FOR.into_iter().find(|word| text.eq_ignore_ascii_case(word)).unwrap_or("?")
    }
}
