//! Pages of lists in order of id: `?after=ID&limit=N`.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::failure::Failure;
use crate::settings::HttpLimits;

/// Rows of a page unless asked otherwise.
pub const USUAL_ROWS: usize = 50;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `next` of the page before; absent: the first page.
    pub after: Option<Uuid>,
    /// Rows of this page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// Rows of this page.
    ///
    /// # Errors
    /// 422 for none, or more than the settings allow.
    pub fn rows(&self, limits: &HttpLimits) -> Result<usize, Failure> {
        let Some(limit) = self.limit else {
            return Ok(USUAL_ROWS.min(limits.page_rows));
        };
        match usize::try_from(limit) {
            Ok(rows) if rows >= 1 && rows <= limits.page_rows => Ok(rows),
            _ => {
                let why = format!("must be 1 to {}", limits.page_rows);
                Err(Failure::invalid("limit", why))
            }
        }
    }
}

/// What to ask for next: the last id of a full page.
pub fn next_of<T>(items: &[T], rows: usize, id: impl FnOnce(&T) -> Uuid) -> Option<Uuid> {
    let full = items.len() >= rows;
    items.last().filter(|_| full).map(id)
}
