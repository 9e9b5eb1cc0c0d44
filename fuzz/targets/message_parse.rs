#![no_main]

#[path = "../checks/message_parse.rs"]
mod message_parse;

libfuzzer_sys::fuzz_target!(|data: &[u8]| message_parse::check(data));
