//! Brings whatever the fuzzer writes as a signed message of GitHub.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| forge_fuzz::check_webhook(input));
