use std::{collections::HashSet, time::Duration};

use anyhow::Result;
use domain::{announcement::About, forge::Number, promotion::Outcome};
use store::{Attempts, PushedHead, Subject};

use crate::world::{LEASE, World, at, build, commit, refused};

#[tokio::test(flavor = "multi_thread")]
async fn two_claims_never_hold_the_same_work() -> Result<()> {
    let world = World::new().await?;
    for id in 0..40 {
        world.announce(&id.to_string()).await?;
    }
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move {
                let mut claimed = Vec::new();
                while let Some(claim) = store.claim_due(at(0), LEASE).await? {
                    claimed.push(claim.subject);
                }
                Ok::<_, store::Error>(claimed)
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    assert_eq!(all.len(), 40);
    assert_eq!(all.into_iter().collect::<HashSet<Subject>>().len(), 40);
    Ok(())
}

#[tokio::test]
async fn what_has_been_due_for_longest_comes_first_and_nothing_comes_early() -> Result<()> {
    let world = World::new().await?;
    world.announce("1").await?;
    world.announce("2").await?;
    let (first, second) = (world.claim(at(0)).await?, world.claim(at(0)).await?);
    world.store.hand_back(&first, at(30), Attempts::Reset).await?;
    world.store.hand_back(&second, at(20), Attempts::Reset).await?;
    assert_eq!(world.store.next_due(at(0)).await?, Some(at(20)));
    assert_eq!(world.store.claim_due(at(19), LEASE).await?, None);
    assert_eq!(world.claim(at(40)).await?.subject, second.subject);
    assert_eq!(world.claim(at(40)).await?.subject, first.subject);
    Ok(())
}

#[tokio::test]
async fn failed_attempts_are_counted_until_one_goes_well() -> Result<()> {
    let world = World::new().await?;
    world.announce("1").await?;
    for (before, how) in [(0, Attempts::Failed), (1, Attempts::Failed), (2, Attempts::Reset), (0, Attempts::Failed)] {
        let claim = world.claim(at(0)).await?;
        assert_eq!(claim.attempts, before);
        world.store.hand_back(&claim, at(0), how).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_lease_ends_when_it_says() -> Result<()> {
    let world = World::new().await?;
    world.announce("1").await?;
    let claim = world.store.claim_due(at(0), Duration::from_secs(10)).await?;
    let claim = claim.expect("it is due");
    assert_eq!(world.store.next_due(at(1)).await?, Some(at(10)));
    assert_eq!(world.store.claim_due(at(9), LEASE).await?, None);
    let next = world.claim(at(10)).await?;
    assert_eq!(next.subject, claim.subject);
    refused(world.store.hand_back(&claim, at(15), Attempts::Reset).await, "ClaimLost")?;
    world.store.hand_back(&next, at(50), Attempts::Reset).await?;
    assert_eq!(world.store.next_due(at(60)).await?, Some(at(60)));
    Ok(())
}

#[tokio::test]
async fn a_claim_that_was_handed_back_holds_nothing() -> Result<()> {
    let world = World::new().await?;
    world.announce("1").await?;
    let claim = world.claim(at(0)).await?;
    world.store.hand_back(&claim, at(0), Attempts::Reset).await?;
    refused(world.store.hand_back(&claim, at(99), Attempts::Failed).await, "ClaimLost")
}

#[tokio::test]
async fn a_wake_while_a_pass_is_running_is_not_lost() -> Result<()> {
    let world = World::new().await?;
    let (promotion, claim) = world.open_and_claim(1).await?;
    let gitops = "acme/trinity".parse()?;
    assert_eq!(world.store.wake_promotions(&gitops, &About::Repository, at(5)).await?, 1);
    assert_eq!(world.store.claim_due(at(5), LEASE).await?, None);
    world.store.hand_back(&claim, at(900), Attempts::Reset).await?;
    assert_eq!(world.store.next_due(at(5)).await?, Some(at(5)));
    let claim = world.claim(at(6)).await?;
    assert_eq!(claim.subject, Subject::Promotion(promotion));
    world.store.hand_back(&claim, at(900), Attempts::Reset).await?;
    assert_eq!(world.store.next_due(at(7)).await?, Some(at(900)), "one wake is one more look");
    Ok(())
}

#[tokio::test]
async fn a_wake_makes_what_waits_due_now_in_that_repository_alone() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    world.store.hand_back(&claim, at(900), Attempts::Reset).await?;
    let elsewhere = "acme/other".parse()?;
    assert_eq!(world.store.wake_promotions(&elsewhere, &About::Repository, at(5)).await?, 0);
    assert_eq!(world.store.next_due(at(5)).await?, Some(at(900)));
    let gitops = "acme/trinity".parse()?;
    world.store.wake_promotions(&gitops, &About::Repository, at(5)).await?;
    assert_eq!(world.claim(at(5)).await?.subject, claim.subject);
    Ok(())
}

#[tokio::test]
async fn a_wake_is_for_those_alone_that_depend_on_what_moved() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let gitops = "acme/trinity".parse()?;
    let woken = async |about: String| {
        anyhow::Ok(world.store.wake_promotions(&gitops, &about.parse::<About>()?, at(5)).await? == 1)
    };
    assert!(woken("branch main".to_owned()).await? && !woken("branch release/1".to_owned()).await?);
    assert!(!woken("pull-request 7".to_owned()).await?, "it has none");
    world.store.take_slot(&claim, at(0)).await?;
    assert!(woken("pull-request 7".to_owned()).await?, "it does not know its number");
    let head = PushedHead { commit: commit(7), base: commit(8) };
    world.store.record_head(&claim, head, at(0)).await?;
    assert!(woken(format!("commit {}", commit(7))).await? && !woken(format!("commit {}", commit(8))).await?);
    let url = "https://forge.example/7";
    world.store.record_pull_request(&claim, Number(7), url, at(0)).await?;
    assert!(woken("pull-request 7".to_owned()).await? && !woken("pull-request 8".to_owned()).await?);
    let application = world.store.promotion(id).await?.application;
    for (commit, expected) in [(None, 1), (Some(commit(1)), 1), (Some(commit(2)), 0)] {
        assert_eq!(world.store.wake_application(&application, commit, at(5)).await?, expected, "{commit:?}");
    }
    assert_eq!(world.store.wake_application(&"other".parse()?, None, at(5)).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_repository_that_is_announced_in_another_case_is_the_same_one() -> Result<()> {
    let world = World::new().await?;
    let opened = world.found(commit(1), &build(1, 0)?, "Acme/Trinity").await?.promotion;
    let claim = world.claim(at(0)).await?;
    assert_eq!(Some(claim.subject), opened.map(Subject::Promotion));
    world.store.hand_back(&claim, at(900), Attempts::Reset).await?;
    assert_eq!(world.store.wake_promotions(&"acme/trinity".parse()?, &About::Repository, at(5)).await?, 1);
    assert_eq!(world.claim(at(5)).await?.subject, claim.subject);
    Ok(())
}

#[tokio::test]
async fn one_that_waits_for_the_slot_wakes_its_holder_and_not_another_that_waits() -> Result<()> {
    let world = World::new().await?;
    let (waiting, first) = world.open_and_claim(1).await?;
    let (holder, second) = world.open_and_claim(2).await?;
    let (_, third) = world.open_and_claim(3).await?;
    world.store.take_slot(&second, at(1)).await?;
    for claim in [&first, &second, &third] {
        world.store.hand_back(claim, at(900), Attempts::Reset).await?;
    }
    world.store.wake_slot_holder(&world.store.promotion(waiting).await?, at(5)).await?;
    let claim = world.claim(at(5)).await?;
    assert_eq!(claim.subject, Subject::Promotion(holder));
    assert_eq!(world.store.claim_due(at(5), LEASE).await?, None);
    world.store.hand_back(&claim, at(900), Attempts::Reset).await?;
    world.store.wake_slot_holder(&world.store.promotion(holder).await?, at(6)).await?;
    assert_eq!(world.store.next_due(at(6)).await?, Some(at(900)), "the holder wakes neither itself nor others");
    Ok(())
}

#[tokio::test]
async fn the_holder_of_another_slot_and_one_that_is_settled_are_not_woken() -> Result<()> {
    let world = World::new().await?;
    let (_, settled) = world.open_and_claim(1).await?;
    world.store.take_slot(&settled, at(1)).await?;
    world.store.settle(&settled, &Outcome::Declined, at(1)).await?;
    world.found(commit(2), &build(2, 0)?, "acme/other").await?;
    let elsewhere = world.claim(at(0)).await?;
    world.store.take_slot(&elsewhere, at(1)).await?;
    let (waiting, own) = world.open_and_claim(3).await?;
    for claim in [&elsewhere, &own] {
        world.store.hand_back(claim, at(900), Attempts::Reset).await?;
    }
    world.store.wake_slot_holder(&world.store.promotion(waiting).await?, at(5)).await?;
    assert_eq!(world.store.next_due(at(5)).await?, Some(at(900)));
    Ok(())
}

#[tokio::test]
async fn what_is_of_a_busy_lane_or_site_is_passed_over_until_it_is_not_busy() -> Result<()> {
    let world = World::new().await?;
    let promotion = world.open(1).await?;
    world.announce("1").await?;
    let busy = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for names in [
        &["registry.example/mandelbrot", "mandelbrot"][..],
        &["registry.example", store::FORGE],
        &["other", "registry.example", "mandelbrot", "another"],
    ] {
        assert_eq!(world.store.claim_due_beside(at(0), LEASE, &busy(names)).await?, None, "{names:?}");
    }
    let passed_over = busy(&["registry.example/mandel", "example", "registry"]);
    let announcement = world.store.claim_due_beside(at(0), LEASE, &busy(&["mandelbrot"])).await?.expect("is due");
    assert_eq!((&*announcement.lane, &*announcement.site), ("registry.example/mandelbrot", "registry.example"));
    let claim = world.store.claim_due_beside(at(0), LEASE, &passed_over).await?.expect("is due");
    assert_eq!(claim.subject, Subject::Promotion(promotion));
    assert_eq!((&*claim.lane, &*claim.site), ("mandelbrot", store::FORGE));
    Ok(())
}
