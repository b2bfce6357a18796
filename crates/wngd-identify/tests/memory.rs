//! Points that nobody holds: they are made as they are asked for, and the memory of this process says whether it is so. Alone in its
//! file, since the memory is that of all tests of one.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod systems;

use systems::{dynamics, entry, truth};
use wngd_identify::{Points, PointsError, Question, Rows, Stream, Verdict, answer_streamed};

const DT: f64 = 0.02;

/// Steps of the method between points.
const STEPS: usize = 4;

/// Lorenz' system by the classical method of order 4. Its error moves the parameters by less than 1e-8: a hundred times as much would be
/// seen by the misfit.
struct Lorenz {
    count: usize,
}

struct Path {
    left: usize,
    x: [f64; 3],
}

fn velocity([x, y, z]: [f64; 3]) -> [f64; 3] {
    [10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z]
}

impl Path {
    fn advance(&mut self) {
        (0..STEPS).for_each(|_| self.step(DT / STEPS as f64));
    }

    fn step(&mut self, h: f64) {
        let x = self.x;
        let moved = |by: f64, v: [f64; 3]| [x[0] + by * v[0], x[1] + by * v[1], x[2] + by * v[2]];
        let a = velocity(x);
        let b = velocity(moved(0.5 * h, a));
        let c = velocity(moved(0.5 * h, b));
        let d = velocity(moved(h, c));
        for i in 0..3 {
            self.x[i] += h / 6.0 * (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]);
        }
    }
}

impl Rows for Path {
    fn read(&mut self, room: &mut [f64]) -> Result<usize, PointsError> {
        let count = self.left.min(room.len() / 3);
        for row in room.chunks_exact_mut(3).take(count) {
            self.advance();
            row.copy_from_slice(&self.x);
        }
        self.left -= count;
        Ok(count)
    }
}

impl Points for Lorenz {
    fn dim(&self) -> usize {
        3
    }
    fn records(&self) -> usize {
        1
    }
    fn open(&self, _: usize) -> Result<Box<dyn Rows + '_>, PointsError> {
        let mut path = Path { left: self.count, x: [1.0, 1.0, 20.0] };
        (0..5000).for_each(|_| path.advance());
        Ok(Box::new(path))
    }
}

/// Most memory that this process ever had, in bytes; none where the system does not tell.
fn most() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// Identifies and tells how many bytes more than before there were at most.
fn identified(count: usize) -> Option<u64> {
    let (before, lorenz) = (most(), entry("lorenz63"));
    let clock = std::time::Instant::now();
    let stream = Stream::new(Box::new(Lorenz { count }), Some(DT), true).unwrap();
    let first = clock.elapsed().as_secs_f64();
    let found = answer_streamed(&dynamics(lorenz), &stream, &Question::default()).unwrap();
    println!("{count} points: {first:.2} s, {:.2} s in all", clock.elapsed().as_secs_f64());
    println!("{:?}, {:?}", found.estimate().theta, found.remarks);
    assert_eq!(found.verdict, Verdict::Fits, "{:?}", found.remarks);
    for (found, exact) in found.estimate().theta.iter().zip(truth(lorenz)) {
        assert!((found / exact - 1.0).abs() < 1e-4, "{found} {exact}");
    }
    Some(most()?.saturating_sub(before?))
}

#[test]
fn memory_does_not_grow_with_the_number_of_points() {
    let Some(few) = identified(300_000) else { return };
    // 72 MB of points on top of what the first call had.
    let many = identified(3_000_000).unwrap();
    println!("{} and {} MB more", few >> 20, many >> 20);
    assert!(many < 16 << 20, "{many}");
}

/// `cargo test --release -p wngd-identify --test memory -- --ignored --nocapture` identifies from 2.4 GB of points.
#[test]
#[ignore = "takes a minute"]
fn a_hundred_million_points() {
    let more = identified(100_000_000).unwrap();
    println!("{} MB", more >> 20);
    assert!(more < 100 << 20, "{more}");
}
