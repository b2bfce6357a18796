//! Colours.

use kuva::render::color::Color;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// The colour a fraction `t` of the way to `other`.
    pub fn mix(self, other: Rgb, t: f64) -> Rgb {
        let f = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * t).round() as u8;
        Rgb(f(self.0, other.0), f(self.1, other.1), f(self.2, other.2))
    }

    /// Perceived lightness in `0 ..= 1` (a rough luma, enough to choose a
    /// contrasting ink).
    pub fn luminance(self) -> f64 {
        (0.299 * f64::from(self.0) + 0.587 * f64::from(self.1) + 0.114 * f64::from(self.2)) / 255.0
    }

    /// As in a style sheet.
    pub fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    pub fn kuva(self) -> Color {
        Color::Rgb(self.0, self.1, self.2)
    }
}

pub(crate) const BLACK: Rgb = Rgb(0x1a, 0x1a, 0x1a);
pub(crate) const WHITE: Rgb = Rgb(0xff, 0xff, 0xff);
pub(crate) const GREY: Rgb = Rgb(0x80, 0x80, 0x80);
pub(crate) const PALE: Rgb = Rgb(0xe4, 0xe4, 0xe4);
/// Where the model has no value.
pub(crate) const OUTSIDE: Rgb = Rgb(0xec, 0xec, 0xec);
pub(crate) const HATCH: Rgb = Rgb(0xa8, 0xa8, 0xa8);
/// Contour lines on the light map.
pub(crate) const CONTOUR: Rgb = Rgb(0x5d, 0x77, 0x94);
/// The truth's star.
pub(crate) const STAR: Rgb = Rgb(0xff, 0xe1, 0x4d);
