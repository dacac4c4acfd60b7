//! Branches whose names can not be there at once, told by the branches and not by the forge's words.

use domain::{commit::Commit, fault::Fault, proposal::ReleaseBranch};
use forge::{Error, FileEdit, NewCommit};

use crate::host::Host;

#[tokio::test]
async fn a_branch_that_is_in_the_way_is_named_and_nothing_is_sent() -> anyhow::Result<()> {
    let commit = Commit::from_bytes([0x1f; 20]);
    let branch = ReleaseBranch::new(&"mandelbrot".parse()?, commit);
    for taken_by in ["mandelbrot".to_owned(), format!("mandelbrot/deploy-{commit}/by-hand")] {
        let host = Host::start().await?;
        let repository = host.repository("acme/trinity", &[("apps/kustomization.yaml", "images: []\n")]).await?;
        host.push("acme/trinity", &taken_by, &[("README", "x")]).await?;
        // Names that only begin alike are not in the way.
        host.push("acme/trinity", "mandelbrot-2", &[("README", "y")]).await?;
        let forge = host.forge()?;
        let tip = forge.tip(&repository, &"main".parse()?).await?;
        let files = [FileEdit { path: "apps/kustomization.yaml".to_owned(), bytes: b"images: [b]\n".to_vec() }];
        let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default();
        let new = NewCommit { branch: &branch, ours: &[], tip, files: &files, message: "m", at };
        let head = forge.commit(&repository, &new).await?;
        host.lines()?;
        let error = forge.push(&repository, &branch, head, &[]).await.unwrap_err();
        assert!(matches!(error, Error::NameTaken { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "acme/trinity can not have branch {} beside its branch {taken_by}: Git would need a \
                 directory where it has a file; delete or rename {taken_by}",
                branch.branch()
            )
        );
        assert_eq!(error.fault(), Fault::Permanent);
        assert_eq!(host.lines()?, ["GET /acme/trinity.git/info/refs?service=git-receive-pack"]);
        forge.delete_branch(&repository, &branch, &[]).await?;

        host.ask("acme/trinity", &["branch", "-D", &taken_by]).await?;
        forge.push(&repository, &branch, head, &[]).await?;
    }
    Ok(())
}
