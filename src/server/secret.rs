//! The shared secret: compared without telling how much of it was right, and never shown.

use std::{fmt, hint::black_box};

/// What clients must show.
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Whether this is what was shown.
    pub(super) fn is(&self, shown: &str) -> bool {
        is_same(shown, &self.0)
    }
}

/// Whether the secret is what was shown. How long that takes depends on the length of what was shown alone.
pub(super) fn is_same(shown: &str, secret: &str) -> bool {
    let compared = shown.bytes().zip(secret.bytes().cycle());
    let differing = compared.fold(0, |all, (a, b)| black_box(all | (a ^ b)));
    differing == 0 && shown.len() == secret.len()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(set)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_same_only_as_a_whole() {
        let secret = Secret::new("abc".into());
        assert!(secret.is("abc"));
        for shown in ["", "a", "ab", "abd", "xbc", "abcd", "abca", "abcabc", "ABC", "abc\0"] {
            assert!(!secret.is(shown), "{shown}");
        }
    }

    #[test]
    fn a_secret_is_not_in_what_debugging_prints() {
        assert_eq!(format!("{:?}", Secret::new("hush-hush".into())), "(set)");
    }
}
