//! Makes command line arguments of the table of settings.
//!
//! structopt derives arguments from the fields of a struct. Here they come from a table, so its two traits are
//! implemented by hand.

use structopt::{
    StructOpt, StructOptInternal,
    clap::{App, Arg, ArgMatches},
};

use super::{
    Settings, Typed,
    table::{Kind, SETTINGS, Setting},
};

const VERBOSE: &str = "verbose";

impl StructOpt for Settings {
    fn clap<'a, 'b>() -> App<'a, 'b> {
        Self::augment_clap(App::new("settings"))
    }

    fn from_clap(matches: &ArgMatches<'_>) -> Self {
        let typed = SETTINGS.iter().filter(|setting| matches.is_present(setting.flag));
        let typed = typed.map(|setting| Typed {
            setting,
            value: matches.value_of(setting.flag).unwrap_or_default().to_owned(),
        });
        Self { typed: typed.collect(), verbose: matches.is_present(VERBOSE) }
    }
}

impl StructOptInternal for Settings {
    fn augment_clap<'a, 'b>(app: App<'a, 'b>) -> App<'a, 'b> {
        let verbose = Arg::with_name(VERBOSE).short("v").long(VERBOSE);
        app.args(&SETTINGS.iter().map(argument).collect::<Vec<_>>())
            .arg(verbose.help("Log what the client does to standard error"))
    }
}

fn argument(setting: &Setting) -> Arg<'static, 'static> {
    let argument = Arg::with_name(setting.flag).long(setting.flag).help(setting.help);
    match setting.kind {
        Kind::Switch(_) => argument,
        Kind::Value { name, .. } => argument.takes_value(true).value_name(name).allow_hyphen_values(true),
    }
}
