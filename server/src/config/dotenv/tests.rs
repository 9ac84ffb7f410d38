//! The grammar of `.env` as a table; the expected values are those that python-dotenv reads.

use super::*;

/// Names and values, without those lines that cannot be read.
fn read(text: &str) -> Vec<(String, Option<String>)> {
    let entries = parse(text).into_iter();
    entries.filter_map(|entry| Some((entry.name, entry.value.ok()?))).collect()
}

#[test]
fn lines_are_read_as_python_dotenv_reads_them() {
    let cases: [(&str, &[(&str, &str)]); 44] = [
        ("A=1", &[("A", "1")]),
        ("\u{feff}A=1\n", &[("A", "1")]),
        ("A=1\r\nB=2\rC=3\n", &[("A", "1"), ("B", "2"), ("C", "3")]),
        ("  A = b c  \n", &[("A", "b c")]),
        ("A=\n\nB=2", &[("A", ""), ("B", "2")]),
        ("export A=1\nexport\tB=2\nexport  export=3", &[("A", "1"), ("B", "2"), ("export", "3")]),
        ("exported=1", &[("exported", "1")]),
        ("# A=1\n#\nB=2", &[("B", "2")]),
        ("A=b # c\n", &[("A", "b")]),
        ("A=b#c # d # e", &[("A", "b#c")]),
        ("A=#b", &[("A", "#b")]),
        ("A= # b", &[("A", "")]),
        ("A=b\u{a0}#c", &[("A", "b")]),
        ("A='b # c' # d", &[("A", "b # c")]),
        ("A=\"b # c\"# d", &[("A", "b # c")]),
        ("A='b\\'c\\\\d\\n'", &[("A", "b'c\\d\\n")]),
        ("A=\"a\\nb\\t\\\"c\\\"\\\\\\q\\'\"", &[("A", "a\nb\t\"c\"\\\\q'")]),
        ("A=\"b\nc\"\nD=e", &[("A", "b\nc"), ("D", "e")]),
        ("A='b\nC=d\n'\nE=f", &[("A", "b\nC=d\n"), ("E", "f")]),
        ("A=b\"c\"", &[("A", "b\"c\"")]),
        ("A=don't", &[("A", "don't")]),
        ("A=correct horse battery", &[("A", "correct horse battery")]),
        ("A={\"a\": 1, \"b\": 2}", &[("A", "{\"a\": 1, \"b\": 2}")]),
        (
            "A=http://localhost:3000, http://localhost:5173",
            &[("A", "http://localhost:3000, http://localhost:5173")],
        ),
        ("A==b=", &[("A", "=b=")]),
        ("a-b.c=1", &[("a-b.c", "1")]),
        ("'A B'=1", &[("A B", "1")]),
        ("=1\nB=2", &[("B", "2")]),
        ("''=1\nB=2", &[("B", "2")]),
        ("'A\nB=2", &[("B", "2")]),
        ("A B=1\nC=2", &[("C", "2")]),
        ("A: 1\nB=2", &[("B", "2")]),
        ("{\n\"a\": 1\n}\nB=2", &[("B", "2")]),
        ("A='b'c\nD=1", &[("D", "1")]),
        ("A=\"b\nC=1", &[("C", "1")]),
        ("A='b\nC=1", &[("C", "1")]),
        ("A=\"b\\\"\nC=1", &[("C", "1")]),
        ("A=\"C:\\\\\"\nD=\"e\"", &[("A", "C:\\"), ("D", "e")]),
        ("A=\"\\", &[]),
        ("A=1\0\nB=2", &[("A", "1\0"), ("B", "2")]),
        ("", &[]),
        ("\n \r\n\t", &[]),
        ("A=\"é\"", &[("A", "é")]),
        ("A=\u{fffd}\u{fffd}\nB=2", &[("A", "\u{fffd}\u{fffd}"), ("B", "2")]),
    ];
    for (text, expected) in cases {
        let expected: Vec<_> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        let found: Vec<_> = read(text).into_iter().filter(|(_, value)| value.is_some()).collect();
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn a_name_alone_has_no_value() {
    assert_eq!(read("DEBUG\nexport\nA # b"), ["DEBUG", "export", "A"].map(|name| (name.to_owned(), None)));
}

/// python-dotenv would read `SERVER_PORT` as a part of the value of `A` here, and pass it over.
#[test]
fn a_quotation_mark_that_is_never_closed_hides_no_line_below_it() {
    let text = "A=\"b\nSERVER_HOST=\"127.0.0.1\"\nSERVER_PORT=9\n";
    let expected = [("SERVER_HOST", "127.0.0.1"), ("SERVER_PORT", "9")];
    assert_eq!(read(text), expected.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))));
}

#[test]
fn entries_know_their_lines() {
    let text = "A=1\r\n\r\nB=\"2\n3\r\n4\"\n# c\rC=5\n\nD='x\nE=6";
    let lines: Vec<_> = parse(text).iter().map(|entry| (entry.name.clone(), entry.line)).collect();
    assert_eq!(lines, [("A", 1), ("B", 3), ("C", 7), ("D", 9), ("E", 10)].map(|(n, l)| (n.to_owned(), l)));
}

#[test]
fn references_are_replaced_from_the_lines_above_and_from_the_environment() {
    let environment = [("HOME".into(), "/home".into()), ("A".into(), "environment".into())];
    let cases = [
        ("X=${HOME}/x", "/home/x"),
        ("X='${HOME}'", "/home"),
        ("X=${NO}", ""),
        ("X=${NO:-a b}-${NO:-}", "a b-"),
        ("A=1\nX=${A}${A}", "11"),
        ("A=1\nB=${A}2\nX=${B}3", "123"),
        ("X=${A}", "environment"),
        ("A\nX=[${A:-default}]", "[]"),
        ("X=1\nX=${X}2", "12"),
        ("X=$HOME ${ ${HOME ${A:b} $", "$HOME ${ ${HOME ${A:b} $"),
    ];
    for (text, expected) in cases {
        assert_eq!(DotEnv::from_text(text).expanded("x", &environment).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn lines_that_double_each_other_stay_small() {
    let text: String = (0..40).map(|_| "X=${X}${X}x\n").collect();
    assert!(DotEnv::from_text(&text).expanded("X", &[]).unwrap().len() < 10_000_000);
}
