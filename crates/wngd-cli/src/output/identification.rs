//! What only an identification has in `result.json`.

use serde::Serialize;
use wngd::identify;

use super::files::ResultFile;

/// `result.json`: that of `wngd run` and what only identification knows.
#[derive(Serialize)]
pub struct IdentifyFile<'a> {
    #[serde(flatten)]
    result: &'a ResultFile,
    identification: Identification<'a>,
}

/// What was found, but for the fit, which has files of its own.
#[derive(Serialize)]
struct Identification<'a> {
    raw: &'a [f64],
    raw_standard_errors: Option<&'a [f64]>,
    corrections: Vec<Correction<'a>>,
    theta: &'a [f64],
    standard_errors: Option<&'a [f64]>,
    identifiability: Identifiability<'a>,
    dt: f64,
    time_scale: f64,
    noise: &'a [f64],
    points: [usize; 2],
    notes: &'a [String],
    stalled: Option<&'static str>,
}

#[derive(Serialize)]
struct Correction<'a> {
    theta: &'a [f64],
    shifts: &'a [Vec<f64>],
    corrected: &'a [f64],
    accepted: bool,
}

#[derive(Serialize)]
struct Identifiability<'a> {
    scale: &'a [f64],
    eigenvalues: &'a [f64],
    eigenvectors: &'a [Vec<f64>],
    relative_errors: Option<&'a [f64]>,
}

impl<'a> IdentifyFile<'a> {
    /// The file of a result.
    pub fn of(result: &'a ResultFile, found: &'a identify::Identification) -> Self {
        let identify::Identifiability { scale, eigenvalues, eigenvectors, relative_errors } = &found.identifiability;
        let correction = |identify::Correction { theta, shifts, corrected, accepted }: &'a identify::Correction| {
            Correction { theta, shifts, corrected, accepted: *accepted }
        };
        let identification = Identification {
            raw: &found.raw,
            raw_standard_errors: found.raw_standard_errors.as_deref(),
            corrections: found.corrections.iter().map(correction).collect(),
            theta: &found.theta,
            standard_errors: found.standard_errors.as_deref(),
            identifiability: Identifiability {
                scale,
                eigenvalues,
                eigenvectors,
                relative_errors: relative_errors.as_deref(),
            },
            dt: found.dt,
            time_scale: found.time_scale,
            noise: &found.noise,
            points: found.points,
            notes: &found.notes,
            stalled: found.stalled,
        };
        Self { result, identification }
    }
}
