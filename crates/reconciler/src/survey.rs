//! Everything that would keep the first release from landing, found before it: `tagferry check --online`.

mod app;

use domain::{
    application::{Application, Target},
    commit::Commit,
    fault::Chain,
    forge::{Branch, MergeMethod, Repository},
    image::Reference,
};
use forge::ground::{Demand, Ground};

use crate::{outside::Outside, overlays::editable, plan::Planner};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub mark: Mark,
    /// What was seen and, where it is not good, what to do about it: one sentence.
    pub sentence: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// As it should be.
    Good,
    /// A release lands, but perhaps not as somebody expects; or it was not looked at.
    Warning,
    /// No release lands.
    Problem,
}

impl Mark {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl Planner {
    /// Looks at our App, and at the repositories, the overlays and the registries of all applications. Nothing is
    /// changed. `hook` is the address that the forge is to tell us at, or how it ends.
    pub async fn survey(&self, hook: Option<&str>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(hook) = hook {
            findings.extend(app::hook(&self.outside().forge, hook).await);
        }
        for application in &self.outside().applications {
            let survey = Survey { outside: self.outside(), application };
            findings.extend(app::installed(&self.outside().forge, application).await);
            findings.extend(survey.source().await);
            findings.extend(survey.gitops().await);
            findings.extend(survey.overlays().await);
            findings.extend(survey.registries().await);
        }
        let mut seen = Vec::new();
        findings.retain(|finding| {
            let is_new = !seen.contains(finding);
            seen.push(finding.clone());
            is_new
        });
        findings
    }
}

/// One application under survey.
struct Survey<'a> {
    outside: &'a Outside,
    application: &'a Application,
}

impl Survey<'_> {
    async fn source(&self) -> Vec<Finding> {
        let source = &self.application.source;
        if let Some(mirror) = self.outside.witnesses.mirrors.get(self.application.name()) {
            let subject = format!("the mirror of {}", source.repository);
            // That there is no such commit is as good an answer as any.
            return vec![match mirror.look_up(Commit::from_bytes([0; 20]), &source.branches).await {
                Ok(_) => good(&subject, "releases come from here".to_owned()),
                Err(error) => problem(&subject, Chain(&error).to_string()),
            }];
        }
        let mut findings = Vec::new();
        for branches in &source.branches {
            let subject = format!("{} {branches}", source.repository);
            findings.push(match self.outside.forge.branches_like(&source.repository, branches).await {
                Ok(found) if found.is_empty() && branches.name().is_some() => {
                    problem(&subject, format!("{} has no branch {branches}", source.repository))
                }
                Ok(found) if found.is_empty() => warning(&subject, "no branch is like this yet".to_owned()),
                Ok(_) => good(&subject, "releases come from here".to_owned()),
                Err(error) => problem(&subject, Chain(&error).to_string()),
            });
        }
        findings
    }

    async fn gitops(&self) -> Vec<Finding> {
        let gitops = &self.application.gitops;
        let subject = subject(&gitops.repository, &gitops.base);
        match self.outside.forge.ground(&gitops.repository, &gitops.base).await {
            Ok(ground) => self.of_ground(&subject, &ground),
            Err(error) => vec![problem(&subject, Chain(&error).to_string())],
        }
    }

    fn of_ground(&self, subject: &str, ground: &Ground) -> Vec<Finding> {
        let mut findings = vec![merging(subject, ground), requirements(subject, ground)];
        let method = self.application.pull_request.merge_method;
        if ground.is_archived {
            findings.push(problem(subject, "the repository is archived: nobody may change it".to_owned()));
        }
        if !ground.methods.is_empty() && !ground.methods.contains(&method) && !ground.demands.contains(&Demand::Queue) {
            let allowed: Vec<&str> = ground.methods.iter().copied().map(MergeMethod::as_str).collect();
            let name = self.application.name();
            findings.push(problem(
                subject,
                format!(
                    "merging by {} is not allowed: set applications.{name}.pull_request.auto_merge to {}, or allow it in \
                     the repository's settings",
                    method.as_str(),
                    allowed.join(" or ")
                ),
            ));
        }
        if ground.demands.contains(&Demand::Signatures) && method != MergeMethod::Squash {
            findings.push(warning(
                subject,
                "commits must be signed, and merging by merge or rebase brings ours in: squash, whose commit the forge \
                 signs"
                    .to_owned(),
            ));
        }
        findings
    }

    async fn overlays(&self) -> Vec<Finding> {
        let gitops = &self.application.gitops;
        match editable(self.outside, self.application).await {
            Err(error) => vec![problem(&subject(&gitops.repository, &gitops.base), Chain(&error).to_string())],
            Ok(all) => all
                .into_iter()
                .map(|(target, editable)| {
                    let subject = format!("{} {}", gitops.repository, target.overlay);
                    match editable {
                        Ok(path) => good(&subject, format!("{path} has one entry for {}", self.application.image)),
                        Err(why) => problem(&subject, why),
                    }
                })
                .collect(),
        }
    }

    async fn registries(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for target in self.application.targets() {
            findings.push(self.registry(target).await);
        }
        findings
    }

    /// Asks for a tag that nobody has pushed: that there is none is as good an answer as any.
    async fn registry(&self, target: &Target) -> Finding {
        let subject = target.repository.to_string();
        let tag = self.application.tag.tag(Commit::from_bytes([0; 20]));
        let reference = Reference { repository: target.repository.clone(), tag };
        match self.outside.registries.resolve(&reference).await {
            Ok(_) => good(&subject, "the registry answers".to_owned()),
            Err(error) => problem(&subject, Chain(&error).to_string()),
        }
    }
}

/// Whether a pull request can be ordered to merge itself.
fn merging(subject: &str, ground: &Ground) -> Finding {
    match (ground.auto_merge, ground.demands.contains(&Demand::Queue)) {
        (_, true) => good(subject, "pull requests are merged by a queue".to_owned()),
        (Some(true), false) => good(subject, "pull requests may merge themselves".to_owned()),
        (Some(false), false) => problem(
            subject,
            "pull requests may not merge themselves: switch on Allow auto-merge in the repository's settings"
                .to_owned(),
        ),
        (None, false) => warning(
            subject,
            "whether pull requests may merge themselves is not shown to us: Contents: write is needed to see it"
                .to_owned(),
        ),
    }
}

/// What a pull request needs.
fn requirements(subject: &str, ground: &Ground) -> Finding {
    if !ground.is_protected {
        let sentence = "the branch requires nothing: protect it and require a check, or a person merges each release";
        return warning(subject, sentence.to_owned());
    }
    let mut needs: Vec<String> = ground.checks.iter().map(|check| format!("the check {check}")).collect();
    if ground.approvals > 0 {
        needs.push(format!("{} approving reviews", ground.approvals));
    }
    if ground.demands.contains(&Demand::Tip) {
        needs.push("the tip of the branch in it".to_owned());
    }
    let all = if needs.is_empty() { "nothing that is shown to us".to_owned() } else { needs.join(", ") };
    if ground.checks.is_empty() {
        let sentence =
            format!("a pull request needs {all}, and no check: require one, or a person merges what has had none");
        return warning(subject, sentence);
    }
    good(subject, format!("a pull request needs {all}"))
}

fn subject(repository: &Repository, branch: &Branch) -> String {
    format!("{repository} {branch}")
}

fn good(subject: &str, sentence: String) -> Finding {
    Finding { subject: subject.to_owned(), mark: Mark::Good, sentence }
}

fn warning(subject: &str, sentence: String) -> Finding {
    Finding { subject: subject.to_owned(), mark: Mark::Warning, sentence }
}

fn problem(subject: &str, sentence: String) -> Finding {
    Finding { subject: subject.to_owned(), mark: Mark::Problem, sentence }
}
