//! A pseudo terminal, for programs that behave differently on one.

use std::fs::File;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Returns our end of a new terminal, and the end that a program gets.
///
/// # Panics
/// When the system has no terminal.
pub fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal can be made");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("a fresh terminal can be unlocked");
    let name = ptsname(&ours, Vec::new()).expect("a terminal has a name");
    let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("it can be opened");
    (ours.into(), theirs.into())
}
