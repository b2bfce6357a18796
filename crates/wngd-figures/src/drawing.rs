//! A drawn figure, and its files, written whole or not at all.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::render::render::Scene;

use crate::about::About;
use crate::canvas::forbidden;
use crate::error::FigureError;
use crate::pdf::{self, Paper};

/// Pixels of the PNG per nominal pixel.
const SCALE: u32 = 2;
/// kuva smooths edges along scan lines only, so that nearly horizontal lines
/// come out as stairs; the scene is drawn larger by this factor and averaged.
const OVERSAMPLE: u32 = 2;

/// A drawn figure.
pub struct Drawing {
    scene: Scene,
    /// Laid out for one text column, where its panels fit there.
    column: Option<Scene>,
}

impl Drawing {
    pub(crate) fn new(scene: Scene) -> Self {
        Self { scene, column: None }
    }

    /// With the same figure laid out for one text column.
    pub(crate) fn with_column(self, column: Self) -> Self {
        Self { column: Some(column.scene), ..self }
    }

    /// As the text of an SVG file, with caption and text alternative as its title and description.
    pub fn svg(&self, about: &About) -> String {
        let text = SvgBackend::new().render_scene(&self.scene);
        let end = text.find('>').map_or(0, |at| at + 1);
        let (tag, rest) = text.split_at(end);
        format!("{tag}<title>{}</title><desc>{}</desc>{rest}", escaped(&about.caption), escaped(&about.alt))
    }

    /// As a PDF file of the width of print: 3.4 inches where one text column holds it, 7 inches else. Its smallest letters
    /// are 7 and 9 points high.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn pdf(&self, about: &About) -> Result<Vec<u8>, String> {
        match &self.column {
            Some(column) => pdf::page(column, about, Paper::Column),
            None => pdf::page(&self.scene, about, Paper::Page),
        }
    }

    /// Writes `<stem>.svg`, `<stem>.png` and `<stem>.pdf` into a folder, which is made if need be.
    ///
    /// # Errors
    /// [`FigureError::Render`] if there is no bitmap or PDF of it, [`FigureError::Io`] if a file cannot be written.
    pub fn save(&self, folder: &Path, about: &About) -> Result<(), FigureError> {
        let stem = folder.join(&about.stem);
        let [svg, png, pdf] = [".svg", ".png", ".pdf"].map(|suffix| with_suffix(&stem, suffix));
        // All are made before any is written.
        let text = self.svg(about);
        let bitmap = bitmap(&self.scene).map_err(|problem| FigureError::Render { path: png.clone(), problem })?;
        let paper = self.pdf(about).map_err(|problem| FigureError::Render { path: pdf.clone(), problem })?;
        if let Some(folder) = stem.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|source| FigureError::Io { path: folder.to_owned(), source })?;
        }
        write_whole(&svg, text.as_bytes())?;
        write_whole(&png, &bitmap)?;
        write_whole(&pdf, &paper)
    }
}

/// A text as the content of an element.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if forbidden(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Appends to the name; `Path::with_extension` would eat the end of a stem
/// such as `step-0.5`.
fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut s = OsString::from(stem);
    s.push(suffix);
    PathBuf::from(s)
}

/// Writes to a temporary name in the same folder and renames.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FigureError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = with_suffix(path, &format!(".{}-{n}.tmp", std::process::id()));
    let attempt = || -> std::io::Result<()> {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)
    };
    attempt().map_err(|source| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        FigureError::Io { path: path.to_owned(), source }
    })
}

/// The scene as a PNG at [`SCALE`] times its nominal size.
fn bitmap(scene: &Scene) -> Result<Vec<u8>, String> {
    let large = RasterBackend::new().with_scale((SCALE * OVERSAMPLE) as f32).render_scene(scene)?;
    let mut decoder = png::Decoder::new(std::io::Cursor::new(large));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let size = reader.output_buffer_size().ok_or("the bitmap is too large")?;
    let mut pixels = vec![0u8; size];
    let info = reader.next_frame(&mut pixels).map_err(|e| e.to_string())?;
    let channels = info.color_type.samples();
    if channels < 3 || info.bit_depth != png::BitDepth::Eight {
        return Err("unexpected pixel format".into());
    }
    let k = OVERSAMPLE as usize;
    let (width, height) = (info.width as usize / k, info.height as usize / k);
    if width == 0 || height == 0 {
        return Err("the figure has no area".into());
    }
    let mut small = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0u32; 3];
            for dy in 0..k {
                let start = (y * k + dy) * info.line_size + x * k * channels;
                for pixel in pixels[start..start + k * channels].chunks_exact(channels) {
                    for (s, c) in sum.iter_mut().zip(pixel) {
                        *s += u32::from(*c);
                    }
                }
            }
            let n = (k * k) as u32;
            small.extend(sum.map(|s| ((s + n / 2) / n) as u8));
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    // 96 nominal pixels per inch, so that both files print at one size.
    let per_metre = (f64::from(SCALE) * 96.0 / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    writer.write_image_data(&small).map_err(|e| e.to_string())?;
    writer.finish().map_err(|e| e.to_string())?;
    Ok(out)
}
