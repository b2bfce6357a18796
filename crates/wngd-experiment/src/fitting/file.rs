//! The experiment file that repeats a fit.

use std::path::{Component, Path, PathBuf};

use wngd::fit::{Family, Fit, Mixture};

use super::read::Table;
use super::request::{Request, name_of};

/// Most cells per axis, by dimension.
const MOST: [usize; 3] = [2000, 240, 64];
/// Deviations of a component that the box holds.
const REACH: f64 = 6.0;

/// The text of an experiment file in the folder `beside`: grid from the data, start of the fit, everything free.
///
/// # Errors
/// Why there is none, in words.
pub fn experiment_text(request: &Request, table: &Table, found: &Fit, beside: &Path) -> Result<String, String> {
    let Table::Samples { values, weights, columns, named, .. } = table else {
        return Err("no experiment file: it takes histograms as densities only".into());
    };
    let dim = columns.len();
    if dim > 3 {
        return Err(format!("no experiment file: {dim} columns, and grids have at most 3 axes"));
    }
    if weights.is_some() {
        return Err("no experiment file: it has no weights of samples".into());
    }
    let (lower, upper, cells) = grid(values, dim, &found.mixture);
    let start = &found.start;
    let list = |v: &[f64]| format!("[{}]", v.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", "));
    let lists = |v: &[Vec<f64>]| format!("[{}]", v.iter().map(|x| list(x)).collect::<Vec<_>>().join(", "));
    let covariances = start.covariances();
    let covariance = match found.family {
        Family::Full | Family::Tied => {
            format!("{{ full = [{}] }}", covariances.iter().map(|c| lists(c)).collect::<Vec<_>>().join(", "))
        }
        Family::Diagonal => {
            let diagonal = |c: &Vec<Vec<f64>>| (0..dim).map(|a| c[a][a]).collect::<Vec<_>>();
            format!("{{ diagonal = {} }}", lists(&covariances.iter().map(diagonal).collect::<Vec<_>>()))
        }
        Family::Isotropic => {
            format!("{{ isotropic = {} }}", list(&covariances.iter().map(|c| c[0][0]).collect::<Vec<_>>()))
        }
    };
    let tied = if found.family == Family::Tied {
        "# covariances are free one by one here, not tied as in the fit\n"
    } else {
        ""
    };
    let path = relative(&request.path, beside);
    let quoted = |text: &str| format!("{text:?}");
    let columns_line = if *named {
        format!("columns = [{}]\n", columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", "))
    } else {
        String::new()
    };
    let weights = list(start.weights());
    let means = lists(start.means());
    let free = if start.weights().len() > 1 {
        "\"weights\", \"means\", \"covariances\""
    } else {
        "\"means\", \"covariances\""
    };
    Ok(format!(
        "# The fit again on a grid, by Fisher-Rao natural gradient on the likelihood of the cells.\n\
         name = {}\n\n[grid]\nlower = {}\nupper = {}\ncells = [{}]\n\n\
         [model]\nkind = \"gaussian-mixture\"\n# the start that led to the fit\nweights = {weights}\nmeans = {means}\n\
         {tied}covariance = {covariance}\nfree = [{free}]\n\n\
         [data]\nsamples = {}\n{columns_line}\n[objective]\nkind = \"kl\"\n\n\
         [[method]]\nmetric = \"fisher-rao\"\nstep = {{ rule = \"armijo\", initial = 1.0, c1 = 1e-4 }}\n\n\
         [stop]\niterations = 300\nrelative_objective = 0.0\nrelative_step = 1e-9\n",
        quoted(&name_of(&request.path)),
        list(&lower),
        list(&upper),
        cells.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
        quoted(&path),
    ))
}

/// A grid for samples: cells as wide as Freedman and Diaconis (1981) say or half the least deviation, a multiple of the
/// step of rounding and centred on it, over the samples within six deviations of a component.
pub(super) fn grid(values: &[f64], dim: usize, mixture: &Mixture) -> (Vec<f64>, Vec<f64>, Vec<usize>) {
    let n = (values.len() / dim) as f64;
    let (mut lower, mut upper, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    for a in 0..dim {
        let mut column: Vec<f64> = values.iter().skip(a).step_by(dim).copied().collect();
        column.sort_by(f64::total_cmp);
        let at = |share: f64| column[((n - 1.0) * share).round() as usize];
        let deviation = |k: usize| mixture.covariances()[k][a][a].sqrt();
        let components = 0..mixture.weights().len();
        let reach = |sign: f64| components.clone().map(move |k| mixture.means()[k][a] + sign * REACH * deviation(k));
        let low = column[0].max(reach(-1.0).fold(f64::INFINITY, f64::min));
        let high = column[column.len() - 1].min(reach(1.0).fold(f64::NEG_INFINITY, f64::max));
        let least = components.map(deviation).fold(f64::INFINITY, f64::min);
        let spread = 2.0 * (at(0.75) - at(0.25)) / n.cbrt();
        let room = (high - low).max(least);
        let finest = 1.3 * room / MOST[dim - 1] as f64;
        let mut width = if spread > 0.0 { spread.min(0.5 * least) } else { 0.5 * least }.max(finest);
        let mut from = low - 0.1 * room;
        if let Some(step) = wngd::fit::rounding_step(&column) {
            width = step * (width / step).round().max(1.0);
            // Borders half a step away from the values.
            from = column[0] + step * (((from - column[0]) / step).floor() + 0.5);
        }
        let count = ((high + 0.1 * room - from) / width).ceil().max(4.0);
        lower.push(from);
        upper.push(from + width * count);
        cells.push(count as usize);
    }
    (lower, upper, cells)
}

/// A path as seen from a folder; as it is where the two have no root in common.
fn relative(path: &Path, folder: &Path) -> String {
    let whole = |p: &Path| std::fs::canonicalize(p).ok();
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let (Some(path_whole), Some(folder_whole)) = (whole(path), whole(folder)) else {
        return path.display().to_string();
    };
    let (p, f): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (path_whole.components().collect(), folder_whole.components().collect());
    let common = p.iter().zip(&f).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return path_whole.display().to_string();
    }
    let mut out = PathBuf::new();
    (common..f.len()).for_each(|_| out.push(".."));
    p[common..].iter().for_each(|part| out.push(part));
    out.display().to_string().replace('\\', "/")
}
