//! `[parameters]`: what it does to a fit, and what it refuses, by its line.
#![allow(clippy::unwrap_used)]

use wngd_experiment::{Experiment, Source};

/// Counts of a Gaussian around 1 with variance 0.5 on bins of width 0.1.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "left,right,n\n".to_string();
    for i in -30..60 {
        let (a, b) = (f64::from(i) * 0.1, f64::from(i + 1) * 0.1);
        let centre = 0.5 * (a + b);
        let n = (400.0 * 0.1 * (-(centre - 1.0f64).powi(2)).exp() / std::f64::consts::PI.sqrt()).round();
        text.push_str(&format!("{a:.1},{b:.1},{n}\n"));
    }
    std::fs::write(folder.path().join("h.csv"), text).unwrap();
    folder
}

fn text(parameters: &str) -> String {
    format!(
        "name = \"h\"\n[model]\nkind = \"gaussian-mixture\"\nweights = [0.5, 0.5]\nmeans = [[0.4], [1.6]]\n\
         covariance = {{ isotropic = [0.4, 0.4] }}\nfree = [\"weights\", \"means\", \"covariances\"]\n\
         [data]\nhistogram = \"h.csv\"\n[parameters]\n{parameters}\n"
    )
}

fn build(folder: &tempfile::TempDir, text: String) -> Result<Experiment, String> {
    let source = Source::parse("h.toml".into(), Some(folder.path().to_path_buf()), text).map_err(|e| e.to_string())?;
    Experiment::build(&source).map_err(|e| e.to_string())
}

fn fit(experiment: &Experiment) -> Vec<f64> {
    let outcome = experiment.descent(0, 0).run(&experiment.theta0).unwrap();
    assert_eq!(outcome.status.name(), "converged", "{:?}", outcome.reason());
    outcome.last().theta.clone()
}

#[test]
fn ties_bounds_and_curves_do_what_they_say() {
    let folder = folder();
    let said = "\"covariances[1]\" = { tie = \"covariances[0]\" }\n\"means[0]\" = { upper = 0.5 }\n\
                covariances = { transform = \"log\" }\n\"weights[0]\" = { lower = 0.2, upper = 0.6 }";
    let experiment = build(&folder, text(said)).unwrap();
    assert_eq!(experiment.names(), ["weights[0]", "means[0][0]", "means[1][0]", "covariances[0]"]);
    assert_eq!(experiment.constraints, ["covariances[1] is tied to covariances[0]"]);
    let theta = fit(&experiment);
    assert!((0.2..=0.6).contains(&theta[0]) && theta[1] <= 0.5 && theta[3] > 0.0, "{theta:?}");
    let test = wngd::adjoint::taylor_test(&experiment.model, &[0.4, 0.3, 1.2, 0.5], &[0.1, 0.1, 0.1, 0.1]).unwrap();
    assert!(test.rate > 1.9, "{test:?}");
}

#[test]
fn a_prior_makes_it_the_maximum_a_posteriori_and_narrows_the_error() {
    let folder = folder();
    let one = |parameters: &str| {
        text(parameters)
            .replace("weights = [0.5, 0.5]\nmeans = [[0.4], [1.6]]", "weights = [1.0]\nmeans = [[0.4]]")
            .replace("[0.4, 0.4]", "[0.5]")
            .replace("[\"weights\", \"means\", \"covariances\"]", "[\"means\"]")
    };
    let plain = fit(&build(&folder, one("")).unwrap())[0];
    let experiment = build(&folder, one("\"means[0]\" = { prior = { normal = [0.0, 0.05] } }")).unwrap();
    let expected = (plain * 400.0 / 0.5) / (400.0 / 0.5 + 400.0);
    let found = fit(&experiment)[0];
    // Bins of a seventh of the standard deviation lose a twelfth of a 49th of the information.
    assert!((found - expected).abs() < 2e-3, "{found} {expected}");
    assert!(experiment.constraints[0].contains("MAP"), "{:?}", experiment.constraints);
    // A prior of a component's group of names, and a uniform one, which is a pair of bounds.
    let experiment = build(&folder, one("means = { prior = { uniform = [0.0, 0.9] } }")).unwrap();
    assert_eq!(fit(&experiment), [0.9]);
}

#[test]
fn what_is_wrong_is_told_with_line_cause_and_remedy() {
    let folder = folder();
    for (said, parts) in [
        ("\"means[2]\" = { lower = 0 }", &["line 11", "parameters.means[2]", "free are weights[0]"][..]),
        ("\"weights[1]\" = { lower = 0 }", &["did you mean \"weights[0]\"", "[model] free"]),
        ("\"means[0]\" = { lower = 1, upper = 0 }", &["line 11", "parameters.means[0].lower", "1 to 0"]),
        ("\"means[0]\" = { lower = 0.5 }", &["starts at 0.4", "start inside"]),
        ("\"means[0]\" = { lower = inf }", &["finite", "leave it out"]),
        ("\"means[0]\" = { below = 1 }", &["below", "lower, upper, prior, tie, transform"]),
        ("\"means[0]\" = { tie = \"means[0]\" }", &["equal to itself"]),
        ("\"means[0]\" = { tie = \"means[1]\", lower = 0 }", &["nothing of its own", "means[1]"]),
        ("\"means[0]\" = { tie = \"covariances\" }", &["names 2 parameters", "equally many"]),
        ("\"means[0]\" = { tie = \"mean\" }", &["\"mean\" is not free"]),
        (
            "\"means[0]\" = { tie = \"means[1]\" }\n\"means[1]\" = { tie = \"weights[0]\" }",
            &["tied itself", "weights[0]"],
        ),
        ("covariances = { lower = 0.1, transform = \"log\" }", &["remove the bounds", "logit"]),
        ("covariances = { transform = \"logit\" }", &["give lower and upper"]),
        ("covariances = { transform = \"root\" }", &["transform", "root"]),
        ("covariances = { lower = 0.4, upper = 1, transform = \"logit\" }", &["start further in"]),
        ("\"means[0]\" = { prior = { normal = [0, 0] } }", &["line 11", "prior.normal", "> 0"]),
        ("\"means[0]\" = { prior = { gamma = [0, 1] } }", &["gamma", "normal"]),
        ("\"means[0]\" = { prior = { uniform = [1, 0] } }", &["prior.uniform", "1 to 0"]),
        ("\"means[0]\" = { lower = 0, prior = { uniform = [0, 1] } }", &["its own ends", "remove"]),
        ("\"means[0]\" = 3", &["no table"]),
    ] {
        let error = build(&folder, text(said)).err().unwrap_or_else(|| panic!("{said} is taken"));
        assert!(parts.iter().all(|part| error.contains(part)), "{said}: {error}");
    }
    let prior = "means = { prior = { normal = [0, 1] } }";
    let l2 = text(prior).replace("[data]", "[objective]\nkind = \"l2\"\n[data]");
    let error = build(&folder, l2).err().unwrap();
    assert!(error.contains("no likelihood") && error.contains("objective \"kl\""), "{error}");
    let truth = text(prior)
        .replace("histogram = \"h.csv\"", "truth = { weights = [1.0], means = [[0.0]] }\n[objective]\nkind = \"kl\"\n[grid]\nlower = [-6.0]\nupper = [8.0]\ncells = [60]");
    let error = build(&folder, truth).err().unwrap();
    assert!(error.contains("not counted") && error.contains("bounds instead"), "{error}");
    let free = "\n[[method]]\nmetric = \"fisher-rao\"\nsolver = \"krylov\"\n";
    let error = build(&folder, text(&format!("{prior}{free}"))).err().unwrap();
    assert!(error.contains("store the Jacobian"), "{error}");
}
