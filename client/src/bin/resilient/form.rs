//! Multipart forms from the command line: `NAME=TEXT`, `NAME=@FILE`, `NAME=@FILE;type=TYPE`.

use std::path::Path;

use resilient_client::{Multipart, Part};

use crate::{exit::Failure, input};

/// Reads the fields and files of a form. This may block.
pub(crate) fn read(fields: &[String]) -> Result<Multipart, Failure> {
    fields.iter().try_fold(Multipart::new(), |form, field| {
        let (name, part) = parse(field)?;
        Ok(form.part(name, part))
    })
}

fn parse(field: &str) -> Result<(&str, Part), Failure> {
    let (name, value) = field.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        Failure::usage(format!("-F must be NAME=TEXT, NAME=@FILE or NAME=@FILE;type=TYPE, got {field:?}"))
    })?;
    let Some(file) = value.strip_prefix('@') else { return Ok((name, Part::text(value))) };
    let (path, content_type) = match file.split_once(";type=") {
        Some((path, content_type)) => (path, Some(content_type)),
        None => (file, None),
    };
    let content = input::read("-F", &format!("@{path}"))?;
    let file_name = Path::new(path).file_name().map_or_else(|| path.into(), |name| name.to_string_lossy());
    let part = Part::bytes(content).file_name(file_name);
    Ok((
        name,
        match content_type {
            Some(content_type) => part.content_type(content_type),
            None => part,
        },
    ))
}
