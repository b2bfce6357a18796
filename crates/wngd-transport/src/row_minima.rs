//! Minima of the rows of a Monge cost.

/// For each row in `rows`, finds the first site minimising `cost(row, site)`.
///
/// The minimiser of a Monge cost never moves backwards as the row grows, so the middle row splits the
/// sites for the rows on either side: O((rows + sites) log rows) evaluations.
pub(crate) fn row_minima<T: PartialOrd + Copy>(
    rows: std::ops::Range<usize>,
    sites: &[usize],
    cost: &impl Fn(usize, usize) -> T,
    found: &mut impl FnMut(usize, usize, T),
) {
    let Some((&first, others)) = sites.split_first() else {
        return;
    };
    if rows.is_empty() {
        return;
    }
    let row = rows.start + rows.len() / 2;
    let (mut position, mut least) = (0, cost(row, first));
    for (index, &site) in others.iter().enumerate() {
        let value = cost(row, site);
        if value < least {
            (position, least) = (index + 1, value);
        }
    }
    found(row, sites[position], least);
    row_minima(rows.start..row, &sites[..=position], cost, found);
    row_minima(row + 1..rows.end, &sites[position..], cost, found);
}
