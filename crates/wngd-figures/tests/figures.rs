//! Every figure is written, says what it shows, parses as XML, and refuses inconsistent data.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use wngd_figures::*;

/// Saves a figure under a name of its own and checks its files.
fn drawn(figure: &dyn Figure, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let about = About { stem: name.into(), ..figure.about() };
    figure.draw().expect("drawn").save(folder.path(), &about).expect("written");
    check(&folder.path().join(name), &about);
}

/// Checks the files: tags balance, the words are there, no NaN in the SVG, a PNG signature, a
/// PDF of the width of one or two text columns and of moderate size, and nothing else in the folder.
fn check(stem: &Path, about: &About) {
    let with = |s: &str| PathBuf::from(format!("{}{s}", stem.display()));
    let svg = fs::read_to_string(with(".svg")).expect("the SVG exists");
    assert!(svg.len() < 1_500_000, "{} bytes", svg.len());
    assert!(!svg.contains("NaN") && !svg.contains("inf\""), "a number is not finite");
    for words in [&about.caption, &about.alt] {
        assert!(words.len() > 10 && words.ends_with('.'), "{words}");
        assert!(
            svg.contains(&words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\u{1}', " "))
        );
    }
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
    let pdf = fs::read(with(".pdf")).expect("the PDF exists");
    assert!(pdf.starts_with(b"%PDF-1.") && pdf.len() < 800_000, "{} bytes", pdf.len());
    let text = String::from_utf8_lossy(&pdf);
    let (_, page) = text.split_once("/MediaBox [0 0 ").expect("a page");
    assert!(page.starts_with("244.8 ") || page.starts_with("504 "), "{page:.30}");
    let folder = stem.parent().expect("a folder");
    for entry in fs::read_dir(folder).expect("readable").flatten() {
        assert!(!entry.file_name().to_string_lossy().ends_with(".tmp"));
    }
}

fn field_of(figure: &dyn Figure) -> String {
    match figure.draw() {
        Err(FigureError::Shape { field, .. }) => field,
        Err(other) => panic!("expected a shape error, got {other:?}"),
        Ok(_) => panic!("expected a shape error, got a drawing"),
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
    let mut l = bowl();
    drawn(&l, "landscape/plain-0.5");
    l.values[7] = f64::NAN;
    l.values[8] = f64::INFINITY;
    drawn(&l, "landscape/gaps");
    l.values.fill(2.0);
    l.truth = Some([f64::NAN, 0.0]);
    drawn(&l, "landscape/flat");
    l.values.iter_mut().enumerate().for_each(|(k, v)| *v = if k % 2 == 0 { -1e308 } else { 1e308 });
    drawn(&l, "landscape/huge");

    assert_eq!(field_of(&Landscape::default()), "x");
    let short = Landscape { values: vec![1.0; 5], ..bowl() };
    assert_eq!(field_of(&short), "values");
    let none = Landscape { values: vec![f64::NAN; 108], ..bowl() };
    assert_eq!(field_of(&none), "values");
    let mut reversed = bowl();
    reversed.y.reverse();
    assert_eq!(field_of(&reversed), "y");
}

fn axis(cells: usize) -> Axis {
    Axis { name: "x".into(), lower: -1.0, upper: 1.0, cells }
}

fn grid(axes: Vec<Axis>) -> Densities {
    let n: usize = axes.iter().map(|a| a.cells).product();
    let data: Vec<f64> = (0..n).map(|k| (k as f64 * 0.7).sin().abs()).collect();
    let fit = data.iter().map(|v| v * 0.9 + 0.01).collect();
    Densities { axes, data, label: "wasserstein".into(), fit, ..Densities::default() }
}

#[test]
fn densities_of_every_dimension() {
    for (name, cells) in [
        ("1", vec![1]),
        ("1b", vec![5000]),
        ("2", vec![6, 5]),
        ("2b", vec![300, 2]),
        ("3", vec![5, 6, 7]),
        ("4", vec![3, 3, 3, 3]),
    ] {
        let mut d = grid(cells.into_iter().map(axis).collect());
        drawn(&d, &format!("densities/{name}"));
        d.equal_scale = true;
        d.data[0] = f64::NAN;
        d.fit = d.data.clone();
        drawn(&d, "densities/same");
    }
    // Noise on a fine grid is the worst case for the size.
    let mut noise = grid(vec![axis(128), axis(128)]);
    let mut s = 1u32;
    for v in noise.data.iter_mut().chain(&mut noise.fit) {
        s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *v = f64::from(s >> 8);
    }
    drawn(&noise, "densities/noise");

    let d = grid(vec![axis(3), axis(3)]);
    assert_eq!(field_of(&Densities::default()), "axes");
    let bad = Densities { data: vec![0.0; 8], ..d.clone() };
    assert_eq!(field_of(&bad), "data");
    let bad = Densities { fit: vec![], ..d.clone() };
    assert_eq!(field_of(&bad), "fit");
    let bad = Densities { axes: vec![axis(3), axis(0)], ..d };
    assert_eq!(field_of(&bad), "axes[1].cells");
}

#[test]
fn convergence_histories() {
    let series = |objective: Vec<f64>, work: Vec<f64>| Series { label: "l2".into(), objective, work };
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
        drawn(&data, &format!("convergence/{name}"));
    }
    assert_eq!(field_of(&Convergence::default()), "series");
    let bad = |s| Convergence { series: vec![s], ..Convergence::default() };
    assert_eq!(field_of(&bad(series(vec![], vec![]))), "series[0].objective");
    let odd = bad(series(vec![1.0, 2.0], vec![0.0]));
    assert_eq!(field_of(&odd), "series[0].work");
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
    for p in [1, 2, 3, 5] {
        for n in [1, 4, 7] {
            let data = QuadraticModels { panels: vec![model(p); n], ..QuadraticModels::default() };
            drawn(&data, &format!("quadratic/p{p}-n{n}"));
        }
    }
    let mut flat = model(2);
    flat.models[0].matrix = vec![1.0, 1.0, 1.0, 1.0];
    flat.models[1].gradient = vec![f64::NAN, 0.0];
    flat.iterates[1] = vec![400.0, -300.0];
    let data = QuadraticModels { panels: vec![model(2), flat], landscape: Some(bowl()), ..QuadraticModels::default() };
    drawn(&data, "quadratic/singular");

    assert_eq!(field_of(&QuadraticModels::default()), "panels");
    let one = |panel| QuadraticModels { panels: vec![panel], ..QuadraticModels::default() };
    let mut bad = model(3);
    bad.models[1].matrix.pop();
    assert_eq!(field_of(&one(bad)), "panels[0].models[1].matrix");
    let mut bad = model(3);
    bad.profile.clear();
    assert_eq!(field_of(&one(bad)), "panels[0].profile");
    let empty = QuadraticPanel::default();
    assert_eq!(field_of(&one(empty)), "panels[0].iterates");
    let mut odd = QuadraticModels { landscape: Some(bowl()), ..one(model(2)) };
    odd.landscape.as_mut().expect("set").values.pop();
    assert_eq!(field_of(&odd), "landscape.values");
}

#[test]
fn basins() {
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
    drawn(&b, "basins/lattice");
    b.starts.iter_mut().enumerate().for_each(|(k, s)| s[0] += 0.01 * (k as f64).sin());
    b.panels[0].fraction_best = f64::NAN;
    drawn(&b, "basins/scattered");
    let single = BasinMap {
        starts: vec![[0.0, 0.0]],
        panels: vec![BasinPanel { ends: vec![None], ..BasinPanel::default() }],
        ..BasinMap::default()
    };
    drawn(&single, "basins/single");

    assert_eq!(field_of(&BasinMap::default()), "starts");
    let bad = BasinMap { minima: vec![], ..b.clone() };
    assert_eq!(field_of(&bad), "panels[0].ends");
    let bad = BasinMap { starts: vec![[0.0, f64::NAN]], ..b };
    assert_eq!(field_of(&bad), "starts[0]");
}

#[test]
fn an_unwritable_path_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = bowl().save(&file.join("below")).expect_err("a file is no folder");
    assert!(matches!(error, FigureError::Io { .. }));
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

#[test]
fn identification() {
    let names: Vec<String> = ["sigma & <r>", "beta"].map(String::from).to_vec();
    let mut trace = ParameterTrace {
        names: names.clone(),
        fit: vec![vec![8.0, 2.0], vec![9.0, 2.5]],
        corrections: vec![vec![10.0, 2.7]],
        errors: Some(vec![0.1, 0.0]),
        title: "A title".into(),
    };
    drawn(&trace, "identification/trace");
    trace.corrections[0].pop();
    assert_eq!(field_of(&trace), "fit");
    let mut spectrum = Spectrum {
        names,
        values: vec![-1e-20, 3.0],
        vectors: vec![vec![0.6, -0.8], vec![0.8, 0.6]],
        title: String::new(),
    };
    drawn(&spectrum, "identification/spectrum");
    spectrum.vectors.pop();
    assert_eq!(field_of(&spectrum), "vectors");
    let stretch = |joined| Stretch { times: vec![0.0, 1.0], points: vec![[0.0, 1.0], [2.0, f64::NAN]], joined };
    let names = ["x".into(), "z".into()];
    let both = Trajectories { names, data: stretch(false), fit: stretch(true), until: 1.0, title: String::new() };
    drawn(&both, "identification/paths");
    // Points in no order have no panel over time.
    drawn(&Trajectories { until: 0.0, ..both }, "identification/points");
    assert_eq!(field_of(&Trajectories::default()), "data");
}

#[test]
fn estimators_and_single_densities() {
    let curve = |label: &str, k: f64| EstimatorCurve {
        label: label.into(),
        solves: vec![8.0, 16.0, 32.0],
        error: vec![[0.1 * k, 0.2 * k, 0.4 * k], [0.05, 0.1 * k, 0.2], [0.0, 0.01, 0.1]],
        decrease: vec![[-0.5, 0.1, 0.4], [0.5, 0.7, 0.8], [0.9, 1.0, 1.3]],
    };
    let curves = vec![curve("exact", 1.0), curve("krylov", 2.0), curve("nystrom", 0.3)];
    let panel = |title: &str| EstimatorPanel { title: title.into(), curves: curves.clone() };
    let data = Estimators { panels: vec![panel("l2"), panel("wasserstein")], title: "Estimators".into() };
    drawn(&data, "more/sketch");
    assert_eq!(field_of(&Estimators::default()), "panels");
    for (name, cells) in [("d1", vec![12]), ("d2", vec![6, 5]), ("d3", vec![4, 5, 6])] {
        let d = grid(cells.into_iter().map(axis).collect());
        drawn(&Density { axes: d.axes, values: d.data, title: "A density".into() }, &format!("more/{name}"));
    }
    assert_eq!(field_of(&Density::default()), "values");
}

#[test]
fn long_titles_stay_on_the_page() {
    let title = "a very long title ".repeat(20);
    drawn(&Landscape { title: title.clone(), ..bowl() }, "more/long");
    let one = QuadraticModels { panels: vec![model(2)], title: title.clone(), ..QuadraticModels::default() };
    drawn(&one, "more/long2");
    let names: Vec<String> = (0..5).map(|k| format!("theta {k}")).collect();
    let fit: Vec<Vec<f64>> = (0..7).map(|i| (0..5).map(|k| (f64::from(i * k)).sin()).collect()).collect();
    drawn(&ParameterTrace { names, fit, corrections: vec![], errors: None, title }, "more/trace5");
}

#[test]
fn profiles_contours_and_pulls_are_drawn() {
    let values: Vec<f64> = (0..25).map(|i| 1.0 + 0.1 * f64::from(i)).collect();
    let rises: Vec<f64> = values.iter().map(|v| (v - 2.1).powi(2) / 0.09 * (1.0 + 0.2 * (v - 2.1))).collect();
    let profile = LikelihoodProfile {
        name: "means[0][1]".into(),
        values,
        rises,
        estimate: 2.1,
        standard_error: Some(0.3),
        level: 1.0,
        interval: [Some(1.82), None],
        ..LikelihoodProfile::default()
    };
    assert_eq!(profile.about().stem, "profile-means-0-1");
    drawn(&profile, "profile");
    assert_eq!(field_of(&LikelihoodProfile { rises: vec![1.0], ..profile }), "rises");
    let ring = |r: f64| -> Vec<[f64; 2]> {
        (0..40).map(|i| f64::from(i) * 0.157).map(|t| [1.0 + r * t.cos(), 3.0 + 0.4 * r * (t + 0.6).sin()]).collect()
    };
    let line = |label: &str, r: f64, closed| ContourLine { label: label.into(), points: ring(r), closed };
    let contours = LikelihoodContours {
        x_name: "a".into(),
        y_name: "b".into(),
        estimate: [1.0, 3.0],
        contours: vec![line("68.3 %", 1.0, true), line("95 %", 1.6, false)],
        ellipses: vec![line("", 1.05, true), line("", 1.7, true)],
        title: "x".into(),
    };
    assert_eq!(contours.about().stem, "contour-a-b");
    drawn(&contours, "contour");
    assert_eq!(field_of(&LikelihoodContours { contours: Vec::new(), ellipses: Vec::new(), ..contours }), "contours");
    let panel = |name: &str| PullPanel {
        name: name.into(),
        pulls: (0..300)
            .map(|i| 3.0 * (f64::from(i) * 0.7).sin() * (f64::from(i) * 1.3).cos() - 6.0 * f64::from(i % 97 / 96))
            .collect(),
        words: "mean 0.01, width 1.02".into(),
    };
    drawn(&Pulls { panels: ["a", "b", "c", "d"].map(panel).to_vec(), ..Pulls::default() }, "pulls");
    assert_eq!(field_of(&Pulls::default()), "panels");
    let values = vec![(10.01, Some(0.02)), (10.0, Some(1e-9)), (9.7, None)];
    let panel = |name: &str| ForestPanel { name: name.into(), values: values.clone() };
    let forest = Forest {
        labels: ["weak-stationary", "shooting", "density"].map(String::from).to_vec(),
        answer: 1,
        panels: ["sigma", "rayleigh", "beta", "kappa"].map(panel).to_vec(),
        title: String::new(),
    };
    drawn(&forest, "estimates");
    assert_eq!(field_of(&Forest::default()), "labels");
    assert_eq!(field_of(&Forest { labels: vec!["one".into()], answer: 0, ..forest }), "panels");
}

#[test]
fn what_an_identification_leaves_is_drawn() {
    let wave = |i: usize| 1.4 * (i as f64 * 0.7).sin() + (i as f64 * 1.3).cos();
    drawn(&MomentResiduals { values: (0..40).map(wave).collect(), title: "x".into() }, "moments");
    assert_eq!(field_of(&MomentResiduals::default()), "values");
    assert_eq!(field_of(&MomentResiduals { values: vec![1.0, f64::NAN], title: String::new() }), "values");
    let panel = |name: &str| StepPanel {
        name: name.into(),
        values: (0..300).map(|i| 1e-9 * wave(i)).collect(),
        unit: "of the scatter".into(),
    };
    let steps = StepResiduals {
        times: (0..300).map(|i| 0.05 * f64::from(i)).collect(),
        panels: ["x", "y", "z"].map(panel).to_vec(),
        title: String::new(),
    };
    drawn(&steps, "steps");
    assert_eq!(field_of(&StepResiduals::default()), "panels");
    assert_eq!(field_of(&StepResiduals { times: vec![0.0], ..steps }), "panels");
    let free = NullDirections {
        names: ["sigma", "rayleigh", "beta", "c"].map(String::from).to_vec(),
        directions: vec![vec![0.5, 0.5, 0.5, 0.0], vec![0.0, 0.7, -0.7, 0.0]],
        title: String::new(),
    };
    drawn(&free, "undetermined");
    assert_eq!(field_of(&NullDirections::default()), "directions");
    assert_eq!(field_of(&NullDirections { directions: vec![vec![0.0; 4]], ..free }), "directions");
}

fn two_bumps() -> Vec<Component> {
    let bump = |k: usize, weight: f64, mean: [f64; 2]| Component {
        name: format!("component {k}"),
        weight,
        mean: mean.to_vec(),
        covariance: vec![0.2, 0.1, 0.1, 0.4],
    };
    vec![bump(0, 0.7, [0.5, -0.5]), bump(1, 0.3, [-1.0, 1.0])]
}

fn wide(name: &str, cells: usize) -> Axis {
    Axis { name: name.into(), lower: -3.0, upper: 3.0, cells }
}

#[test]
fn samples_with_components() {
    let cloud = |n: u32| {
        let place = |i: u32| [2.0 * (1.7 * f64::from(i)).sin(), 2.0 * (0.9 * f64::from(i)).cos()];
        Cloud::Points { values: (0..n).flat_map(place).collect(), weights: Vec::new() }
    };
    let fit = |cloud: Cloud| SampleFit {
        axes: vec![wide("age <years>", 40), wide("height", 30)],
        cloud,
        components: two_bumps(),
        title: String::new(),
    };
    // Few points are dots, many are hexagons, cells are a map.
    for (name, n) in [("few", 200), ("many", 60_000), ("none", 0)] {
        drawn(&fit(cloud(n)), name);
    }
    drawn(&fit(Cloud::Cells(vec![0.03; 1200])), "cells");
    let dots = fit(cloud(200)).draw().unwrap().svg(&fit(cloud(200)).about());
    assert!(dots.matches("<circle").count() >= 200 && dots.contains("age &lt;years&gt;"));
    assert!(fit(cloud(60_000)).draw().unwrap().svg(&fit(cloud(0)).about()).matches("<circle").count() < 10);
    let three = SampleFit {
        axes: vec![wide("a", 20), wide("b", 20), wide("c", 20)],
        cloud: Cloud::Points { values: vec![0.1; 300], weights: vec![1.0; 100] },
        components: vec![Component {
            weight: 1.0,
            mean: vec![0.0; 3],
            covariance: vec![1.0; 9],
            ..Component::default()
        }],
        title: "corner".into(),
    };
    drawn(&three, "three");
    assert_eq!(field_of(&SampleFit { axes: vec![wide("a", 9)], ..three.clone() }), "cloud");
    assert_eq!(field_of(&SampleFit { components: two_bumps(), ..three.clone() }), "components[0]");
    let cloud = Cloud::Points { values: vec![0.1; 300], weights: vec![1.0; 7] };
    assert_eq!(field_of(&SampleFit { cloud, ..three }), "cloud");
    assert_eq!(field_of(&fit(Cloud::Cells(vec![1.0; 3]))), "cloud");
}

#[test]
fn bins_with_a_curve() {
    let bin = |i: u32| {
        let lower = f64::from(i * i) * 0.1;
        Bin { lower, upper: lower + 0.2 * f64::from(i) + 0.1, count: f64::from(i * 3 % 17), expected: 8.0 }
    };
    let curve: Vec<[f64; 2]> = (0..200).map(|i| [f64::from(i) * 0.5, 5.0 + f64::from(i % 9)]).collect();
    let part = |name: &str| Curve { name: name.into(), points: curve.clone() };
    let figure = BinnedFit {
        name: "mass".into(),
        bins: (0..30).map(bin).collect(),
        curve: curve.clone(),
        components: vec![part("signal"), part("background")],
        title: String::new(),
    };
    drawn(&figure, "bins");
    // Gaps, empty bins, nothing expected.
    let sparse = BinnedFit {
        bins: (0..5).map(|i| Bin { lower: f64::from(2 * i), upper: f64::from(2 * i + 1), ..Bin::default() }).collect(),
        curve: vec![[0.0, f64::NAN]; 3],
        components: Vec::new(),
        ..figure.clone()
    };
    drawn(&sparse, "sparse");
    assert_eq!(field_of(&BinnedFit::default()), "bins");
    let mut crossed = figure;
    crossed.bins.swap(3, 4);
    assert_eq!(field_of(&crossed), "bins[4]");
}

#[test]
fn residuals_of_counts() {
    let figure = |axes: Vec<Axis>| {
        let size: usize = axes.iter().map(|a| a.cells).product();
        let fit = (0..size).map(|i| f64::from(u32::try_from(i % 50).unwrap()) * 1e-3).collect();
        Residuals { axes, data: vec![0.02; size], fit, number: 2000.0, title: String::new() }
    };
    let plane = figure(vec![wide("x", 50), wide("y", 40)]);
    drawn(&plane, "plane");
    drawn(&figure(vec![wide("x", 9), wide("y", 10), wide("z", 11)]), "space");
    assert_eq!(field_of(&figure(vec![wide("x", 9)])), "axes");
    assert_eq!(field_of(&Residuals { number: 0.0, ..plane.clone() }), "number");
    assert_eq!(field_of(&Residuals { fit: Vec::new(), ..plane }), "fit");
}

#[test]
fn covariances_of_parameters() {
    let figure = |p: usize| ParameterCovariance {
        names: (0..p).map(|i| format!("mean[{i}].waiting")).collect(),
        values: (0..p).map(|i| i as f64).collect(),
        words: vec!["1.00 ± 0.20".into(); p],
        covariance: (0..p).map(|i| (0..p).map(|j| if i == j { 1.0 } else { -0.4 }).collect()).collect(),
        profiles: Vec::new(),
        title: String::new(),
    };
    for p in [1, 2, 3, 5, 12, 20] {
        drawn(&figure(p), &format!("p{p}"));
    }
    assert!(figure(3).about().caption.contains("−0.40, between mean[0].waiting and mean[1].waiting"));
    assert_eq!(field_of(&ParameterCovariance::default()), "names");
    let curve = |i: usize| (0..9).map(|k| [f64::from(k) + i as f64 - 4.0, 0.5]).collect::<Vec<[f64; 2]>>();
    let profiled = ParameterCovariance { profiles: vec![curve(0), Vec::new(), curve(2)], ..figure(3) };
    assert!(profiled.about().caption.contains("likelihood profile"));
    drawn(&profiled, "profiled");
    assert_eq!(field_of(&ParameterCovariance { profiles: vec![Vec::new()], ..figure(3) }), "profiles");
    assert_eq!(field_of(&ParameterCovariance { words: vec![String::new()], ..figure(3) }), "words");
    let broken = ParameterCovariance { covariance: vec![vec![f64::NAN; 2]; 2], ..figure(2) };
    assert_eq!(field_of(&broken), "covariance");
}

#[test]
fn minima_are_marked_and_no_rim_hides_a_line() {
    let figure = Landscape { minima: vec![[0.0, 0.0], [1.0, 0.5]], value_name: "f − f_min".into(), ..bowl() };
    drawn(&figure, "minima");
    assert!(figure.about().caption.contains("above its minimum") && figure.about().caption.contains("crosses"));
    let path = |label: &str| Trace { label: label.into(), points: vec![[-0.8, -0.8], [0.8, 0.8]] };
    let traces = vec![path("none"), path("wasserstein")];
    let svg = Landscape { traces, ..bowl() }.draw().unwrap().svg(&bowl().about());
    // The wide white rims of all paths come before the first line.
    let rims: Vec<usize> = svg.match_indices("stroke-width=\"3.6\"").map(|m| m.0).collect();
    let lines: Vec<usize> = svg.match_indices("stroke-width=\"1.7\"").map(|m| m.0).collect();
    assert!(rims.len() >= 2 && !lines.is_empty(), "{rims:?} {lines:?}");
    assert!(rims.iter().max() < lines.iter().min());
}

#[test]
fn work_that_says_nothing_new_gets_no_panel() {
    let series = |work: Vec<f64>| Convergence {
        series: vec![Series { label: "l2".into(), objective: vec![1.0, 0.5, 0.1], work }],
        work_name: "solves".into(),
        ..Convergence::default()
    };
    assert!(!series(vec![1.0, 2.0, 3.0]).about().caption.contains("solves"));
    assert!(series(vec![2.0, 9.0, 20.0]).about().caption.contains("against solves"));
    drawn(&series(vec![2.0, 9.0, 20.0]), "work");
}

#[test]
fn ways_of_means() {
    let way = |x: f64| vec![[0.0, 0.0], [x, 0.5 * x], [f64::NAN, 1.0], [9.0, 9.0]];
    let paths = Paths {
        axes: vec![wide("x", 12), wide("y", 10)],
        data: vec![0.1; 120],
        methods: vec![MeanPaths { label: "l2".into(), means: vec![way(1.0), way(-1.0)] }],
        truth: vec![[1.0, 1.0]],
        equal_scale: true,
        title: "means".into(),
    };
    drawn(&paths, "paths");
    drawn(&Paths { methods: Vec::new(), truth: Vec::new(), ..paths.clone() }, "none");
    assert_eq!(field_of(&Paths { data: vec![0.1], ..paths.clone() }), "data");
    assert_eq!(field_of(&Paths { axes: vec![wide("x", 120)], ..paths }), "axes");
}

/// What poppler's tools say of a PDF file; nothing where they are not installed.
fn poppler(tool: &str, args: &[&str], pdf: &Path) -> Option<String> {
    let output = std::process::Command::new(tool).args(args).arg(pdf).arg("-").output().ok()?;
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_pdf_has_its_letters_in_the_sizes_of_print() {
    let folder = tempfile::tempdir().unwrap();
    let profile = LikelihoodProfile {
        name: "signal_sigma".into(),
        values: (0..20).map(f64::from).collect(),
        rises: (0..20).map(|k| (f64::from(k) - 9.0).powi(2)).collect(),
        estimate: 9.0,
        level: 1.0,
        title: "ρ β Ḣ⁻¹ W₂ $ 100".into(),
        ..LikelihoodProfile::default()
    };
    profile.save(folder.path()).unwrap();
    let trace = ParameterTrace {
        names: vec!["sigma".into(), "rho".into(), "beta".into()],
        fit: vec![vec![1.0, 2.0, 3.0]; 4],
        corrections: vec![],
        errors: None,
        title: "three".into(),
    };
    trace.save(folder.path()).unwrap();
    for (stem, width, words) in [
        (profile.about().stem, "244.8", ["signal_σ", "ρ β Ḣ⁻¹ W₂ $ 100", "Δ(−2 ln L)"]),
        (trace.about().stem, "504", ["σ", "ρ", "β"]),
    ] {
        let path = folder.path().join(format!("{stem}.pdf"));
        let Some(text) = poppler("pdftotext", &["-layout"], &path) else { return };
        for word in words {
            assert!(text.contains(word), "{stem}: {word} in {text}");
        }
        // One line per letter size that is used: top, left, width, height, font.
        let xml = poppler("pdftotext", &["-bbox"], &path).unwrap();
        assert!(xml.contains(&format!("width=\"{width}")), "{stem}: {xml:.600}");
    }
}
