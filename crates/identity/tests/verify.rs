//! Tokens of a local issuer, whose keys are fetched over a socket as those of a real one are.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use anyhow::{Context as _, Result};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use identity::{Error, Settings, Verified, Verifier};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://tagferry.example.com";

/// A key pair with its name.
struct Key {
    kid: &'static str,
    private: EncodingKey,
    public: Vec<u8>,
}

impl Key {
    fn generate(kid: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key can be made");
        let der: Pkcs8V1Der<'_> = pair.as_der().expect("it can be written");
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
        let private = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("it is an RSA key");
        Self { kid, private, public: pair.public_key().as_ref().to_vec() }
    }

    fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, Algorithm::RS256).expect("it has a public half");
        jwk.common.key_id = Some(self.kid.to_owned());
        serde_json::to_value(jwk).expect("it is JSON")
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.to_owned()), ..Header::new(Algorithm::RS256) };
        encode(&header, claims, &self.private).expect("it can be signed")
    }
}

fn old() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::generate("old"))
}

fn new() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::generate("new"))
}

/// What the issuer answers, and how often it was asked.
#[derive(Clone)]
struct Issuer {
    address: SocketAddr,
    answer: Arc<Mutex<(String, usize)>>,
}

impl Issuer {
    async fn start(keys: &[&Key]) -> Result<Self> {
        let _installed_before = rustls::crypto::aws_lc_rs::default_provider().install_default().is_err();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let issuer = Self { address: listener.local_addr()?, answer: Arc::default() };
        issuer.publish(keys);
        let serving = issuer.clone();
        // It ends with the test's runtime.
        drop(tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await;
                let answer = serving.next_answer();
                if read.is_ok() && stream.write_all(answer.as_bytes()).await.is_ok() {
                    drop(stream.shutdown().await);
                }
            }
        }));
        Ok(issuer)
    }

    fn publish(&self, keys: &[&Key]) {
        let other = json!({ "kty": "future", "kid": "other", "use": "sig" });
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).chain([other]).collect();
        self.answer_with("200 OK", &json!({ "keys": keys }).to_string());
    }

    fn answer_with(&self, status: &str, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        self.answer.lock().expect("no test failed here").0 = answer;
    }

    fn next_answer(&self) -> String {
        let mut answer = self.answer.lock().expect("no test failed here");
        answer.1 += 1;
        answer.0.clone()
    }

    fn asked(&self) -> usize {
        self.answer.lock().expect("no test failed here").1
    }

    fn verifier(&self) -> Result<Verifier> {
        let keys_url = format!("http://{}/keys", self.address).parse()?;
        let settings = Settings { issuers: vec![ISSUER.to_owned()], audience: AUDIENCE.to_owned(), keys_url };
        Ok(Verifier::new(settings)?)
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("it is a time")
}

/// Good claims, with some in place of others; null takes one away.
fn claims(others: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "repo:acme/shop", "jti": "1",
        "iat": now().timestamp(), "nbf": now().timestamp() - 600, "exp": now().timestamp() + 300,
        "repository": "acme/shop",
    });
    let target = claims.as_object_mut().expect("it is an object");
    for (key, value) in others.as_object().into_iter().flatten() {
        if value.is_null() {
            target.remove(key)
        } else {
            target.insert(key.clone(), value.clone())
        };
    }
    claims
}

async fn refused(verifier: &Verifier, token: &str) -> Result<String> {
    match verifier.verify::<Value>(token, now()).await {
        Ok(_) => anyhow::bail!("the token was taken: {token}"),
        Err(error) => Ok(error.to_string()),
    }
}

#[tokio::test]
async fn a_good_token_gives_its_claims_and_its_end() -> Result<()> {
    let issuer = Issuer::start(&[old()]).await?;
    let token = old().sign(&claims(&json!({})));
    let Verified { claims, expires_at } = issuer.verifier()?.verify::<Value>(&token, now()).await?;
    assert_eq!(claims["repository"], "acme/shop");
    assert_eq!(expires_at, now() + TimeDelta::seconds(300));
    Ok(())
}

#[tokio::test]
async fn each_claim_that_is_wrong_is_refused_with_its_name() -> Result<()> {
    let issuer = Issuer::start(&[old()]).await?;
    let verifier = issuer.verifier()?;
    let at = |seconds: i64| now().timestamp() + seconds;
    let audience = "the token was made for another audience (aud); expected https://tagferry.example.com";
    let early = "the token is not valid yet (nbf, iat)";
    let unfit = "the token's claims are not as expected: ";
    for (others, sentence) in [
        (json!({ "iss": "https://evil.example" }), "the token is of another issuer (iss)".to_owned()),
        (json!({ "iss": format!("{ISSUER}/") }), "the token is of another issuer (iss)".to_owned()),
        (json!({ "aud": "https://other.example" }), audience.to_owned()),
        (json!({ "exp": at(-31) }), "the token has expired (exp)".to_owned()),
        (json!({ "nbf": at(31) }), early.to_owned()),
        (json!({ "iat": at(31) }), early.to_owned()),
        (json!({ "iss": null }), format!("{unfit}missing field `iss`")),
        (json!({ "aud": null }), format!("{unfit}missing field `aud`")),
        (json!({ "exp": null }), format!("{unfit}missing field `exp`")),
        (json!({ "iat": null }), format!("{unfit}missing field `iat`")),
        (json!({ "iss": 42 }), format!("{unfit}invalid type: integer `42`, expected a string")),
        (json!({ "aud": [AUDIENCE] }), format!("{unfit}invalid type: sequence, expected a string")),
        (json!({ "exp": i64::MAX }), format!("{unfit}`exp` is no time")),
    ] {
        assert_eq!(refused(&verifier, &old().sign(&claims(&others))).await?, sentence, "{others}");
    }
    for others in
        [json!({ "exp": at(-29) }), json!({ "nbf": at(29) }), json!({ "nbf": null }), json!({ "iat": at(29) })]
    {
        let token = old().sign(&claims(&others));
        verifier.verify::<Value>(&token, now()).await.with_context(|| others.to_string())?;
    }
    Ok(())
}

#[tokio::test]
async fn only_the_issuers_own_signature_counts() -> Result<()> {
    let issuer = Issuer::start(&[old()]).await?;
    let verifier = issuer.verifier()?;
    let good = old().sign(&claims(&json!({})));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());

    let none = format!("{}.{}.", part(&json!({ "alg": "none", "kid": "old" })), part(&claims(&json!({}))));
    assert_eq!(refused(&verifier, &none).await?, "the token is not signed with RS256");
    let header = Header { kid: Some("old".to_owned()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&header, &claims(&json!({})), &EncodingKey::from_secret(&old().public))?;
    assert_eq!(refused(&verifier, &confused).await?, "the token is not signed with RS256");

    let (head, rest) = good.split_once('.').context("a token has three parts")?;
    let (_, signature) = rest.split_once('.').context("a token has three parts")?;
    let tampered = format!("{head}.{}.{signature}", part(&claims(&json!({ "repository": "evil/shop" }))));
    assert_eq!(refused(&verifier, &tampered).await?, "the token's signature is wrong");
    let forged = Key { kid: "old", private: new().private.clone(), public: Vec::new() }.sign(&claims(&json!({})));
    assert_eq!(refused(&verifier, &forged).await?, "the token's signature is wrong");

    let nameless = encode(&Header::new(Algorithm::RS256), &claims(&json!({})), &old().private)?;
    assert_eq!(refused(&verifier, &nameless).await?, "the token does not name its key (kid)");
    let foreign = Key { kid: "other", private: old().private.clone(), public: Vec::new() }.sign(&claims(&json!({})));
    assert_eq!(refused(&verifier, &foreign).await?, "the issuer has no key of that name (kid)");
    for nonsense in ["", "a", "a.b.c", "....", "\u{0}"] {
        assert_eq!(refused(&verifier, nonsense).await?, "this is no JSON Web Token", "{nonsense:?}");
    }
    let long = format!("{good}{}", "a".repeat(20_000));
    assert!(refused(&verifier, &long).await?.ends_with("at most 16384 are read"));
    Ok(())
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_forgotten() -> Result<()> {
    let issuer = Issuer::start(&[old()]).await?;
    let verifier = issuer.verifier()?;
    let token = |key: &Key, at: DateTime<Utc>| {
        key.sign(&claims(&json!({ "iat": at.timestamp(), "exp": at.timestamp() + 300 })))
    };
    verifier.verify::<Value>(&token(old(), now()), now()).await?;
    issuer.publish(&[new()]);
    let soon = now() + TimeDelta::seconds(59);
    let early = verifier.verify::<Value>(&token(new(), soon), soon).await;
    assert!(matches!(early, Err(Error::UnknownKey)), "{early:?}");
    assert_eq!(issuer.asked(), 1, "the issuer is asked once a minute at most");
    let later = now() + TimeDelta::seconds(61);
    verifier.verify::<Value>(&token(new(), later), later).await?;
    let gone = verifier.verify::<Value>(&token(old(), later), later).await;
    assert!(matches!(gone, Err(Error::UnknownKey)), "{gone:?}");
    assert_eq!(issuer.asked(), 2);
    Ok(())
}

#[tokio::test]
async fn keys_are_fetched_again_after_an_hour_and_kept_while_the_issuer_is_down() -> Result<()> {
    let issuer = Issuer::start(&[old()]).await?;
    let verifier = issuer.verifier()?;
    let mut at = now();
    for _ in 0..3 {
        let good = old().sign(&claims(&json!({ "iat": at.timestamp(), "exp": at.timestamp() + 300 })));
        verifier.verify::<Value>(&good, at).await?;
        issuer.answer_with("503 Service Unavailable", "");
        at += TimeDelta::minutes(61);
    }
    assert_eq!(issuer.asked(), 3, "once at first, and once for each hour that passed");
    Ok(())
}

#[tokio::test]
async fn without_keys_it_is_said_why_and_that_it_may_pass() -> Result<()> {
    let issuer = Issuer::start(&[]).await?;
    let token = old().sign(&claims(&json!({})));
    for (status, body, why) in [
        ("500 Internal Server Error", "", "the answer is 500 Internal Server Error"),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", "", "the answer is 302 Found"),
        ("200 OK", "<html>", "the answer is no set of keys: expected value at line 1 column 1"),
        ("200 OK", &"[".repeat(300_000), "the answer has more than 262144 bytes"),
    ] {
        issuer.answer_with(status, body);
        let error = issuer.verifier()?.verify::<Value>(&token, now()).await.err().context("there are no keys")?;
        assert_eq!(error.to_string(), format!("fetching the issuer's keys from http://{}/keys: {why}", issuer.address));
        assert_eq!(error.fault(), domain::fault::Fault::Transient);
    }
    Ok(())
}
