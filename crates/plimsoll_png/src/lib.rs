//! One of our SVG pictures as PNG, with letters of an embedded font, so that it looks the same on every machine.
//!
//! A crate of its own, since drawing takes long to compile.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Why a picture can't be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The SVG isn't one.
    #[error("the SVG can't be read: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// It would have no pixel, or more than memory has.
    #[error("{width} × {height} pixels can't be drawn")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The PNG can't be written.
    #[error("the PNG can't be encoded: {0}")]
    Png(String),
}

/// Draws an SVG with so many pixels a unit of its own.
///
/// # Errors
/// Where the SVG can't be read, or is empty or too large.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, PictureError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    let family = "DejaVu Sans".to_owned();
    fonts.set_sans_serif_family(&family);
    let options = Options { font_family: family, fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let pixels = |length: f32| (length * scale).ceil() as u32;
    let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
    let mut pixmap = Pixmap::new(width, height).ok_or(PictureError::Size { width, height })?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|why| PictureError::Png(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><style>.red { fill: #ff0000; } text { font-family: "Nobody Has This", "DejaVu Sans"; }</style><rect class="red" width="30" height="30"/>TEXT</svg>"#;

    fn drawn(text: &str) -> Pixmap {
        let bytes = png(&PICTURE.replace("TEXT", text), 2.0).expect("it can be drawn");
        Pixmap::decode_png(&bytes).expect("it is a PNG")
    }

    #[test]
    fn classes_colour_and_letters_are_drawn() {
        let (empty, written) = (drawn(""), drawn(r#"<text x="34" y="20">Abc</text>"#));
        assert_eq!((empty.width(), empty.height()), (120, 60));
        let red = empty.pixel(10, 10).expect("inside");
        assert_eq!((red.red(), red.green(), red.alpha()), (255, 0, 255));
        let inked = |picture: &Pixmap| picture.pixels().iter().filter(|pixel| pixel.alpha() > 0).count();
        assert!(inked(&written) > inked(&empty) + 50, "{} {}", inked(&written), inked(&empty));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(matches!(png("<svg", 1.0), Err(PictureError::Svg(_))));
    }
}
