//! QR codes as SVG.

use std::fmt::{self, Write};

use qrcodegen::{QrCodeEcc, QrSegment, Version};

/// Modules of white around the code. Cameras need four (ISO/IEC 18004 §6.3.8), and a page's own margin is not white in
/// dark mode.
const MARGIN: i32 = 4;

/// CSS pixels a module: fewer are lost on screens of low density.
const PIXELS: i32 = 4;

/// A QR code of level M. It can be what it was made from: a secret, so it does not print itself.
pub struct QrCode(qrcodegen::QrCode);

impl QrCode {
    /// The code of a text; `None` if it is longer than any code.
    ///
    /// The level is not raised where a code has room for more: how large a code is and how much damage it bears shall
    /// follow from its length only.
    pub fn of(text: &str) -> Option<Self> {
        let segments = QrSegment::make_segments(text);
        let (smallest, largest) = (Version::MIN, Version::MAX);
        let code =
            qrcodegen::QrCode::encode_segments_advanced(&segments, QrCodeEcc::Medium, smallest, largest, None, false);
        code.ok().map(Self)
    }

    /// An SVG document: black on a white ground of its own, whatever the page's colours. It has no text, no style and
    /// no script, so that every content security policy lets it be shown in a page.
    pub fn to_svg(&self) -> String {
        let side = self.0.size() + 2 * MARGIN;
        let pixels = side * PIXELS;
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{pixels}" height="{pixels}" "#
        );
        svg.push_str(r#"role="img" aria-label="QR code" shape-rendering="crispEdges">"#);
        // Writing into a text can't fail.
        let _ = write!(svg, r##"<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d=""##);
        for y in 0..self.0.size() {
            for (x, length) in self.runs(y) {
                let _ = write!(svg, "M{} {}h{length}v1h-{length}z", x + MARGIN, y + MARGIN);
            }
        }
        svg.push_str(r#""/></svg>"#);
        svg
    }

    /// The runs of dark modules in a row: where each begins, and how long it is. One shape a run has no seams between
    /// its modules.
    fn runs(&self, y: i32) -> Vec<(i32, i32)> {
        let mut runs: Vec<(i32, i32)> = Vec::new();
        for x in (0..self.0.size()).filter(|x| self.0.get_module(*x, y)) {
            match runs.last_mut() {
                Some((start, length)) if *start + *length == x => *length += 1,
                _ => runs.push((x, 1)),
            }
        }
        runs
    }
}

impl fmt::Debug for QrCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("QrCode")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rqrr::PreparedImage;

    use super::*;

    const URL: &str = "https://auth.example.com/p#AAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn a_run_is_as_long_as_it_can_be() {
        let code = QrCode::of(URL).unwrap();
        // The finder patterns: seven dark modules at both ends of the first row (ISO/IEC 18004 §6.3.3).
        let first = code.runs(0);
        assert_eq!((first.first(), first.last()), (Some(&(0, 7)), Some(&(code.0.size() - 7, 7))));
        for y in 0..code.0.size() {
            assert!(code.runs(y).windows(2).all(|pair| pair[0].0 + pair[0].1 < pair[1].0), "{y}");
        }
    }

    /// The number behind a word.
    fn after(svg: &str, word: &str) -> usize {
        let digits = svg.split_once(word).unwrap().1;
        digits.split(|character: char| !character.is_ascii_digit()).next().unwrap().parse().unwrap()
    }

    /// What the document draws: side and dark modules. It is read from the text, as a renderer would.
    fn drawn(svg: &str) -> (usize, BTreeSet<(usize, usize)>) {
        let side = after(svg, r#"viewBox="0 0 "#);
        let path = svg.split_once(r##"<path fill="#000" d=""##).unwrap().1.strip_suffix(r#""/></svg>"#).unwrap();
        let mut dark = BTreeSet::new();
        for run in path.split_terminator('z') {
            let (place, shape) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let [x, y]: [usize; 2] = [x, y].map(|number| number.parse().unwrap());
            let length = after(&format!("h{shape}"), "h");
            assert_eq!(shape, format!("{length}v1h-{length}"));
            dark.extend((x..x + length).map(|x| (x, y)));
        }
        (side, dark)
    }

    /// The text that a decoder reads from a picture of the document, and the level's two bits (ISO/IEC 18004 §7.9.1).
    fn decode(svg: &str) -> (String, u16) {
        let (side, dark) = drawn(svg);
        let pixel = |x, y| if dark.contains(&(x / 4, y / 4)) { 0 } else { 255 };
        let mut picture = PreparedImage::prepare_from_greyscale(side * 4, side * 4, pixel);
        let codes = picture.detect_grids();
        assert_eq!(codes.len(), 1);
        let (meta, text) = codes[0].decode().unwrap();
        (text, meta.ecc_level)
    }

    #[test]
    fn a_decoder_reads_what_was_written() {
        const MEDIUM: u16 = 0;
        for text in [URL, "a", "A", "7", &"x".repeat(120), "é€😀", &format!("{URL}{}", "_".repeat(300))] {
            assert_eq!(decode(&QrCode::of(text).unwrap().to_svg()), (text.to_owned(), MEDIUM));
        }
    }

    #[test]
    fn a_code_stands_on_white_with_four_modules_around_it() {
        let svg = QrCode::of(&"x".repeat(120)).unwrap().to_svg();
        let (side, dark) = drawn(&svg);
        assert_eq!(side, 45 + 8);
        assert!(svg.contains(r##"<path fill="#fff" d="M0 0h53v53H0z"/>"##));
        assert!(svg.contains(r#" width="212" height="212" "#));
        let inside = 4..side - 4;
        assert!(dark.iter().all(|(x, y)| inside.contains(x) && inside.contains(y)));
        for corner in [(4, 4), (48, 4), (4, 48)] {
            assert!(dark.contains(&corner), "{corner:?}");
        }
    }

    #[test]
    fn a_code_has_nothing_that_a_policy_forbids() {
        let svg = QrCode::of("</svg><script>\"'&style=").unwrap().to_svg();
        for word in ["script", "style", "href", "on", "data:", "&", "'", "</svg><"] {
            assert!(!svg.contains(word), "{word}");
        }
    }

    #[test]
    fn a_text_that_no_code_can_hold_has_none() {
        assert!(QrCode::of(&"x".repeat(2331)).is_some());
        assert!(QrCode::of(&"x".repeat(2332)).is_none());
        assert_eq!(format!("{:?}", QrCode::of(URL)), "Some(QrCode)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_address_is_read(path in "[a-zA-Z0-9/_.#-]{1,90}") {
            let text = format!("https://a.example/{path}");
            prop_assert_eq!(decode(&QrCode::of(&text).unwrap().to_svg()).0, text);
        }
    }
}
