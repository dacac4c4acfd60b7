//! What our App on the forge may do and is told.

use domain::{application::Application, fault::Chain, forge::Repository};
use forge::{
    Forge,
    setup::{Hook, Installed},
};

use super::{Finding, good, problem, warning};

/// Whether the forge tells us at the right address, in words that we read.
pub(super) async fn hook(forge: &Forge, wanted: &str) -> Vec<Finding> {
    let subject = "the App's webhook";
    match forge.hook().await {
        Ok(None) => {
            let sentence = format!("not looked at with a personal token: each GitOps repository needs one to {wanted}");
            vec![warning("webhooks of the forge", sentence)]
        }
        Ok(Some(hook)) => vec![of_hook(subject, &hook, wanted)],
        Err(error) => vec![problem(subject, Chain(&error).to_string())],
    }
}

fn of_hook(subject: &str, hook: &Hook, wanted: &str) -> Finding {
    let Hook { url, is_json, checks_certificate } = hook;
    let Some(url) = url else {
        return warning(
            subject,
            format!(
                "there is none, so that merges are found by polling: set its URL to {wanted} in the App's settings"
            ),
        );
    };
    if !url.ends_with(wanted) {
        return warning(subject, format!("it goes to {url}: set it to {wanted} in the App's settings"));
    }
    if !is_json {
        return problem(
            subject,
            "its content type is not application/json: choose that in the App's settings".to_owned(),
        );
    }
    if !checks_certificate {
        return warning(subject, "SSL verification is off: switch it on in the App's settings".to_owned());
    }
    good(subject, format!("it goes to {url}"))
}

/// Whether our App may do what is done in the repositories of an application, and is told about the GitOps repository.
pub(super) async fn installed(forge: &Forge, application: &Application) -> Vec<Finding> {
    let (source, gitops) = (&application.source.repository, &application.gitops.repository);
    let mut findings = Vec::new();
    for (repository, is_written) in [(source, false), (gitops, true)] {
        match forge.installed(repository, is_written).await {
            Ok(None) => {}
            Ok(Some(installed)) => findings.extend(of_installed(repository, &installed, is_written)),
            Err(error) => findings.push(problem(&subject(repository), Chain(&error).to_string())),
        }
    }
    findings
}

fn subject(repository: &Repository) -> String {
    format!("{repository}, the App's installation")
}

fn of_installed(repository: &Repository, installed: &Installed, is_written: bool) -> Vec<Finding> {
    let subject = subject(repository);
    let mut findings: Vec<Finding> = installed
        .lacking
        .iter()
        .map(|one| {
            let sentence = format!(
                "it lacks {}, for {}: grant it in the App's settings and accept it in the installation's",
                one.permission, one.purpose
            );
            if one.is_needed { problem(&subject, sentence) } else { warning(&subject, sentence) }
        })
        .collect();
    if findings.is_empty() {
        findings.push(good(&subject, "it has all permissions".to_owned()));
    }
    if is_written && !installed.unheard.is_empty() {
        let events = installed.unheard.join(", ");
        let sentence =
            format!("it is not told about {events}, which is found by polling: subscribe to it in the App's settings");
        findings.push(warning(&subject, sentence));
    }
    findings
}
