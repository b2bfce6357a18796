//! The lines of cells of a row-major grid.

/// Visits every grid line along `axis` as (first cell, stride, number of cells).
pub(crate) fn lines(cells: &[usize], axis: usize) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
    let length = cells[axis];
    let stride: usize = cells[axis + 1..].iter().product();
    let outer: usize = cells[..axis].iter().product();
    (0..outer).flat_map(move |block| (0..stride).map(move |offset| (block * length * stride + offset, stride, length)))
}
