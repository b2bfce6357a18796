//! Numbers as text that reads back to the same bits.

use serde::{Deserialize, Serialize};

/// A number by its bits in hexadecimal: JSON has no NaN and no infinity.
#[derive(Debug, Clone, Copy)]
pub struct Bits(pub f64);

impl Bits {
    /// Bits of numbers.
    pub fn of(values: &[f64]) -> Vec<Bits> {
        values.iter().copied().map(Bits).collect()
    }

    /// Numbers of bits.
    pub fn numbers(values: &[Bits]) -> Vec<f64> {
        values.iter().map(|b| b.0).collect()
    }
}

impl Serialize for Bits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:016x}", self.0.to_bits()))
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(|bits| Bits(f64::from_bits(bits))).map_err(serde::de::Error::custom)
    }
}
