//! Amazon's signature over a request, version 4
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// What requests are signed with.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: SecretString,
    /// What goes with keys that are lent for some time.
    pub(super) session: Option<SecretString>,
}

/// A request without a query, as far as it is signed.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// The host, with its port where the address has one.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// Other headers that are signed: names in lower case, each once.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// For whom a request is signed.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The headers that a request is sent with besides those that were signed: names in lower case.
pub(super) fn sign(
    request: &Request<'_>,
    keys: &Keys,
    scope: &Scope<'_>,
    now: DateTime<Utc>,
) -> Vec<(&'static str, String)> {
    let at = now.format("%Y%m%dT%H%M%SZ").to_string();
    let day = now.format("%Y%m%d").to_string();
    let session = keys.session.as_ref().map(|session| session.expose_secret().to_owned());
    let mut signed: Vec<(&str, &str)> = vec![("host", request.host), ("x-amz-date", &at)];
    signed.extend(request.headers);
    signed.extend(session.as_deref().map(|session| ("x-amz-security-token", session)));
    signed.sort_unstable();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!("{}\n{}\n\n{lines}\n{names}\n{}", request.method, request.path, hash(request.body));
    let within = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!("AWS4-HMAC-SHA256\n{at}\n{within}\n{}", hash(canonical.as_bytes()));
    let first = format!("AWS4{}", keys.secret.expose_secret()).into_bytes();
    let key = [day.as_str(), scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(first, |key, part| mac(&key, part.as_bytes()));
    let signature = hex::encode(mac(&key, text.as_bytes()));
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={}/{within}, SignedHeaders={names}, Signature={signature}", keys.id);
    let mut added = vec![("x-amz-date", at), ("authorization", authorization)];
    added.extend(session.map(|session| ("x-amz-security-token", session)));
    added
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn mac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature of a request in Amazon's own examples.
    fn signature(method: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let keys = Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session: None,
        };
        let request = Request { method, host: "example.amazonaws.com", path: "/", headers, body };
        let scope = Scope { region: "us-east-1", service: "service" };
        let now = "2015-08-30T12:36:00Z".parse().unwrap();
        let all = sign(&request, &keys, &scope, now);
        let authorization = all.iter().find(|(name, _)| *name == "authorization").unwrap().1.clone();
        assert!(
            authorization
                .starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ")
        );
        authorization
    }

    #[test]
    fn the_signatures_are_those_of_amazons_examples() {
        let vanilla = signature("GET", &[], b"");
        assert!(vanilla.ends_with("SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"), "{vanilla}");
        let post = signature("POST", &[], b"");
        assert!(post.ends_with("Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"), "{post}");
        let form = signature("POST", &[("content-type", "application/x-www-form-urlencoded")], b"Param1=value1");
        assert!(form.ends_with("SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"), "{form}");
    }
}
