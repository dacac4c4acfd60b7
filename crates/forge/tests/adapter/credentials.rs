//! An App's installation: found by repository, its token minted once, and anew when it is not accepted.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::Engine as _;
use domain::{commit::Commit, fault::Fault};
use forge::{Credentials, Error};
use serde_json::{Value, json};

use crate::host::{Host, Seen, TOKEN};

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

/// What the forge says of an installation that was granted everything.
fn installation(id: u64) -> Value {
    let permissions = json!({
        "metadata": "read", "contents": "write", "pull_requests": "write", "checks": "write", "statuses": "write",
        "issues": "write", "deployments": "write", "workflows": "write", "administration": "write",
    });
    json!({ "id": id, "permissions": permissions })
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
    host.answer(FIND, 200, &installation(42))?;
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
    host.answer(FIND, 200, &installation(42))?;
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
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 201, &minted("ghs_revoked_sekret", "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 401, &denied)?;
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 200, &identical())?;
    ask(&forge).await?;
    assert_eq!(host.seen()?.len(), 6);

    host.answer(COMPARE, 401, &denied)?;
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 201, &minted("ghs_another_sekret", "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 401, &denied)?;
    let error = ask(&forge).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert_eq!(host.seen()?.len(), 4);
    Ok(())
}

#[tokio::test]
async fn git_is_spoken_with_the_same_token() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", &[("a", "b")]).await?;
    let forge = host.forge_as(app()?)?;
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 201, &minted("ghs_revoked_sekret", "2999-01-01T00:00:00Z"))?;
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    forge.tip(&repository, &"main".parse()?).await?;
    let refs = "GET /acme/trinity.git/info/refs?service=git-upload-pack";
    let lines = host.lines()?;
    assert_eq!(&lines[..6], [FIND, MINT, refs, FIND, MINT, refs]);
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
    host.answer(FIND, 200, &installation(41))?;
    let gone = json!({ "message": "Not Found" });
    host.answer("POST /app/installations/41/access_tokens", 404, &gone)?;
    assert!(matches!(ask(&forge).await, Err(Error::NotInstalled { .. })));
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 200, &identical())?;
    ask(&forge).await?;
    host.seen()?;
    Ok(())
}

/// What tokens were asked for, as repositories and permissions.
fn asked(seen: &[Seen]) -> anyhow::Result<Vec<Value>> {
    let minting = seen.iter().filter(|one| one.line.ends_with("/access_tokens"));
    minting.map(|one| Ok(serde_json::from_slice(&one.body)?)).collect()
}

#[tokio::test]
async fn a_token_is_for_one_repository_and_for_what_is_done_there() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let gitops = host.repository("acme/trinity", &[("a", "b")]).await?;
    let forge = host.forge_as(app()?)?;
    host.answer("GET /repos/acme/mandelbrot/installation", 200, &installation(42))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    host.answer("GET /repos/acme/mandelbrot/compare/*", 200, &identical())?;
    let (one, other) = (Commit::from_bytes([1; 20]), Commit::from_bytes([2; 20]));
    forge.comparison(&"acme/mandelbrot".parse()?, one, other).await?;
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    forge.tip(&gitops, &"main".parse()?).await?;
    // What may write may read as well.
    host.answer(COMPARE, 200, &identical())?;
    forge.comparison(&gitops, one, other).await?;
    let reading = json!({ "metadata": "read", "contents": "read", "checks": "read", "statuses": "read" });
    let writing = json!({
        "metadata": "read", "contents": "write", "pull_requests": "write", "checks": "read", "statuses": "read",
    });
    let expected = [
        json!({ "repositories": ["mandelbrot"], "permissions": reading }),
        json!({ "repositories": ["trinity"], "permissions": writing }),
    ];
    assert_eq!(asked(&host.seen()?)?, expected);
    Ok(())
}

#[tokio::test]
async fn an_app_without_a_needed_permission_says_which_to_grant() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    let little = json!({ "id": 42, "permissions": { "metadata": "read", "contents": "read" } });
    host.answer(FIND, 200, &little)?;
    let error = forge.tip(&"acme/trinity".parse()?, &"main".parse()?).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the GitHub App's installation on acme/trinity was not granted what is needed (Contents: write, Pull requests: write): add it in the App's settings, and accept it where the App is installed"
    );
    assert_eq!((error.fault(), host.lines()?.len()), (Fault::Permanent, 1));
    // Once it is granted, it is found out by the next look.
    host.answer(FIND, 200, &installation(42))?;
    host.answer(MINT, 422, &json!({ "message": "The permissions requested are not granted to this installation." }))?;
    let error = forge.tip(&"acme/trinity".parse()?, &"main".parse()?).await.unwrap_err();
    assert!(
        error.to_string().contains("Metadata: read, Checks: read, Commit statuses: read, Contents: write"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn what_was_granted_or_taken_since_is_noticed_when_a_token_is_asked_for() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    host.answer(FIND, 200, &installation(42))?;
    let soon = (chrono::Utc::now() + chrono::TimeDelta::seconds(200)).to_rfc3339();
    host.answer(MINT, 201, &minted(TOKEN, &soon))?;
    host.answer(COMPARE, 200, &identical())?;
    ask(&forge).await?;
    host.seen()?;
    let refused = json!({ "message": "The permissions requested are not granted to this installation." });
    host.answer(MINT, 422, &refused)?;
    let little = json!({ "id": 42, "permissions": { "metadata": "read", "contents": "read" } });
    host.answer(FIND, 200, &little)?;
    host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
    host.answer(COMPARE, 200, &identical())?;
    ask(&forge).await?;
    let all = asked(&host.seen()?)?;
    assert_eq!(all[1]["permissions"], json!({ "metadata": "read", "contents": "read" }));
    Ok(())
}

#[tokio::test]
async fn an_installation_that_changed_has_no_kept_token_any_more() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    let body = |id: u64, action: &str| json!({ "action": action, "installation": { "id": id } }).to_string();
    for (event, id, action, forgotten) in [
        ("installation", 42, "created", true),
        ("installation", 7, "deleted", false),
        ("installation", 42, "deleted", true),
        ("installation", 42, "suspend", true),
        ("installation_repositories", 42, "removed", true),
        ("pull_request", 42, "closed", false),
    ] {
        let body = body(id, action);
        forge.heed(event, forge::webhook::Verified::answered_for(body.as_bytes()));
        if forgotten {
            host.answer(FIND, 200, &installation(42))?;
            host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
        }
        host.answer(COMPARE, 200, &identical())?;
        ask(&forge).await?;
        host.seen()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_permission_that_is_missing_is_looked_for_again_by_the_next_request() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge_as(app()?)?;
    for _ in 0..2 {
        host.answer(FIND, 200, &installation(42))?;
        host.answer(MINT, 201, &minted(TOKEN, "2999-01-01T00:00:00Z"))?;
        host.answer(COMPARE, 403, &json!({ "message": "Resource not accessible by integration" }))?;
        assert!(matches!(ask(&forge).await, Err(Error::Forbidden { .. })));
        host.seen()?;
    }
    Ok(())
}

#[tokio::test]
async fn the_forges_own_words_are_passed_on_without_a_token() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge()?;
    let words = format!("token {TOKEN} of https://x-access-token:{TOKEN}@git.example/a is bad");
    for status in [403, 422, 200] {
        let body = if status == 200 { json!({ "status": words }) } else { json!({ "message": words }) };
        host.answer(COMPARE, status, &body)?;
        let error = ask(&forge).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("[hidden]") && !text.contains("sekret"), "{text}");
    }
    let errors = json!({ "errors": [{ "type": "FORBIDDEN", "message": words }] });
    host.answer("POST /graphql", 200, &errors)?;
    let error = forge.pull_request(&"acme/trinity".parse()?, domain::forge::Number(1)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("sekret"), "{error:?}");

    let repository = host.repository("acme/trinity", &[("a", "b")]).await?;
    host.refuse_pushes("acme/trinity", &format!("bad token {TOKEN}"))?;
    let tip = forge.tip(&repository, &"main".parse()?).await?;
    let at = chrono::DateTime::UNIX_EPOCH;
    let branch = domain::proposal::ReleaseBranch::new(&"mandelbrot".parse()?, tip);
    let new = forge::NewCommit { branch: &branch, ours: &[], tip, files: &[], message: "x", at };
    let commit = forge.commit(&repository, &new).await?;
    let error = forge.push(&repository, &branch, commit, &[]).await.unwrap_err();
    assert!(error.to_string().ends_with("pre-receive hook declined · bad token [hidden]"), "{error}");
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
