//! `/fail/…`: the failure modes, by count and by duration, and scripts of faults in one line.

pub mod count;
pub mod duration;
pub mod reset;
pub mod script;
pub mod status;

use actix_web::HttpRequest;

use crate::error::ApiError;
use crate::json::Problem;
use crate::validation;

/// Reads the number from `0` to `max` that the path holds at `name`.
fn path_number(request: &HttpRequest, name: &'static str, max: u32) -> Result<u32, ApiError> {
    let raw = request.match_info().get(name).unwrap_or_default();
    let text = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
    validation::whole_number(["path", name], &text, &(0..=max))
        .map_err(|fault| vec![Problem::from(fault)].into())
}
