use anyhow::Result;
use store::Store;

use crate::world::{World, at, refused};

#[tokio::test]
async fn closing_lets_another_process_in_and_refuses_every_clone() -> Result<()> {
    let world = World::new().await?;
    let (url, clone) = (world.url(), world.store.clone());
    world.store.close().await?;
    refused(clone.ping().await, "Database(PoolClosed)")?;
    Store::open(&url, at(0)).await?.ping().await?;
    Ok(())
}

#[tokio::test]
async fn what_was_answered_survives_a_crash() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.announce("1").await?;
    let promotion = world.open(1).await?;
    let before = (world.store.deliveries(None, 9).await?, world.store.promotion(promotion).await?);
    let world = world.crash().await?;
    let after = (world.store.deliveries(None, 9).await?, world.store.promotion(promotion).await?);
    assert_eq!(after, before);
    assert_eq!(world.announce("1").await?, delivery, "it is still known");
    Ok(())
}
