#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wngd_cli::fuzzing::checkpoint(bytes));
