//! What is no list.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use domain::fault::Fault;
use registry::{Access, Credentials, Error, Registries, Timeouts, Transport};
use sandbox::registry::{self as double, Image, Options, SandboxRegistry};
use testkit::service::Answer;

use crate::{LIST, NAME, Script, TIMEOUTS, asked_at, linked};

#[tokio::test]
async fn what_is_no_list_is_an_error() -> Result<()> {
    let long = format!(r#"{{"tags":"{}"}}"#, "a".repeat(100_000));
    for body in ["<html>Please log in</html>", "{}", r#"{"tags":["a""#, long.as_str()] {
        let script = Script::set(vec![Answer::new(200, body)]).await?;
        let (error, said) = script.failure().await?;
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
        assert!(said.len() < 400, "{said}");
    }
    let script = Script::set(vec![linked(&["a"], "<?p=2>; rel=next"), Answer::new(404, "{}")]).await?;
    assert!(script.failure().await?.1.ends_with("it names a page that is not there"));
    Ok(())
}

#[tokio::test]
async fn a_page_that_is_too_large_is_not_read_to_its_end() -> Result<()> {
    let script = Script::set(vec![Answer::new(200, &" ".repeat(16 * 1024 * 1024 + 1))]).await?;
    let (error, said) = script.failure().await?;
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    assert!(said.ends_with("a page has more than 16777216 bytes"), "{said}");
    let script = Script::set(vec![Answer::new(403, &"a".repeat(10_000_000))]).await?;
    let (error, said) = script.failure().await?;
    assert!(matches!(error, Error::Denied { .. }) && said.len() < 1_000, "{said}");
    Ok(())
}

#[tokio::test]
async fn what_a_registry_answers_decides_about_trying_again() -> Result<()> {
    let denied = r#"{"errors":[{"code":"DENIED","message":"not authorized to perform ecr:ListImages"}]}"#;
    let busy = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
    let refused = "the registry refused us; see `registries.HOST.credentials`";
    let failed = "the registry could not be reached or failed";
    let limited = |retry_after: Option<u64>| Fault::Limited { retry_after: retry_after.map(Duration::from_secs) };
    for (status, body, fault, message) in [
        (401, "", Fault::Permanent, refused),
        (403, "", Fault::Permanent, refused),
        (403, denied, Fault::Permanent, refused),
        (400, denied, Fault::Permanent, refused),
        (429, "", limited(Some(7)), "the registry asked us to slow down"),
        (400, busy, limited(None), "the registry asked us to slow down"),
        (500, "", Fault::Transient, failed),
        (503, denied, Fault::Transient, failed),
        (400, "", Fault::Permanent, "the registry refused the question"),
        (204, "", Fault::Permanent, "the registry refused the question"),
    ] {
        // On the first page and on another one.
        for before in [vec![], vec![linked(&["a"], "<?p=2>; rel=next")]] {
            let last = Answer::new(status, body).header("Retry-After", "7");
            let script = Script::set([before, vec![last]].concat()).await?;
            let (error, _) = script.failure().await?;
            let said = error.to_string().replace(&script.host, "HOST");
            assert_eq!(said, format!("listing the tags of HOST/shop/app: {message}"), "{status}");
            assert_eq!(error.fault(), fault, "{status}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_registry_that_asks_for_a_pause_is_asked_for_no_list_until_that_is_over() -> Result<()> {
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    sandbox.push_image(NAME, "v1", &Image::default())?;
    sandbox.add_fault(double::Fault::answer(LIST, 1, 429, &[("retry-after", "600")]));
    let (registries, repository) = asked_at(sandbox.host(), Credentials::Anonymous)?;
    assert!(registries.tags(&repository, None).await.is_err());
    let before = sandbox.requests().len();
    let error = registries.tags(&repository, None).await.err().context("it is asked before its time")?;
    assert!(matches!(error.fault(), Fault::Limited { retry_after: Some(_) }), "{error:?}");
    assert_eq!(sandbox.requests().len(), before);
    sandbox.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn a_page_that_does_not_come_is_not_waited_for() -> Result<()> {
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    sandbox.add_fault(double::Fault::delay(LIST, 1, Duration::from_secs(60)));
    let access = Access { transport: Transport::Http, ..Access::default() };
    let timeouts = Timeouts { total: Duration::from_millis(100), ..TIMEOUTS };
    let registries = Registries::new(BTreeMap::from([(sandbox.host().parse()?, access)]), timeouts)?;
    let repository = format!("{}/{NAME}", sandbox.host()).parse()?;
    let error = registries.tags(&repository, None).await.err().context("it was listed")?;
    assert_eq!(error.to_string(), format!("listing the tags of {repository}: no answer within 100 ms"));
    sandbox.shutdown().await;
    Ok(())
}
