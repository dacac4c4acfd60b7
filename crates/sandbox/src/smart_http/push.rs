//! Receiving a push, or refusing it as GitHub does.

use std::sync::Arc;

use axum::response::Response;

use super::{Session, pkt_line};
use crate::{
    git::Oid,
    protection::{self, Update},
    refusal::Refusal,
    shared::Shared,
};

/// What a client asks of one reference.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Command {
    reference: String,
    after: Option<Oid>,
}

/// What a client asks, and what it understands.
#[derive(Debug, Default)]
struct Push {
    commands: Vec<Command>,
    side_band: bool,
    report_status: bool,
}

/// A reference that may not be changed, and why.
#[derive(Debug)]
struct Refused {
    reference: String,
    reasons: Vec<String>,
}

/// The longest line of `side-band-64k` is 65520 bytes with its length and band.
const LONGEST_BAND: usize = 65_515;

/// Receives a push and follows it up.
///
/// One protected branch refuses the whole push: its other references are declined too.
pub(super) async fn receive(shared: &Arc<Shared>, session: &Session, request: &[u8]) -> Result<Response, Refusal> {
    let push = parse(request);
    let commands = push.commands.clone();
    let (key, login) = (session.key.clone(), session.login.clone());
    let refused = shared
        .with(move |world| {
            let repository = world.repository(&key)?;
            let mut refused = Vec::new();
            for Command { reference, after } in commands {
                let update = Update { reference: &reference, after: after.as_ref() };
                let reasons = protection::refuse(repository, &login, &update)?;
                if !reasons.is_empty() {
                    refused.push(Refused { reference, reasons });
                }
            }
            Ok(refused)
        })
        .await?;
    if !refused.is_empty() {
        return Ok(session.result(report(&push, &refused)));
    }
    let output = session.run(&[], request).await;
    let output =
        output.map_err(|error| Refusal::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let (key, login) = (session.key.clone(), session.login.clone());
    shared.with(move |world| world.settle(&key, &login)).await?;
    Ok(session.result(output))
}

fn parse(request: &[u8]) -> Push {
    let mut push = Push::default();
    for line in pkt_line::lines(request) {
        let text = String::from_utf8_lossy(line);
        let (command, capabilities) = text.split_once('\0').unwrap_or((text.as_ref(), ""));
        for capability in capabilities.split_whitespace() {
            push.side_band |= capability == "side-band-64k";
            push.report_status |= capability.starts_with("report-status");
        }
        let mut words = command.trim_end().splitn(3, ' ');
        if let (Some(before), Some(after), Some(reference)) = (words.next(), words.next(), words.next())
            && before.parse::<Oid>().is_ok()
        {
            let after = after.parse().ok().filter(|after: &Oid| after.as_str() != Oid::ZERO);
            push.commands.push(Command { reference: reference.to_owned(), after });
        }
    }
    push
}

/// The answer to a push of which nothing was done.
fn report(push: &Push, refused: &[Refused]) -> Vec<u8> {
    let mut status = Vec::new();
    pkt_line::write(&mut status, b"unpack ok\n");
    for Command { reference, .. } in &push.commands {
        let is_refused = refused.iter().any(|it| it.reference == *reference);
        let reason = if is_refused { "protected branch hook declined" } else { "pre-receive hook declined" };
        pkt_line::write(&mut status, format!("ng {reference} {reason}\n").as_bytes());
    }
    pkt_line::flush(&mut status);
    if !push.side_band {
        return if push.report_status { status } else { Vec::new() };
    }
    let mut answer = Vec::new();
    band(&mut answer, 2, explanation(refused).as_bytes());
    if push.report_status {
        band(&mut answer, 1, &status);
    }
    pkt_line::flush(&mut answer);
    answer
}

/// What people read after `remote:`.
fn explanation(refused: &[Refused]) -> String {
    let mut text = String::new();
    for Refused { reference, reasons } in refused {
        text.push_str(&format!("error: GH006: Protected branch update failed for {reference}.\n"));
        for reason in reasons {
            text.push_str(&format!("\n- {reason}\n"));
        }
    }
    text
}

fn band(into: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    for chunk in bytes.chunks(LONGEST_BAND) {
        let mut line = vec![number];
        line.extend(chunk);
        pkt_line::write(into, &line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_read_with_what_the_client_understands() {
        let (old, new) = ("1".repeat(40), "2".repeat(40));
        let mut request = Vec::new();
        let first = format!("{old} {new} refs/heads/main\0 report-status side-band-64k agent=git/2");
        pkt_line::write(&mut request, first.as_bytes());
        pkt_line::write(&mut request, format!("{new} {} refs/heads/gone", Oid::ZERO).as_bytes());
        pkt_line::flush(&mut request);
        let push = parse(&request);
        let names: Vec<_> = push.commands.iter().map(|it| (it.reference.as_str(), it.after.is_some())).collect();
        assert_eq!(names, [("refs/heads/main", true), ("refs/heads/gone", false)]);
        assert!(push.side_band && push.report_status);
    }
}
