//! An App's installation: found by repository, its token minted once, and anew when it is not accepted.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::Engine as _;
use domain::{commit::Commit, fault::Fault};
use forge::{Credentials, Error};
use serde_json::{Value, json};

use crate::host::{Host, TOKEN};

const FIND: &str = "GET /repos/acme/trinity/installation";
const MINT: &str = "POST /app/installations/42/access_tokens";
const COMPARE: &str = "GET /repos/acme/trinity/compare/*";

fn app() -> anyhow::Result<Credentials> {
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let der: Pkcs8V1Der<'_> = key.as_der()?;
    let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    Ok(Credentials::App { id: "12345".to_owned(), private_key: pem.into() })
}

fn minted(token: &str, expires_at: &str) -> Value {
    json!({ "token": token, "expires_at": expires_at, "permissions": {}, "repository_selection": "all" })
}

fn identical() -> Value {
    json!({ "status": "ahead", "base_commit": { "html_url": "", "commit": { "message": "" } } })
}

async fn ask(forge: &forge::Forge) -> Result<(), Error> {
    let repository = "acme/trinity".parse().expect("an owner and a name");
    let (one, other) = (Commit::from_bytes([1; 20]), Commit::from_bytes([2; 20]));
    forge.comparison(&repository, one, other).await.map(drop)
}

#[tokio::test]
async fn many_at_once_mint_one_token() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    host.answer(FIND, 200, &json!({ "id": 42 }))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        host.answer(COMPARE, 200, &identical())?;
        let forge = forge.clone();
        tasks.spawn(async move { ask(&forge).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let seen = host.seen()?;
    assert_eq!(seen.len(), 22);
    for one in &seen {
        let is_ours = one.authorization == format!("Bearer {TOKEN}");
        assert_eq!(is_ours, one.line.contains("/compare/"), "{}", one.line);
    }
    Ok(())
}

#[tokio::test]
async fn a_token_is_replaced_before_it_ends() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    host.answer(FIND, 200, &json!({ "id": 42 }))?;
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(200);
    host.answer(MINT, 201, &minted(TOKEN, &soon.to_rfc3339()))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    for _ in 0..3 {
        host.answer(COMPARE, 200, &identical())?;
        ask(&forge).await?;
    }
    assert_eq!(host.lines()?.iter().filter(|line| **line == MINT).count(), 2);
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_minted_anew_once() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    let denied = json!({ "message": "Bad credentials" });
    host.answer(FIND, 200, &json!({ "id": 42 }))?;
    host.answer(MINT, 201, &minted("ghs_revoked_sekret", "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 401, &denied)?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 200, &identical())?;
    ask(&forge).await?;
    assert_eq!(host.seen()?.len(), 5);

    host.answer(COMPARE, 401, &denied)?;
    host.answer(MINT, 201, &minted("ghs_another_sekret", "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 401, &denied)?;
    let error = ask(&forge).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert_eq!(host.seen()?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn git_is_spoken_with_the_same_token() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", &[("a", "b")]).await?;
    let forge = host.forge_as(app()?)?;
    host.answer(FIND, 200, &json!({ "id": 42 }))?;
    host.answer(MINT, 201, &minted("ghs_revoked_sekret", "2999-01-01T00:00:00Z"))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    forge.tip(&repository, &"main".parse()?).await?;
    let refs = "GET /acme/trinity.git/info/refs?service=git-upload-pack";
    let lines = host.lines()?;
    assert_eq!(&lines[..5], [FIND, MINT, refs, MINT, refs]);
    Ok(())
}

#[tokio::test]
async fn a_repository_without_the_app_says_where_to_install_it() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    host.answer(FIND, 404, &json!({ "message": "Not Found" }))?;
    let error = ask(&forge).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the GitHub App is not installed on acme/trinity: install it there, or give its installation access to it"
    );
    assert_eq!(error.fault(), Fault::Permanent);
    Ok(())
}

#[tokio::test]
async fn an_app_that_was_installed_anew_is_found_again() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    host.answer(FIND, 200, &json!({ "id": 41 }))?;
    let gone = json!({ "message": "Not Found" });
    host.answer("POST /app/installations/41/access_tokens", 404, &gone)?;
    assert!(matches!(ask(&forge).await, Err(Error::NotInstalled { .. })));
    host.answer(FIND, 200, &json!({ "id": 42 }))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 200, &identical())?;
    ask(&forge).await?;
    host.seen()?;
    Ok(())
}

#[test]
fn credentials_that_can_not_be_used_are_refused_at_the_start() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    for bad in ["", " \n", "ghp sekret", "ghp_sekrét"] {
        let credentials = Credentials::Token(bad.into());
        let settings = forge::Settings::new("https://api.github.com".parse().unwrap(), credentials, "x".into());
        let error = forge::Forge::new(settings).unwrap_err();
        assert!(!error.to_string().contains("sekr"), "{error}");
    }
}
