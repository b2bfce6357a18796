//! docs/performance.md, from one session.

use std::error::Error;

use wngd_figures::Figure;

use super::growth;
use super::session::Session;
use crate::place::root;

/// Around what is written into the page.
const BEGIN: &str = "<!-- bench: cargo xtask bench --peer PYTHON --page -->";
const END: &str = "<!-- end of bench -->";

/// Puts tables and figure into the page.
pub(super) fn write(session: &Session) -> Result<(), Box<dyn Error>> {
    let page = root().join("docs/performance.md");
    let text = std::fs::read_to_string(&page)?;
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        return Err(format!("{}: the marks of the bench are missing", page.display()).into());
    };
    let text = format!("{}\n{}\n{}", &text[..begin + BEGIN.len()], tables(session), &text[end..]);
    let folder = root().join("target/bench");
    growth::figure(session).save(&folder)?;
    std::fs::copy(folder.join("growth.png"), root().join("docs/images/growth.png"))?;
    std::fs::write(&page, text)?;
    Ok(())
}

fn tables(session: &Session) -> String {
    let mut out = format!("\n{}.\n", session.machine);
    let best = |name: &str| session.rows.get(name).map(super::session::Row::best);
    let mut rows = String::new();
    for (name, row) in
        session.rows.iter().filter(|(name, _)| !name.starts_with("growth/") && !name.starts_with("limit/"))
    {
        let peer = row.peer.map_or(String::new(), |s| format!("{s:.3}"));
        let ratio = row.peer.map_or(String::new(), |s| format!("{:.1}", s / row.best()));
        let limit = limit(name, best("limit/gram"), best("limit/copy"));
        let over = limit.map_or(String::new(), |l| format!("{:.2}", row.best() / l));
        let limit = limit.map_or(String::new(), |l| format!("{l:.3}"));
        let memory = if row.peak_mb > 0.0 { format!("{:.0}", row.peak_mb) } else { String::new() };
        rows += &format!("| {name} | {:.4} | {memory} | {peer} | {ratio} | {limit} | {over} |\n", row.best());
    }
    if !rows.is_empty() {
        out += "\n| row | seconds | MB | peer | ratio | limit | over the limit |\n|---|---|---|---|---|---|---|\n";
        out += &rows;
    }
    if let (Some(gram), Some(copy)) = (best("limit/gram"), best("limit/copy")) {
        out += &format!(
            "\nThe limit: XᵀX of 65 536 × 1000 takes {gram:.3} s here, a copy of X {copy:.3} s. A direction by the information matrix \
             cannot take less than one product and two copies.\n"
        );
    }
    let rows = growth::exponents(session);
    if !rows.is_empty() {
        out += "\n| what | against | sizes | seconds | MB at the largest | exponent | of the last two |\n|---|---|---|---|---|---|---|\n";
        out += &rows.join("\n");
        out.push('\n');
    }
    out
}

/// Product and two copies for directions on the cells of the limit, by their number of parameters.
fn limit(name: &str, gram: Option<f64>, copy: Option<f64>) -> Option<f64> {
    let p: f64 = name.strip_prefix("w2/256/")?.strip_suffix("/information")?.parse().ok()?;
    Some(gram? * (p / 1000.0).powi(2) + 2.0 * copy? * p / 1000.0)
}
