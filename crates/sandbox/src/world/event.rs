//! Telling the world outside: webhooks, and checks that are to conclude later.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    git::Oid,
    refusal::Refusal,
    render,
    webhook::Delivery,
    world::{
        Timer, World,
        check::{CheckRun, Kind, Outcome, Report, RunReport, Status, StatusState},
        repository::Key,
    },
};

/// What happened to a pull request.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    action: &'static str,
    /// Further fields of the payload.
    details: Value,
}

impl Change {
    /// Something that its action says all about.
    pub(crate) const fn plain(action: &'static str) -> Self {
        Self { action, details: Value::Null }
    }

    /// Something with further fields.
    pub(crate) const fn with(action: &'static str, details: Value) -> Self {
        Self { action, details }
    }
}

impl World {
    /// Sends a webhook about a repository, when there is somebody to send it to and the App is installed.
    pub(crate) fn announce(&mut self, key: &Key, event: &str, payload: Value, sender: &str) -> Result<(), Refusal> {
        let Some(target) = self.target.clone() else {
            return Ok(());
        };
        if !self.repository(key)?.installed {
            return Ok(());
        }
        let mut payload = payload;
        if let Some(fields) = payload.as_object_mut() {
            let repository = self.repository(key)?;
            fields.insert("repository".to_owned(), render::repository::in_event(self, repository));
            fields.insert("sender".to_owned(), render::user::account(self, sender));
            fields.insert("installation".to_owned(), render::app::installation_lite(self, key));
        }
        let delivery = Delivery {
            id: self.fresh_id(),
            guid: guid(),
            event: event.to_owned(),
            action: payload.get("action").and_then(Value::as_str).map(str::to_owned),
            repository: key.clone(),
            repository_id: self.repository(key)?.id,
            app: self.app.id,
            installation: self.app.installation_of(key.owner()),
            body: payload.to_string().into(),
            delivered_at: self.now(),
            target,
            redelivery: false,
        };
        if self.outbox.send(delivery).is_err() {
            tracing::debug!("a webhook is not sent, as the sandbox is stopping");
        }
        Ok(())
    }

    /// Sends the webhook `pull_request`.
    pub(crate) fn announce_pull_request(
        &mut self,
        key: &Key,
        number: u64,
        change: Change,
        sender: &str,
    ) -> Result<(), Refusal> {
        if self.target.is_none() {
            return Ok(());
        }
        let pull_request = render::pull_request::in_webhook(self, self.repository(key)?, number)?;
        let mut payload = json!({ "action": change.action, "number": number, "pull_request": pull_request });
        if let (Some(payload), Value::Object(details)) = (payload.as_object_mut(), change.details) {
            payload.extend(details);
        }
        self.announce(key, "pull_request", payload, sender)
    }

    /// Records what a check says about a commit and follows it up.
    pub(crate) fn report(&mut self, key: &Key, sha: &Oid, report: &Report) -> Result<(), Refusal> {
        let now = self.now();
        let id = self.fresh_id();
        match report.kind {
            Kind::Status => {
                let state = match report.outcome {
                    Outcome::Success => StatusState::Success,
                    Outcome::Failure => StatusState::Failure,
                    Outcome::Pending => StatusState::Pending,
                };
                self.add_status(
                    key,
                    Status {
                        id,
                        sha: sha.clone(),
                        context: report.name.clone(),
                        state,
                        description: None,
                        target_url: None,
                        creator: "sandbox-ci".to_owned(),
                        at: now,
                    },
                )
            }
            Kind::CheckRun => {
                let (status, conclusion) = match report.outcome {
                    Outcome::Success => ("completed", Some("success")),
                    Outcome::Failure => ("completed", Some("failure")),
                    Outcome::Pending => ("in_progress", None),
                };
                self.add_check_run(
                    key,
                    &CheckRun {
                        id,
                        sha: sha.clone(),
                        app: None,
                        name: report.name.clone(),
                        status: status.to_owned(),
                        conclusion: conclusion.map(str::to_owned),
                        details_url: None,
                        external_id: String::new(),
                        title: None,
                        summary: None,
                        started_at: now,
                        completed_at: conclusion.map(|_| now),
                    },
                )
            }
        }
    }

    /// Records what a check run says about a commit, whoever makes it, and follows it up.
    pub(crate) fn report_run(&mut self, key: &Key, sha: &Oid, report: RunReport) -> Result<(), Refusal> {
        let (now, id) = (self.now(), self.fresh_id());
        let RunReport { name, conclusion, app, details_url } = report;
        let status = if conclusion.is_some() { "completed" } else { "in_progress" };
        let run = CheckRun {
            id,
            sha: sha.clone(),
            app,
            name,
            status: status.to_owned(),
            completed_at: conclusion.as_ref().map(|_| now),
            conclusion,
            details_url,
            external_id: String::new(),
            title: None,
            summary: None,
            started_at: now,
        };
        self.add_check_run(key, &run)
    }

    /// Records a commit status and follows it up.
    pub(crate) fn add_status(&mut self, key: &Key, status: Status) -> Result<(), Refusal> {
        let creator = status.creator.clone();
        let payload = render::check::status_event(self, self.repository(key)?, &status)?;
        self.repository_mut(key)?.statuses.push(status);
        self.announce(key, "status", payload, &creator)?;
        self.settle(key, &creator)
    }

    /// Records a check run, a new one or a change of one, and follows it up.
    pub(crate) fn add_check_run(&mut self, key: &Key, run: &CheckRun) -> Result<(), Refusal> {
        let repository = self.repository_mut(key)?;
        let known = repository.check_runs.iter_mut().find(|known| known.id == run.id);
        let action = match (&known, run.status.as_str()) {
            (_, "completed") => "completed",
            (None, _) => "created",
            (Some(_), _) => "rerequested",
        };
        match known {
            Some(known) => *known = run.clone(),
            None => repository.check_runs.push(run.clone()),
        }
        let login = self.app.login();
        let rendered = render::check::run(self, self.repository(key)?, run);
        self.announce(key, "check_run", json!({ "action": action, "check_run": rendered }), &login)?;
        self.settle(key, &login)
    }

    /// Starts the checks that conclude by themselves: those without a delay at once, the others later.
    pub(crate) fn start_automatic_checks(&mut self, key: &Key, sha: &Oid) -> Result<(), Refusal> {
        for automatic in self.repository(key)?.settings.automatic_checks.clone() {
            let pending = Report { outcome: Outcome::Pending, ..automatic.report.clone() };
            self.report(key, sha, &pending)?;
            let after = Duration::from_millis(automatic.after_ms);
            let timer = Timer { after, repository: key.clone(), sha: sha.clone(), check: automatic.report };
            if self.timers.send(timer).is_err() {
                tracing::debug!("a check is not started, as the sandbox is stopping");
            }
        }
        Ok(())
    }
}

/// A random version 4 identifier.
pub(crate) fn guid() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let digits = format!("{bits:032x}");
    let part = |from: usize, length: usize| digits.chars().skip(from).take(length).collect::<String>();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 4), part(12, 4), part(16, 4), part(20, 12))
}
