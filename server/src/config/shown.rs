//! The configuration as people and programs read it: the table and the JSON of `config-info`, and the object
//! `config` of the start line.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::layers::Source;
use super::settings::SETTINGS;
use super::{Config, Loaded};

impl Config {
    /// The configuration as one JSON object: the settings' names without their prefix, and their values.
    #[must_use]
    pub fn shown(&self) -> impl Serialize + use<> {
        Object(SETTINGS.iter().map(|setting| setting.name()).zip(self.values()).collect())
    }
}

impl Loaded {
    /// One line a setting: variable, value, source.
    #[must_use]
    pub fn table(&self) -> String {
        let row =
            |variable: &str, value: &str, source: &str| format!("{variable:<26} {value:<24} {source}\n");
        let heading = row("SETTING", "VALUE", "SOURCE");
        self.rows().fold(heading, |table, (variable, value, source)| {
            table + &row(variable, &text(&value), &source.to_string())
        })
    }

    /// One object, with an object for each variable: its `value` with its JSON type, and its `source`.
    #[must_use]
    pub fn json(&self) -> String {
        let row = |(variable, value, source): (&str, Json, Source)| {
            (variable.to_owned(), serde_json::json!({ "value": value, "source": source }))
        };
        serde_json::to_string_pretty(&Object(self.rows().map(row).collect())).unwrap_or_default()
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, Json, Source)> {
        let rows = SETTINGS.iter().zip(self.config.values()).zip(&self.sources);
        rows.map(|((setting, value), source)| (setting.variable, value, *source))
    }
}

/// A value for people. The values are checked, so they contain no control characters.
fn text(value: &Json) -> String {
    match value {
        Json::Null => "none".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// An object with its fields in the given order.
struct Object(Vec<(String, Json)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
