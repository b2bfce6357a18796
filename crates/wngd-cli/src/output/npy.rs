//! Writing arrays in NumPy's format.

use std::io::Write;

use npyz::WriterBuilder;

/// Writes a row-major f64 array.
pub fn write(target: impl Write, shape: &[usize], values: &[f64]) -> std::io::Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(target).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()
}
