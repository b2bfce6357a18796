//! Colours of values and of categories.

use crate::canvas::Rgb;

/// The colours of landscapes and of densities, from low to high, as in CSS.
pub fn palettes() -> [Vec<String>; 2] {
    let sampled = |ramp: fn(f64) -> Rgb| (0..64).map(|i| ramp(f64::from(i) / 63.0).css()).collect();
    [sampled(light), sampled(density)]
}

/// Colours of the minima in a basin map. The first three are Paul Tol's
/// high-contrast set, which stays distinct in greyscale.
pub(crate) const CATEGORIES: &[Rgb] = &[
    Rgb(0x00, 0x44, 0x88),
    Rgb(0xdd, 0xaa, 0x33),
    Rgb(0xbb, 0x55, 0x66),
    Rgb(0x66, 0xcc, 0xee),
    Rgb(0x11, 0x77, 0x33),
    Rgb(0xf0, 0xc0, 0xd0),
    Rgb(0x66, 0x33, 0x77),
    Rgb(0xb5, 0xd0, 0x7a),
];

/// Piecewise linear colour ramp.
fn ramp(stops: &[Rgb], t: f64) -> Rgb {
    let t = if t.is_finite() { t.clamp(0.0, 1.0) } else { 0.0 };
    let s = t * (stops.len() - 1) as f64;
    let i = (s.floor() as usize).min(stops.len() - 2);
    stops[i].mix(stops[i + 1], s - i as f64)
}

/// The light map under contour lines and traces: low is near white, so that
/// the crowd of iterates at the minimum stays visible.
pub(crate) fn light(t: f64) -> Rgb {
    const STOPS: &[Rgb] = &[Rgb(0xfd, 0xfd, 0xfb), Rgb(0xe3, 0xec, 0xf3), Rgb(0xbf, 0xd2, 0xe2), Rgb(0x9a, 0xb6, 0xcf)];
    ramp(STOPS, t)
}

/// Densities: white at zero, dark at the top, monotone in lightness.
pub(crate) fn density(t: f64) -> Rgb {
    const STOPS: &[Rgb] = &[
        Rgb(0xff, 0xff, 0xff),
        Rgb(0xd9, 0xee, 0xd6),
        Rgb(0x8f, 0xd0, 0xb8),
        Rgb(0x3f, 0x9f, 0xb0),
        Rgb(0x1f, 0x62, 0x94),
        Rgb(0x12, 0x28, 0x5a),
    ];
    ramp(STOPS, t)
}

/// Residuals, `t` in `-1 ..= 1`: blue below, white at zero, red above. The red
/// end is somewhat darker than the blue one, so that the sign of the extremes
/// survives greyscale.
pub(crate) fn diverging(t: f64) -> Rgb {
    const BELOW: &[Rgb] = &[Rgb(0xff, 0xff, 0xff), Rgb(0xb4, 0xd3, 0xec), Rgb(0x63, 0xa5, 0xd8), Rgb(0x2a, 0x72, 0xba)];
    const ABOVE: &[Rgb] = &[Rgb(0xff, 0xff, 0xff), Rgb(0xf6, 0xbd, 0xa4), Rgb(0xd8, 0x60, 0x4c), Rgb(0x85, 0x10, 0x26)];
    if t < 0.0 { ramp(BELOW, -t) } else { ramp(ABOVE, t) }
}
