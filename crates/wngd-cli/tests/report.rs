//! The page that every command leaves beside its results.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use common::wngd;
use scraper::{Html, Selector};
use serde_json::Value;

/// A small experiment whose comments try to leave their place; a path and a label with awkward characters.
const SMALL: &str = r#"# <script>alert("x")</script> & <img src=x onerror=alert(1)> </pre></section>
name = "small"

[grid]
lower = [-4.0, -4.0]
upper = [6.0, 6.0]
cells = [20, 20]

[model]
kind = "gaussian-mixture"
weights = [0.3, 0.7]
means = [[2.0, 2.5], [2.0, 1.0]]
free = ["means[0]"]

[data]
samples = "<b>points<i>&'.csv"
columns = ["x<i>", "y"]

[objective]
kind = "l2"

[[method]]
metric = "l2"

[[method]]
metric = "wasserstein"
solver = "sketched-gram"
label = "w.2"

[basin]
parameters = ["means[0][0]", "means[0][1]"]
lower = [0.0, 0.0]
upper = [3.0, 3.0]
counts = [3, 3]

[stop]
iterations = 30
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), SMALL).unwrap();
    let rows: String = (0..300)
        .map(|i| {
            let t = f64::from(i);
            format!("{},{}\n", 1.5 + 1.2 * (1.7 * t).sin(), 1.4 + 1.1 * (0.9 * t).cos())
        })
        .collect();
    std::fs::write(folder.path().join("<b>points<i>&'.csv"), format!("x<i>,y\n{rows}")).unwrap();
    folder
}

fn good(output: &Output) {
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Reads a page and checks what every page has to keep to.
fn page(path: &Path) -> (String, Html) {
    let (text, folder) = (std::fs::read_to_string(path).unwrap(), path.parent().unwrap());
    let html = Html::parse_document(&text);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    assert!(!text.contains("http://") && !text.contains("https://"), "a page must not refer to the network");
    let mut ids = BTreeSet::new();
    for element in select(&html, "[id]") {
        assert!(ids.insert(element.attr("id").unwrap().to_string()), "{:?} twice", element.attr("id"));
    }
    for element in select(&html, "*") {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on"), "a handler {name}");
            if name == "aria-labelledby" || (name == "href" && value.starts_with('#')) {
                assert!(ids.contains(value.trim_start_matches('#')), "{value} leads nowhere");
            } else if let (true, Some(file)) = (name == "href", value.strip_prefix("./")) {
                assert!(!file.contains('/') && folder.join(file).is_file(), "{value} leads nowhere");
            } else if ["href", "src", "xlink:href"].contains(&name) {
                assert!(value.starts_with("data:"), "{name} = {value}");
            }
        }
    }
    for drawing in select(&html, "figure svg, figure img") {
        let text = drawing.attr("aria-label").or(drawing.attr("alt")).unwrap();
        assert!(text.len() > 20, "{text}");
    }
    for tag in ["script", "link[rel=stylesheet]", "iframe", "b > b", "pre img"] {
        assert_eq!(select(&html, tag).len(), 0, "{tag}");
    }
    (text, html)
}

fn select<'a>(html: &'a Html, what: &str) -> Vec<scraper::ElementRef<'a>> {
    html.select(&Selector::parse(what).unwrap()).collect()
}

fn text_of(html: &Html, what: &str) -> String {
    select(html, what).iter().flat_map(|e| e.text()).collect()
}

#[test]
fn a_run_leaves_a_page_with_its_numbers() {
    let folder = folder();
    let dir = folder.path();
    good(&wngd(dir, &["run", "small.toml", "--out", "o ut", "--quiet"]));
    let (text, html) = page(&dir.join("o ut/report.html"));
    let result: Value = serde_json::from_str(&std::fs::read_to_string(dir.join("o ut/result.json")).unwrap()).unwrap();
    let values: Vec<f64> = select(&html, "data").iter().map(|d| d.attr("value").unwrap().parse().unwrap()).collect();
    let shown = |value: &Value| {
        let value = value.as_f64().unwrap();
        assert!(values.contains(&value), "{value} is missing");
    };
    for method in result["methods"].as_array().unwrap() {
        for key in ["objective0", "objective", "iterations", "seconds", "solves"] {
            shown(&method[key]);
        }
        method["theta"].as_array().unwrap().iter().for_each(shown);
        assert!(text.contains(&format!("{} rows", 1 + method["iterations"].as_u64().unwrap())));
        assert!(method["standard_errors"].is_array());
    }
    assert!(text_of(&html, "td").contains('±'));
    // The settings verbatim, so nothing in them became markup.
    assert!(text_of(&html, "pre").contains(SMALL));
    assert!(text_of(&html, "dd").contains("<b>points<i>&'.csv"));
    assert_eq!(text_of(&html, "#repeat ~ pre"), "wngd run small.toml --out 'o ut' --quiet");
    assert!(text_of(&html, "dl").contains("w.2"), "the seed of a sketching method");
    assert!(text.contains(env!("CARGO_PKG_VERSION")));
    // Their words are those of the figures.
    let drawn = std::fs::read_to_string(dir.join("o ut/landscape.svg")).unwrap();
    let captions = text_of(&html, "figcaption");
    for words in ["mean[0].x<i> and mean[0].y", "fitted by w.2"] {
        assert!(captions.contains(words), "{captions}");
    }
    assert!(
        drawn.contains("<title>Level sets of the objective above its minimum over mean[0].x&lt;i&gt; and mean[0].y")
    );
    let best = result["methods"].as_array().unwrap().iter().find(|m| m["label"] == result["best"]).unwrap();
    let headline = text_of(&html, ".headline");
    assert!(headline.contains("mean[0].x<i>") && headline.contains('±') && best["standard_errors"].is_array());
    assert!(text_of(&html, "caption").contains("Correlations") && text_of(&html, ".files a").contains("result.json"));
    for figure in ["samples", "residuals", "covariance"] {
        assert!(dir.join(format!("o ut/{figure}.svg")).is_file(), "{figure}");
    }
    // Landscape, convergence, models and one density per method; the sketched method has no models.
    assert!(select(&html, "figure svg").len() >= 4);

    std::fs::remove_file(dir.join("o ut/report.html")).unwrap();
    let rebuilt = wngd(dir, &["report", "o ut"]);
    assert_eq!(rebuilt.status.code(), Some(0));
    assert_eq!(page(&dir.join("o ut/report.html")).0, text);

    good(&wngd(dir, &["run", "small.toml", "--out", "bare", "--quiet", "--no-figures"]));
    let (_, html) = page(&dir.join("bare/report.html"));
    assert_eq!(select(&html, "figure").len(), 0);
}

#[test]
fn maps_of_basins_and_comparisons_of_estimators_leave_one_too() {
    let folder = folder();
    let dir = folder.path();
    good(&wngd(dir, &["basin", "small.toml", "--out", "b", "--quiet"]));
    let (_, html) = page(&dir.join("b/report.html"));
    assert!(text_of(&html, "td").contains('9'));
    assert_eq!(select(&html, "figure svg").len(), 1);
    good(&wngd(dir, &["sketch", "small.toml", "--out", "s", "--quiet", "--seeds", "2", "--probes", "8"]));
    let (_, html) = page(&dir.join("s/report.html"));
    assert!(text_of(&html, "tbody th").contains("krylov"));
    assert!(text_of(&html, "dl").contains("0 to 1"));
    assert_eq!(select(&html, "figure svg").len(), 1);
}

#[test]
fn large_drawings_become_bitmaps() {
    let folder = folder();
    let dir = folder.path();
    good(&wngd(dir, &["run", "small.toml", "--out", "o", "--quiet"]));
    let svg = dir.join("o/convergence.svg");
    let text = std::fs::read_to_string(&svg).unwrap();
    let filler = "<rect x=\"1\" y=\"1\" width=\"1\" height=\"1\"/>".repeat(30_000);
    std::fs::write(&svg, text.replacen("</svg>", &format!("{filler}</svg>"), 1)).unwrap();
    assert_eq!(wngd(dir, &["report", "o"]).status.code(), Some(0));
    let (_, html) = page(&dir.join("o/report.html"));
    let images = select(&html, "figure img");
    assert_eq!(images.len(), 1);
    assert!(images[0].attr("src").unwrap().starts_with("data:image/png;base64,iVBOR"));
}

#[test]
fn what_is_no_result_folder_is_refused() {
    let folder = folder();
    let dir = folder.path();
    let refused = |args: &[&str], part: &str| {
        let output = wngd(dir, args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(part), "{text}");
    };
    refused(&["report", "."], "no result folder");
    refused(&["report", "missing"], "not a folder");
    refused(&["report", "small.toml"], "not a folder");
    good(&wngd(dir, &["run", "small.toml", "--out", "o", "--quiet", "--no-figures"]));
    let damage = |name: &str, text: &str| std::fs::write(dir.join("o").join(name), text).unwrap();
    let result = std::fs::read_to_string(dir.join("o/result.json")).unwrap();
    damage("result.json", &result[..result.len() / 2]);
    refused(&["report", "o"], "result.json");
    damage("result.json", &result.replacen("\"theta0\": [", "\"theta0\": [1.0,", 1));
    refused(&["report", "o"], "one per name");
    std::fs::remove_file(dir.join("o/result.json")).unwrap();
    refused(&["report", "o"], "did not end");
    let record = std::fs::read_to_string(dir.join("o/run.json")).unwrap();
    damage("run.json", &record.replacen("\"format\": 1", "\"format\": 99", 1));
    refused(&["report", "o"], "format 99");
    damage("run.json", "[]");
    refused(&["report", "o"], "run.json");
}
