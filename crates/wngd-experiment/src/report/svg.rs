//! SVG files as elements of a page: ids made unique, nothing that runs or loads. Caption and text alternative are the
//! title and the description that the files hold.

use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer, XmlVersion};

use super::page::{Drawing, Figure};
use crate::error::ExperimentError;
use crate::files;

/// A drawing larger than this is shown as a bitmap.
const MAX_INLINE: u64 = 1_000_000;
/// Of such a drawing only the beginning is read, where its words stand.
const HEAD: u64 = 64 << 10;
/// A larger bitmap is none of ours.
const MAX_BITMAP: u64 = 32 << 20;

/// Elements that only draw.
const DRAWS: [&str; 18] = [
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "defs",
    "clipPath",
    "linearGradient",
    "radialGradient",
    "stop",
    "use",
    "image",
];

/// The figure `<stem>.svg` of a folder, or its bitmap where it is too large; `None` if there is none.
pub fn load(folder: &Path, stem: &str, prefix: &str) -> Result<Option<Figure>, ExperimentError> {
    let at = |suffix: &str| folder.join(format!("{stem}.{suffix}"));
    let (svg, png) = (at("svg"), at("png"));
    if !svg.is_file() {
        return Ok(None);
    }
    let unreadable =
        |problem: String| ExperimentError::Data { path: svg.clone(), problem: format!("no SVG file: {problem}") };
    let (bytes, whole) = beginning(&svg).map_err(|source| ExperimentError::Read { path: svg.clone(), source })?;
    let text = match whole {
        true => String::from_utf8(bytes).map_err(|_| unreadable("it is no text in UTF-8".into()))?,
        false => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let words = |element| words(&text, element).map_err(unreadable);
    // Files of older versions hold neither.
    let caption = words("title")?.unwrap_or_else(|| format!("{stem}."));
    let alt = words("desc")?.unwrap_or_else(|| format!("The figure {stem}, without a description."));
    let drawing = if whole {
        Drawing::Inline(inline(&text, prefix, &alt).map_err(unreadable)?)
    } else {
        let bytes = files::read_bytes(&png, MAX_BITMAP)?;
        Drawing::Bitmap(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
    };
    Ok(Some(Figure { caption, alt, drawing }))
}

/// A drawing, or the beginning of one that is too large to be shown; whether it is all of it.
fn beginning(svg: &Path) -> std::io::Result<(Vec<u8>, bool)> {
    let file = std::fs::File::open(svg)?;
    let whole = file.metadata()?.len() <= MAX_INLINE;
    let mut bytes = Vec::new();
    file.take(if whole { MAX_INLINE } else { HEAD }).read_to_end(&mut bytes)?;
    Ok((bytes, whole))
}

/// The text of a child `element` of the drawing itself; `None` if there is none before anything is drawn.
fn words(text: &str, element: &str) -> Result<Option<String>, String> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut inside) = (0usize, false);
    let mut found = String::new();
    loop {
        match reader.read_event().map_err(|e| e.to_string())? {
            Event::Eof => return Ok(None),
            Event::Start(start) => {
                depth += 1;
                let name = start.name();
                inside = depth == 2 && name.as_ref() == element;
                if depth > 2 || (depth == 2 && !["title", "desc"].contains(&name.as_ref())) {
                    return Ok(None);
                }
            }
            Event::End(_) if inside => return Ok(Some(found)),
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(part) if inside => found.push_str(&part),
            Event::GeneralRef(name) if inside => found.push_str(resolve_xml_entity(&name).unwrap_or_default()),
            Event::Empty(_) if depth > 0 => return Ok(None),
            _ => {}
        }
    }
}

/// The text of an SVG file as an element: ids and references to them get the prefix.
fn inline(text: &str, prefix: &str, alt: &str) -> Result<String, String> {
    let mut reader = Reader::from_str(text);
    let mut writer = Writer::new(Vec::new());
    // Depth inside an element that is left out.
    let mut skipped = 0usize;
    let mut outermost = true;
    loop {
        let event = reader.read_event().map_err(|e| e.to_string())?;
        let kept = match event {
            Event::Eof => break,
            Event::Start(_) if skipped > 0 => {
                skipped += 1;
                continue;
            }
            Event::End(_) if skipped > 0 => {
                skipped -= 1;
                continue;
            }
            _ if skipped > 0 => continue,
            Event::Start(element) if !DRAWS.contains(&element.name().as_ref()) => {
                skipped = 1;
                continue;
            }
            Event::Empty(element) if !DRAWS.contains(&element.name().as_ref()) => continue,
            Event::Start(element) => Event::Start(cleaned(&element, prefix, std::mem::take(&mut outermost), alt)?),
            Event::Empty(element) => Event::Empty(cleaned(&element, prefix, std::mem::take(&mut outermost), alt)?),
            Event::End(_) | Event::Text(_) | Event::GeneralRef(_) => event,
            // Comments, declarations, document types and sections have no place in a page.
            _ => continue,
        };
        writer.write_event(kept).map_err(|e| e.to_string())?;
    }
    if outermost {
        return Err("it has no svg element".into());
    }
    String::from_utf8(writer.into_inner()).map_err(|e| e.to_string())
}

fn cleaned(element: &BytesStart<'_>, prefix: &str, outermost: bool, alt: &str) -> Result<BytesStart<'static>, String> {
    let name = element.name().as_ref().to_string();
    let mut clean = BytesStart::new(name);
    let mut size = [None, None];
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let key = attribute.key.as_ref().to_string();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| e.to_string())?.into_owned();
        let value = match key.as_str() {
            "id" => format!("{prefix}{value}"),
            "href" | "xlink:href" => match value.strip_prefix('#') {
                Some(target) => format!("#{prefix}{target}"),
                None if value.starts_with("data:image/png;") => value,
                None => continue,
            },
            // Handlers run, namespaces have no meaning in a page.
            k if k.starts_with("on") || k.starts_with("xmlns") || k == "style" => continue,
            _ if value.matches("url(").count() != value.matches("url(#").count() => continue,
            _ => value.replace("url(#", &format!("url(#{prefix}")),
        };
        if outermost {
            match key.as_str() {
                "width" => size[0] = value.parse::<f64>().ok(),
                "height" => size[1] = value.parse::<f64>().ok(),
                "viewBox" => continue,
                _ => {}
            }
        }
        clean.push_attribute((key.as_str(), value.as_str()));
    }
    if outermost {
        if let [Some(width), Some(height)] = size {
            // Without it a drawing is cut off instead of scaled.
            clean.push_attribute(("viewBox", format!("0 0 {width} {height}").as_str()));
        }
        clean.push_attribute(("role", "img"));
        clean.push_attribute(("aria-label", alt));
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_prefixed_and_nothing_that_runs_is_left() {
        let text = r##"<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="10" height="20" onload="x()">
<!-- c --><script>alert(1)</script><defs><clipPath id="a"><rect width="1"/></clipPath></defs>
<g clip-path="url(#a)"><use href="#a"/><image href="https://x.org/y.png"/><text>a &lt; b</text></g>
<foreignObject><g><b>x</b></g></foreignObject></svg>"##;
        let clean = inline(text, "f1-", "a \"figure\" <b>").unwrap();
        for gone in ["script", "alert", "onload", "http", "foreignObject", "<b>", "xmlns", "<!--", "<?xml"] {
            assert!(!clean.contains(gone), "{gone}: {clean}");
        }
        for there in [
            "viewBox=\"0 0 10 20\"",
            "id=\"f1-a\"",
            "url(#f1-a)",
            "href=\"#f1-a\"",
            "a &lt; b",
            "aria-label=\"a &quot;figure&quot; &lt;b",
        ] {
            assert!(clean.contains(there), "{there}: {clean}");
        }
        assert!(inline("not a drawing", "p", "").is_err());
    }

    #[test]
    fn caption_and_text_are_those_of_the_drawing() {
        let text = "<?xml version=\"1.0\"?><svg><title>a &lt; b &amp; c</title><desc>What is seen.</desc>\
                    <g><title>of a part</title></g></svg>";
        assert_eq!(words(text, "title").unwrap().as_deref(), Some("a < b & c"));
        assert_eq!(words(text, "desc").unwrap().as_deref(), Some("What is seen."));
        let clean = inline(text, "f1-", "What is seen.").unwrap();
        assert!(!clean.contains("title") && !clean.contains("desc"), "{clean}");
        for none in ["<svg><g><title>of a part</title></g></svg>", "<svg><rect/><desc>late</desc></svg>", ""] {
            assert_eq!(words(none, "desc").unwrap(), None);
        }
    }
}
