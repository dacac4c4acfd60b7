//! A certificate in the form of RFC 5280 that nobody has signed: enough for whoever trusts the place that it is in.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};

// The tags of X.690 that a certificate is made of.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// 1.2.840.113549.1.1.1, rsaEncryption.
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.113549.1.1.11, sha256WithRSAEncryption.
const RSA_WITH_SHA256: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
/// 2.5.4.3, commonName.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// The certificate of an RSA public key, given in the form of RFC 8017, as text (RFC 7468).
pub(super) fn pem(key: &[u8], validity: Range<DateTime<Utc>>) -> String {
    let name = sequence(&[value(
        SET,
        &[sequence(&[value(OBJECT_IDENTIFIER, &[COMMON_NAME]), value(UTF8_STRING, &[b"sns.amazonaws.com"])])],
    )]);
    let time = |at: DateTime<Utc>| value(GENERALIZED_TIME, &[at.format("%Y%m%d%H%M%SZ").to_string()]);
    let certified = sequence(&[
        value(VERSION, &[value(INTEGER, &[[2]])]),
        value(INTEGER, &[[42]]),
        algorithm(&RSA_WITH_SHA256),
        name.clone(),
        sequence(&[time(validity.start), time(validity.end)]),
        name,
        sequence(&[algorithm(&RSA), value(BIT_STRING, &[&[0], key])]),
    ]);
    let certificate = sequence(&[certified, algorithm(&RSA_WITH_SHA256), value(BIT_STRING, &[[0; 257]])]);
    let encoded = STANDARD.encode(certificate);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let mut rest = encoded.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(rest);
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

fn algorithm(id: &[u8]) -> Vec<u8> {
    sequence(&[value(OBJECT_IDENTIFIER, &[id]), value::<&[u8]>(NULL, &[])])
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(SEQUENCE, parts)
}

/// A tag, a length and the parts (X.690 sections 8.1.2 to 8.1.4).
fn value<T: AsRef<[u8]>>(tag: u8, parts: &[T]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.as_ref().len()).sum();
    let bytes = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let mut value = vec![tag];
    match bytes {
        [0, 0, 0, short @ 0..=0x7f] => value.push(short),
        [0, 0, 0, one] => value.extend([0x81, one]),
        [0, 0, one, two] => value.extend([0x82, one, two]),
        [one, two, three, four] => value.extend([0x84, one, two, three, four]),
    }
    for part in parts {
        value.extend_from_slice(part.as_ref());
    }
    value
}
