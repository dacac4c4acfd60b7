//! Brings whatever the fuzzer writes as a sender of the kind `gitea`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| registry_fuzz::check("gitea", input));
