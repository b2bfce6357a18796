//! Streams of a PDF, compressed.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// As `FlateDecode` wants them.
pub(super) fn deflated(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map_err(|e| e.to_string())
}
