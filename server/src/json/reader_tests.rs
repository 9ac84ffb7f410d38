use super::*;
use serde_json::json;

/// The type and place of each problem.
fn problems(body: &str, read: impl FnOnce(Node<'_>) -> Option<()>) -> Vec<(String, String)> {
    let found = Problems::read(body.as_bytes(), read).unwrap_err();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let pair = |problem: Value| (text(&problem["type"]), problem["loc"].to_string());
    found.into_iter().map(|problem| pair(serde_json::to_value(problem).unwrap())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, loc)| ((*name).to_owned(), (*loc).to_owned())).collect()
}

#[test]
fn every_problem_is_reported_at_its_place() {
    let body = r#"{"count": -1, "name": 7, "list": [1, "x", 2.5, []], "kind": "c", "flag": 0, "more": null}"#;
    let found = problems(body, |node| {
        let mut object = node.object()?;
        let _ = object.optional("count").and_then(|node| node.integer(0..=5));
        let _ = object.optional("name").and_then(|node| node.string(5));
        for element in object.optional("list").and_then(|node| node.list(10))? {
            let _ = element.integer(0..=5);
        }
        let _ = object.optional("kind").and_then(|node| node.one_of(&[("a", 1), ("b", 2)]));
        let _ = object.optional("flag").and_then(Node::boolean);
        let _ = object.required("absent");
        object.finish();
        Some(())
    });
    let expected = [
        ("greater_than_equal", r#"["body","count"]"#),
        ("string_type", r#"["body","name"]"#),
        ("int_parsing", r#"["body","list",1]"#),
        ("int_type", r#"["body","list",2]"#),
        ("int_type", r#"["body","list",3]"#),
        ("literal_error", r#"["body","kind"]"#),
        ("bool_type", r#"["body","flag"]"#),
        ("missing", r#"["body","absent"]"#),
        ("extra_forbidden", r#"["body","more"]"#),
    ];
    assert_eq!(found, pairs(&expected));
}

#[test]
fn a_body_that_is_no_json_is_reported_with_its_position() {
    assert_eq!(problems("{\"a\":\n x}", |_| Some(())), pairs(&[("json_invalid", r#"["body",7]"#)]));
    assert_eq!(problems("", |_| Some(())), pairs(&[("json_invalid", r#"["body",0]"#)]));
}

#[test]
fn the_number_of_problems_is_bounded() {
    let body = format!("[{}]", vec!["\"x\""; 200].join(","));
    let read = |node: Node<'_>| {
        for element in node.list(1_000)? {
            let _ = element.integer(0..=1);
        }
        Some(())
    };
    assert_eq!(problems(&body, read).len(), Problems::LIMIT);
}

#[test]
fn numbers_are_read_as_pydantic_reads_them() {
    let table = [
        (json!(5), Some(5)),
        (json!(5.0), Some(5)),
        (json!("5"), Some(5)),
        (json!(10), Some(10)),
        (json!(11), None),
        (json!(1e300), None),
        (json!(-1), None),
        (json!(5.5), None),
        (json!("five"), None),
        (json!(null), None),
        (json!(true), None),
    ];
    for (value, expected) in table {
        let read = Problems::read_value(&value, Vec::new(), |node| node.integer(0..=10));
        assert_eq!(read.ok(), expected, "{value}");
    }
}

#[test]
fn messages_name_range_and_choices() {
    let message = |value: Value, read: &dyn Fn(Node<'_>) -> Option<()>| {
        serde_json::to_value(&Problems::read_value(&value, Vec::new(), read).unwrap_err()[0]).unwrap()
    };
    let found = message(json!(2.5), &|node| node.number(0.0..=1.0).map(drop));
    assert_eq!(found["msg"], "Input should be less than or equal to 1.0");
    let found = message(json!("d"), &|node| node.one_of(&[("a", ()), ("b", ()), ("c", ())]));
    assert_eq!(found["msg"], "Input should be 'a', 'b' or 'c'");
    assert_eq!(found["ctx"]["expected"], "'a', 'b' or 'c'");
}
