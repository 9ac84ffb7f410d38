//! The documentation says what the server does, needs nothing from the internet, and works behind a path prefix.

use std::collections::HashSet;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use workspace_tests::{Answer, Program, TestServer, answer, within};

const PAGES: [&str; 2] = ["/docs", "/redoc"];

async fn document(server: &TestServer) -> Value {
    let document = answer(server.get("/openapi.json")).await;
    assert_eq!(document.status, 200);
    assert!(document.header("Content-Type").unwrap_or_default().starts_with("application/json"));
    document.body
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            document.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere")
        }
        None => value,
    }
}

/// The schema of a parameter; a reference and a union with null are looked through.
fn schema<'a>(document: &'a Value, parameter: &'a Value) -> &'a Value {
    let schema = resolve(document, &parameter["schema"]);
    let unions = ["oneOf", "anyOf"].iter().filter_map(|union| schema[union].as_array()).flatten();
    unions.map(|branch| resolve(document, branch)).find(|branch| branch["type"] != "null").unwrap_or(schema)
}

fn parameter<'a>(operation: &'a Value, name: &str) -> &'a Value {
    let parameters = operation["parameters"].as_array().expect("parameters");
    parameters
        .iter()
        .find(|parameter| parameter["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {operation}"))
}

/// Follows redirects within the server; the page and the path it came from.
async fn page(server: &TestServer, path: &str) -> (String, Answer) {
    let mut path = path.to_owned();
    for _ in 0..3 {
        let found = answer(server.get(&path)).await;
        match found.header("Location") {
            Some(location) => path = join(&path, location),
            None => return (path, found),
        }
    }
    panic!("{path} redirects for ever");
}

/// The path that a reference on the page at `base` means.
fn join(base: &str, reference: &str) -> String {
    let base = reqwest::Url::parse(&format!("http://server{base}")).expect("a path");
    let url = base.join(reference).expect("a reference");
    assert_eq!(url.host_str(), Some("server"), "{reference} leads away from the server");
    url.path().to_owned()
}

/// What the page loads by itself: values of `src`, and of `href` of a `link`.
fn loads(html: &str) -> Vec<String> {
    // What is between the tags of a script is code: it may look like anything.
    let pieces = html.split("</script>").filter_map(|piece| {
        let (before, script) = piece.split_once("<script").unwrap_or((piece, ""));
        Some(format!("{before}<script{}>", script.split('>').next()?))
    });
    let html: String = pieces.collect();
    let tags = html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default());
    let wanted = tags.filter_map(|tag| {
        let attribute = if tag.starts_with("link") { "href" } else { "src" };
        let name = tag.split_whitespace().next()?;
        ["script", "link", "img", "iframe"].contains(&name).then_some(())?;
        let value = tag.split_once(&format!("{attribute}="))?.1;
        let quote = value.chars().next()?;
        Some(value[1..].split(quote).next()?.to_owned())
    });
    wanted.filter(|value| !value.starts_with("data:")).collect()
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_lists_every_route() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    assert!(
        document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")),
        "{}",
        document["openapi"]
    );
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let expected = [
        ("/msg", "get"),
        ("/fail/count/{count}", "post"),
        ("/fail/duration/{seconds}", "post"),
        ("/fail/reset", "post"),
        ("/fail/status", "get"),
        ("/fail/script/{script}", "post"),
        ("/faults", "put"),
        ("/faults/preview", "post"),
        ("/reset", "post"),
        ("/sessions", "get"),
        ("/sessions/{id}", "get"),
        ("/echo", "post"),
        ("/echo/{path}", "post"),
        ("/journal", "get"),
        ("/journal.har", "get"),
        ("/journal/stream", "get"),
        ("/verdict", "get"),
        ("/health", "get"),
        ("/echo", "post"),
        ("/echo/{path}", "trace"),
        ("/sessions", "get"),
        ("/sessions/{id}", "get"),
        ("/reset", "post"),
        ("/faults", "put"),
        ("/faults/preview", "post"),
        ("/fail/script/{script}", "post"),
    ];
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(
        paths.keys().map(String::as_str).collect::<HashSet<_>>(),
        expected.map(|(path, _)| path).into()
    );
    for (path, method) in expected {
        let operation = &paths[path][method];
        let media_type = if path == "/journal/stream" { "text/event-stream" } else { "application/json" };
        let success = &operation["responses"]["200"]["content"][media_type]["schema"];
        assert!(success.is_object(), "{method} {path}: {operation}");
        assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
    }
}

#[tokio::test]
async fn operation_ids_tags_and_schemas_are_named_as_in_the_python_server() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    let failure = json!(["failure-injection"]);
    let expected = [
        ("/msg", "get", "get_message_msg_get", Value::Null),
        ("/fail/count/{count}", "post", "set_failure_count_fail_count__count__post", failure.clone()),
        (
            "/fail/duration/{seconds}",
            "post",
            "set_failure_duration_fail_duration__seconds__post",
            failure.clone(),
        ),
        ("/fail/reset", "post", "reset_failures_fail_reset_post", failure.clone()),
        ("/fail/status", "get", "get_failure_status_fail_status_get", failure),
        ("/health", "get", "health_check_health_get", Value::Null),
    ];
    for (path, method, id, tags) in expected {
        let operation = &document["paths"][path][method];
        assert_eq!((&operation["operationId"], &operation["tags"]), (&json!(id), &tags), "{method} {path}");
    }
    for schema in ["HTTPValidationError", "ValidationError"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
    }
}

#[tokio::test]
async fn the_document_describes_the_ranges_and_the_errors() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    let message = &document["paths"]["/msg"]["get"];
    let delay = parameter(message, "delay");
    assert_eq!((&delay["in"], delay["required"].as_bool().unwrap_or(false)), (&json!("query"), false));
    let delay = schema(&document, delay);
    assert_eq!(
        (&delay["minimum"].as_f64(), &delay["maximum"].as_f64()),
        (&Some(0.0), &Some(30000.0)),
        "{delay}"
    );
    let key = parameter(message, "X-Request-ID");
    assert_eq!((&key["in"], key["required"].as_bool().unwrap_or(false)), (&json!("header"), false));
    assert_eq!(schema(&document, key)["maxLength"], 255);
    for status in ["200", "408", "422", "500"] {
        assert!(message["responses"][status].is_object(), "{status}");
    }
    for (path, name, maximum) in
        [("/fail/count/{count}", "count", 1000.0), ("/fail/duration/{seconds}", "seconds", 3600.0)]
    {
        let operation = &document["paths"][path]["post"];
        let found = parameter(operation, name);
        assert_eq!((&found["in"], &found["required"]), (&json!("path"), &json!(true)));
        let found = schema(&document, found);
        assert_eq!(
            (found["minimum"].as_f64(), found["maximum"].as_f64()),
            (Some(0.0), Some(maximum)),
            "{found}"
        );
        assert!(operation["responses"]["422"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(object) => {
                resolve(document, value);
                object.values().for_each(|value| check(document, value));
            }
            Value::Array(array) => array.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    let server = TestServer::start().await;
    let document = document(&server).await;
    check(&document, &document);
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let ids: Vec<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
}

#[tokio::test]
async fn the_answers_have_exactly_the_fields_that_the_document_describes() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    for (path, method, request) in [
        ("/msg", "get", server.get("/msg")),
        ("/fail/count/{count}", "post", server.post("/fail/count/1")),
        ("/fail/duration/{seconds}", "post", server.post("/fail/duration/1")),
        ("/fail/status", "get", server.get("/fail/status")),
        ("/fail/reset", "post", server.post("/fail/reset")),
        ("/health", "get", server.get("/health")),
    ] {
        let content = &document["paths"][path][method]["responses"]["200"]["content"]["application/json"];
        let properties = resolve(&document, &content["schema"])["properties"].as_object().expect(path);
        let body = answer(request).await.body;
        let (documented, real): (HashSet<_>, HashSet<_>) =
            (properties.keys().collect(), body.as_object().unwrap().keys().collect());
        assert_eq!(documented, real, "{path}");
    }
}

#[tokio::test]
async fn the_command_prints_the_document_that_is_served() {
    let server = TestServer::start().await;
    let printed = Program::test_server().argument("openapi").run().await;
    assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
    assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap(), document(&server).await);
}

#[tokio::test]
async fn both_pages_load_everything_from_the_server_itself() {
    let server = TestServer::start().await;
    for path in PAGES {
        let (path, page) = page(&server, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("Content-Type").unwrap_or_default().starts_with("text/html"), "{path}");
        let mut code = page.text.clone();
        for reference in loads(&page.text) {
            let asset = answer(server.get(&join(&path, &reference))).await;
            assert_eq!(asset.status, 200, "{path} loads {reference}");
            assert!(!asset.text.is_empty(), "{path} loads {reference}");
            code += &asset.text;
        }
        assert!(code.contains("\"./openapi.json\""), "{path} shows the server's document");
        for elsewhere in ["fonts.googleapis.com", "cdn.jsdelivr.net", "unpkg.com", "cdn.redoc.ly"] {
            assert!(!code.contains(elsewhere), "{path} names {elsewhere}");
        }
    }
}

#[tokio::test]
async fn without_documentation_all_of_it_is_a_404() {
    let server = TestServer::builder().env("SERVER_ENABLE_DOCS", "false").start().await;
    for path in ["/openapi.json", "/docs", "/docs/", "/docs/index.html", "/docs/swagger-ui.css", "/redoc"] {
        answer(server.get(path)).await.assert_is(404, &json!({ "detail": "Not Found" }));
        answer(server.post(path)).await.assert_is(404, &json!({ "detail": "Not Found" }));
    }
    answer(server.get("/msg")).await.message_id();
}

/// A reverse proxy that shows a server under a path prefix, and knows nothing else. Returns its address.
async fn proxy(server: SocketAddr, prefix: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, server, prefix));
        }
    });
    address
}

/// Forwards the one request of a connection, without the prefix of its path.
async fn forward(mut client: TcpStream, server: SocketAddr, prefix: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let Some((method, path)) = request.split_once(prefix).filter(|(method, _)| method.len() < 8) else {
        let outside = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(outside.as_bytes()).await;
    };
    let mut upstream = TcpStream::connect(server).await?;
    let request = format!("{method}{path}").replacen("\r\n", "\r\nConnection: close\r\n", 1);
    upstream.write_all(request.as_bytes()).await?;
    copy_bidirectional(&mut client, &mut upstream).await.map(drop)
}

#[tokio::test]
async fn behind_a_path_prefix_the_pages_their_assets_and_their_requests_stay_below_it() {
    const PREFIX: &str = "/tools/test-server";
    let server = TestServer::start().await;
    let outside = format!("http://{}", proxy(server.address(), PREFIX).await);
    let client = workspace_tests::http::client();
    for page in PAGES {
        let base = reqwest::Url::parse(&format!("{outside}{PREFIX}{page}")).unwrap();
        let html = answer(client.get(base.clone())).await;
        assert_eq!(html.status, 200, "{base}");
        let mut loaded = loads(&html.text);
        assert!(html.text.contains("\"./openapi.json\""), "{base} shows the server's document");
        loaded.push("./openapi.json".to_owned());
        for reference in loaded {
            let url = base.join(&reference).unwrap();
            assert_eq!(answer(client.get(url.clone())).await.status, 200, "{base} loads {url}");
        }
    }
    // "Try it out" sends its requests to the server of the document, relative to the document.
    let base = reqwest::Url::parse(&format!("{outside}{PREFIX}/openapi.json")).unwrap();
    let document = answer(client.get(base.clone())).await.body;
    let servers: Vec<_> = document["servers"].as_array().expect("servers").iter().collect();
    assert_eq!(servers.len(), 1);
    let root = base.join(servers[0]["url"].as_str().expect("an address")).unwrap();
    for path in document["paths"].as_object().expect("paths").keys().filter(|path| !path.contains('{')) {
        let url = root.as_str().trim_end_matches('/').to_owned() + path;
        // The body of a stream does not end.
        let status = within("a head", client.get(&url).send()).await.expect("an answer").status().as_u16();
        assert!([200, 405].contains(&status), "{url}: {status}");
    }
    // So does a redirect.
    let from = reqwest::Url::parse(&format!("{outside}{PREFIX}/docs/")).unwrap();
    let redirect = answer(client.get(from.clone())).await;
    let to = from.join(redirect.header("Location").expect("a location")).unwrap();
    assert_eq!(to.path(), format!("{PREFIX}/docs"));
}
