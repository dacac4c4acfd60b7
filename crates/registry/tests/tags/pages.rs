//! How pages follow each other.

use anyhow::{Context as _, Result};
use domain::fault::Fault;
use registry::Error;
use testkit::service::{Answer, Service};

use crate::{LIST, Script, full, linked, names, page};

#[tokio::test]
async fn pages_are_followed_wherever_a_link_leads_in_the_same_list() -> Result<()> {
    let script = Script::set(vec![
        linked(&["b"], &format!("<{LIST}?last=b&n=1>; rel=\"next\"")),
        linked(&["a", "b"], "<?next_page=gAAAA%3D%3D&n=50>; rel=next"),
        linked(&[], "<list?last=AbC/+x>; rel=\"next\""),
        page(&["c"]).header("ETag", "\"1\""),
    ])
    .await?;
    let tags = script.tags().await?;
    assert_eq!((names(&tags), tags.is_truncated), (vec!["a", "b", "c"], false));
    assert_eq!(tags.validator, None, "the validator of one page is none of the whole list");
    let queries = ["n=1000", "last=b&n=1", "next_page=gAAAA%3D%3D&n=50", "last=AbC/+x"];
    assert_eq!(script.asked(), queries.map(|query| format!("GET {LIST}?{query}")));
    Ok(())
}

#[tokio::test]
async fn a_registry_that_names_no_next_page_is_asked_for_what_comes_after() -> Result<()> {
    let script = Script::set(vec![full(0), full(1_000), page(&["z"])]).await?;
    let tags = script.tags().await?;
    assert_eq!((tags.tags.len(), tags.is_truncated, tags.validator), (2_001, false, None));
    let queries = ["n=1000", "n=1000&last=t000999", "n=1000&last=t001999"];
    assert_eq!(script.asked(), queries.map(|query| format!("GET {LIST}?{query}")));

    let script = Script::set(vec![full(0).header("ETag", "\"1\"")]).await?;
    let tags = script.tags().await?;
    assert_eq!((tags.tags.len(), tags.is_truncated, script.asked().len()), (1_000, false, 2), "it says the same again");

    for status in [400, 404, 405] {
        let script = Script::set(vec![full(0), Answer::new(status, "{}")]).await?;
        let tags = script.tags().await?;
        assert_eq!((tags.tags.len(), tags.is_truncated), (1_000, true), "{status}");
    }

    let script = Script::set(vec![linked(&["a"], "<?p=2>; rel=next"), full(0), page(&["never"])]).await?;
    assert_eq!(script.tags().await?.tags.len(), 1_001, "where there are links the last page has none");
    Ok(())
}

#[tokio::test]
async fn pages_that_go_in_a_circle_are_an_error() -> Result<()> {
    let (to_first, to_second) = ("<?n=1000>; rel=next", "<?last=a>; rel=next");
    for answers in [
        vec![linked(&["a"], to_first)],
        vec![linked(&["a"], to_second)],
        vec![linked(&["a"], to_second), linked(&["b"], "<?last=b>; rel=next"), linked(&["c"], to_second)],
    ] {
        let count = answers.len();
        let script = Script::set(answers).await?;
        let (error, said) = script.failure().await?;
        let expected =
            "listing the tags of HOST/shop/app: the registry's answer can not be read: its pages go in a circle";
        assert_eq!((error.fault(), said.as_str()), (Fault::Transient, expected));
        assert!(script.asked().len() <= count + 1, "{:?}", script.asked());
    }
    Ok(())
}

#[tokio::test]
async fn a_link_to_elsewhere_is_not_followed() -> Result<()> {
    let elsewhere = Service::answering(&[(200, r#"{"tags":["evil"]}"#)]).await?;
    let host = elsewhere.url.port().context("it has a port")?;
    for (link, why) in [
        (format!("http://127.0.0.1:{host}{LIST}?n=1"), "leads to another host"),
        (format!("//127.0.0.1:{host}{LIST}?n=1"), "leads to another host"),
        ("/v2/shop/other/tags/list?n=1".to_owned(), "leads to another path"),
        ("http://[".to_owned(), "can not be read"),
    ] {
        let script = Script::set(vec![linked(&["a"], &format!("<{link}>; rel=\"next\""))]).await?;
        let (error, said) = script.failure().await?;
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
        assert!(said.ends_with(&format!("its link to the next page {why}")), "{said}");
        assert_eq!(script.asked().len(), 1);
    }
    let script = Script::set(vec![Answer::new(307, "").header("Location", elsewhere.url.as_str())]).await?;
    let (error, said) = script.failure().await?;
    assert!(matches!(error, Error::Refused { .. }), "{said}");
    assert!(elsewhere.asked().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_list_without_end_is_cut_off_and_says_so() -> Result<()> {
    let pages: Vec<Answer> =
        (0..600).map(|number| linked(&[&format!("t{number}")], &format!("<?last={number}>; rel=next"))).collect();
    let script = Script::set(pages).await?;
    let tags = script.tags().await?;
    assert_eq!((tags.tags.len(), tags.is_truncated, script.asked().len()), (500, true, 500));

    let many: Vec<String> = (0..100_001).map(|number| format!("t{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (count, link, is_truncated) in
        [(100_000, None, false), (100_000, Some("<?p=2>; rel=next"), true), (100_001, None, true)]
    {
        let answer = page(&many[..count]).header("ETag", "\"1\"");
        let answer = link.map_or(answer.clone(), |link| answer.header("Link", link));
        let script = Script::set(vec![answer]).await?;
        let tags = script.tags().await?;
        assert_eq!((tags.tags.len(), tags.is_truncated), (100_000, is_truncated));
        assert_eq!((tags.validator.is_some(), script.asked().len()), (!is_truncated, 1));
    }
    Ok(())
}
