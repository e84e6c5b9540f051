//! Text whose lines all end alike, so that they can be counted by their ends.

use std::io::{BufRead, BufReader, Read, Result};

/// Bytes of a text in which every line ends in one line feed, whatever it ended in; the last one too.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: BufReader<R>,
    last: u8,
    /// What came last was a carriage return: a line feed after it is of the same end.
    after_return: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn of(from: R) -> Self {
        Self {
            from: BufReader::new(from),
            last: b'\n',
            after_return: false,
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut room = out.iter_mut();
        let mut written = 0;
        while written == 0 && room.len() > 0 {
            let there = self.from.fill_buf()?;
            if there.is_empty() {
                let (Some(place), false) = (room.next(), self.last == b'\n') else {
                    return Ok(0);
                };
                (*place, self.last) = (b'\n', b'\n');
                return Ok(1);
            }
            let mut used = 0;
            for &byte in there {
                let same_end = byte == b'\n' && self.after_return;
                if !same_end {
                    let Some(place) = room.next() else { break };
                    *place = if byte == b'\r' { b'\n' } else { byte };
                    self.last = *place;
                    written += 1;
                }
                self.after_return = byte == b'\r';
                used += 1;
            }
            self.from.consume(used);
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives so many bytes at a time.
    struct Dripping<'t>(&'t [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, out: &mut [u8]) -> Result<usize> {
            let most = self.1.min(out.len()).min(self.0.len());
            let (now, later) = self.0.split_at(most);
            for (place, byte) in out.iter_mut().zip(now) {
                *place = *byte;
            }
            self.0 = later;
            Ok(most)
        }
    }

    #[test]
    fn every_line_ends_in_one_line_feed_however_it_comes() {
        for (text, expected) in [
            ("", ""),
            ("a", "a\n"),
            ("a\n", "a\n"),
            ("a\r\nb", "a\nb\n"),
            ("a\r\n\r\nb\r\n", "a\n\nb\n"),
            ("a\rb\r\r\nc\r", "a\nb\n\nc\n"),
            ("\r\n", "\n"),
        ] {
            for (drop, cup) in [(1, 1), (1, 7), (2, 1), (3, 2), (64, 64)] {
                let mut lines = Lines::of(Dripping(text.as_bytes(), drop));
                let (mut all, mut part) = (Vec::new(), vec![0; cup]);
                loop {
                    match lines.read(&mut part).unwrap() {
                        0 => break,
                        read => all.extend(part.iter().take(read)),
                    }
                }
                assert_eq!(
                    String::from_utf8(all).unwrap(),
                    expected,
                    "{text:?} by {drop} and {cup}"
                );
            }
        }
    }
}
