//! The commits between two, as the sandbox tells them of a real repository.

use anyhow::Context as _;
use conformance::Watched;
use domain::{commit::Commit, forge::Repository};
use forge::{Credentials, Forge, Settings};
use sandbox::{NewRepository, Options, Push, Sandbox};

const SOURCE: &str = "acme/mandelbrot";

/// A commit of a file on `main`.
async fn push(sandbox: &Sandbox, content: &str, message: &str) -> anyhow::Result<Commit> {
    let push = Push::new("main", [("README", content)]).message(message);
    Ok(sandbox.push(SOURCE, push).await?.to_string().parse()?)
}

#[tokio::test]
async fn the_first_fifty_commits_between_two_come_with_their_number_in_one_request() -> anyhow::Result<()> {
    let sandbox = Watched::start(Options::default()).await?;
    sandbox.create_repository(NewRepository::with_files(SOURCE, [("README", "x")])?).await?;
    let directory = tempfile::tempdir()?;
    let credentials = Credentials::Token(sandbox::PERSONAL_TOKEN.into());
    let forge = Forge::new(Settings::new(sandbox.url().parse()?, credentials, directory.path().to_owned()))?;
    let repository: Repository = SOURCE.parse()?;

    let first = push(&sandbox, "0", "Start").await?;
    let mut pushed = Vec::new();
    for number in 1..=60 {
        pushed.push(push(&sandbox, &number.to_string(), &format!("Step {number}\n\nWhy")).await?);
    }
    let last = *pushed.last().context("sixty were pushed")?;
    sandbox.clear_requests();
    let found = forge.comparison(&repository, first, last).await?.and_then(|found| found.between);
    let between = found.context("the first is an ancestor")?;
    assert_eq!(sandbox.requests().len(), 1);
    assert_eq!((between.from, between.count), (first, 60));
    assert_eq!(between.url, format!("{}/{SOURCE}/compare/{first}...{last}", sandbox.url()));
    let listed: Vec<_> = between.listed.iter().map(|one| (one.commit, one.subject.as_str())).collect();
    let subjects: Vec<String> = (1..=50).map(|number| format!("Step {number}")).collect();
    assert_eq!(listed, pushed.iter().copied().zip(subjects.iter().map(String::as_str)).collect::<Vec<_>>());
    for one in &between.listed {
        assert_eq!(one.url, format!("{}/{SOURCE}/commit/{}", sandbox.url(), one.commit));
    }
    Ok(())
}

async fn forge(sandbox: &Sandbox, directory: &std::path::Path) -> anyhow::Result<Forge> {
    let credentials = Credentials::Token(sandbox::PERSONAL_TOKEN.into());
    Ok(Forge::new(Settings::new(sandbox.url().parse()?, credentials, directory.to_owned()))?)
}

#[tokio::test]
async fn the_newest_fifty_commits_of_a_branch_come_newest_first_and_again_for_nothing() -> anyhow::Result<()> {
    let sandbox = Watched::start(Options::default()).await?;
    sandbox.create_repository(NewRepository::with_files(SOURCE, [("README", "x")])?).await?;
    let directory = tempfile::tempdir()?;
    let forge = forge(&sandbox, directory.path()).await?;
    let (repository, main): (Repository, domain::forge::Branch) = (SOURCE.parse()?, "main".parse()?);
    for number in 1..=54 {
        push(&sandbox, &number.to_string(), &format!("Step {number}\n\nRelease-Id: x/{number}")).await?;
    }
    sandbox.clear_requests();
    let history = forge.history(&repository, &main).await?;
    assert_eq!(sandbox.requests().len(), 1);
    assert_eq!(history.len(), 50);
    for (one, number) in history.iter().zip((5..=54).rev()) {
        assert_eq!(one.message.trim_end(), format!("Step {number}\n\nRelease-Id: x/{number}"));
        assert_eq!(one.url, format!("{}/{SOURCE}/commit/{}", sandbox.url(), one.commit));
    }
    assert_eq!(forge.history(&repository, &main).await?, history);
    let last = sandbox.requests().pop().context("it was asked")?;
    assert_eq!(last.status, Some(304));
    assert_eq!(forge.history(&repository, &"gone".parse()?).await?, []);
    let nowhere = forge.history(&"acme/nowhere".parse()?, &main).await;
    assert!(matches!(nowhere, Err(forge::Error::NoRepository { .. })), "{nowhere:?}");
    Ok(())
}

#[tokio::test]
async fn the_pull_request_of_a_merge_is_found_and_a_push_has_none() -> anyhow::Result<()> {
    let sandbox = Watched::start(Options::default()).await?;
    sandbox.create_repository(NewRepository::with_files(SOURCE, [("README", "x")])?).await?;
    let directory = tempfile::tempdir()?;
    let forge = forge(&sandbox, directory.path()).await?;
    let repository: Repository = SOURCE.parse()?;
    let pushed = push(&sandbox, "1", "By hand").await?;
    assert_eq!(forge.pull_request_of(&repository, pushed).await?, None);
    for method in [sandbox::Method::Squash, sandbox::Method::Merge] {
        let branch = format!("change-{method:?}").to_lowercase();
        let push = Push::new(&branch, [("other", branch.as_str())]).onto("main");
        sandbox.push(SOURCE, push).await?;
        let number = sandbox.open_pull_request(SOURCE, &branch, "main", "Change").await?;
        let merged: Commit = sandbox.merge(SOURCE, number, method).await?.to_string().parse()?;
        let (found, url) = forge.pull_request_of(&repository, merged).await?.context("it was merged")?;
        assert_eq!((found.0, url), (number, format!("{}/{SOURCE}/pull/{number}", sandbox.url())));
    }
    Ok(())
}
