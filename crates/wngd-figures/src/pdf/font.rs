//! The bundled font, and the letters of it that a file uses.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kuva::backend::svg::SvgBackend;
use kuva::render::render::Scene;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};

use super::deflated::deflated;

/// The name of the subset: six letters, as the format asks, and the font's.
const NAME: Name = Name(b"WNGDFG+DejaVuSans");
const SYSTEM: SystemInfo = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The letters that a file uses.
pub(super) struct Letters {
    face: Face<'static>,
    /// From the font's numbers to the file's.
    numbers: GlyphRemapper,
    /// Per number of the file what it stands for and how wide it is, in thousandths of the size.
    used: BTreeMap<u16, (char, f32)>,
}

impl Letters {
    pub(super) fn new() -> Result<Self, String> {
        let face = Face::parse(bundled()?, 0).map_err(|e| format!("the bundled font: {e}"))?;
        Ok(Self { face, numbers: GlyphRemapper::new(), used: BTreeMap::new() })
    }

    /// A line of text as the numbers of its letters, and its length per unit of size.
    pub(super) fn line(&mut self, text: &str) -> (Vec<u8>, f64) {
        let unit = f64::from(self.face.units_per_em());
        let mut bytes = Vec::with_capacity(2 * text.len());
        let mut length = 0.0;
        for letter in text.chars() {
            // What the font lacks is drawn as its empty box, as in the bitmap.
            let glyph = self.face.glyph_index(letter).unwrap_or(GlyphId(0));
            let width = f64::from(self.face.glyph_hor_advance(glyph).unwrap_or(0)) / unit;
            let number = self.numbers.remap(glyph.0);
            self.used.entry(number).or_insert((letter, (1000.0 * width) as f32));
            bytes.extend(number.to_be_bytes());
            length += width;
        }
        (bytes, length)
    }

    /// Writes the font as an object of the file and those after it.
    pub(super) fn write(&self, pdf: &mut Pdf, at: Ref) -> Result<(), String> {
        let [letters, descriptor, file, unicode] = [1, 2, 3, 4].map(|k| Ref::new(at.get() + k));
        pdf.type0_font(at)
            .base_font(NAME)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(letters)
            .to_unicode(unicode);
        let mut cid = pdf.cid_font(letters);
        cid.subtype(CidFontType::Type2).base_font(NAME).system_info(SYSTEM).font_descriptor(descriptor);
        cid.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = cid.widths();
        for (number, (_, width)) in &self.used {
            widths.consecutive(*number, [*width]);
        }
        widths.finish();
        cid.finish();
        let thousandths = |v: i16| 1000.0 * f32::from(v) / f32::from(self.face.units_per_em());
        let (ascent, descent) = (thousandths(self.face.ascender()), thousandths(self.face.descender()));
        let frame = self.face.global_bounding_box();
        let [left, low, right, high] = [frame.x_min, frame.y_min, frame.x_max, frame.y_max].map(thousandths);
        pdf.font_descriptor(descriptor)
            .name(NAME)
            .flags(FontFlags::NON_SYMBOLIC)
            .bbox(Rect::new(left, low, right, high))
            .italic_angle(0.0)
            .ascent(ascent)
            .descent(descent)
            .cap_height(thousandths(self.face.capital_height().unwrap_or(self.face.ascender())))
            .stem_v(80.0)
            .font_file2(file);
        let subset = subsetter::subset(bundled()?, 0, &self.numbers).map_err(|e| format!("the bundled font: {e}"))?;
        let stream = deflated(&subset)?;
        let mut stream = pdf.stream(file, &stream);
        stream.filter(Filter::FlateDecode).pair(Name(b"Length1"), subset.len() as i32);
        stream.finish();
        let mut map = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
        for (number, (letter, _)) in &self.used {
            map.pair(*number, *letter);
        }
        pdf.cmap(unicode, &map.finish().into_vec());
        Ok(())
    }
}

/// DejaVu Sans. kuva bundles it and hands it out inside SVG files only; a second copy would add its 740 kB to every
/// program.
fn bundled() -> Result<&'static [u8], String> {
    static FONT: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let decoded = FONT.get_or_init(|| {
        let text = SvgBackend::new().with_embedded_font(true).render_scene(&Scene::new(1.0, 1.0));
        let (_, rest) = text.split_once("base64,")?;
        let (data, _) = rest.split_once('\'')?;
        BASE64_STANDARD.decode(data).ok()
    });
    decoded.as_deref().ok_or_else(|| "kuva does not hand out its font".into())
}
