#![no_main]

#[path = "../checks/frames.rs"]
mod frames;
#[path = "../checks/hub_ops.rs"]
mod hub_ops;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hub_ops::check(data));
