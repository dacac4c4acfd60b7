//! As whom a list is asked for.

use anyhow::{Context as _, Result};
use registry::{Credentials, Error};
use sandbox::registry::{Image, Options, SandboxRegistry, User};
use testkit::service::{Answer, Service};

use crate::{NAME, Script, asked_at, linked, names, page, taken};

#[tokio::test]
async fn credentials_are_used_for_each_page() -> Result<()> {
    let user = User { name: "alice".to_owned(), password: "sesame".to_owned() };
    let sandbox = SandboxRegistry::start(Options { user: Some(user), ..Options::default() }).await?;
    for number in 0..1_001 {
        sandbox.push_image(NAME, &format!("v{number}"), &Image::default())?;
    }
    let (registries, repository) = asked_at(sandbox.host(), alice("sesame"))?;
    assert_eq!(taken(registries.tags(&repository, None).await?)?.tags.len(), 1_001);
    for bad in [alice("sesam"), Credentials::Anonymous] {
        let (registries, repository) = asked_at(sandbox.host(), bad)?;
        let error = registries.tags(&repository, None).await.err().context("it was listed")?;
        assert!(matches!(error, Error::Denied { .. }), "{error:?}");
    }
    sandbox.shutdown().await;
    Ok(())
}

fn alice(password: &str) -> Credentials {
    Credentials::Basic { username: "alice".to_owned(), password: password.into() }
}

/// A registry whose token to pull is not enough to list, as Azure's; `scope` is what it wants.
async fn choosy(scope: &str, after: Vec<Answer>) -> Result<(Script, Service)> {
    let tokens = Service::answering(&[(200, r#"{"token":"first"}"#), (200, r#"{"token":"second"}"#)]).await?;
    let realm = format!("Bearer realm=\"{}token\",service=\"r\"", tokens.url);
    let insufficient = format!("{realm},scope=\"{scope}\",error=\"insufficient_scope\"");
    let challenge = Answer::new(401, "").header("WWW-Authenticate", &realm);
    let refused = Answer::new(401, "").header("WWW-Authenticate", &insufficient);
    let service = Service::saying([vec![challenge.clone(), refused, challenge], after].concat()).await?;
    let host = format!("127.0.0.1:{}", service.url.port().context("it has a port")?);
    Ok((Script { service, host }, tokens))
}

#[tokio::test]
async fn a_token_that_is_enough_to_list_is_asked_for_where_one_to_pull_is_not() -> Result<()> {
    let pages = vec![linked(&["a"], "<?last=a>; rel=next"), page(&["b"])];
    let (script, tokens) = choosy("repository:shop/app:metadata_read", pages).await?;
    let (registries, repository) = asked_at(&script.host, alice("sesame"))?;
    assert_eq!(names(&taken(registries.tags(&repository, None).await?)?), ["a", "b"]);
    let scopes: Vec<String> = tokens.asked().into_iter().map(|asked| asked.line).collect();
    assert!(scopes[0].ends_with("scope=repository%3Ashop%2Fapp%3Apull"), "{scopes:?}");
    assert!(scopes[1].ends_with("scope=repository%3Ashop%2Fapp%3Ametadata_read"), "{scopes:?}");
    let asked = script.service.asked();
    let sent: Vec<&str> = asked.iter().map(|asked| asked.header("authorization")).collect();
    assert_eq!(sent, ["", "Bearer first", "", "Bearer second", "Bearer second"]);
    Ok(())
}

#[tokio::test]
async fn no_token_is_asked_for_that_may_do_more_than_read_this_repository() -> Result<()> {
    for scope in [
        "repository:shop/app:pull,push",
        "repository:shop/app:*",
        "repository:shop/app:",
        "repository:shop/app2:pull",
        "repository:shop/other:metadata_read",
        "registry:catalog:*",
        "repository:shop/app:pull repository:shop/other:pull",
    ] {
        let (script, tokens) = choosy(scope, vec![page(&["a"])]).await?;
        let (registries, repository) = asked_at(&script.host, alice("sesame"))?;
        let error = registries.tags(&repository, None).await.err().context("it was listed")?;
        assert!(matches!(error, Error::Denied { .. }), "{scope}: {error:?}");
        assert_eq!(tokens.asked().len(), 1, "{scope}");
    }
    Ok(())
}
