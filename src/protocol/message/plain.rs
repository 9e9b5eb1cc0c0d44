//! How far a JSON string (RFC 8259, section 7) is what it stands for, found many bytes at a time.

/// So much is looked at in one step where all of it is plain: two of the smallest vector registers.
const BLOCK_BYTES: usize = 32;

/// How many bytes there are before the first that is a quote, a backslash or a control character.
#[expect(
    clippy::inline_always,
    reason = "most strings are short: a call takes longer than to look at a word"
)]
#[inline(always)]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    bytes.first_chunk().and_then(|word| first_special(*word)).unwrap_or_else(|| plain_len_of_long(bytes))
}

#[inline(never)]
fn plain_len_of_long(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((_, behind)) = rest.split_first_chunk().filter(|(block, _)| is_plain(block)) {
        rest = behind;
    }
    while let Some((word, behind)) = rest.split_first_chunk() {
        if let Some(place) = first_special(*word) {
            return bytes.len() - rest.len() + place;
        }
        rest = behind;
    }
    let in_rest = rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len());
    bytes.len() - rest.len() + in_rest
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// Whether no byte of it is special: of each the same is asked, without a branch, so that the compiler can
/// ask it of many at once.
fn is_plain(block: &[u8; BLOCK_BYTES]) -> bool {
    let is_special = |byte: &u8| u8::from((byte ^ b'"').min(byte ^ b'\\').min(byte & !0x1F) == 0);
    block.iter().map(is_special).fold(0, |any, each| any | each) == 0
}

/// Where in a word the first special byte is.
fn first_special(word: [u8; 8]) -> Option<usize> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_le_bytes(word);
    let is_control = word.wrapping_sub(EACH * 0x20);
    let is_quote = (word ^ (EACH * u64::from(b'"'))).wrapping_sub(EACH);
    let is_backslash = (word ^ (EACH * u64::from(b'\\'))).wrapping_sub(EACH);
    // The high bit of each byte that is special; above the lowest of them others may have it as well.
    let special = (is_control | is_quote | is_backslash) & !word & (EACH << 7);
    (special != 0).then(|| special.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_in_each_place_of_each_block() {
        for special in ["\"", "\\", "\n", "\u{1f}", "\0"] {
            for before in 0..3 * BLOCK_BYTES {
                let text = format!("{}{special}é {special}", "\u{7f}".repeat(before));
                assert_eq!(plain_len(text.as_bytes()), before, "{text:?}");
            }
        }
        let others = "ÿ !#[]~\u{7f}\u{80}\u{10ffff}".repeat(3);
        for end in (0..=others.len()).filter(|end| others.is_char_boundary(*end)) {
            assert_eq!(plain_len(&others.as_bytes()[..end]), end);
        }
    }
}
