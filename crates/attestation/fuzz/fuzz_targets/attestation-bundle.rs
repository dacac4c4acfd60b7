//! Brings whatever the fuzzer writes as an attestation of an image.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| attestation_fuzz::check_bundle(input));
