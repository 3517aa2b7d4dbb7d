//! Colours by meaning, as ANSI escape sequences or not at all.

use crate::Colour;

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Error,
    Warning,
    Note,
    Good,
    Strong,
    Faint,
}

/// Paints, or leaves text as it is.
#[derive(Clone, Copy)]
pub(crate) struct Paint(pub(crate) Colour);

impl Paint {
    /// The text in a tone.
    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Error => "1;31",
            Tone::Warning => "1;33",
            Tone::Note => "1;34",
            Tone::Good => "1;32",
            Tone::Strong => "1",
            Tone::Faint => "2",
        };
        match self.0 {
            Colour::Never => text.to_owned(),
            Colour::Always => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}
