//! The flags of the settings, made from the settings' declarations.

use std::collections::HashMap;
use std::sync::LazyLock;

use structopt::clap::{App, AppSettings, Arg, ArgMatches};
use structopt::{StructOpt, StructOptInternal};

use crate::config::{SETTINGS, Setting};

/// The values of the flags that were given, by the flag's name; [`crate::config`] checks them.
#[derive(Debug, Default)]
pub struct Flags(pub HashMap<&'static str, String>);

/// The help text of each flag, in the order of [`SETTINGS`].
static HELP: LazyLock<Vec<String>> = LazyLock::new(|| SETTINGS.iter().map(|setting| help(setting)).collect());

fn help(setting: &Setting) -> String {
    let Setting { help, variable, default, .. } = setting;
    format!("{help}: {} [{variable}, default: {default}]", setting.expected())
}

impl StructOpt for Flags {
    fn clap<'a, 'b>() -> App<'a, 'b> {
        Self::augment_clap(App::new("settings"))
    }

    fn from_clap(matches: &ArgMatches<'_>) -> Self {
        let given =
            SETTINGS.iter().filter_map(|setting| Some((setting.flag, matches.value_of(setting.flag)?)));
        Self(given.map(|(flag, value)| (flag, value.to_owned())).collect())
    }
}

impl StructOptInternal for Flags {
    fn augment_clap<'a, 'b>(app: App<'a, 'b>) -> App<'a, 'b> {
        let argument = |setting: &Setting, help: &'static str| {
            Arg::with_name(setting.flag).long(setting.flag).takes_value(true).value_name("VALUE").help(help)
        };
        let arguments = SETTINGS.iter().zip(HELP.iter()).map(|(setting, help)| argument(setting, help));
        // A value like -1 is out of range rather than a flag that does not exist.
        app.args(&arguments.collect::<Vec<_>>())
            .settings(&[AppSettings::AllowLeadingHyphen, AppSettings::DeriveDisplayOrder])
    }
}
