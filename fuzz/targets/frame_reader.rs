#![no_main]

#[path = "../checks/frame_reader.rs"]
mod frame_reader;
#[path = "../checks/frames.rs"]
mod frames;

libfuzzer_sys::fuzz_target!(|data: &[u8]| frame_reader::check(data));
