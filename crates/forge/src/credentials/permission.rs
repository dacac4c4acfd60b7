//! Which permissions a token is asked for: no more than what is done with it, and never one that the installation was
//! not granted, for then there is no token at all
//! (<https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>).

use std::collections::BTreeMap;

use super::Access;
use crate::Extra;

/// Permissions by GitHub's name (`pull_requests`), with `read` or `write`.
pub(super) type Permissions = BTreeMap<String, String>;

/// A permission that we use and that an installation was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// As GitHub's settings name it, with the level: `Contents: write`.
    pub permission: String,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether nothing works without it.
    pub is_needed: bool,
}

/// A permission that a token is to have.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// GitHub's name in requests.
    name: &'static str,
    /// Its name in GitHub's settings.
    title: &'static str,
    level: Level,
    need: Need,
    /// What it is for.
    purpose: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Read,
    Write,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Nothing works without it.
    Always,
    /// What needs it says so when it is done without.
    Sometimes,
}

/// The permissions to ask for, or a list of those that the App was not granted and can not do without.
///
/// `granted` is `None` where the forge does not say what the installation has.
pub(super) fn choose(access: Access, extras: &[Extra], granted: Option<&Permissions>) -> Result<Permissions, String> {
    let (mut chosen, mut missing) = (Permissions::new(), Vec::new());
    for wanted in wanted(access, extras) {
        match wanted.possible(granted) {
            Some(level) if level == wanted.level || wanted.need == Need::Sometimes => {
                chosen.insert(wanted.name.to_owned(), level.as_str().to_owned());
            }
            None if wanted.need == Need::Sometimes => {}
            Some(_) | None => missing.push(format!("{}: {}", wanted.title, wanted.level.as_str())),
        }
    }
    if missing.is_empty() { Ok(chosen) } else { Err(missing.join(", ")) }
}

/// The permissions that we use and that the installation was not granted.
///
/// To hear of merge queues is none of them: a pull request's own events tell the same.
pub(super) fn lacking(access: Access, extras: &[Extra], granted: &Permissions) -> Vec<Lacking> {
    let is_lacking =
        |wanted: &Wanted| wanted.name != "merge_queues" && wanted.possible(Some(granted)) != Some(wanted.level);
    let lacking = |wanted: Wanted| Lacking {
        permission: format!("{}: {}", wanted.title, wanted.level.as_str()),
        purpose: wanted.purpose,
        is_needed: wanted.need == Need::Always,
    };
    wanted(access, extras).into_iter().filter(is_lacking).map(lacking).collect()
}

/// All permissions that a token may be asked for, as GitHub's settings name them.
pub(super) fn titles(access: Access, extras: &[Extra]) -> String {
    let titles =
        wanted(access, extras).into_iter().map(|wanted| format!("{}: {}", wanted.title, wanted.level.as_str()));
    titles.collect::<Vec<_>>().join(", ")
}

/// The list of <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>, for what we do.
fn wanted(access: Access, extras: &[Extra]) -> Vec<Wanted> {
    let always = |name, title, level, purpose| Wanted { name, title, level, need: Need::Always, purpose };
    let sometimes = |name, title, level, purpose| Wanted { name, title, level, need: Need::Sometimes, purpose };
    let statuses =
        if access == Access::Write && extras.contains(&Extra::Statuses) { Level::Write } else { Level::Read };
    let mut all = vec![
        always("metadata", "Metadata", Level::Read, "everything"),
        sometimes("checks", "Checks", Level::Read, "seeing what a pull request waits for"),
        sometimes(
            "statuses",
            "Commit statuses",
            statuses,
            "seeing what a pull request waits for, and reporting the verdict",
        ),
    ];
    match access {
        Access::Read => {
            all.push(always("contents", "Contents", Level::Read, "finding commits"));
            if extras.contains(&Extra::Attestations) {
                all.push(sometimes("attestations", "Attestations", Level::Read, "finding out who built an image"));
            }
        }
        Access::Write => {
            // `PUT /pulls/{number}/merge` and auto-merge need both.
            all.push(always("contents", "Contents", Level::Write, "pushing and merging"));
            all.push(always("pull_requests", "Pull requests", Level::Write, "opening and merging pull requests"));
            all.push(sometimes("merge_queues", "Merge queues", Level::Read, "hearing of merge queues"));
            if extras.contains(&Extra::Labels) {
                all.push(sometimes("issues", "Issues", Level::Write, "making labels that are not there yet"));
            }
        }
    }
    all
}

impl Wanted {
    /// The level of it that the installation can give, up to what is wanted.
    fn possible(self, granted: Option<&Permissions>) -> Option<Level> {
        let Some(granted) = granted else {
            return (self.need == Need::Always).then_some(self.level);
        };
        match granted.get(self.name).map(String::as_str) {
            Some("read") => Some(Level::Read),
            Some(_) => Some(self.level),
            // Every App has it; some forges do not list it.
            None => (self.name == "metadata").then_some(Level::Read),
        }
    }
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(access: Access, extras: &[Extra], granted: &str, expected: Result<&str, &str>) {
        let pair = |text: &str| text.split_once(':').map(|(name, level)| (name.to_owned(), level.to_owned()));
        let granted: Permissions = granted.split_whitespace().filter_map(pair).collect();
        let chosen = choose(access, extras, Some(&granted))
            .map(|chosen| chosen.iter().map(|(name, level)| format!("{name}:{level}")).collect::<Vec<_>>().join(" "));
        assert_eq!(chosen.as_deref().map_err(String::as_str), expected);
    }

    const ALL: &str = "metadata:read contents:write pull_requests:write checks:write statuses:write issues:write \
                       attestations:read deployments:write workflows:write merge_queues:read administration:write";

    #[test]
    fn a_token_has_what_is_done_with_it_and_no_more() {
        let reading = "checks:read contents:read metadata:read statuses:read";
        check(Access::Read, &[], ALL, Ok(reading));
        check(Access::Read, &[Extra::Labels, Extra::Statuses], ALL, Ok(reading));
        let attestations = "attestations:read checks:read contents:read metadata:read statuses:read";
        check(Access::Read, &[Extra::Attestations], ALL, Ok(attestations));
        let writing = "checks:read contents:write merge_queues:read metadata:read pull_requests:write statuses:read";
        check(Access::Write, &[], ALL, Ok(writing));
        let labels = "checks:read contents:write issues:write merge_queues:read metadata:read pull_requests:write \
                      statuses:read";
        check(Access::Write, &[Extra::Labels], ALL, Ok(labels));
        let statuses = "checks:read contents:write merge_queues:read metadata:read pull_requests:write statuses:write";
        check(Access::Write, &[Extra::Statuses], ALL, Ok(statuses));
    }

    #[test]
    fn what_was_not_granted_is_not_asked_for() {
        let little = "metadata:read contents:write pull_requests:write";
        check(Access::Write, &[Extra::Labels], little, Ok("contents:write metadata:read pull_requests:write"));
        let source = "metadata:read contents:read";
        check(Access::Read, &[Extra::Attestations], source, Ok("contents:read metadata:read"));
        let read_only = "contents:write pull_requests:write statuses:read";
        let all = "contents:write metadata:read pull_requests:write statuses:read";
        check(Access::Write, &[Extra::Statuses], read_only, Ok(all));
    }

    #[test]
    fn what_is_missing_is_named_as_the_settings_name_it() {
        check(Access::Write, &[], "contents:read", Err("Contents: write, Pull requests: write"));
        check(Access::Write, &[], "contents:admin", Err("Pull requests: write"));
        check(Access::Read, &[], "issues:write", Err("Contents: read"));
    }

    #[test]
    fn without_knowing_what_was_granted_the_least_is_asked_for() {
        let chosen = choose(Access::Write, &[Extra::Labels], None).unwrap();
        assert_eq!(chosen.keys().collect::<Vec<_>>(), ["contents", "metadata", "pull_requests"]);
    }
}
