#![no_main]

#[path = "../checks/connection.rs"]
mod connection;
#[path = "../checks/frames.rs"]
mod frames;

libfuzzer_sys::fuzz_target!(|data: &[u8]| connection::check(data));
