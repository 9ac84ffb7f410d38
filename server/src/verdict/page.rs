//! The page that explains the findings: `docs/findings.md` as HTML, with an anchor for each.

use std::fmt::Write;

/// The text of the page, as the documents have it.
pub const SOURCE: &str = include_str!("../../../docs/findings.md");

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<title>Findings</title>\n<style>\n\
    :root { color-scheme: light dark }\n\
    body { max-width: 46em; margin: 2em auto; padding: 0 1em; font-family: sans-serif; line-height: 1.5 }\n\
    </style>\n</head>\n<body>\n";

/// The page.
#[must_use]
pub fn html() -> String {
    let mut page = HEAD.to_owned();
    for block in SOURCE.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        // Writing to a string does not fail.
        let _ = match (block.strip_prefix("## "), block.strip_prefix("# ")) {
            (Some(id), _) => writeln!(page, "<h2 id=\"{id}\">{id}</h2>"),
            (_, Some(title)) => writeln!(page, "<h1>{title}</h1>"),
            _ => writeln!(page, "<p>{}</p>", inline(block)),
        };
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// The text of a paragraph, with its `code`, **bold** words and [links](address).
fn inline(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    links(&alternating(&alternating(&escaped, "**", "strong"), "`", "code"))
}

/// The text with every second part between two marks in an element.
fn alternating(text: &str, mark: &str, element: &str) -> String {
    let parts = text.split(mark).enumerate();
    let shown = parts.map(|(number, part)| match number % 2 {
        0 => part.to_owned(),
        _ => format!("<{element}>{part}</{element}>"),
    });
    shown.collect()
}

fn links(text: &str) -> String {
    let Some((before, rest)) = text.split_once('[') else { return text.to_owned() };
    let link = rest.split_once("](").and_then(|(label, rest)| Some((label, rest.split_once(')')?)));
    match link {
        Some((label, (address, after))) => {
            format!("{before}<a href=\"{address}\">{label}</a>{}", links(after))
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Row;

    #[test]
    fn every_finding_is_explained_once_with_its_severity() {
        let page = html();
        for row in Row::ALL {
            let heading = format!(
                "<h2 id=\"{id}\">{id}</h2>\n<p><code>{}</code>. ",
                row.severity().name(),
                id = row.id()
            );
            assert_eq!(page.matches(&heading).count(), 1, "{heading}");
        }
        assert_eq!(page.matches("<h2 ").count(), Row::ALL.len());
        assert_eq!(page.matches("How to mend it").count(), Row::ALL.len());
    }

    #[test]
    fn marks_become_elements() {
        let shown = inline("**a** `b` & [c](https://d/) <e> [f]");
        let expected = "<strong>a</strong> <code>b</code> &amp; <a href=\"https://d/\">c</a> &lt;e&gt; [f]";
        assert_eq!(shown, expected);
    }
}
