//! What is printed about a plan.

use std::fmt::Write as _;

use anyhow::Context as _;
use domain::{
    announcement::Pushed,
    evidence::{Evidence, Outcome, Verdict},
    forge::PullRequestState,
    promotion::{self, Ending, Overlays, Step},
};
use reconciler::{Draft, Planned, PlannedRelease, Rewritten};
use serde_json::{Value, json};

use super::{Plan, PlannedElement};
use crate::output::{self, Output, printable};

/// Prints it.
pub(super) fn print(plan: &Plan, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => output::print(&(serde_json::to_string(&json_of(plan)).context("writing JSON")? + "\n")),
        Output::Text => output::print(&text_of(plan)),
    }
}

/// Whether a release would not be proposed for a reason that somebody can mend.
pub(super) fn is_refused(release: &PlannedRelease) -> bool {
    let is_refused = matches!(&release.step, Step::Settle(promotion::Outcome::Ended(Ending::Refused { .. })));
    is_refused || matches!(release.overlays, Overlays::Unreadable(_))
}

fn text_of(plan: &Plan) -> String {
    let mut text = String::new();
    for one in &plan.announcements {
        let (what, verdict, reason) = announcement(one);
        line(&mut text, format_args!("{}", printable(&what)));
        line(&mut text, format_args!("    {verdict}: {}", printable(&reason)));
    }
    if plan.announcements.is_empty() {
        line(&mut text, format_args!("nothing that is of interest"));
    }
    for release in &plan.releases {
        text.push('\n');
        text.push_str(&release_text(release));
    }
    text
}

fn release_text(planned: &PlannedRelease) -> String {
    let mut text = String::new();
    line(&mut text, format_args!("{} at {}", planned.release.application, planned.release.commit));
    for build in &planned.builds {
        line(&mut text, format_args!("    {:<10}{} at {}", "build", build.reference, build.digest));
    }
    for Evidence { kind, outcome, seen, .. } in &planned.evidence {
        line(&mut text, format_args!("    {:<10}{kind}: {}", outcome.as_str(), printable(seen)));
    }
    for one in &planned.pull_requests {
        let state = state(one.state);
        line(
            &mut text,
            format_args!("    pull request {} of its branch is {state}: {}", one.number, printable(&one.url)),
        );
    }
    line(&mut text, format_args!("    next: {}", printable(&next(planned))));
    if let Some(draft) = &planned.draft {
        text.push('\n');
        text.push_str(&draft_text(draft));
    }
    text
}

/// The pull request as people would read it, and the changes as `git apply` takes them.
fn draft_text(draft: &Draft) -> String {
    let Draft { gitops, branch, title, body, files } = draft;
    let mut text = String::new();
    let branch = branch.branch();
    line(&mut text, format_args!("pull request from {branch} into {} of {}", gitops.base, gitops.repository));
    line(&mut text, format_args!("title: {}\n", printable(title)));
    text.push_str(body);
    for file in files {
        text.push('\n');
        text.push_str(&diff(file));
    }
    text
}

/// What an announcement says, the word for what would become of it, and why.
fn announcement(element: &PlannedElement) -> (String, &'static str, String) {
    match element {
        PlannedElement::Unusable { text, reason } => (text.clone(), "unusable", reason.clone()),
        PlannedElement::Moved(repository) => (
            repository.to_string(),
            "accepted",
            format!("promotions into or from {repository} would be looked at; which there are, only the service knows"),
        ),
        PlannedElement::Pushed(Pushed { repository, tag, .. }, planned) => {
            let (verdict, reason) = match planned {
                Planned::Ignored { reason } => ("ignored", reason),
                Planned::Accepted { reason, .. } => ("accepted", reason),
            };
            (format!("{repository}:{tag}"), verdict, reason.clone())
        }
    }
}

/// What a promotion would do next, in a sentence.
fn next(planned: &PlannedRelease) -> String {
    if let Overlays::Unreadable(why) = &planned.overlays {
        return format!("wait until an overlay can be edited: {why}");
    }
    match &planned.step {
        Step::Propose => "open the pull request".to_owned(),
        Step::Wait { reason, .. } => format!("wait: {reason}"),
        Step::Settle(outcome) => format!("end: {outcome}"),
        Step::Close(ending) => format!("end: {ending}"),
        Step::Arm { .. } | Step::Disarm => planned.step.as_str().to_owned(),
    }
}

const fn state(state: PullRequestState) -> &'static str {
    match state {
        PullRequestState::Open => "open",
        PullRequestState::Closed => "closed",
        PullRequestState::Merged(_) => "merged",
    }
}

fn diff(file: &Rewritten) -> String {
    output::diff(&file.path, &file.before, &file.after)
}

fn json_of(plan: &Plan) -> Value {
    let announcements: Vec<Value> = plan.announcements.iter().map(announcement_json).collect();
    let releases: Vec<Value> = plan.releases.iter().map(release_json).collect();
    json!({
        "sender": plan.sender,
        "announcements": announcements,
        "unwanted": plan.unwanted,
        "releases": releases,
    })
}

fn announcement_json(element: &PlannedElement) -> Value {
    let (_, verdict, reason) = announcement(element);
    match element {
        PlannedElement::Unusable { text, .. } => {
            json!({ "kind": "unusable", "text": text, "verdict": verdict, "reason": reason })
        }
        PlannedElement::Moved(repository) => {
            json!({ "kind": "moved", "repository": repository.to_string(), "verdict": verdict, "reason": reason })
        }
        PlannedElement::Pushed(pushed, _) => json!({
            "kind": "pushed",
            "repository": pushed.repository.to_string(),
            "tag": pushed.tag.as_str(),
            "digest": pushed.claimed_digest.as_ref().map(ToString::to_string),
            "verdict": verdict,
            "reason": reason,
        }),
    }
}

fn release_json(planned: &PlannedRelease) -> Value {
    let builds: Vec<Value> = planned.builds.iter().map(|build| {
        json!({ "target": build.target.as_str(), "image": build.reference.to_string(), "digest": build.digest.as_str() })
    }).collect();
    let evidence: Vec<Value> = planned.evidence.iter().map(|one| {
        json!({ "kind": one.kind.as_str(), "outcome": one.outcome.as_str(), "seen": one.seen, "link": one.link })
    }).collect();
    let existing: Vec<Value> = planned
        .pull_requests
        .iter()
        .map(|one| json!({ "number": one.number.0, "state": state(one.state), "url": one.url }))
        .collect();
    json!({
        "application": planned.release.application.as_str(),
        "commit": planned.release.commit.to_string(),
        "builds": builds,
        "evidence": evidence,
        "verdict": verdict(&planned.verdict).as_str(),
        "next": { "step": planned.step.as_str(), "why": next(planned) },
        "pull_requests": existing,
        "proposal": planned.draft.as_ref().map(draft_json),
    })
}

fn draft_json(draft: &Draft) -> Value {
    let Draft { gitops, branch, title, body, files } = draft;
    let files: Vec<Value> = files.iter().map(|file| json!({ "path": file.path, "diff": diff(file) })).collect();
    json!({
        "repository": gitops.repository.to_string(),
        "base": gitops.base.as_str(),
        "branch": branch.branch().as_str(),
        "title": title,
        "body": body,
        "files": files,
    })
}

/// A verdict in the words of single evidence.
const fn verdict(verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Passed => Outcome::Passed,
        Verdict::Failed { .. } => Outcome::Failed,
        Verdict::Pending { until, .. } => Outcome::Pending { until: *until },
    }
}

/// Appends a line; writing to a string does not fail.
fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes everything that is written to it");
}
