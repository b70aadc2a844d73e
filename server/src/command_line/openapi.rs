//! `hazardloop openapi`: print the description of the API.

use super::{TaskError, print};
use crate::failure::Failure;
use crate::http::openapi;

/// Prints the document, as `openapi.yaml` holds it.
pub(super) fn run() -> Result<(), TaskError> {
    let text = openapi::yaml().map_err(|error| Failure::Internal(format!("openapi: {error}")))?;
    print(&text)
}
