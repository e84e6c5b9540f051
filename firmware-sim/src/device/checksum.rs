//! The checksum that tells what was written whole from what a power cut tore.
//! Must not: be taken for a proof of who wrote it.

/// Puts the checksum of everything after it into the first four bytes.
pub(crate) fn seal(frame: &mut [u8]) {
    let sum = crc32(frame.get(4..).unwrap_or_default());
    if let Some(place) = frame.first_chunk_mut::<4>() {
        *place = sum.to_le_bytes();
    }
}

pub(crate) fn sealed(frame: &[u8]) -> bool {
    frame
        .split_first_chunk::<4>()
        .is_some_and(|(sum, rest)| crc32(rest) == u32::from_le_bytes(*sum))
}

/// CRC-32 (IEEE 802.3, reflected), four bits at a time.
fn crc32(bytes: &[u8]) -> u32 {
    const NIBBLES: [u32; 16] = nibbles();
    let step = |crc: u32, nibble: u32| {
        let index = usize::try_from((crc ^ nibble) & 15).unwrap_or(0);
        (crc >> 4) ^ NIBBLES.get(index).copied().unwrap_or(0)
    };
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        step(step(crc, u32::from(byte)), u32::from(byte) >> 4)
    })
}

#[expect(
    clippy::indexing_slicing,
    reason = "a constant table of 16, computed by the compiler"
)]
const fn nibbles() -> [u32; 16] {
    let mut table = [0; 16];
    let mut index = 0;
    while index < 16 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 4 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xedb8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn crc_is_the_one_everybody_means() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
