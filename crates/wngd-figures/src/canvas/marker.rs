//! Shapes of markers.

use super::Point;

/// Shapes that stay distinct at 5 pixels and without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Pentagon,
    Hexagon,
    Plus,
    Cross,
    Star,
}

impl Marker {
    /// Those used for methods (the star marks the truth).
    pub const ALL: [Marker; 9] = [
        Marker::Circle,
        Marker::Square,
        Marker::Triangle,
        Marker::Diamond,
        Marker::TriangleDown,
        Marker::Pentagon,
        Marker::Hexagon,
        Marker::Plus,
        Marker::Cross,
    ];

    /// The outline around the origin, for a nominal radius of 1 (areas roughly
    /// equal). `None` for the circle.
    pub fn outline(self) -> Option<Vec<Point>> {
        let regular = |n: usize, r: f64, start: f64| -> Vec<Point> {
            (0..n)
                .map(|i| {
                    let a = start + std::f64::consts::TAU * i as f64 / n as f64;
                    (r * a.cos(), r * a.sin())
                })
                .collect()
        };
        let up = -std::f64::consts::FRAC_PI_2;
        let cross = |turn: f64| -> Vec<Point> {
            let (a, b) = (0.36, 1.2);
            [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]
                .iter()
                .map(|&(x, y): &Point| {
                    let (s, c) = turn.sin_cos();
                    (c * x - s * y, s * x + c * y)
                })
                .collect()
        };
        match self {
            Marker::Circle => None,
            Marker::Square => Some(vec![(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
            Marker::Triangle => Some(regular(3, 1.35, up)),
            Marker::TriangleDown => Some(regular(3, 1.35, -up)),
            Marker::Diamond => Some(vec![(0.0, -1.3), (1.05, 0.0), (0.0, 1.3), (-1.05, 0.0)]),
            Marker::Pentagon => Some(regular(5, 1.15, up)),
            Marker::Hexagon => Some(regular(6, 1.1, 0.0)),
            Marker::Plus => Some(cross(0.0)),
            Marker::Cross => Some(cross(std::f64::consts::FRAC_PI_4)),
            Marker::Star => {
                let outer = regular(5, 1.5, up);
                let inner = regular(5, 0.62, up + std::f64::consts::PI / 5.0);
                Some(outer.into_iter().zip(inner).flat_map(|(o, i)| [o, i]).collect())
            }
        }
    }
}
