//! A host that is slow, broken or unwilling: what we say then, how soon, and what we never say.

use std::{error::Error as _, time::Duration};

use domain::fault::Fault;
use forge::{Credentials, Error};
use serde_json::json;
use tokio::time::Instant;

use crate::host::{Host, TOKEN, Trouble};

/// How Git being served like that ends.
async fn fetch(trouble: Trouble) -> anyhow::Result<(Error, Duration)> {
    let host = Host::start().await?;
    host.trouble(Some(trouble))?;
    let begun = Instant::now();
    let result = host.hasty_forge()?.tip(&"acme/trinity".parse()?, &"main".parse()?).await;
    let Err(error) = result else { anyhow::bail!("it worked") };
    check_silence(&error)?;
    Ok((error, begun.elapsed()))
}

/// No error says the token, however it is printed.
fn check_silence(error: &Error) -> anyhow::Result<()> {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(source) = next {
        anyhow::ensure!(!error.to_string().contains(&source.to_string()), "{error} repeats {source}");
        text.push_str(&format!("{source} {source:?}"));
        next = source.source();
    }
    anyhow::ensure!(!text.contains("sekret"), "{text}");
    anyhow::ensure!(!text.contains("eC1hY2Nlc3MtdG9rZW4"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_status_of_git_means_what_it_means_elsewhere() -> anyhow::Result<()> {
    for (status, text, fault, sentence) in [
        (401, "", Fault::Permanent, "the forge does not accept our credentials (HTTP 401)"),
        (403, "Write access not granted.", Fault::Limited { retry_after: Some(Duration::from_secs(7)) }, "slow down"),
        (429, "", Fault::Limited { retry_after: Some(Duration::from_secs(7)) }, "slow down"),
        (404, "", Fault::Permanent, "repository acme/trinity does not exist"),
        (301, "", Fault::Permanent, "it was renamed or moved: use its new name"),
        (503, "", Fault::Transient, "the forge failed (HTTP 503)"),
    ] {
        let (error, _) = fetch(Trouble::Status(status, text)).await?;
        assert_eq!(error.fault(), fault, "{error}");
        assert!(error.to_string().contains(sentence), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn silence_ends_when_nothing_comes() -> anyhow::Result<()> {
    let (error, took) = fetch(Trouble::Silence).await?;
    assert_eq!(error.to_string(), "fetching main of acme/trinity: nothing came for 0 seconds");
    assert_eq!(error.fault(), Fault::Transient);
    assert!(took < Duration::from_secs(10), "{took:?}");
    Ok(())
}

#[tokio::test]
async fn a_trickle_ends_at_the_deadline() -> anyhow::Result<()> {
    let (error, took) = fetch(Trouble::Trickle).await?;
    assert_eq!(error.fault(), Fault::Transient, "{error}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    Ok(())
}

#[tokio::test]
async fn work_that_nobody_waits_for_frees_the_store() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", &[("a", "b")]).await?;
    let forge = host.forge()?;
    let main = "main".parse()?;
    host.trouble(Some(Trouble::Silence))?;
    let given_up = tokio::time::timeout(Duration::from_millis(100), forge.tip(&repository, &main));
    assert!(given_up.await.is_err());
    host.trouble(None)?;
    let begun = Instant::now();
    forge.tip(&repository, &main).await?;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_host_that_is_not_there_is_transient() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    drop(listener);
    let credentials = Credentials::Token(TOKEN.into());
    let data_dir = host.directory.path().join("stores");
    let forge = forge::Forge::new(forge::Settings::new(url.parse()?, credentials, data_dir))?;
    let repository = "acme/trinity".parse()?;
    let error = forge.tip(&repository, &"main".parse()?).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient, "{error}");
    check_silence(&error)?;
    let error = forge.pull_request(&repository, domain::forge::Number(1)).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient, "{error}");
    check_silence(&error)?;
    Ok(())
}

#[tokio::test]
async fn a_status_of_the_interfaces_means_one_thing() -> anyhow::Result<()> {
    let minute = Fault::Limited { retry_after: Some(Duration::from_secs(60)) };
    for (status, headers, body, fault) in [
        (401, vec![], json!({"message": "Bad credentials"}), Fault::Permanent),
        (403, vec![], json!({"message": "Resource not accessible by integration"}), Fault::Permanent),
        (403, vec![("retry-after", "60")], json!({"message": "You have exceeded a secondary rate limit."}), minute),
        (429, vec![], json!({}), minute),
        (502, vec![], json!("<html>Bad gateway</html>"), Fault::Transient),
        (200, vec![], json!({"nothing": "of use"}), Fault::Transient),
    ] {
        let host = Host::start().await?;
        host.answer_with("POST /repos/acme/trinity/issues/1/labels", status, &headers, &body)?;
        let number = domain::forge::Number(1);
        let labelled = host.forge()?.add_labels(&"acme/trinity".parse()?, number, &["x".to_owned()]).await;
        match labelled {
            // Whatever a good answer says, it was done.
            Ok(()) => assert_eq!(status, 200),
            Err(error) => {
                assert_eq!(error.fault(), fault, "{status}: {error}");
                check_silence(&error)?;
            }
        }
        assert_eq!(host.seen()?.len(), 1, "{status} was asked again");
    }
    Ok(())
}

#[tokio::test]
async fn a_limit_of_graphql_is_one_though_its_status_is_good() -> anyhow::Result<()> {
    let (repository, number) = ("acme/trinity".parse()?, domain::forge::Number(1));
    let host = Host::start().await?;
    let forge = host.forge()?;
    let errors = json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]});
    host.answer("POST /graphql", 200, &errors)?;
    for _ in 0..2 {
        let error = forge.pull_request(&repository, number).await.unwrap_err();
        let Fault::Limited { retry_after: Some(wait) } = error.fault() else { anyhow::bail!("{error}") };
        assert!((55..=60).contains(&wait.as_secs()), "{wait:?}");
    }
    assert_eq!(host.seen()?.len(), 1, "it was asked again in the pause");
    let errors = json!({"errors": [{"message": "Something went wrong while executing your query. …"}]});
    host.answer("POST /graphql", 200, &errors)?;
    let error = host.forge()?.pull_request(&repository, number).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient);
    Ok(())
}
