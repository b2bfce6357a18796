//! Pages in a real browser. Chromium is needed: `cargo test --release -p wngd-cli --test browser -- --ignored`.
#![allow(clippy::unwrap_used)]

mod chromium;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use chromium::Chromium;

/// Where pictures of the pages are left to be looked at.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn wngd(folder: &Path, args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_wngd")).args(args).current_dir(folder).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn play() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wngd"))
            .args(["play", "mixture-weight", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.map(Result::unwrap).find(|line| line.contains("http://")).unwrap();
        let url = line.split(' ').find(|word| word.starts_with("http://")).unwrap().to_string();
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where each descent of the page ended: label, state, iterations, objective, parameters.
fn ends(browser: &mut Chromium) -> Vec<(String, String, u64, f64, Vec<f64>)> {
    let rows = browser.value(
        "[...document.querySelectorAll('#table tbody tr')].map(r => \
         [r.dataset.method, r.dataset.state, +r.dataset.iterations, +r.dataset.objective, JSON.parse(r.dataset.theta)])",
    );
    serde_json::from_value(rows).unwrap()
}

/// The start that the address of the page names.
fn start(browser: &mut Chromium) -> [f64; 2] {
    let at = browser.value("new URLSearchParams(location.hash.slice(1)).get('at').split(',').map(Number)");
    serde_json::from_value(at).unwrap()
}

/// The same descents by `wngd run`, from that start and with at most so many iterations each.
fn by_run(at: [f64; 2], iterations: usize) -> Value {
    by_run_on([0.3, 1.0], at, iterations)
}

/// The same on data made from there.
fn by_run_on([dw, dm]: [f64; 2], [w, m]: [f64; 2], iterations: usize) -> Value {
    let folder = tempfile::tempdir().unwrap();
    wngd(folder.path(), &["init", "mixture-weight", "--out", "m.toml"]);
    let path = folder.path().join("m.toml");
    let edited = |line: &str| match line.split(' ').next() {
        Some("weights") => format!("weights = [{w:?}, {:?}]", 1.0 - w),
        Some("means") => format!("means = [[{m:?}, 2.0], [2.5, 1.5]]"),
        Some("truth") => format!(
            "truth = {{ weights = [{dw:?}, {:?}], means = [[{dm:?}, 3.0], [3.0, 2.0]], covariance = {{ isotropic = 0.6 }} }}",
            1.0 - dw
        ),
        Some("iterations") => format!("iterations = {iterations}"),
        _ => line.to_string(),
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let text: Vec<String> = text.lines().map(edited).collect();
    std::fs::write(&path, text.join("\n")).unwrap();
    wngd(folder.path(), &["run", "m.toml", "--out", "o", "--quiet", "--no-figures"]);
    serde_json::from_str(&std::fs::read_to_string(folder.path().join("o/result.json")).unwrap()).unwrap()
}

fn compare(found: &[(String, String, u64, f64, Vec<f64>)], run: &Value) {
    assert_eq!(found.len(), run["methods"].as_array().unwrap().len());
    for ((label, state, iterations, objective, theta), method) in found.iter().zip(run["methods"].as_array().unwrap()) {
        assert_eq!(*label, method["label"]);
        assert_eq!(*state, method["status"], "{label}");
        assert_eq!(*iterations, method["iterations"].as_u64().unwrap(), "{label}");
        assert_eq!(*objective, method["objective"].as_f64().unwrap(), "{label}");
        let expected: Vec<f64> = serde_json::from_value(method["theta"].clone()).unwrap();
        assert_eq!(*theta, expected, "{label}");
    }
}

/// Where the landscape of `mixture-weight` shows two values, by what the page reads there.
fn place_of(browser: &mut Chromium, at: [f64; 2]) -> [f64; 2] {
    let area: [f64; 4] = serde_json::from_value(
        browser
            .value("(r => [r.left, r.top, r.width, r.height])(document.getElementById('map').getBoundingClientRect())"),
    )
    .unwrap();
    let mut read = |x: f64, y: f64| -> ([f64; 2], [f64; 2]) {
        let place = [area[0] + x * area[2], area[1] + y * area[3]];
        browser.point(place[0], place[1]);
        let text = browser.value("document.getElementById('reading').textContent");
        let number = |name: &str| -> f64 {
            let rest = text.as_str().unwrap().split(name).nth(1).unwrap();
            rest.split(',').next().unwrap().parse().unwrap()
        };
        (place, [number("weights[0] = "), number("means[0][0] = ")])
    };
    let ((p, a), (q, b)) = (read(0.2, 0.2), read(0.8, 0.8));
    [0, 1].map(|k| p[k] + (at[k] - a[k]) / (b[k] - a[k]) * (q[k] - p[k]))
}

/// The two numbers of a key of the page's address.
fn of_address(browser: &mut Chromium, key: &str) -> [f64; 2] {
    let found =
        browser.value(&format!("new URLSearchParams(location.hash.slice(1)).get('{key}').split(',').map(Number)"));
    serde_json::from_value(found).unwrap()
}

/// Chooses from a menu.
fn pick(browser: &mut Chromium, menu: &str, entry: &str) {
    browser.value("document.body.dataset.state = 'choosing'");
    browser.value(&format!(
        "(e => {{ e.value = '{entry}'; e.dispatchEvent(new Event('change')); }})(document.getElementById('{menu}'))"
    ));
}

/// Chooses from a menu, and waits for descents and landscape.
fn choose(browser: &mut Chromium, menu: &str, entry: &str) {
    pick(browser, menu, entry);
    browser.wait(SETTLED);
}

/// Descents ended, the landscape is there, the menus are.
const SETTLED: &str = "document.body.dataset.state === 'done' && document.body.dataset.map === 'drawn' \
                       && document.body.dataset.menus === 'filled'";

#[test]
#[ignore = "needs Chromium"]
fn experiment_objective_and_data_are_changed_on_the_page() {
    let server = Server::play();
    let mut browser = Chromium::start();
    browser.resize(1280, 1000);
    browser.open(&format!("{}#at=0.2,2&methods=none,none-armijo,l2,wasserstein&iterations=40", server.url), SETTLED);
    let entries =
        |menu: &str| format!("[...document.getElementById('{menu}').options].map(option => option.value).join()");
    let experiments = "mixture-weight,mixture-mu1,mixture-full,mixture-trapped,faithful,peak,lorenz,lorenz-hats";
    assert_eq!(browser.value(&entries("experiment")), experiments);
    let objectives = "l2,kl,homogeneous-h-1,linearised-wasserstein,wasserstein";
    assert_eq!(browser.value(&entries("objective")), objectives);

    // The data are dragged: descents, landscape and address follow.
    let [from, to] = [[0.3, 1.0], [0.6, 3.5]].map(|at| place_of(&mut browser, at));
    let landscape = "document.getElementById('map').toDataURL()";
    let before = browser.value(landscape);
    browser.value("document.body.dataset.state = 'dragging'");
    browser.drag(from, to);
    browser.wait(SETTLED);
    std::thread::sleep(std::time::Duration::from_millis(500));
    browser.wait(SETTLED);
    let made = of_address(&mut browser, "data");
    assert!((made[0] - 0.6).abs() < 0.01 && (made[1] - 3.5).abs() < 0.1, "{made:?}");
    assert_eq!(of_address(&mut browser, "at"), [0.2, 2.0]);
    compare(&ends(&mut browser), &by_run_on(made, [0.2, 2.0], 40));
    assert_ne!(browser.value(landscape), before);
    browser.picture(&pictures().join("play-data.png"));

    // A link has them.
    let found = ends(&mut browser);
    let url = browser.value("location.href");
    browser.open(url.as_str().unwrap(), SETTLED);
    assert_eq!(ends(&mut browser), found);

    // Data that cannot be are told; those of the file come back.
    let make = "document.querySelector('#origin [type=submit]').click()";
    browser.value(&format!("document.getElementById('data-x').value = 2; {make}"));
    browser.wait("document.getElementById('message').textContent.includes('data:')");
    browser.complaints.clear();
    browser.value("document.body.dataset.state = 'resetting'; document.getElementById('as-given').click()");
    browser.wait(SETTLED);
    assert_eq!(browser.value("location.hash.includes('data=')"), false);
    compare(&ends(&mut browser), &by_run([0.2, 2.0], 40));

    // Another objective, from the same start.
    choose(&mut browser, "objective", "kl");
    let hash = browser.value("location.hash");
    assert!(hash.as_str().unwrap().contains("objective=kl") && hash.as_str().unwrap().contains("at=0.2%2C2"), "{hash}");
    assert_ne!(ends(&mut browser), found);

    // Other experiments: with data of a model and with data from a file.
    choose(&mut browser, "experiment", "mixture-mu1");
    assert_eq!(browser.value("document.getElementById('objective').value"), "l2");
    let met = ends(&mut browser);
    assert_eq!(met.iter().map(|end| end.0.as_str()).collect::<Vec<_>>(), ["none", "l2", "wasserstein"]);
    assert!(met.iter().all(|end| end.1 == "converged" && (end.4[0] - 1.0).abs() < 1e-4), "{met:?}");
    assert_eq!(browser.value("document.getElementById('origin').hidden"), false);
    // Its descents take a while; nothing here needs their ends.
    pick(&mut browser, "experiment", "faithful");
    browser
        .wait("document.getElementById('name').textContent === 'faithful' && document.body.dataset.menus === 'filled'");
    assert_eq!(browser.value("document.getElementById('origin').hidden"), true);
    assert_eq!(browser.value("document.getElementById('origin-hint').textContent"), "");
    accessible(&mut browser, "faithful");
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);

    // A link to what is not there shows what was opened.
    browser.open(&format!("{}#experiment=nothing&at=1,1", server.url), SETTLED);
    assert_eq!(browser.value("document.getElementById('experiment').value"), "mixture-weight");
    browser.wait("document.getElementById('message').textContent.includes('nothing')");
    // The browser itself logs the request that was refused.
    assert!(browser.complaints.iter().all(|c| c.contains("422")), "{:#?}", browser.complaints);
}

#[test]
#[ignore = "needs Chromium"]
fn fingers_start_and_drag() {
    let server = Server::play();
    let mut browser = Chromium::start();
    browser.resize(390, 844);
    browser.finger(true);
    browser.open(&format!("{}#at=0.2,2&methods=none,none-armijo,l2,wasserstein&iterations=40", server.url), SETTLED);
    assert_eq!(browser.value("getComputedStyle(document.getElementById('map')).touchAction"), "none");
    assert_eq!(browser.value("document.documentElement.scrollWidth <= innerWidth"), true);
    let settle = |browser: &mut Chromium| {
        browser.wait(SETTLED);
        std::thread::sleep(std::time::Duration::from_millis(500));
        browser.wait(SETTLED);
    };

    // A tap starts there.
    let tapped = place_of(&mut browser, [0.6, 5.0]);
    browser.value("document.body.dataset.state = 'tapping'");
    browser.swipe(tapped, tapped);
    settle(&mut browser);
    let at = of_address(&mut browser, "at");
    assert!((at[0] - 0.6).abs() < 0.01 && (at[1] - 5.0).abs() < 0.1, "{at:?}");
    compare(&ends(&mut browser), &by_run(at, 40));

    // A finger that takes hold of nothing reads, and starts nothing.
    let [from, to] = [[0.7, 0.0], [0.8, 1.0]].map(|at| place_of(&mut browser, at));
    browser.swipe(from, to);
    settle(&mut browser);
    assert_eq!(of_address(&mut browser, "at"), at);
    let text = browser.value("document.getElementById('reading').textContent");
    assert!(
        text.as_str().unwrap().contains("weights[0] = 0.8") || text.as_str().unwrap().contains("weights[0] = 0.79"),
        "{text}"
    );

    // A little beside the mark, as fingers are: the data are dragged, the page stays where it is.
    let [[x, y], to] = [[0.3, 1.0], [0.5, 0.0]].map(|at| place_of(&mut browser, at));
    browser.value("document.body.dataset.state = 'dragging'");
    browser.swipe([x + 12.0, y - 10.0], to);
    settle(&mut browser);
    let made = of_address(&mut browser, "data");
    assert!((made[0] - 0.5).abs() < 0.01 && made[1].abs() < 0.1, "{made:?}");
    assert_eq!(of_address(&mut browser, "at"), at);
    assert_eq!(browser.value("scrollY"), 0.0);
    compare(&ends(&mut browser), &by_run_on(made, at, 40));

    // The start is dragged.
    let [from, to] = [at, [0.8, 3.0]].map(|at| place_of(&mut browser, at));
    browser.value("document.body.dataset.state = 'dragging'");
    browser.swipe(from, to);
    settle(&mut browser);
    let dragged = of_address(&mut browser, "at");
    assert!((dragged[0] - 0.8).abs() < 0.01 && (dragged[1] - 3.0).abs() < 0.1, "{dragged:?}");
    compare(&ends(&mut browser), &by_run_on(made, dragged, 40));
    accessible(&mut browser, "play by fingers");
    browser.picture(&pictures().join("play-fingers.png"));
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

/// The checker of accessibility, fetched once.
fn axe() -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe-core");
    let file = folder.join("package/axe.min.js");
    if !file.is_file() {
        std::fs::create_dir_all(&folder).unwrap();
        let run = |program: &str, args: &[&str]| {
            let status = Command::new(program).args(args).current_dir(&folder).stdout(Stdio::null()).status();
            assert!(status.expect("npm and tar are needed").success(), "{program} {args:?}");
        };
        run("npm", &["pack", "--silent", "axe-core@4.14.1"]);
        run("tar", &["xzf", "axe-core-4.14.1.tgz"]);
    }
    std::fs::read_to_string(file).unwrap()
}

/// Nobody is kept from the page that is open.
fn accessible(browser: &mut Chromium, page: &str) {
    browser.value(&(axe() + "; 1"));
    browser.value(
        "globalThis.faults = undefined; axe.run({ resultTypes: ['violations'] }).then(r => { globalThis.faults = r.violations \
         .filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.help + ': ' + v.nodes[0].html.slice(0, 200)); }); 1",
    );
    browser.wait("globalThis.faults");
    assert_eq!(browser.value("globalThis.faults"), serde_json::json!([]), "{page}");
}

#[test]
#[ignore = "needs Chromium"]
fn a_click_on_the_landscape_descends_as_the_library_does() {
    let server = Server::play();
    let mut browser = Chromium::start();
    browser.resize(1280, 1000);
    browser.open(&server.url, "document.body.dataset.state === 'done' && document.body.dataset.map === 'drawn'");
    // Few iterations, so that every descent ends at this limit or before.
    browser.value("document.getElementById('iterations').value = 4");
    browser.value("document.getElementById('iterations').dispatchEvent(new Event('input'))");
    browser.wait("new URLSearchParams(location.hash.slice(1)).get('iterations') === '40'");
    let area: [f64; 4] = serde_json::from_value(
        browser
            .value("(r => [r.left, r.top, r.width, r.height])(document.getElementById('map').getBoundingClientRect())"),
    )
    .unwrap();
    browser.value("document.body.dataset.state = 'clicking'");
    browser.click(area[0] + 0.3 * area[2], area[1] + 0.45 * area[3]);
    browser.wait("document.body.dataset.state === 'done'");
    let at = start(&mut browser);
    assert!(at[0] > 0.15 && at[0] < 0.4 && at[1] > 1.0 && at[1] < 4.0, "{at:?}");
    let found = ends(&mut browser);
    assert_eq!(found.len(), 4);
    compare(&found, &by_run(at, 40));
    let drawn = "[...document.querySelectorAll('canvas')].every(c => { \
        const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', {willReadFrequently: true}); \
        copy.drawImage(c, 0, 0); \
        const d = copy.getImageData(0, 0, c.width, c.height).data; \
        return new Set(Array.from({length: 4000}, (_, k) => d[4 * Math.floor(k * d.length / 16000)])).size > 2; })";
    // The densities come a moment after the iterates.
    browser.wait(drawn);
    browser.picture(&pictures().join("play.png"));

    // The address reproduces the view.
    let url = browser.value("location.href");
    let mut other = Chromium::start();
    other.resize(1280, 1000);
    other.open(url.as_str().unwrap(), "document.body.dataset.state === 'done'");
    assert_eq!(ends(&mut other), found);
    assert!(other.complaints.is_empty(), "{:#?}", other.complaints);

    // What is under the pointer, and the directions there.
    let place = |x: f64, y: f64| [area[0] + x * area[2], area[1] + y * area[3]];
    let [x, y] = place(0.5, 0.4);
    let before = browser.value("document.getElementById('map').toDataURL()");
    browser.point(x, y);
    browser.wait("document.getElementById('reading').textContent.includes('f ≈')");
    let text = browser.value("document.getElementById('reading').textContent");
    assert!(text.as_str().unwrap().contains("weights[0] = 0.") && !text.as_str().unwrap().contains("NaN"), "{text}");
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_ne!(browser.value("document.getElementById('map').toDataURL()"), before);
    accessible(&mut browser, "play");
    browser.picture(&pictures().join("play-pointer.png"));

    // The start is dragged, and the last place is descended from.
    browser.value("document.body.dataset.state = 'dragging'");
    browser.drag(place(0.3, 0.45), place(0.5, 0.6));
    browser.wait("document.body.dataset.state === 'done'");
    let dragged = start(&mut browser);
    assert!(dragged[0] - at[0] > 0.1 && at[1] - dragged[1] > 0.5, "{at:?} {dragged:?}");
    // The descents of the last place, not those of one on the way.
    browser.wait("JSON.stringify(document.querySelectorAll('#table tbody tr').length) === '4'");
    std::thread::sleep(std::time::Duration::from_millis(500));
    browser.wait("document.body.dataset.state === 'done'");
    compare(&ends(&mut browser), &by_run(dragged, 40));
    let at = dragged;

    // Other looks.
    for look in ["dark", "presentation", "light"] {
        let set = format!(
            "(e => {{ e.value = '{look}'; e.dispatchEvent(new Event('change')); }})(document.getElementById('look'))"
        );
        browser.value(&set);
        browser.wait(&format!("document.documentElement.dataset.look === '{look}'"));
        accessible(&mut browser, look);
        browser.picture(&pictures().join(format!("play-{look}.png")));
    }

    // By keyboard, on a narrow screen.
    browser.resize(390, 844);
    browser.value("document.getElementById('map').focus()");
    for _ in 0..4 {
        browser.press("ArrowRight", 39);
    }
    browser.press("ArrowDown", 40);
    browser.value("document.body.dataset.state = 'pressing'");
    browser.press("Enter", 13);
    browser.wait("document.body.dataset.state === 'done'");
    let moved = start(&mut browser);
    assert!((moved[0] - at[0] - 0.098).abs() < 1e-5 && (moved[1] - at[1] + 0.225).abs() < 1e-5, "{at:?} {moved:?}");
    compare(&ends(&mut browser), &by_run(moved, 40));
    assert_eq!(browser.value("document.documentElement.scrollWidth <= innerWidth"), true);
    browser.wait(drawn);
    browser.picture(&pictures().join("play-narrow.png"));

    // Other steps, from the same start.
    for (control, value) in [("factor", "-3"), ("damping", "9")] {
        browser.value("document.body.dataset.state = 'sliding'");
        browser.value(&format!("document.getElementById('{control}').value = {value}"));
        browser.value(&format!("document.getElementById('{control}').dispatchEvent(new Event('input'))"));
        browser.wait("document.body.dataset.state === 'done'");
    }
    let hash = browser.value("location.hash");
    assert!(hash.as_str().unwrap().contains("factor=0.125&damping=0.1&"), "{hash}");
    assert_eq!(start(&mut browser), moved);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

#[test]
#[ignore = "needs Chromium"]
fn reports_open_without_a_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    wngd(dir, &["run", "mixture-mu1", "--out", "run", "--quiet"]);
    wngd(dir, &["basin", "mixture-mu1", "--out", "basin", "--quiet", "--counts", "4,4"]);
    wngd(dir, &["sketch", "mixture-mu1", "--out", "sketch", "--quiet", "--seeds", "2", "--probes", "8"]);
    wngd(dir, &["toys", "peak", "--out", "toys", "--quiet", "--count", "50"]);
    wngd(dir, &["init", "faithful"]);
    wngd(dir, &["fit", "faithful.csv", "--out", "fit", "--quiet"]);
    wngd(
        dir,
        &["profile", "fit/experiment.toml", "--parameters", "weights[0],means[0][0]", "--out", "profile", "--quiet"],
    );
    wngd(dir, &["simulate", "--system", "lorenz63", "--points", "60000", "--dt", "0.05", "--out", "t.npy"]);
    let identify = ["identify", "--system", "lorenz63", "--trajectory", "t.npy", "--start", "9,27,2.5", "--out"];
    // The estimator that leaves figures.
    let density = ["identify", "--quiet", "--estimator", "density", "--cells", "12", "--replicates", "0"];
    wngd(dir, &[&identify[..], &density].concat());
    let mut browser = Chromium::start();
    for name in ["run", "basin", "sketch", "toys", "profile", "fit", "identify"] {
        let url = format!("file://{}", dir.join(name).join("report.html").display());
        for (size, width) in [("wide", 1280), ("narrow", 390)] {
            browser.resize(width, 900);
            browser.open(&url, "document.readyState === 'complete' && document.querySelector('h1')");
            assert_eq!(browser.value("document.documentElement.scrollWidth <= innerWidth"), true, "{name}, {size}");
            browser.picture(&pictures().join(format!("report-{name}-{size}.png")));
            accessible(&mut browser, name);
        }
        assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
        assert_eq!(browser.value("document.images.length + document.querySelectorAll('figure svg').length > 0"), true);
    }
}
