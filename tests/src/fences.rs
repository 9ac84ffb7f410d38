//! The fenced code blocks of a Markdown document, and the comparison of an output with what a document shows.

/// Stands for any text in a line of expected output, and for any number of lines where it stands alone.
const ANYTHING: &str = "…";

/// One fenced code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The line of the document where its content begins, counted from 1.
    pub line: usize,
    /// The words after the opening backticks, `sh no_run` for example.
    pub info: String,
    /// The content, each line with its end.
    pub content: String,
    /// The content of a `text` block that follows with nothing but blank lines between: what this block prints.
    pub output: Option<String>,
}

/// Returns the fenced code blocks of `markdown`, in order. A `text` block that shows the output of the block before it
/// is part of that block.
///
/// # Panics
/// When a block is not closed.
pub fn fences(markdown: &str) -> Vec<Fence> {
    let mut fences: Vec<Fence> = Vec::new();
    // Whether a `text` block that comes now would be the output of the block before it.
    let mut follows = false;
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            follows &= line.trim().is_empty();
            continue;
        };
        let content: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        let content: String = content.iter().flat_map(|line| [line, "\n"]).collect();
        match fences.last_mut().filter(|_| follows && info.trim() == "text") {
            Some(before) => before.output = Some(content),
            None => {
                fences.push(Fence { line: number + 2, info: info.trim().to_owned(), content, output: None });
            }
        }
        follows = info.trim() != "text";
    }
    let marks = markdown.lines().filter(|line| line.trim_start().starts_with("```")).count();
    assert!(marks.is_multiple_of(2), "a code block is not closed");
    fences
}

/// Returns whether `actual` is what a document shows as `expected`: line by line, where `…` stands for any text in its
/// line, and for any number of lines where it stands alone.
pub fn is_shown(expected: &str, actual: &str) -> bool {
    let (expected, actual): (Vec<_>, Vec<_>) =
        (expected.trim().lines().collect(), actual.trim().lines().collect());
    lines_match(&expected, &actual)
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    match (expected, actual) {
        ([], []) => true,
        ([only, rest @ ..], _) if only.trim() == ANYTHING => {
            (0..=actual.len()).any(|skipped| lines_match(rest, &actual[skipped..]))
        }
        ([first, expected @ ..], [line, actual @ ..]) => {
            line_matches(first.trim_end(), line.trim_end()) && lines_match(expected, actual)
        }
        _ => false,
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    match expected.split_once(ANYTHING) {
        None => expected == actual,
        Some((start, rest)) => actual.strip_prefix(start).is_some_and(|actual| {
            let ends = actual.char_indices().map(|(place, _)| place).chain([actual.len()]);
            ends.into_iter().any(|place| line_matches(rest, &actual[place..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_block_right_after_another_is_its_output_and_elsewhere_a_block_of_its_own() {
        let found = fences("a\n```sh\nx\n```\n\n```text\ny\n```\nb\n```text\nz\n```\n");
        let fence = |line, info: &str, content: &str, output: Option<&str>| Fence {
            line,
            info: info.to_owned(),
            content: content.to_owned(),
            output: output.map(str::to_owned),
        };
        assert_eq!(found, [fence(3, "sh", "x\n", Some("y\n")), fence(11, "text", "z\n", None)]);
    }

    #[test]
    #[should_panic(expected = "a code block is not closed")]
    fn a_block_that_is_not_closed_is_refused() {
        fences("```sh\nx\n");
    }

    #[test]
    fn dots_stand_for_any_text_in_a_line_and_alone_for_any_lines() {
        for (expected, actual) in [
            ("", ""),
            ("a\nb", "a\nb\n"),
            ("a…c", "abc"),
            ("a…c", "ac"),
            ("…\nb", "a\na\nb"),
            ("…", ""),
            ("{\"id\":\"…\"}", "{\"id\":\"42\"}"),
        ] {
            assert!(is_shown(expected, actual), "{expected:?} {actual:?}");
        }
        for (expected, actual) in
            [("", "a"), ("a", ""), ("a", "b"), ("a…c", "ab"), ("…\nb", "a"), ("a", "a\nb")]
        {
            assert!(!is_shown(expected, actual), "{expected:?} {actual:?}");
        }
    }
}
