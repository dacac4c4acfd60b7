//! As much of the distinguished encoding (X.690) as certificates and time stamps need.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A tag, a length and the parts.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let mut value = vec![tag];
    match bytes {
        [0, 0, 0, short @ 0..=0x7f] => value.push(short),
        [0, 0, 0, one] => value.extend([0x81, one]),
        [0, 0, one, two] => value.extend([0x82, one, two]),
        [one, two, three, four] => value.extend([0x84, one, two, three, four]),
    }
    parts.iter().for_each(|part| value.extend_from_slice(part));
    value
}

/// A `SEQUENCE`.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(0x30, parts)
}

/// A `UTF8String`.
pub(super) fn utf8(text: &str) -> Vec<u8> {
    value(0x0c, &[text.as_bytes()])
}

/// A small `INTEGER`.
pub(super) fn integer(number: u8) -> Vec<u8> {
    value(0x02, &[&[number]])
}

/// An `OBJECT IDENTIFIER`, given by its encoded arcs.
pub(super) fn object(arcs: &[u8]) -> Vec<u8> {
    value(0x06, &[arcs])
}

/// The text form (RFC 7468).
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    format!("{text}-----END {label}-----\n")
}
