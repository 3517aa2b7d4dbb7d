//! The word before a message: its severity, or what it adds to the message before it.

use crate::Severity;

/// What follows a line's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A message of its own.
    Message(Severity),
    /// A part of the message before.
    Part(Part),
    /// A word of another language's server: a message, whose severity isn't known.
    Foreign,
}

/// What a line adds to the message before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `DETAIL`.
    Detail,
    /// `HINT`.
    Hint,
    /// `CONTEXT`.
    Context,
    /// `STATEMENT`.
    Statement,
    /// `QUERY`.
    Query,
    /// `LOCATION` and `BACKTRACE`, which aren't kept.
    Other,
}

/// The longest word, in bytes, of any language.
const LONGEST: usize = 24;

impl Label {
    /// The label that a text begins with, and the bytes up to its message.
    #[must_use]
    pub fn of(text: &str) -> Option<(Self, usize)> {
        // By far the most common comes first.
        if text.starts_with("LOG:  ") {
            return Some((Self::Message(Severity::Log), 6));
        }
        let window = &text.as_bytes()[..text.len().min(LONGEST + 1)];
        let length = window.iter().position(|byte| *byte == b':')?;
        let behind = text[length + 1..].len() - text[length + 1..].trim_start_matches(' ').len();
        let word = &text[..length];
        let label = Self::named(word, behind)?;
        Some((label, length + 1 + behind.min(2)))
    }

    fn named(word: &str, blanks: usize) -> Option<Self> {
        if let Some(severity) = Severity::of(word) {
            return Some(Self::Message(severity));
        }
        Some(match word {
            "DETAIL" => Self::Part(Part::Detail),
            "HINT" => Self::Part(Part::Hint),
            "CONTEXT" => Self::Part(Part::Context),
            "STATEMENT" => Self::Part(Part::Statement),
            "QUERY" => Self::Part(Part::Query),
            "LOCATION" | "BACKTRACE" => Self::Part(Part::Other),
            _ if word
                .as_bytes()
                .first()
                .is_none_or(|first| !first.is_ascii_uppercase() && first.is_ascii()) =>
            {
                return None;
            }
            _ => return translated(word).or((blanks == 2 && is_foreign(word)).then_some(Self::Foreign)),
        })
    }
}

/// Severities and parts in the languages that servers are seen with most (PostgreSQL's `src/backend/po`).
fn translated(word: &str) -> Option<Label> {
    Some(match word {
        "FEHLER" | "ERREUR" | "ERRO" | "ERRORE" | "ОШИБКА" | "HATA" | "BŁĄD" | "错误" | "エラー" => {
            Label::Message(Severity::Error)
        }
        "WARNUNG"
        | "ATTENTION"
        | "ADVERTENCIA"
        | "AVISO"
        | "ATTENZIONE"
        | "ПРЕДУПРЕЖДЕНИЕ"
        | "UYARI"
        | "警告" => Label::Message(Severity::Warning),
        "HINWEIS" | "NOTIFICA" | "ЗАМЕЧАНИЕ" | "注意" => Label::Message(Severity::Notice),
        "ВАЖНО" | "致命的エラー" | "致命错误" => Label::Message(Severity::Fatal),
        "СООБЩЕНИЕ" | "日志" | "ログ" | "REGISTRO" | "DZIENNIK" => Label::Message(Severity::Log),
        "PANIK" | "PANIQUE" | "PÁNICO" | "ПАНИКА" => Label::Message(Severity::Panic),
        "DÉTAIL" | "DETALLE" | "DETALHE" | "DETTAGLI" | "ПОДРОБНОСТИ" | "详细信息" | "詳細" => {
            Label::Part(Part::Detail)
        }
        "TIPP" | "ASTUCE" | "SUGERENCIA" | "DICA" | "SUGGERIMENTO" | "ПОДСКАЗКА" | "提示" | "ヒント" => {
            Label::Part(Part::Hint)
        }
        "ZUSAMMENHANG" | "CONTEXTE" | "CONTEXTO" | "CONTESTO" | "КОНТЕКСТ" | "上下文" | "コンテキスト" => {
            Label::Part(Part::Context)
        }
        "ANWEISUNG"
        | "INSTRUCTION"
        | "SENTENCIA"
        | "COMANDO"
        | "ISTRUZIONE"
        | "ОПЕРАТОР"
        | "语句"
        | "ステートメント"
        | "文" => Label::Part(Part::Statement),
        "ANFRAGE" | "REQUÊTE" | "CONSULTA" | "ЗАПРОС" | "查询" | "問い合わせ" => {
            Label::Part(Part::Query)
        }
        _ => return None,
    })
}

/// Whether a word can be a label: capitals alone, or of a script that has none.
fn is_foreign(word: &str) -> bool {
    let letters = word.chars().count();
    (2..=16).contains(&letters) && word.chars().all(|letter| letter.is_alphabetic() && !letter.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(Label, &str)>) {
        assert_eq!(Label::of(text).map(|(label, length)| (label, &text[length..])), expected, "{text}");
    }

    #[test]
    fn labels_are_read_in_several_languages() {
        check("LOG:  x", Some((Label::Message(Severity::Log), "x")));
        check("ERROR:   x", Some((Label::Message(Severity::Error), " x")));
        check("DEBUG3:  x", Some((Label::Message(Severity::Debug), "x")));
        check("STATEMENT:  select 1", Some((Label::Part(Part::Statement), "select 1")));
        check("FEHLER:  x", Some((Label::Message(Severity::Error), "x")));
        check("ОШИБКА:  x", Some((Label::Message(Severity::Error), "x")));
        check("GREŠKA:  x", Some((Label::Foreign, "x")));
        check("LOG:", Some((Label::Message(Severity::Log), "")));
        for none in [
            "duration: 1 ms",
            "10:5",
            "",
            "a message",
            "GREŠKA: x",
            "X:  y",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ:  x",
        ] {
            check(none, None);
        }
    }
}
