//! QR codes of short texts as pictures. Must not be asked to draw what may not be shown to whoever asked.

use std::fmt::Write;

use fast_qr::QRBuilder;

/// White around the picture, in its own squares: scanners want four.
const QUIET: usize = 4;

/// Dark squares on white, whatever the page's colours are.
pub(crate) fn drawn(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).build().ok()?;
    let all = (0..code.size).flat_map(|y| (0..code.size).map(move |x| (x, y)));
    let mut squares = String::new();
    for (x, y) in all.filter(|(x, y)| code[*y][*x].value()) {
        // Writing to a string cannot fail.
        let _ = write!(squares, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
    }
    let whole = code.size + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{whole}v{whole}h-{whole}z\"/><path d=\"{squares}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_quiet_zone_and_three_eyes() {
        let picture = drawn("https://hemu.example/home").unwrap();
        let size = picture.split("viewBox=\"0 0 ").nth(1).unwrap();
        let size: usize = size.split(' ').next().unwrap().parse().unwrap();
        let end = size - QUIET - 1;
        let dark = |x: usize, y: usize| picture.contains(&format!("M{x} {y}h1v1h-1z"));
        assert!(dark(QUIET, QUIET) && dark(end, QUIET) && dark(QUIET, end));
        assert!(!dark(QUIET - 1, QUIET) && !dark(end + 1, QUIET));
    }
}
