//! Brings whatever the fuzzer writes as the report of a workflow that may report.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| forge_fuzz::check_report(input));
