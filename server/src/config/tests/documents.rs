//! `.env.example` and the table of `docs/server.md` agree with the declarations. `UPDATE_DOCUMENTS=1` writes both.

use std::fs;
use std::path::Path;

use super::*;

fn env_example() -> String {
    let heading = "# Copy to .env in the directory that the server is started in. Flags and environment variables win over it.\n";
    let lines = SETTINGS.iter().map(|setting| {
        let Setting { variable, help, default, .. } = setting;
        let assignment = match default {
            Fallback::Fixed(value) => format!("{variable}={value}"),
            Fallback::Cores | Fallback::Unset => format!("# {variable}="),
        };
        format!("\n# {help}: {}; default: {default}.\n{assignment}\n", setting.expected())
    });
    heading.to_owned() + &lines.collect::<String>()
}

fn table_of_settings() -> String {
    let rows = SETTINGS.iter().map(|setting| {
        let Setting { variable, flag, help, default, .. } = setting;
        let default = match default {
            Fallback::Fixed(value) => format!("`{value}`"),
            other => other.to_string(),
        };
        format!("| `{variable}` | `--{flag}` | {default} | {help}: {} |\n", setting.expected())
    });
    "| variable | flag | default | meaning and range |\n|---|---|---|---|\n".to_owned()
        + &rows.collect::<String>()
}

/// Compares a file with what it should be, or writes it.
#[track_caller]
fn assert_document(name: &str, expected: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let found = fs::read_to_string(&path).unwrap();
    let expected = expected(&found);
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, expected).unwrap();
    } else {
        assert_eq!(
            found, expected,
            "UPDATE_DOCUMENTS=1 cargo test -p test-server --lib documents writes {name}"
        );
    }
}

#[test]
fn the_example_file_lists_every_setting_with_its_default() {
    assert_document(".env.example", |_| env_example());
    let example = DotEnv::from_text(&env_example());
    let loaded = Config::load(&Layers { dot_env: example, cores: 3, ..Layers::default() }).unwrap();
    assert_eq!(loaded.config, load(&[], &[], "").unwrap().config);
}

#[test]
fn the_guides_table_of_settings_is_made_of_the_declarations() {
    let heading = "| variable | flag | default |";
    assert_document("docs/server.md", |guide| {
        let start = guide.find(heading).expect("the guide has the table");
        let end = start + guide[start..].find("\n\n").expect("the table ends") + 1;
        format!("{}{}{}", &guide[..start], table_of_settings(), &guide[end..])
    });
}
