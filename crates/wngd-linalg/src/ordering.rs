//! Elimination orders that follow the geometry of a grid.

/// Boxes with at most this many cells are not dissected further.
const LEAF: usize = 32;

/// Nested dissection of a one- to three-dimensional grid of cells: halves first,
/// the separating plane last, recursively along the longest axis.
///
/// In three dimensions its fill is well below that of minimum-degree orderings;
/// in two dimensions minimum degree is as good.
///
/// # Shapes
/// The result has one entry per cell: entry i is the row-major index of the i-th pivot.
pub fn nested_dissection(cells: &[usize]) -> Vec<usize> {
    let mut shape = [1usize; 3];
    shape[3 - cells.len()..].copy_from_slice(cells);
    let mut order = Vec::with_capacity(cells.iter().product());
    dissect(&shape, [0; 3], shape, &mut order);
    order
}

/// Two halves of a grid that share no face and the plane between them, each in the order of [`nested_dissection`];
/// `None` where no axis can be cut.
pub(crate) fn bisection(cells: &[usize]) -> Option<(Vec<Vec<usize>>, Vec<usize>)> {
    let axis = (0..cells.len()).rev().max_by_key(|&a| cells[a]).filter(|&a| cells[a] >= 3)?;
    let mut shape = [1usize; 3];
    shape[3 - cells.len()..].copy_from_slice(cells);
    let (axis, mut low, mut high) = (axis + 3 - cells.len(), [0; 3], shape);
    let cut = shape[axis] / 2;
    let mut halves = [Vec::new(), Vec::new()];
    high[axis] = cut;
    dissect(&shape, low, high, &mut halves[0]);
    (low[axis], high[axis]) = (cut + 1, shape[axis]);
    dissect(&shape, low, high, &mut halves[1]);
    let mut border = Vec::new();
    (low[axis], high[axis]) = (cut, cut + 1);
    push_box(&shape, low, high, &mut border);
    Some((halves.into(), border))
}

fn dissect(shape: &[usize; 3], low: [usize; 3], high: [usize; 3], order: &mut Vec<usize>) {
    let extent = [0, 1, 2].map(|a| high[a] - low[a]);
    if extent.contains(&0) {
        return;
    }
    let axis = (0..3).rev().max_by_key(|&a| extent[a]).unwrap_or(0);
    if extent.iter().product::<usize>() <= LEAF || extent[axis] < 3 {
        push_box(shape, low, high, order);
        return;
    }
    let cut = low[axis] + extent[axis] / 2;
    let (mut before, mut after, mut plane_low, mut plane_high) = (high, low, low, high);
    before[axis] = cut;
    after[axis] = cut + 1;
    plane_low[axis] = cut;
    plane_high[axis] = cut + 1;
    dissect(shape, low, before, order);
    dissect(shape, after, high, order);
    // A separator is eliminated in plain row-major order: it becomes one dense supernode.
    push_box(shape, plane_low, plane_high, order);
}

fn push_box(shape: &[usize; 3], low: [usize; 3], high: [usize; 3], order: &mut Vec<usize>) {
    for i in low[0]..high[0] {
        for j in low[1]..high[1] {
            for k in low[2]..high[2] {
                order.push((i * shape[1] + j) * shape[2] + k);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{bisection, nested_dissection};

    #[test]
    fn every_cell_appears_once() {
        for cells in [vec![1], vec![100], vec![7, 31], vec![9, 10, 11], vec![1, 1, 50]] {
            let mut order = nested_dissection(&cells);
            order.sort_unstable();
            assert_eq!(order, (0..cells.iter().product()).collect::<Vec<_>>());
            if let Some((halves, plane)) = bisection(&cells) {
                let mut order = [&halves[0][..], &halves[1][..], &plane[..]].concat();
                order.sort_unstable();
                assert_eq!(order, (0..cells.iter().product()).collect::<Vec<_>>());
            }
        }
    }
}
