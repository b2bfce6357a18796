//! Experiments and data that come with the program.

const EXPERIMENTS: [(&str, &str, &str); 8] = [
    ("mixture-mu1", "first mean of a known two-component mixture", include_str!("../../experiments/mixture-mu1.toml")),
    (
        "mixture-weight",
        "weight and mean from a start where plain descent is trapped",
        include_str!("../../experiments/mixture-weight.toml"),
    ),
    ("mixture-full", "all five parameters of the mixture", include_str!("../../experiments/mixture-full.toml")),
    (
        "mixture-trapped",
        "all five, from a start that traps the standard gradient",
        include_str!("../../experiments/mixture-trapped.toml"),
    ),
    (
        "faithful",
        "Old Faithful: 272 observed eruptions, two full Gaussians",
        include_str!("../../experiments/faithful.toml"),
    ),
    ("peak", "a peak over an exponential background, with yields", include_str!("../../experiments/peak.toml")),
    (
        "lorenz",
        "Lorenz-63 from the stationary density of its noisy flow",
        include_str!("../../experiments/lorenz.toml"),
    ),
    (
        "lorenz-hats",
        "an error of Lorenz' velocity field, 192 parameters, without a stored Jacobian",
        include_str!("../../experiments/lorenz-hats.toml"),
    ),
];

const DATA: [(&str, &str); 1] = [("faithful.csv", include_str!("../../experiments/faithful.csv"))];

/// Names of the built-in experiments.
pub fn names() -> Vec<&'static str> {
    EXPERIMENTS.iter().map(|e| e.0).collect()
}

/// Name and one-line description of each built-in experiment.
pub fn descriptions() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXPERIMENTS.iter().map(|e| (e.0, e.1))
}

/// The text of a built-in experiment.
pub fn text(name: &str) -> Option<&'static str> {
    EXPERIMENTS.iter().find(|e| e.0 == name).map(|e| e.2)
}

/// The contents of a built-in data file.
pub fn data(name: &str) -> Option<&'static str> {
    DATA.iter().find(|d| d.0 == name).map(|d| d.1)
}
