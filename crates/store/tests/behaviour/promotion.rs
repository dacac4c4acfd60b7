use anyhow::{Context as _, Result};
use domain::{
    evidence::{self, Kind},
    fault::Fault,
    forge::Number,
    promotion::{Ending, Outcome},
    report::{Report, State},
};
use store::{Note, PushedHead, Said, Subject};

use crate::world::{World, at, build, commit, evidence, refused};

#[tokio::test]
async fn one_promotion_at_a_time_has_the_slot_of_an_application_and_repository() -> Result<()> {
    let world = World::new().await?;
    let (first, first_claim) = world.open_and_claim(1).await?;
    let (second, second_claim) = world.open_and_claim(2).await?;
    world.store.take_slot(&first_claim, at(1)).await?;
    world.store.take_slot(&first_claim, at(2)).await?;
    let error = world.store.take_slot(&second_claim, at(2)).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Stale);
    refused::<()>(Err(error), "SlotTaken")?;
    assert!(world.store.promotion(first).await?.live);
    assert!(!world.store.promotion(second).await?.live);
    world.store.settle(&first_claim, &Outcome::Declined, at(3)).await?;
    assert!(!world.store.promotion(first).await?.live, "what is settled has no slot");
    world.store.take_slot(&second_claim, at(4)).await?;
    assert!(world.store.promotion(second).await?.live);
    Ok(())
}

#[tokio::test]
async fn another_repository_has_a_slot_of_its_own() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    world.store.take_slot(&claim, at(1)).await?;
    world.found(commit(2), &build(2, 0)?, "acme/other").await?;
    world.store.take_slot(&world.claim(at(1)).await?, at(1)).await?;
    Ok(())
}

#[tokio::test]
async fn rivals_are_the_unsettled_others_with_what_is_proven_of_them() -> Result<()> {
    let world = World::new().await?;
    let (first, first_claim) = world.open_and_claim(1).await?;
    let (second, second_claim) = world.open_and_claim(2).await?;
    world.found(commit(3), &build(3, 0)?, "acme/other").await?;
    world.store.take_slot(&second_claim, at(1)).await?;
    let passed = [evidence(Kind::Tag, evidence::Outcome::Passed, "x")];
    world.store.record_evidence(&second_claim, &passed, None, at(1)).await?;
    let own = world.store.promotion(first).await?;
    let rivals = world.store.rivals(&own).await?;
    assert_eq!(rivals.len(), 1);
    assert_eq!(rivals[0].commit, commit(2));
    assert!(rivals[0].live && !rivals[0].closing);
    assert_eq!(rivals[0].evidence, passed);
    world.store.settle(&first_claim, &Outcome::Declined, at(1)).await?;
    let other = world.store.promotion(second).await?;
    assert_eq!(world.store.rivals(&other).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_head_that_is_recorded_again_is_the_last_one() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let head = |byte, base| PushedHead { commit: commit(byte), base: commit(base) };
    for pushed in [head(10, 1), head(11, 2), head(11, 2), head(10, 3)] {
        world.store.record_head(&claim, pushed, at(1)).await?;
    }
    assert_eq!(world.store.promotion(id).await?.heads, [head(11, 2), head(10, 3)]);
    Ok(())
}

#[tokio::test]
async fn a_promotion_reads_back_what_a_pass_recorded() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    world.store.record_pull_request(&claim, Number(12), "https://x/12", at(1)).await?;
    world.store.record_evidence(&claim, &[], Some("Draw faster"), at(1)).await?;
    let promotion = world.store.promotion(id).await?;
    assert_eq!(promotion.pull_request, Some(Number(12)));
    assert_eq!(promotion.subject.as_deref(), Some("Draw faster"));
    assert_eq!(promotion.application.as_str(), "mandelbrot");
    assert_eq!(promotion.gitops.to_string(), "acme/trinity");
    assert_eq!(promotion.base.as_str(), "main");
    assert_eq!((promotion.commit, promotion.opened_at), (commit(1), at(0)));
    assert_eq!((promotion.closing, promotion.outcome), (None, None));
    Ok(())
}

#[tokio::test]
async fn every_ending_reads_back_as_it_was_decided() -> Result<()> {
    let endings = || {
        [
            Ending::AlreadyCurrent,
            Ending::Superseded { by: commit(0xab) },
            Ending::Refused { why: String::new() },
            Ending::Refused { why: "no image in gcp; 'x' -- \"é\"".repeat(300) },
        ]
    };
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    for ending in endings() {
        world.store.record_closing(&claim, &ending, at(1)).await?;
        assert_eq!(world.store.promotion(id).await?.closing, Some(ending));
    }
    let outcomes = endings().map(Outcome::Ended).into_iter().chain([
        Outcome::Declined,
        Outcome::Merged { commit: None },
        Outcome::Merged { commit: Some(commit(0xcd)) },
    ]);
    for outcome in outcomes {
        let world = World::new().await?;
        let (id, claim) = world.open_and_claim(1).await?;
        world.store.settle(&claim, &outcome, at(1)).await?;
        assert_eq!(world.store.promotion(id).await?.outcome, Some(outcome));
    }
    Ok(())
}

#[tokio::test]
async fn a_repository_that_is_configured_in_another_case_has_the_same_slot() -> Result<()> {
    let world = World::new().await?;
    let (first, first_claim) = world.open_and_claim(1).await?;
    world.store.take_slot(&first_claim, at(1)).await?;
    let second = world.found(commit(2), &build(2, 0)?, "Acme/Trinity").await?.promotion.context("none was opened")?;
    let second_claim = world.claim(at(1)).await?;
    let rivals = world.store.rivals(&world.store.promotion(second).await?).await?;
    assert_eq!(rivals.iter().map(|rival| (rival.commit, rival.live)).collect::<Vec<_>>(), [(commit(1), true)]);
    refused(world.store.take_slot(&second_claim, at(2)).await, "SlotTaken")?;
    world.store.hand_back(&first_claim, at(900), store::Attempts::Reset).await?;
    world.store.wake_slot_holder(&world.store.promotion(second).await?, at(3)).await?;
    assert_eq!(world.claim(at(3)).await?.subject, Subject::Promotion(first));
    Ok(())
}

#[tokio::test]
async fn settling_wakes_the_rivals_and_leaves_no_work_of_its_own() -> Result<()> {
    let world = World::new().await?;
    let (_, first) = world.open_and_claim(1).await?;
    let (second, second_claim) = world.open_and_claim(2).await?;
    world.store.hand_back(&second_claim, at(900), store::Attempts::Reset).await?;
    world.store.settle(&first, &Outcome::Declined, at(5)).await?;
    let claim = world.claim(at(5)).await?;
    assert_eq!(claim.subject, Subject::Promotion(second));
    world.store.settle(&claim, &Outcome::Declined, at(6)).await?;
    assert_eq!(world.store.next_due(at(6)).await?, None);
    Ok(())
}

#[tokio::test]
async fn orders_labels_and_reports_are_remembered() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let note = Note { what: "armed", why: "it merges itself".to_owned(), link: None };
    assert!(!world.store.promotion(id).await?.labelled);
    world.store.record_labelled(&claim, at(1)).await?;
    world.store.record_labelled(&claim, at(2)).await?;
    world.store.record_order(&claim, commit(7), &note, at(1)).await?;
    let known = world.store.promotion(id).await?;
    assert_eq!((known.ordered, known.labelled), (Some(commit(7)), true));
    let report = Report { head: commit(7), state: State::Failure, description: "no".to_owned() };
    world.store.record_report(&claim, &report).await?;
    assert_eq!(world.store.promotion(id).await?.reported, Some((commit(7), "failure".to_owned())));
    world.store.withdraw_order(&claim).await?;
    world.store.withdraw_order(&claim).await?;
    assert_eq!(world.store.promotion(id).await?.ordered, None);
    Ok(())
}

#[tokio::test]
async fn a_comment_is_begun_once_and_known_to_be_there_once_it_is() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    assert_eq!(world.store.begin_comment(&claim, "x").await?, Said::No);
    assert_eq!(world.store.begin_comment(&claim, "x").await?, Said::Perhaps);
    world.store.record_comment(&claim, "x", at(1)).await?;
    assert_eq!(world.store.begin_comment(&claim, "x").await?, Said::Yes);
    assert_eq!(world.store.begin_comment(&claim, "y").await?, Said::No);
    Ok(())
}

#[tokio::test]
async fn what_gave_way_to_a_promotion_is_found_with_its_pull_request() -> Result<()> {
    let world = World::new().await?;
    let (_, older) = world.open_and_claim(1).await?;
    let (newer, _) = world.open_and_claim(2).await?;
    let newer = world.store.promotion(newer).await?;
    world.store.record_pull_request(&older, Number(7), "https://forge.example/7", at(1)).await?;
    assert_eq!(world.store.superseded_by(&newer).await?, []);
    let superseded = Outcome::Ended(Ending::Superseded { by: newer.commit });
    world.store.settle(&older, &superseded, at(2)).await?;
    assert_eq!(world.store.superseded_by(&newer).await?, [Number(7)]);
    Ok(())
}

#[tokio::test]
async fn a_head_that_is_adopted_is_known_for_ours_and_never_the_last_one() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let pushed = PushedHead { commit: commit(7), base: commit(8) };
    world.store.record_head(&claim, pushed, at(1)).await?;
    world.store.adopt_head(&claim, commit(9), at(2)).await?;
    world.store.adopt_head(&claim, commit(9), at(3)).await?;
    world.store.adopt_head(&claim, commit(7), at(3)).await?;
    let promotion = world.store.promotion(id).await?;
    assert_eq!(promotion.heads, [PushedHead { commit: commit(9), base: commit(9) }, pushed]);
    let ledger = world.store.release(promotion.release).await?.expect("it is there").ledger;
    assert_eq!(ledger.iter().filter(|row| row.what == "adopted").count(), 1);
    Ok(())
}
