//! Columns of a row that came as text.

use std::str::FromStr;

use tokio_postgres::SimpleQueryRow;

use super::error::CaptureError;
use crate::array;

/// A row, and what it was read as.
pub(super) struct Row<'a> {
    pub(super) what: &'static str,
    pub(super) row: &'a SimpleQueryRow,
}

impl Row<'_> {
    pub(super) fn optional(&self, column: usize) -> Option<&str> {
        self.row.get(column)
    }

    pub(super) fn text(&self, column: usize) -> Result<String, CaptureError> {
        self.optional(column).map(ToOwned::to_owned).ok_or_else(|| self.unexpected(column, "it is null"))
    }

    pub(super) fn is_true(&self, column: usize) -> bool {
        self.optional(column) == Some("t")
    }

    pub(super) fn number<T: FromStr>(&self, column: usize) -> Result<T, CaptureError> {
        let text = self.optional(column).unwrap_or_default();
        text.parse().map_err(|_| self.unexpected(column, "it is no number that fits"))
    }

    /// An array's elements, none of them null.
    pub(super) fn elements(&self, column: usize) -> Result<Option<Vec<String>>, CaptureError> {
        let Some(text) = self.optional(column) else { return Ok(None) };
        array::parse(text).map(Some).ok_or_else(|| self.unexpected(column, "it is no array"))
    }

    pub(super) fn numbers(&self, column: usize) -> Result<Option<Vec<f32>>, CaptureError> {
        let Some(elements) = self.elements(column)? else { return Ok(None) };
        let numbers: Result<Vec<f32>, _> = elements.iter().map(|element| element.parse()).collect();
        numbers.map(Some).map_err(|_| self.unexpected(column, "it holds what is no number"))
    }

    // Never says what the column holds: it may be production's.
    fn unexpected(&self, column: usize, why: &str) -> CaptureError {
        let name = self.row.columns().get(column).map_or("?", |column| column.name());
        let server_part = format!("column {} ({name})", column + 1);
        CaptureError::Unexpected { what: self.what, server_part, why: why.to_owned() }
    }
}
