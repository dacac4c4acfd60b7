use anyhow::{Context as _, Result};
use domain::{forge::Number, promotion::Outcome};
use store::{DeliveryId, PullRequestRow, ReleaseId};

use crate::world::{World, at, build, commit, name};

#[tokio::test]
async fn deliveries_are_read_newest_first_page_by_page() -> Result<()> {
    let world = World::new().await?;
    let mut recorded = Vec::new();
    for id in 0..5 {
        recorded.push(world.announce(&id.to_string()).await?);
    }
    recorded.reverse();
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = world.store.deliveries(before, 2).await?;
        read.extend(page.iter().map(|row| row.id));
        let Some(last) = page.last() else { break };
        assert_eq!(last.announcements.len(), 1);
        before = Some(last.id);
    }
    assert_eq!(read, recorded);
    Ok(())
}

#[tokio::test]
async fn an_announcement_row_links_to_its_release() -> Result<()> {
    let world = World::new().await?;
    let release = world.found(commit(1), &build(1, 0)?, "acme/trinity").await?.release;
    let rows = world.store.deliveries(None, 1).await?;
    let row = &rows[0].announcements[0];
    assert_eq!((row.kind.as_str(), row.verdict.as_str()), ("pushed", "accepted"));
    assert_eq!(row.repository.as_deref(), Some("registry.example/mandelbrot"));
    assert_eq!(row.tag.as_deref(), Some("sha-1"));
    assert_eq!(row.digest.as_deref(), Some(build(1, 0)?.digest.as_str()));
    assert_eq!(row.release, Some(release));
    Ok(())
}

#[tokio::test]
async fn releases_are_read_newest_first_of_one_application_or_all() -> Result<()> {
    let world = World::new().await?;
    for byte in 1..=3 {
        world.open(byte).await?;
    }
    let all = world.store.releases(None, None, 9).await?;
    let commits: Vec<_> = all.iter().map(|row| row.commit).collect();
    assert_eq!(commits, [commit(3), commit(2), commit(1)]);
    assert_eq!(world.store.releases(Some(&name("mandelbrot")?), None, 9).await?, all);
    assert_eq!(world.store.releases(Some(&name("julia")?), None, 9).await?, []);
    let rest = world.store.releases(None, Some(all[0].release), 1).await?;
    assert_eq!(rest, all[1..2]);
    assert!(all[0].promotion.as_ref().is_some_and(|row| row.outcome.is_none()));
    Ok(())
}

#[tokio::test]
async fn a_release_is_read_with_its_promotion_and_its_ledger() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let url = "https://x/pull/7";
    world.store.record_pull_request(&claim, Number(7), url, at(2)).await?;
    world.store.record_pull_request(&claim, Number(7), url, at(3)).await?;
    let merged = Outcome::Merged { commit: Some(commit(9)) };
    world.store.settle(&claim, &merged, at(4)).await?;
    let release = world.store.promotion(id).await?.release;
    let detail = world.store.release(release).await?.context("no release")?;
    assert_eq!(detail.builds, [build(1, 0)?]);
    let promotion = &detail.promotions[0];
    assert_eq!(promotion.branch.as_str(), format!("mandelbrot/deploy-{}", commit(1)));
    let pull_request = PullRequestRow { number: Number(7), url: Some(url.to_owned()) };
    assert_eq!(promotion.pull_request, Some(pull_request));
    assert_eq!((&promotion.outcome, promotion.settled_at), (&Some(merged), Some(at(4))));
    let told: Vec<_> = detail.ledger.iter().map(|row| (row.what.as_str(), row.at)).collect();
    assert_eq!(told, [("build", at(0)), ("opened", at(0)), ("pull-request", at(2)), ("settled", at(4))]);
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_none() -> Result<()> {
    let world = World::new().await?;
    assert_eq!(world.store.delivery("7".parse::<DeliveryId>()?).await?, None);
    assert_eq!(world.store.release("7".parse::<ReleaseId>()?).await?, None);
    let error = world.store.promotion("7".parse()?).await.unwrap_err();
    assert!(error.to_string().contains("promotions: 7 is not there"), "{error}");
    Ok(())
}
