#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wngd_experiment::fuzzing::experiment(bytes));
