//! One escape of `log_line_prefix`.

use crate::record::Record;
use crate::time::Clock;

/// An escape, by what has to be known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// `%a`.
    Application,
    /// `%u`.
    User,
    /// `%d`.
    Database,
    /// `%r`, `%h`: the client's host, with its port or without.
    Host { letter: char },
    /// `%L`: the server's own address (18).
    LocalAddress,
    /// `%b`.
    Backend,
    /// `%i`.
    CommandTag,
    /// `%p`.
    Process,
    /// `%t`, `%m`.
    Time { letter: char },
    /// `%n`: seconds since 1970 with a fraction.
    Epoch,
    /// `%s`: when the session began.
    SessionStart,
    /// `%e`.
    SqlState,
    /// `%c`.
    Session,
    /// `%P`, `%l`, `%v`, `%x`, `%Q`: numbers that nothing is made of.
    Number { letter: char },
}

impl Escape {
    pub(super) fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'a' => Self::Application,
            'u' => Self::User,
            'd' => Self::Database,
            'r' | 'h' => Self::Host { letter },
            'L' => Self::LocalAddress,
            'b' => Self::Backend,
            'i' => Self::CommandTag,
            'p' => Self::Process,
            't' | 'm' => Self::Time { letter },
            'n' => Self::Epoch,
            's' => Self::SessionStart,
            'e' => Self::SqlState,
            'c' => Self::Session,
            'P' | 'l' | 'v' | 'x' | 'Q' => Self::Number { letter },
            _ => return None,
        })
    }

    pub(super) const fn letter(self) -> char {
        match self {
            Self::Application => 'a',
            Self::User => 'u',
            Self::Database => 'd',
            Self::Host { letter } | Self::Time { letter } | Self::Number { letter } => letter,
            Self::LocalAddress => 'L',
            Self::Backend => 'b',
            Self::CommandTag => 'i',
            Self::Process => 'p',
            Self::Epoch => 'n',
            Self::SessionStart => 's',
            Self::SqlState => 'e',
            Self::Session => 'c',
        }
    }

    /// Whether only what stands behind it tells where it ends.
    pub(super) const fn is_any_text(self) -> bool {
        matches!(
            self,
            Self::Application
                | Self::User
                | Self::Database
                | Self::Host { .. }
                | Self::LocalAddress
                | Self::Backend
                | Self::CommandTag
        )
    }

    /// Whether a session's next line may have another one, whatever the client does.
    pub(super) const fn varies_within_session(self) -> bool {
        matches!(
            self,
            Self::Time { .. } | Self::Epoch | Self::SqlState | Self::Number { .. } | Self::CommandTag
        )
    }

    /// Puts a text of any length where it belongs.
    pub(super) fn keep<'a>(self, text: &'a str, record: &mut Record<'a>) {
        // A width in the setting pads with blanks; what isn't known is written as a word.
        let text = text.trim_matches(' ');
        let text = if text == "[unknown]" { "" } else { text };
        match self {
            Self::Application => record.application = text,
            Self::User => record.user = text,
            Self::Database => record.database = text,
            Self::Host { .. } => record.host = without_port(text),
            Self::Backend => record.backend = text,
            Self::CommandTag => record.command_tag = text,
            _ => {}
        }
    }

    /// Reads one whose end is known by its own characters; returns its length.
    pub(super) fn read<'a>(self, text: &'a str, clock: &mut Clock, record: &mut Record<'a>) -> Option<usize> {
        let bytes = text.as_bytes();
        let blanks = blanks(bytes);
        let length = match self {
            Self::Time { .. } => {
                let moment = clock.moment(&bytes[blanks..])?;
                record.time_us = Some(moment.time_us);
                moment.length
            }
            // Its own clock would be forgotten each time; sessions differ from one line to the next anyway.
            Self::SessionStart => Clock::default().moment(&bytes[blanks..])?.length,
            Self::Epoch => epoch(&text[blanks..], record)?,
            Self::Process => {
                let (process, length) = process(&bytes[blanks..])?;
                record.process = process;
                length
            }
            Self::SqlState => {
                record.sqlstate = text[blanks..].get(..5).filter(|state| state.bytes().all(is_state))?;
                5
            }
            Self::Session => {
                let session = taken(&text[blanks..], |byte| byte.is_ascii_hexdigit() || byte == b'.');
                record.session = session;
                if record.process == 0 {
                    let process =
                        session.split_once('.').map(|(_, process)| u32::from_str_radix(process, 16));
                    record.process = process.and_then(Result::ok).unwrap_or(0);
                }
                session.len()
            }
            Self::Number { letter } => {
                let belongs = |byte| match byte {
                    b'/' => letter == 'v',
                    b'-' => letter == 'Q',
                    _ => false,
                };
                taken(&text[blanks..], |byte| byte.is_ascii_digit() || belongs(byte)).len()
            }
            // Texts of any length are read by what stands behind them.
            _ => return None,
        };
        // A width pads to the left or to the right; whether the next literal begins with a blank isn't known here, so
        // only blanks before the value go.
        Some(blanks + length)
    }
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == b' ').count()
}

fn taken(text: &str, belongs: impl Fn(u8) -> bool) -> &str {
    let length = text.bytes().take_while(|byte| belongs(*byte)).count();
    &text[..length]
}

const fn is_state(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_uppercase()
}

fn process(bytes: &[u8]) -> Option<(u32, usize)> {
    let (mut process, mut length) = (0_u32, 0);
    while let Some(digit @ b'0'..=b'9') = bytes.get(length) {
        process = process.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
        length += 1;
    }
    (length > 0).then_some((process, length))
}

fn epoch<'a>(text: &'a str, record: &mut Record<'a>) -> Option<usize> {
    let seconds = taken(text, |byte| byte.is_ascii_digit());
    let whole: i64 = seconds.parse().ok()?;
    let digits = match text[seconds.len()..].strip_prefix('.') {
        Some(rest) => taken(rest, |byte| byte.is_ascii_digit()),
        None => "",
    };
    let fraction = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
    let fraction = fraction.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    record.time_us = whole.checked_mul(1_000_000)?.checked_add(fraction);
    Some(seconds.len() + if digits.is_empty() { 0 } else { digits.len() + 1 })
}

/// `10.0.0.7(5432)` is the host `10.0.0.7`.
fn without_port(host: &str) -> &str {
    match host.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
