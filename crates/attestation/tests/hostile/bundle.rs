//! What must hold of whatever somebody attaches to an image or uploads as an attestation.

use std::sync::OnceLock;

use attestation::{Claims, Key, LogProof, Roots, Trust, verify};
use domain::image::Digest;

/// Whom the fixtures were signed by, and what they say.
struct World {
    digest: Digest,
    trusts: [Trust; 2],
    said: Vec<Claims>,
}

const SIGNED: [&[u8]; 4] = [
    include_bytes!("../fixtures/bundle-logged.json"),
    include_bytes!("../fixtures/bundle-stamped.json"),
    include_bytes!("../fixtures/bundle-key.json"),
    include_bytes!("../fixtures/bundle-key-logged.json"),
];

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let roots = || Roots::parse(include_bytes!("../fixtures/roots.jsonl")).expect("the fixture is good");
        let key = Key::from_pem(include_str!("../fixtures/key.pem")).expect("the fixture is good");
        let trusts = [Trust::Roots(roots()), Trust::Keys { keys: vec![key], logs: roots() }];
        let digest = format!("sha256:{}", "a".repeat(64)).parse().expect("64 digits are a digest");
        let both = |bundle: &[u8]| trusts.iter().find_map(|trust| verify(bundle, &digest, trust, PROOF).ok());
        let said: Vec<Claims> = SIGNED.iter().filter_map(|bundle| both(bundle)).collect();
        assert_eq!(said.len(), SIGNED.len(), "each fixture is believed by somebody");
        World { digest, trusts, said }
    })
}

const PROOF: LogProof = LogProof::WhereKept;

/// Reads a bundle: nobody can make one up that is believed and says something that was not signed.
pub(crate) fn check(bundle: &[u8]) {
    let world = world();
    for trust in &world.trusts {
        match verify(bundle, &world.digest, trust, PROOF) {
            Ok(claims) => assert!(world.said.contains(&claims), "nobody signed this: {claims:?}"),
            Err(why) => assert!(!why.to_string().is_empty(), "a person can read why"),
        }
    }
}
