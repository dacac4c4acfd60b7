//! What an App states about itself, and which keys and ids are taken.

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::Engine as _;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn pem(key: &KeyPair) -> SecretString {
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    format!("\n{begin}\n{}\n{end}\n\n", lines.join("\n")).into()
}

fn stated(id: &str) -> Value {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let app = App::new(id, &pem(&key), &[]).unwrap();
    let public = key.public_key();
    let (modulus, exponent) = (public.modulus(), public.exponent());
    let public = DecodingKey::from_rsa_raw_components(
        modulus.big_endian_without_leading_zero(),
        exponent.big_endian_without_leading_zero(),
    );
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let statement = app.signed(now()).unwrap();
    jsonwebtoken::decode(statement.expose_secret(), &public, &validation).unwrap().claims
}

#[test]
fn an_app_states_its_number_for_nine_minutes() {
    assert_eq!(stated(" 12345\n"), json!({ "iat": 1_799_999_940, "exp": 1_800_000_540, "iss": 12345 }));
}

#[test]
fn an_app_may_be_named_by_its_client_id() {
    assert_eq!(stated("Iv23liABC").get("iss"), Some(&json!("Iv23liABC")));
}

#[test]
fn a_statement_is_signed_once_and_again_before_it_ends() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let app = App::new("1", &pem(&key), &[]).unwrap();
    let at = |seconds| {
        let statement = app.signed(now() + TimeDelta::seconds(seconds)).unwrap();
        statement.expose_secret().to_owned()
    };
    let first = at(0);
    assert_eq!(at(479), first);
    assert_ne!(at(480), first);
}

#[test]
fn a_key_that_is_none_is_refused_without_repeating_it() {
    let error = App::new("1", &"-----BEGIN sekret".into(), &[]).unwrap_err().to_string();
    assert_eq!(error, "the settings of the forge: the App's private key is not an RSA key in PEM form");
    assert!(App::new(" ", &"".into(), &[]).is_err());
}
