//! Pages of lists: where one begins (an opaque cursor, or the last id of the page before) and how
//! many rows it has.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hazardloop_domain::command_fate::SentCommand;
use hazardloop_domain::ids::InstallId;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::query_text::query_text;
use crate::failure::Failure;
use crate::settings::HttpLimits;
use crate::store::lists::Key;
use crate::usecases::read::Wanted;

/// Rows of a page where nothing is said.
pub const DEFAULT_PAGE_ROWS: usize = 50;

/// Bytes of a cursor: when, and which record.
const CURSOR_BYTES: usize = 24;

/// Where a page begins; opaque to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub Key);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(CURSOR_BYTES);
        bytes.extend_from_slice(&self.0.at.to_be_bytes());
        bytes.extend_from_slice(self.0.id.as_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// A text that no answer of this server contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that this server has given out")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        // A longer text is refused before it is decoded.
        if text.len() != CURSOR_BYTES / 3 * 4 {
            return Err(BadCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (at, id) = bytes.split_first_chunk::<8>().ok_or(BadCursor)?;
        let id = Uuid::from_slice(id).map_err(|_| BadCursor)?;
        Ok(Self(Key {
            at: i64::from_be_bytes(*at),
            id,
        }))
    }
}

/// The size of a page within the limit in force.
///
/// # Errors
/// [`Failure::Invalid`] for 0 and for more rows than a page may have.
pub fn page_rows(limit: Option<usize>, limits: &HttpLimits) -> Result<usize, Failure> {
    let most = limits.page_rows;
    match limit {
        None => Ok(DEFAULT_PAGE_ROWS.min(most)),
        Some(rows) if (1..=most).contains(&rows) => Ok(rows),
        Some(_) => Err(Failure::invalid(
            "limit",
            format!("must lie between 1 and {most}"),
        )),
    }
}

/// Which page of a list of devices' commands.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CommandsQuery {
    /// The `install_id` where the page before ended; absent: the first page.
    after_install: Option<InstallId>,
    /// The `seq` of it.
    after_seq: Option<i64>,
    /// Rows at most; 50 where nothing is said. The upper bound is a setting.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

impl CommandsQuery {
    /// Behind which command the page begins, and how many rows it has.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for half a command, and as [`page_rows`].
    pub fn wanted(&self, limits: &HttpLimits) -> Result<(Option<SentCommand>, usize), Failure> {
        let rows = page_rows(self.limit, limits)?;
        match (self.after_install, self.after_seq) {
            (Some(install_id), Some(seq)) => Ok((Some(SentCommand { install_id, seq }), rows)),
            (None, None) => Ok((None, rows)),
            _ => {
                let why = "goes with after_seq: both, or neither";
                Err(Failure::invalid("after_install", why))
            }
        }
    }
}

/// Which page of a list is wanted.
///
/// # Errors
/// As [`page_rows`].
pub fn wanted(
    after: Option<Cursor>,
    limit: Option<usize>,
    limits: &HttpLimits,
) -> Result<Wanted, Failure> {
    Ok(Wanted {
        after: after.map(|cursor| cursor.0),
        limit: page_rows(limit, limits)?,
    })
}

/// What to ask for next in a list in order of id: the last id of a full page.
pub fn next_of<T>(items: &[T], rows: usize, id: impl FnOnce(&T) -> Uuid) -> Option<Uuid> {
    let full = items.len() >= rows;
    items.last().filter(|_| full).map(id)
}

query_text!(
    Cursor,
    "^[A-Za-z0-9_-]{32}$",
    "AAABnGq3mAABnGq3mAB3AIAAAAAAAAAH",
    "Where the next page begins, as an earlier answer said; opaque"
);
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = Cursor(Key {
            at: 1_795_000_000_000,
            id: Uuid::from_u128(7),
        });
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in [
            "",
            "abc",
            &"A".repeat(33),
            &"!".repeat(32),
            &"A".repeat(10_000),
        ] {
            assert_eq!(wrong.parse::<Cursor>(), Err(BadCursor), "{wrong}");
        }
    }

    #[test]
    fn a_page_has_at_least_one_row_and_at_most_the_limit() {
        let limits = HttpLimits::default();
        assert_eq!(page_rows(None, &limits), Ok(DEFAULT_PAGE_ROWS));
        assert_eq!(
            page_rows(Some(limits.page_rows), &limits),
            Ok(limits.page_rows)
        );
        assert!(page_rows(Some(0), &limits).is_err());
        assert!(page_rows(Some(limits.page_rows + 1), &limits).is_err());
    }
}
