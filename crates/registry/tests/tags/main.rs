//! Which tags a repository has, asked of registries that list page by page and of those that do otherwise.

mod credentials;
mod pages;
mod refusals;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use domain::{
    fault::Chain,
    image::{Digest, Repository, Tag},
};
use oci_client::{
    Client,
    client::{ClientConfig, ClientProtocol},
};
use registry::{Access, Credentials, Error, Listing, Registries, Tags, Timeouts, Transport};
use sandbox::registry::{Image, Options, SandboxRegistry};
use testkit::{
    DockerRegistry,
    service::{Answer, Service},
};

pub(crate) const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(2), total: Duration::from_secs(10) };
pub(crate) const NAME: &str = "shop/app";
pub(crate) const LIST: &str = "/v2/shop/app/tags/list";

pub(crate) fn asked_at(host: &str, credentials: Credentials) -> Result<(Registries, Repository)> {
    let access = Access { transport: Transport::Http, credentials, ..Access::default() };
    let registries = Registries::new(BTreeMap::from([(host.parse()?, access)]), TIMEOUTS)?;
    Ok((registries, format!("{host}/{NAME}").parse()?))
}

pub(crate) async fn list(host: &str) -> Result<Result<Listing, Error>> {
    let (registries, repository) = asked_at(host, Credentials::Anonymous)?;
    Ok(registries.tags(&repository, None).await)
}

/// A registry that says this, after it has said that it wants no token.
pub(crate) struct Script {
    pub(crate) service: Service,
    pub(crate) host: String,
}

impl Script {
    pub(crate) async fn set(answers: Vec<Answer>) -> Result<Self> {
        let service = Service::saying([vec![Answer::new(200, "{}")], answers].concat()).await?;
        let host = format!("127.0.0.1:{}", service.url.port().context("it has a port")?);
        Ok(Self { service, host })
    }

    pub(crate) async fn list(&self) -> Result<Result<Listing, Error>> {
        list(&self.host).await
    }

    /// The tags that it is found to have.
    pub(crate) async fn tags(&self) -> Result<Tags> {
        taken(self.list().await??)
    }

    /// The whole sentence of what is wrong, without its address.
    pub(crate) async fn failure(&self) -> Result<(Error, String)> {
        let error = self.list().await?.err().context("it was listed")?;
        let said = Chain(&error).to_string().replace(&self.host, "HOST");
        Ok((error, said))
    }

    /// What was asked for besides the token.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.service.asked().into_iter().map(|asked| asked.line).filter(|line| line != "GET /v2/").collect()
    }
}

pub(crate) fn taken(listing: Listing) -> Result<Tags> {
    match listing {
        Listing::Tags(tags) => Ok(tags),
        Listing::Unchanged | Listing::Absent => bail!("no tags were listed: {listing:?}"),
    }
}

pub(crate) fn names(tags: &Tags) -> Vec<&str> {
    tags.tags.iter().map(Tag::as_str).collect()
}

pub(crate) fn page(names: &[&str]) -> Answer {
    Answer::new(200, &serde_json::json!({ "name": NAME, "tags": names }).to_string())
}

pub(crate) fn linked(names: &[&str], link: &str) -> Answer {
    page(names).header("Link", link)
}

/// A page that is as long as one is asked for, of tags from that number on.
pub(crate) fn full(first: usize) -> Answer {
    let names: Vec<String> = (first..first + 1_000).map(|number| format!("t{number:06}")).collect();
    page(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn more_tags_than_a_page_has_are_all_listed() -> Result<()> {
    for count in [0, 1, 999, 1_000, 1_001, 2_345] {
        let sandbox = SandboxRegistry::start(Options::default()).await?;
        let digest = sandbox.push_image(NAME, "v1", &Image::default())?;
        for number in 1..count {
            sandbox.push_image(NAME, &format!("sha-{number:040}"), &Image::default())?;
        }
        if count == 0 {
            delete(&sandbox, &digest).await?;
        }
        let tags = taken(list(sandbox.host()).await??)?;
        assert_eq!((tags.tags.len(), tags.dropped, tags.is_truncated, tags.validator), (count, 0, false, None));
        sandbox.shutdown().await;
    }
    Ok(())
}

async fn delete(sandbox: &SandboxRegistry, digest: &Digest) -> Result<()> {
    let url = format!("http://{}/v2/{NAME}/manifests/{digest}", sandbox.host());
    reqwest::Client::new().delete(url).send().await?.error_for_status()?;
    Ok(())
}

#[tokio::test]
async fn a_real_registry_lists_all_at_once_and_in_no_order() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let registry = DockerRegistry::start(directory.path(), "http://127.0.0.1:9/", "none").await?;
    assert_eq!(list(registry.host()).await??, Listing::Absent);
    let client = Client::try_from(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() })?;
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({ "schemaVersion": 2, "mediaType": kind, "manifests": [] }).to_string();
    let mut expected: Vec<String> = Vec::new();
    // As many as a page has, where it can not be told whether there are more, and one more.
    for count in [1, 1_000, 1_001] {
        for number in expected.len()..count {
            let tag = format!("sha-{number:040}");
            let place = oci_client::Reference::with_tag(registry.host().to_owned(), NAME.to_owned(), tag.clone());
            client.push_manifest_raw(&place, index.clone().into_bytes(), kind.parse()?).await?;
            expected.push(tag);
        }
        let tags = taken(list(registry.host()).await??)?;
        assert_eq!(names(&tags), expected);
        assert!(!tags.is_truncated && tags.dropped == 0);
    }
    registry.stop().await
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() -> Result<()> {
    let script = Script::set(vec![
        page(&["a"]).header("ETag", "W/\"1\""),
        Answer::new(304, ""),
        page(&["a", "b"]).header("ETag", "\"2\""),
    ])
    .await?;
    let (registries, repository) = asked_at(&script.host, Credentials::Anonymous)?;
    let first = taken(registries.tags(&repository, None).await?)?;
    assert!(first.validator.is_some());
    assert_eq!(registries.tags(&repository, first.validator.as_ref()).await?, Listing::Unchanged);
    let second = taken(registries.tags(&repository, first.validator.as_ref()).await?)?;
    assert_eq!(names(&second), ["a", "b"]);
    assert!(second.validator.is_some() && second.validator != first.validator);
    let asked = script.service.asked();
    let sent: Vec<&str> = asked.iter().skip(1).map(|asked| asked.header("if-none-match")).collect();
    assert_eq!(sent, ["", "W/\"1\"", "W/\"1\""]);

    let script = Script::set(vec![Answer::new(304, "")]).await?;
    assert!(script.list().await?.is_err(), "nobody asked whether it has changed");
    Ok(())
}

#[tokio::test]
async fn what_is_no_tag_is_counted_and_keeps_nothing_good_from_being_listed() -> Result<()> {
    let odd =
        r#"{"name":"x","tags":["a b","v1",7,"","../x",null,"v2",{"v3":[]}],"manifest":{"sha256:00":{"tag":["v9"]}}}"#;
    let script =
        Script::set(vec![Answer::new(200, odd).header("Link", "<?p=2>; rel=next"), page(&["-", "v4"])]).await?;
    let tags = script.tags().await?;
    assert_eq!((names(&tags), tags.dropped, tags.is_truncated), (vec!["v1", "v2", "v4"], 7, false));
    let script = Script::set(vec![Answer::new(200, r#"{"name":"shop/app","tags":null}"#)]).await?;
    assert_eq!(script.tags().await?, Tags::default());
    Ok(())
}

#[tokio::test]
async fn a_repository_that_nobody_has_pushed_to_is_no_fault() -> Result<()> {
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    assert_eq!(list(sandbox.host()).await??, Listing::Absent);
    sandbox.shutdown().await;
    let unknown = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#;
    for (status, body) in [(404, unknown), (404, "gone"), (400, unknown)] {
        assert_eq!(Script::set(vec![Answer::new(status, body)]).await?.list().await??, Listing::Absent);
    }
    Ok(())
}
