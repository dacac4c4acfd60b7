//! GitHub Enterprise Server: the REST interface below `/api/v3`, GraphQL at `/api/graphql`, Git at the root.

use domain::{evidence::Lookup, forge::PullRequestState};
use forge::{Armed, Spending};
use sandbox::{Kind, Outcome, Report};

use crate::spending::{GITOPS, Scene, branch};

#[tokio::test]
async fn a_release_goes_its_whole_way_below_the_addresses_of_enterprise_server() -> anyhow::Result<()> {
    let scene = Scene::set("/api/v3", Spending::default()).await?;
    let tip = scene.forge.tip(&scene.repository, &scene.base).await?;
    let found = scene.forge.look_up(&scene.repository, tip, &["main".parse()?]).await?;
    assert!(matches!(found, Lookup::Present { branch: Some(_), .. }), "{found:?}");
    let head = scene.push(1).await?;
    let open = scene.create(1).await?;
    scene.forge.add_labels(&scene.repository, open.number, &["x".to_owned()]).await?;
    assert_eq!(scene.arm(&open).await?, Armed::Armed);
    let report = Report { name: "ci".to_owned(), outcome: Outcome::Success, kind: Kind::CheckRun };
    scene.sandbox.set_check(GITOPS, &head.to_string(), report).await?;
    let merged = scene.forge.pull_request(&scene.repository, open.number).await?;
    assert!(matches!(merged.state, PullRequestState::Merged(Some(_))), "{merged:?}");
    scene.forge.delete_branch(&scene.repository, &branch(1), &[head]).await?;
    let requests = scene.sandbox.requests();
    for request in &requests {
        let is_rest = request.path.starts_with("/api/v3/repos/") || request.path.starts_with("/api/v3/app/");
        let is_git = request.path.starts_with("/acme/trinity.git/");
        assert!(is_rest || is_git || request.path == "/api/graphql", "{request:?}");
        assert!(request.authorized && request.status.is_some_and(|status| status < 400), "{request:?}");
    }
    let looked = requests.iter().filter(|one| one.path == "/api/graphql").count();
    assert_eq!(looked, 4, "the commit looked up; the pull request looked at and armed, and looked at again");
    Ok(())
}
