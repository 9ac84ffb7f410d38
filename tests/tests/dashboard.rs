//! The dashboard for Grafana in `docs/grafana.json` shows what `/metrics` has, and all of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use workspace_tests::{TestServer, answer};

const DASHBOARD: &str = include_str!("../../docs/grafana.json");

/// The functions and keywords of `PromQL` that the dashboard uses.
const WORDS: [&str; 4] = ["sum", "by", "rate", "increase"];

fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    dashboard["panels"].as_array().expect("the dashboard has panels").clone()
}

/// The expressions of all panels, each with the legend of its series.
fn expressions() -> Vec<(String, String)> {
    let text = |target: &Value, name: &str| target[name].as_str().unwrap_or_default().to_owned();
    let panels = panels();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("a panel has targets"));
    targets.map(|target| (text(target, "expr"), text(target, "legendFormat"))).collect()
}

/// The words in an expression: names, functions, labels and variables.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$')).filter(|word| !word.is_empty())
}

/// The metrics of a running server: each name with the names of its labels.
async fn metrics() -> BTreeMap<String, BTreeSet<String>> {
    let server = TestServer::start().await;
    answer(server.get("/msg")).await;
    let text = server.get("/metrics").send().await.expect("an answer").text().await.expect("a text");
    let mut metrics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').expect("a sample has a value");
        let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap_or((series, ""));
        let labels = labels.split(',').filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
        metrics.entry(name.to_owned()).or_default().extend(labels);
    }
    metrics
}

#[tokio::test]
async fn every_metric_has_its_place_on_the_dashboard_and_nothing_else_has() {
    let metrics = metrics().await;
    let expressions = expressions();
    let shown: BTreeSet<&str> = expressions
        .iter()
        .flat_map(|(expression, _)| words(expression))
        .filter(|word| word.starts_with("test_server_"))
        .collect();
    assert_eq!(shown, metrics.keys().map(String::as_str).collect());
}

#[tokio::test]
async fn every_expression_sums_by_labels_that_its_metric_has_and_names_them_in_its_legend() {
    let metrics = metrics().await;
    for (expression, legend) in expressions() {
        let (names, others): (Vec<_>, Vec<_>) =
            words(&expression).partition(|word| metrics.contains_key(*word));
        assert_eq!(names.len(), 1, "{expression}");
        let is_label =
            |word: &&str| !WORDS.contains(word) && !word.starts_with('$') && word.parse::<f64>().is_err();
        let labels: Vec<&str> = others.into_iter().filter(is_label).collect();
        for label in &labels {
            assert!(metrics[names[0]].contains(*label), "{} has no label {label}: {expression}", names[0]);
            assert!(legend.contains(&format!("{{{{{label}}}}}")), "{label} is not in the legend {legend:?}");
        }
        assert!(!legend.is_empty(), "{expression} has no legend");
        assert_eq!(legend.matches("{{").count(), labels.len(), "{legend}: {expression}");
        let is_counter = names[0].ends_with("_total");
        let is_rate = expression.contains("rate(") || expression.contains("increase(");
        assert_eq!(
            is_counter, is_rate,
            "counters are shown by their growth, gauges as they are: {expression}"
        );
        assert_eq!(expression.matches('(').count(), expression.matches(')').count(), "{expression}");
    }
}

#[test]
fn the_panels_have_ids_of_their_own_and_do_not_overlap_on_the_grid() {
    let panels = panels();
    let number = |value: &Value| value.as_u64().expect("a whole number");
    let ids: BTreeSet<u64> = panels.iter().map(|panel| number(&panel["id"])).collect();
    assert_eq!(ids.len(), panels.len(), "{ids:?}");
    let mut taken = BTreeSet::new();
    for panel in &panels {
        let title = panel["title"].as_str().expect("a panel has a title");
        let [x, y, width, height] = ["x", "y", "w", "h"].map(|name| number(&panel["gridPos"][name]));
        assert!(width > 0 && height > 0 && x + width <= 24, "the grid has 24 columns: {title}");
        for cell in (x..x + width).flat_map(|column| (y..y + height).map(move |row| (column, row))) {
            assert!(taken.insert(cell), "{title} lies on another panel");
        }
        assert_eq!(
            panel["datasource"]["uid"], "${datasource}",
            "the data source is chosen by a variable: {title}"
        );
        let references = panel["targets"].as_array().expect("a panel has targets");
        let letters: BTreeSet<&str> =
            references.iter().filter_map(|target| target["refId"].as_str()).collect();
        assert_eq!(letters.len(), references.len(), "{title}");
    }
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    assert_eq!(dashboard["templating"]["list"][0]["name"], "datasource");
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
}
