//! Whether the checks of the commit passed.

use super::{Evidence, Kind, Wait, join};
use crate::application::{AppName, Application, CheckRule};

/// What a check says of a commit; a commit status is one without an App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What it is called: the name of a check run, the context of a commit status.
    pub name: String,
    /// Who says so, where that is known.
    pub app: Option<App>,
    /// What it says.
    pub state: CheckState,
    /// Where people read more.
    pub url: Option<String>,
}

/// An App of the forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its number.
    pub id: u64,
    /// Its name in addresses, as `github-actions`.
    pub slug: String,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// Nothing final yet.
    Running,
    /// That all is well.
    Succeeded,
    /// Neither that all is well nor that it is not.
    Neutral,
    /// That it did not look.
    Skipped,
    /// That all is not well, in this word of the forge, in lower case: `failure`, `timed_out`.
    Failed(String),
}

/// How a rule is fulfilled; the later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Passed,
    Running,
    Failed,
}

/// Passed where each rule matches at least one check and all that it matches have passed; failed as soon as one has
/// not; pending while one is running or was not heard of, until the deadline.
#[must_use]
pub fn checks(application: &Application, reported: &[Reported], wait: Wait) -> Evidence {
    let rules = &application.verify.checks;
    if rules.is_empty() {
        return Evidence::skipped(
            Kind::Checks,
            "no checks of the commit are asked for: verify.checks is empty".to_owned(),
        );
    }
    let judged: Vec<(Standing, String, Option<&str>)> = rules.iter().flat_map(|rule| judge(rule, reported)).collect();
    let Some(worst) = judged.iter().map(|(standing, ..)| *standing).max() else {
        return wait.pending(Kind::Checks, "no check was heard of");
    };
    let worst_ones = || judged.iter().filter(|(standing, ..)| *standing == worst);
    let seen = join(worst_ones().map(|(_, sentence, _)| sentence));
    let link = worst_ones().find_map(|(_, _, link)| *link).map(str::to_owned);
    match worst {
        Standing::Passed => Evidence::passed(Kind::Checks, seen),
        Standing::Failed => Evidence::failed(Kind::Checks, seen),
        Standing::Running => wait.pending(Kind::Checks, &seen),
    }
    .at(link.as_ref())
}

/// How each check stands that a rule matches, with a sentence and where to look; one that matches none was not heard of.
fn judge<'a>(rule: &CheckRule, reported: &'a [Reported]) -> Vec<(Standing, String, Option<&'a str>)> {
    let judged: Vec<_> = reported
        .iter()
        .filter(|one| rule.name.matches(&one.name) && is_of(rule.app.as_ref(), one.app.as_ref()))
        .map(|one| {
            let (standing, said) = match &one.state {
                state if rule.accepts(state) => (Standing::Passed, "passed"),
                CheckState::Running => (Standing::Running, "is not done"),
                CheckState::Failed(word) => (Standing::Failed, word.as_str()),
                CheckState::Neutral => (Standing::Failed, "is neutral, which does not count (verify.checks[].accept)"),
                CheckState::Skipped => (Standing::Failed, "was skipped, which does not count (verify.checks[].accept)"),
                CheckState::Succeeded => (Standing::Passed, "passed"),
            };
            let said =
                if matches!(one.state, CheckState::Failed(_)) { format!("ended as {said}") } else { said.to_owned() };
            (standing, format!("check {} {said}", one.name), one.url.as_deref())
        })
        .collect();
    if judged.is_empty() {
        return vec![(Standing::Running, format!("check {rule} was not heard of"), None)];
    }
    judged
}

fn is_of(wanted: Option<&AppName>, app: Option<&App>) -> bool {
    match (wanted, app) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(AppName::Id(id)), Some(app)) => *id == app.id,
        (Some(AppName::Slug(slug)), Some(app)) => slug.eq_ignore_ascii_case(&app.slug),
    }
}
