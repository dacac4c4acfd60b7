use anyhow::{Context as _, Result};
use store::{AnnouncementVerdict, Kept};

use crate::world::{World, at, build, commit};

#[tokio::test]
async fn bodies_go_first_then_deliveries_and_what_was_released_stays() -> Result<()> {
    let world = World::new().await?;
    world.found(commit(1), &build(1, 0)?, "acme/trinity").await?;
    let id = world.store.deliveries(None, 9).await?[0].id;
    assert!(!world.store.keep(Some(at(0)), Some(at(0))).await?);
    let body = |kept: Option<Kept>| anyhow::Ok(kept.context("it is gone")?.body);
    assert_eq!(body(world.store.kept(id).await?)?.as_deref(), Some(&b"{}"[..]), "it came at that time, and not before");

    assert!(!world.store.keep(Some(at(1)), Some(at(0))).await?);
    assert_eq!(body(world.store.kept(id).await?)?, None);
    assert!(world.store.is_body_of(id, b"whatever").await?, "nobody knows any more");
    assert_eq!(world.store.delivery(id).await?.context("it is gone")?.announcements.len(), 1);
    let releases = world.store.releases(None, None, 9).await?;
    let detail = world.store.release(releases[0].release).await?;

    world.store.keep(None, Some(at(1))).await?;
    assert_eq!(world.store.delivery(id).await?, None);
    assert_eq!(world.store.releases(None, None, 9).await?, releases);
    assert_eq!(world.store.release(releases[0].release).await?, detail);
    Ok(())
}

#[tokio::test]
async fn what_is_still_to_be_done_is_kept_however_old_it_is() -> Result<()> {
    let world = World::new().await?;
    let id = world.announce("1").await?;
    world.store.keep(Some(at(9)), Some(at(9))).await?;
    assert!(world.store.delivery(id).await?.is_some());
    let claim = world.claim(at(9)).await?;
    let ignored = AnnouncementVerdict::Ignored { reason: "x".to_owned() };
    world.store.settle_announcement(&claim, &ignored).await?;
    world.store.keep(Some(at(9)), Some(at(9))).await?;
    assert_eq!(world.store.delivery(id).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_step_is_small_and_says_that_there_may_be_more() -> Result<()> {
    let world = World::new().await?;
    for id in 0..250 {
        world.deliver(&id.to_string(), Vec::new()).await?;
    }
    assert!(world.store.keep(None, Some(at(1))).await?);
    assert_eq!(world.store.deliveries(None, 1_000).await?.len(), 50);
    assert!(!world.store.keep(None, Some(at(1))).await?);
    assert_eq!(world.store.deliveries(None, 1_000).await?, []);
    Ok(())
}
