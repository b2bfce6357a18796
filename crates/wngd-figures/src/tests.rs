//! Every figure is written, parses as XML, and refuses inconsistent data.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("figures-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn stem(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Checks both files: tags balance, no NaN in the SVG, a PNG signature, a
/// moderate size, and nothing else in the folder.
fn check(stem: &Path) {
    let with = |s: &str| PathBuf::from(format!("{}{s}", stem.display()));
    let svg = fs::read_to_string(with(".svg")).expect("the SVG exists");
    assert!(svg.len() < 1_500_000, "{} bytes", svg.len());
    assert!(!svg.contains("NaN") && !svg.contains("inf\""), "a number is not finite");
    let mut open: Vec<&str> = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').expect("a tag ends");
        if tag.starts_with('!') {
            continue;
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or("");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty());
    for entity in svg.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|e| entity.starts_with(e)));
    }
    let png = fs::read(with(".png")).expect("the PNG exists");
    assert_eq!(png.get(1..4), Some(&b"PNG"[..]));
    let folder = stem.parent().expect("a folder");
    for entry in fs::read_dir(folder).expect("readable").flatten() {
        assert!(!entry.file_name().to_string_lossy().ends_with(".tmp"));
    }
}

fn field_of(result: Result<(), FigureError>) -> String {
    match result {
        Err(FigureError::Shape { field, .. }) => field,
        other => panic!("expected a shape error, got {other:?}"),
    }
}

fn bowl() -> Landscape {
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let y: Vec<f64> = (0..9).map(|k| f64::from(k) * 0.5).collect();
    let values = y.iter().flat_map(|b| x.iter().map(move |a| (a - 6.0).powi(2) + 3.0 * (b - 2.0).powi(2))).collect();
    Landscape {
        x_name: "a & b <c>".into(),
        y_name: "$y$\u{1}".into(),
        x,
        y,
        values,
        traces: vec![
            Trace { label: "none".into(), points: vec![[1.0, 1.0], [30.0, 2.0], [6.0, 2.0]] },
            Trace { label: "l2".into(), points: vec![[1.0, 1.0], [f64::NAN, 2.0]] },
            Trace { label: "empty".into(), points: vec![] },
        ],
        truth: Some([6.0, 2.0]),
        title: "A title".into(),
        ..Landscape::default()
    }
}

#[test]
fn landscapes() {
    let folder = Folder::new("landscape");
    let mut l = bowl();
    landscape(&l, &folder.stem("plain-0.5")).expect("drawn");
    check(&folder.stem("plain-0.5"));
    l.values[7] = f64::NAN;
    l.values[8] = f64::INFINITY;
    landscape(&l, &folder.stem("gaps")).expect("drawn");
    check(&folder.stem("gaps"));
    l.values.fill(2.0);
    l.truth = Some([f64::NAN, 0.0]);
    landscape(&l, &folder.stem("flat")).expect("drawn");
    check(&folder.stem("flat"));
    l.values.iter_mut().enumerate().for_each(|(k, v)| *v = if k % 2 == 0 { -1e308 } else { 1e308 });
    landscape(&l, &folder.stem("huge")).expect("drawn");
    check(&folder.stem("huge"));

    let stem = folder.stem("bad");
    assert_eq!(field_of(landscape(&Landscape::default(), &stem)), "x");
    let short = Landscape { values: vec![1.0; 5], ..bowl() };
    assert_eq!(field_of(landscape(&short, &stem)), "values");
    let none = Landscape { values: vec![f64::NAN; 108], ..bowl() };
    assert_eq!(field_of(landscape(&none, &stem)), "values");
    let mut reversed = bowl();
    reversed.y.reverse();
    assert_eq!(field_of(landscape(&reversed, &stem)), "y");
    assert!(!folder.stem("bad.svg").exists());
}

fn axis(cells: usize) -> Axis {
    Axis { name: "x".into(), lower: -1.0, upper: 1.0, cells }
}

fn grid(axes: Vec<Axis>) -> Densities {
    let n: usize = axes.iter().map(|a| a.cells).product();
    let data: Vec<f64> = (0..n).map(|k| (k as f64 * 0.7).sin().abs()).collect();
    let fit = data.iter().map(|v| v * 0.9 + 0.01).collect();
    Densities { axes, data, fits: vec![("wasserstein".into(), fit)], ..Densities::default() }
}

#[test]
fn densities_of_every_dimension() {
    let folder = Folder::new("densities");
    for (name, cells) in [
        ("1", vec![1]),
        ("1b", vec![5000]),
        ("2", vec![6, 5]),
        ("2b", vec![300, 2]),
        ("3", vec![5, 6, 7]),
        ("4", vec![3, 3, 3, 3]),
    ] {
        let mut d = grid(cells.into_iter().map(axis).collect());
        densities(&d, "wasserstein", &folder.stem(name)).expect("drawn");
        check(&folder.stem(name));
        d.equal_scale = true;
        d.data[0] = f64::NAN;
        d.fits[0].1 = d.data.clone();
        densities(&d, "wasserstein", &folder.stem("same")).expect("drawn");
        check(&folder.stem("same"));
    }
    // Noise on a fine grid is the worst case for the size.
    let mut noise = grid(vec![axis(128), axis(128)]);
    let mut s = 1u32;
    for v in noise.data.iter_mut().chain(&mut noise.fits[0].1) {
        s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *v = f64::from(s >> 8);
    }
    densities(&noise, "wasserstein", &folder.stem("noise")).expect("drawn");
    check(&folder.stem("noise"));

    let stem = folder.stem("bad");
    let d = grid(vec![axis(3), axis(3)]);
    assert_eq!(field_of(densities(&Densities::default(), "l2", &stem)), "axes");
    assert_eq!(field_of(densities(&d, "l2", &stem)), "fits");
    let bad = Densities { data: vec![0.0; 8], ..d.clone() };
    assert_eq!(field_of(densities(&bad, "wasserstein", &stem)), "data");
    let bad = Densities { fits: vec![("wasserstein".into(), vec![])], ..d.clone() };
    assert_eq!(field_of(densities(&bad, "wasserstein", &stem)), "fits[0]");
    let bad = Densities { axes: vec![axis(3), axis(0)], ..d };
    assert_eq!(field_of(densities(&bad, "wasserstein", &stem)), "axes[1].cells");
}

#[test]
fn convergence_histories() {
    let folder = Folder::new("convergence");
    let series = |objective: Vec<f64>, seconds: Vec<f64>| Series { label: "l2".into(), objective, seconds };
    for (name, list) in [
        ("zero", vec![series(vec![1.0, 0.1, 0.0, -1.0], vec![0.0, 1.0, 2.0, 3.0])]),
        ("all-zero", vec![series(vec![0.0, 0.0], vec![])]),
        ("nan", vec![series(vec![f64::NAN; 3], vec![f64::NAN; 3])]),
        ("point", vec![series(vec![1.0], vec![0.0])]),
        ("tiny", vec![series(vec![1e-300, 1e300], vec![0.0, 1e-9])]),
        (
            "uneven",
            vec![
                series((0..400).map(|k| (-0.1 * f64::from(k)).exp()).collect(), vec![]),
                series(vec![1.0, 1e-3], vec![0.0, 0.5]),
            ],
        ),
    ] {
        let data = Convergence { series: list, ..Convergence::default() };
        convergence(&data, &folder.stem(name)).expect("drawn");
        check(&folder.stem(name));
    }
    let stem = folder.stem("bad");
    assert_eq!(field_of(convergence(&Convergence::default(), &stem)), "series");
    let bad = |s| Convergence { series: vec![s], ..Convergence::default() };
    assert_eq!(field_of(convergence(&bad(series(vec![], vec![])), &stem)), "series[0].objective");
    let odd = bad(series(vec![1.0, 2.0], vec![0.0]));
    assert_eq!(field_of(convergence(&odd, &stem)), "series[0].seconds");
}

fn model(p: usize) -> QuadraticPanel {
    let eye: Vec<f64> = (0..p * p).map(|k| if k % (p + 1) == 0 { 2.0 } else { 0.1 }).collect();
    let t: Vec<f64> = (0..9).map(|k| f64::from(k) / 4.0 - 0.5).collect();
    QuadraticPanel {
        label: "h1".into(),
        iterates: vec![vec![1.0; p], vec![1.5; p], vec![1.6; p]],
        models: vec![
            LocalModel {
                theta: vec![1.0; p],
                value: 3.0,
                gradient: vec![-1.0; p],
                matrix: eye,
                step: vec![0.5; p],
            };
            2
        ],
        profile: vec![
            Profile {
                f: t.iter().map(|t| 3.0 - t + t * t).collect(),
                model: t.iter().map(|t| 3.0 - t + 0.8 * t * t).collect(),
                t,
            };
            2
        ],
    }
}

#[test]
fn quadratic_models_of_every_dimension() {
    let folder = Folder::new("quadratic");
    for p in [1, 2, 3, 5] {
        for n in [1, 4, 7] {
            let data = QuadraticModels { panels: vec![model(p); n], ..QuadraticModels::default() };
            let stem = folder.stem(&format!("p{p}-n{n}"));
            quadratic_models(&data, &stem).expect("drawn");
            check(&stem);
        }
    }
    let mut flat = model(2);
    flat.models[0].matrix = vec![1.0, 1.0, 1.0, 1.0];
    flat.models[1].gradient = vec![f64::NAN, 0.0];
    flat.iterates[1] = vec![400.0, -300.0];
    let data = QuadraticModels { panels: vec![model(2), flat], landscape: Some(bowl()), ..QuadraticModels::default() };
    quadratic_models(&data, &folder.stem("singular")).expect("drawn");
    check(&folder.stem("singular"));

    let stem = folder.stem("bad");
    assert_eq!(field_of(quadratic_models(&QuadraticModels::default(), &stem)), "panels");
    let one = |panel| QuadraticModels { panels: vec![panel], ..QuadraticModels::default() };
    let mut bad = model(3);
    bad.models[1].matrix.pop();
    assert_eq!(field_of(quadratic_models(&one(bad), &stem)), "panels[0].models[1].matrix");
    let mut bad = model(3);
    bad.profile.clear();
    assert_eq!(field_of(quadratic_models(&one(bad), &stem)), "panels[0].profile");
    let empty = QuadraticPanel::default();
    assert_eq!(field_of(quadratic_models(&one(empty), &stem)), "panels[0].iterates");
    let mut odd = QuadraticModels { landscape: Some(bowl()), ..one(model(2)) };
    odd.landscape.as_mut().expect("set").values.pop();
    assert_eq!(field_of(quadratic_models(&odd, &stem)), "landscape.values");
}

#[test]
fn basins() {
    let folder = Folder::new("basins");
    let starts: Vec<[f64; 2]> = (0..30).map(|k| [f64::from(k % 6), f64::from(k / 6) * 0.1]).collect();
    let ends: Vec<Option<usize>> = (0..30).map(|k| (k % 4 != 3).then_some(k % 3)).collect();
    let panel = BasinPanel { label: "fisher-rao".into(), ends, fraction_best: 1.0 / 3.0 };
    let mut b = BasinMap {
        x_name: "a".into(),
        y_name: "b".into(),
        starts,
        panels: vec![panel; 5],
        minima: vec![[1.0, 0.1], [4.0, 0.3], [99.0, 0.0]],
        title: "Basins".into(),
    };
    basin_map(&b, &folder.stem("lattice")).expect("drawn");
    check(&folder.stem("lattice"));
    b.starts.iter_mut().enumerate().for_each(|(k, s)| s[0] += 0.01 * (k as f64).sin());
    b.panels[0].fraction_best = f64::NAN;
    basin_map(&b, &folder.stem("scattered")).expect("drawn");
    check(&folder.stem("scattered"));
    let single = BasinMap {
        starts: vec![[0.0, 0.0]],
        panels: vec![BasinPanel { ends: vec![None], ..BasinPanel::default() }],
        ..BasinMap::default()
    };
    basin_map(&single, &folder.stem("single")).expect("drawn");
    check(&folder.stem("single"));

    let stem = folder.stem("bad");
    assert_eq!(field_of(basin_map(&BasinMap::default(), &stem)), "starts");
    let bad = BasinMap { minima: vec![], ..b.clone() };
    assert_eq!(field_of(basin_map(&bad, &stem)), "panels[0].ends");
    let bad = BasinMap { starts: vec![[0.0, f64::NAN]], ..b };
    assert_eq!(field_of(basin_map(&bad, &stem)), "starts[0]");
}

#[test]
fn an_unwritable_path_is_named() {
    let folder = Folder::new("unwritable");
    fs::create_dir_all(&folder.0).expect("made");
    let file = folder.stem("file");
    fs::write(&file, "x").expect("written");
    let error = landscape(&bowl(), &file.join("below")).expect_err("a file is no folder");
    assert!(matches!(error, FigureError::Io { .. }));
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

#[test]
fn identification() {
    let folder = Folder::new("identification");
    let names: Vec<String> = ["sigma & <r>", "beta"].map(String::from).to_vec();
    let mut trace = ParameterTrace {
        names: names.clone(),
        fit: vec![vec![8.0, 2.0], vec![9.0, 2.5]],
        corrections: vec![vec![10.0, 2.7]],
        errors: Some(vec![0.1, 0.0]),
        title: "A title".into(),
    };
    parameter_trace(&trace, &folder.stem("trace")).expect("drawn");
    check(&folder.stem("trace"));
    trace.corrections[0].pop();
    assert_eq!(field_of(parameter_trace(&trace, &folder.stem("bad"))), "fit");
    let mut spectrum = Spectrum {
        names,
        values: vec![-1e-20, 3.0],
        vectors: vec![vec![0.6, -0.8], vec![0.8, 0.6]],
        title: String::new(),
    };
    identifiability(&spectrum, &folder.stem("spectrum")).expect("drawn");
    check(&folder.stem("spectrum"));
    spectrum.vectors.pop();
    assert_eq!(field_of(identifiability(&spectrum, &folder.stem("bad"))), "vectors");
    let stretch = |joined| Stretch { times: vec![0.0, 1.0], points: vec![[0.0, 1.0], [2.0, f64::NAN]], joined };
    let names = ["x".into(), "z".into()];
    let both = Trajectories { names, data: stretch(false), fit: stretch(true), until: 1.0, title: String::new() };
    trajectories(&both, &folder.stem("paths")).expect("drawn");
    check(&folder.stem("paths"));
    assert_eq!(field_of(trajectories(&Trajectories::default(), &folder.stem("bad"))), "data");
}
