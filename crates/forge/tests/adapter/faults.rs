//! What goes wrong on the way, at each kind of call: reads get over it, and nothing is done twice.

use domain::{commit::Commit, fault::Fault, forge::PullRequestState};
use forge::{Armed, Error, Spending};
use sandbox::{Action, Answer, Fault as Trouble, Kind, Match, Outcome, Report};

use crate::spending::{GITOPS, Scene, branch};

/// Everything that can go wrong with one answer.
fn troubles() -> Vec<Action> {
    let failed = |status| Answer { status, body: serde_json::Value::Null, headers: [].into() };
    vec![
        Action::DropBefore,
        Action::ApplyThenDrop,
        Action::Truncate { bytes: 20 },
        Action::bad_gateway(),
        Action::ApplyThenAnswer(Answer::bad_gateway()),
        Action::Answer(failed(500)),
        Action::Answer(failed(503)),
        Action::ApplyThenAnswer(failed(504)),
    ]
}

/// Meets the next `times` requests that are not about tokens.
fn meet(scene: &Scene, action: &Action, times: u64) {
    scene.sandbox.clear_faults();
    for path in ["/repos", "/graphql"] {
        let matching = Match { path: Some(path.to_owned()), times, ..Match::any() };
        scene.sandbox.add_fault(Trouble::new(matching, action.clone()));
    }
}

fn meet_operation(scene: &Scene, action: &Action, name: &str) {
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(Trouble::new(Match::operation(name), action.clone()));
}

async fn compare(scene: &Scene) -> Result<(), Error> {
    let (one, other) = (Commit::from_bytes([1; 20]), Commit::from_bytes([2; 20]));
    scene.forge.comparison(&scene.repository, one, other).await.map(|comparison| assert!(comparison.is_none()))
}

#[tokio::test]
async fn a_read_gets_over_what_passes_and_gives_up_on_what_lasts() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending::default()).await?;
    scene.push(1).await?;
    let open = scene.create(1).await?;
    compare(&scene).await?;
    for action in troubles() {
        meet(&scene, &action, 2);
        scene.sandbox.clear_requests();
        compare(&scene).await?;
        let seen = scene.forge.pull_request(&scene.repository, open.number).await?;
        assert_eq!(seen.number, open.number);
        // Of the comparison, of the repository that it is about, and of the pull request.
        assert_eq!(scene.count(), 3 + 1 + 3, "{action:?}");
        meet(&scene, &action, 3);
        for error in [
            compare(&scene).await.unwrap_err(),
            scene.forge.pull_request(&scene.repository, open.number).await.unwrap_err(),
        ] {
            assert_eq!(error.fault(), Fault::Transient, "{action:?}: {error}");
        }
        assert_eq!(scene.count(), 3 + 3, "{action:?}");
    }
    scene.sandbox.refuse_connections(2);
    scene.forge.pull_request(&scene.repository, open.number).await?;
    // A kept connection that ends has nothing sent again that changes something.
    scene.sandbox.refuse_connections(2);
    let error = scene.forge.close(&scene.repository, open.number).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient, "{error}");
    let error = scene.forge.close(&scene.repository, open.number).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient, "{error}");
    scene.forge.close(&scene.repository, open.number).await?;
    Ok(())
}

#[tokio::test]
async fn a_change_is_sent_once_whatever_becomes_of_it() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending::default()).await?;
    scene.push(1).await?;
    let open = scene.create(1).await?;
    let labels = ["x".to_owned()];
    for action in troubles() {
        let changes = [
            ("POST /repos/acme/trinity/pulls", 0),
            ("POST /repos/acme/trinity/issues/1/labels", 1),
            ("POST /graphql enablePullRequestAutoMerge", 2),
            ("POST /graphql disablePullRequestAutoMerge", 3),
            ("PATCH /repos/acme/trinity/pulls/1", 4),
        ];
        for (line, change) in changes {
            if change == 4 && action != Action::DropBefore {
                // It would be closed by those that have their effect.
                continue;
            }
            // A forge that only ever fails would be left alone.
            scene.forge.pull_request(&scene.repository, open.number).await?;
            match change {
                // It is looked at before, and a look gets over what passes.
                2 => meet_operation(&scene, &action, "enablePullRequestAutoMerge"),
                _ => meet(&scene, &action, 1),
            }
            scene.sandbox.clear_requests();
            let ended = match change {
                0 => scene.create(1).await.map(drop),
                1 => scene.forge.add_labels(&scene.repository, open.number, &labels).await,
                2 => scene.arm(&open).await.map(drop),
                3 => scene.forge.disarm(&scene.repository, &open).await,
                _ => scene.forge.close(&scene.repository, open.number).await,
            };
            let error = ended.unwrap_err();
            assert_eq!(error.fault(), Fault::Transient, "{line} {action:?}: {error}");
            assert_eq!(scene.sandbox.mutations(), [line], "{action:?}");
        }
    }
    assert_eq!(scene.sandbox.pull_requests(GITOPS).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_release_is_made_once_though_every_change_was_answered_by_nobody() -> anyhow::Result<()> {
    for action in troubles() {
        let scene = Scene::set("", Spending::default()).await?;
        let pushing = Match::request("POST", &format!("/{GITOPS}.git/git-receive-pack"));
        scene.sandbox.add_fault(Trouble::new(pushing, action.clone()));
        assert_eq!(scene.push(1).await.unwrap_err().fault(), Fault::Transient, "{action:?}");
        let head = scene.push(1).await?;
        meet(&scene, &action, 1);
        assert_eq!(scene.create(1).await.unwrap_err().fault(), Fault::Transient, "{action:?}");
        let open = scene.create(1).await?;
        meet_operation(&scene, &action, "enablePullRequestAutoMerge");
        assert_eq!(scene.arm(&open).await.unwrap_err().fault(), Fault::Transient, "{action:?}");
        assert_eq!(scene.arm(&open).await?, Armed::Armed);
        let report = Report { name: "ci".to_owned(), outcome: Outcome::Success, kind: Kind::CheckRun };
        scene.sandbox.set_check(GITOPS, &head.to_string(), report).await?;
        let merged = scene.forge.pull_request(&scene.repository, open.number).await?;
        assert!(matches!(merged.state, PullRequestState::Merged(Some(_))), "{merged:?}");
        assert_eq!(scene.sandbox.pull_requests(GITOPS).await?.len(), 1, "{action:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_merge_by_our_own_hand_happens_once() -> anyhow::Result<()> {
    for action in troubles() {
        let scene = Scene::set("", Spending::default()).await?;
        let head = scene.push(1).await?;
        let open = scene.create(1).await?;
        let report = Report { name: "ci".to_owned(), outcome: Outcome::Success, kind: Kind::CheckRun };
        scene.sandbox.set_check(GITOPS, &head.to_string(), report).await?;
        scene.sandbox.clear_requests();
        let merging = Match::request("PUT", &format!("/repos/{GITOPS}/pulls/1/merge"));
        scene.sandbox.add_fault(Trouble::new(merging, action.clone()));
        assert_eq!(scene.arm(&open).await.unwrap_err().fault(), Fault::Transient, "{action:?}");
        let merges = |scene: &Scene| scene.sandbox.mutations().iter().filter(|line| line.ends_with("/merge")).count();
        assert_eq!(merges(&scene), 1, "{action:?}");
        // The next look says whether it happened.
        let seen = scene.forge.pull_request(&scene.repository, open.number).await?;
        if seen.state == PullRequestState::Open {
            assert!(matches!(scene.arm(&open).await?, Armed::Merged(_)), "{action:?}");
        }
        let seen = scene.forge.pull_request(&scene.repository, open.number).await?;
        assert!(matches!(seen.state, PullRequestState::Merged(_)), "{action:?}: {seen:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_read_that_is_behind_does_not_open_a_second_pull_request() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending::default()).await?;
    scene.push(1).await?;
    let all = async || scene.forge.pull_requests_of(&scene.repository, &branch(1)).await;
    assert!(all().await?.is_empty());
    let open = scene.create(1).await?;
    scene.sandbox.add_fault(Trouble::new(Match::operation("repository"), Action::StaleRead));
    assert!(all().await?.is_empty(), "as before it was opened");
    assert_eq!(scene.create(1).await?.number, open.number, "it is adopted");
    scene.sandbox.add_fault(Trouble::new(Match::operation("repository"), Action::StaleRead));
    let error = scene.create(1).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient, "it exists, but is not shown: {error}");
    assert_eq!(scene.sandbox.pull_requests(GITOPS).await?.len(), 1);
    Ok(())
}
