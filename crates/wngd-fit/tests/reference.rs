//! Public data sets against scikit-learn: see `data/README.md`.
#![allow(clippy::unwrap_used)]

use wngd_fit::{Components, Options, Samples, fit};

/// Components by BIC where those of scikit-learn are the same; its likelihood there.
const SETS: [(&str, usize, usize, f64); 6] = [
    ("../../wngd-experiment/experiments/faithful", 2, 2, -1130.263960),
    ("iris", 4, 2, -214.354705),
    ("penguins", 4, 3, -5150.688084),
    ("galaxies", 1, 3, -769.615161),
    ("cancer", 3, 2, -1406.386724),
    ("pima", 3, 1, -2375.576291),
];

#[test]
fn likelihoods_are_those_of_the_best_of_twenty_starts() {
    for (name, dim, components, likelihood) in SETS {
        let path = format!("{}/tests/data/{name}.csv", env!("CARGO_MANIFEST_DIR"));
        let path = path.replace("tests/data/../../", "../");
        let text = std::fs::read_to_string(&path).unwrap();
        let rows = text.lines().skip(1);
        let values = rows.flat_map(|l| l.split(',').map(|v| v.parse().unwrap()).collect::<Vec<f64>>()).collect();
        let samples = Samples::new(dim, values).unwrap();
        let options = Options { components: Components::Range(1, 4), goodness: false, ..Options::default() };
        let found = fit(&samples, &options).unwrap();
        assert_eq!(found.mixture.weights().len(), components, "{name}");
        assert!((found.log_likelihood - likelihood).abs() < 1e-3 * samples.len() as f64, "{name}");
        assert_eq!(found.status.name(), "converged", "{name}");
    }
}
