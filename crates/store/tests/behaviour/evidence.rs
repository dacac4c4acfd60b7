use anyhow::{Context as _, Result};
use domain::evidence::{Kind, Outcome};
use store::{LedgerRow, Note, PromotionId, WAITING};

use crate::world::{World, at, evidence};

async fn ledger(world: &World, promotion: PromotionId) -> Result<Vec<LedgerRow>> {
    let release = world.store.promotion(promotion).await?.release;
    let detail = world.store.release(release).await?.context("no release")?;
    Ok(detail.ledger)
}

async fn waiting(world: &World, promotion: PromotionId) -> Result<Option<String>> {
    let release = world.store.promotion(promotion).await?.release;
    let detail = world.store.release(release).await?.context("no release")?;
    let promotion = detail.promotions.first().context("no promotion")?;
    Ok(promotion.waiting.clone())
}

#[tokio::test]
async fn all_evidence_reads_back_in_the_order_of_its_kinds() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let mut all = [
        evidence(Kind::Immutable, Outcome::Failed, "moved"),
        evidence(Kind::Image, Outcome::Pending { until: at(60) }, "waiting"),
        evidence(Kind::Branch, Outcome::Skipped, "off"),
        evidence(Kind::Commit, Outcome::Passed, "é"),
        evidence(Kind::Tag, Outcome::Passed, "spelled"),
    ];
    all[0].link = Some("https://x/1".to_owned());
    world.store.record_evidence(&claim, &all, None, at(1)).await?;
    all.sort_by_key(|one| one.kind);
    assert_eq!(world.store.evidence(id).await?, all);
    Ok(())
}

#[tokio::test]
async fn only_evidence_that_changed_leaves_a_row_in_the_ledger() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let pending = |seconds| Outcome::Pending { until: at(seconds) };
    let tag = evidence(Kind::Tag, Outcome::Passed, "spelled");
    for image in [
        evidence(Kind::Image, pending(60), "waiting"),
        evidence(Kind::Image, pending(60), "waiting"),
        evidence(Kind::Image, pending(90), "waiting"),
        evidence(Kind::Image, Outcome::Passed, "there"),
    ] {
        world.store.record_evidence(&claim, &[tag.clone(), image], None, at(1)).await?;
    }
    let rows = ledger(&world, id).await?;
    let told: Vec<&str> = rows.iter().filter(|row| row.what == "evidence").map(|row| row.why.as_str()).collect();
    assert_eq!(told, ["tag passed: spelled", "image pending: waiting", "image passed: there"]);
    assert_eq!(world.store.evidence(id).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_note_is_not_repeated_until_something_else_was_noted() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let before = ledger(&world, id).await?.len();
    let note = |what, why: &str| Note { what, why: why.to_owned(), link: None };
    for (one, rows) in [
        (note(WAITING, "for checks"), 1),
        (note(WAITING, "for checks"), 1),
        (note(WAITING, "for reviews"), 2),
        (note(WAITING, "for checks"), 3),
        (note("armed", "for checks"), 4),
    ] {
        world.store.note(&claim, &one, at(1)).await?;
        assert_eq!(ledger(&world, id).await?.len(), before + rows, "{one:?}");
    }
    let long = note("armed", &"é".repeat(5_000));
    world.store.note(&claim, &long, at(1)).await?;
    world.store.note(&claim, &long, at(2)).await?;
    assert_eq!(ledger(&world, id).await?.len(), before + 5);
    Ok(())
}

#[tokio::test]
async fn a_wait_is_shown_until_something_is_done() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    assert_eq!(waiting(&world, id).await?, None);
    let note = Note { what: WAITING, why: "for the image".to_owned(), link: None };
    world.store.note(&claim, &note, at(1)).await?;
    let image = [evidence(Kind::Image, Outcome::Passed, "there")];
    world.store.record_evidence(&claim, &image, None, at(2)).await?;
    assert_eq!(waiting(&world, id).await?.as_deref(), Some("for the image"));
    let armed = Note { what: "armed", why: "head 1".to_owned(), link: None };
    world.store.note(&claim, &armed, at(3)).await?;
    assert_eq!(waiting(&world, id).await?, None);
    Ok(())
}
