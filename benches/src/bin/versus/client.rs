//! The client beside bare awc. (Its measurement comes with the client.)

use crate::{Options, Outcome, Programs};

pub(crate) fn measure(_: &Options, _: &Programs) -> Outcome<()> {
    Ok(())
}
