//! The hub against a naive model, for arbitrary interleavings; `fuzz/checks/hub_ops.rs` has the model
//! and the properties, because the fuzz target of the same name runs them too.

#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;

#[path = "../fuzz/checks/frames.rs"]
mod frames;
#[path = "../fuzz/checks/hub_ops.rs"]
mod hub_ops;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_hub_does_what_the_model_does(operations in prop::collection::vec(any::<[u8; 4]>(), 1..200)) {
        hub_ops::check(&operations.concat());
    }
}
