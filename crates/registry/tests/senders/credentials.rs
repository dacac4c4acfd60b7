//! Who is let in.

use registry::webhook::{Kind, Refused, Unauthenticated};

use crate::known::{ALL, How, JFROG, JFROG_SIGNING, Known, QUAY, SECRETS, now, world};

/// What becomes of a request of each kind that `make` makes.
fn check(make: impl Fn(&Known) -> Option<crate::known::Request>, expected: Result<(), Unauthenticated>) {
    for known in &ALL {
        let Some(request) = make(known) else { continue };
        let outcome = request.to(&known.sender()).map(|_| ()).map_err(|refused| unauthenticated(&refused));
        assert_eq!(outcome, expected, "{known:?}");
    }
}

/// What is wrong with a credential, whichever of its parts it is.
fn unauthenticated(refused: &Refused) -> Unauthenticated {
    match refused {
        Refused::Unauthenticated(why) => *why,
        Refused::Token(_) | Refused::Forbidden(_) => Unauthenticated::Wrong,
        Refused::Invalid(_) | Refused::Unavailable(_) => panic!("{refused} is not about a credential"),
    }
}

#[test]
fn every_kind_is_there() {
    for kind in Kind::ALL {
        assert!(ALL.iter().any(|known| known.kind == kind), "{kind}");
    }
}

#[test]
fn each_of_the_secrets_is_good() {
    for secret in SECRETS {
        check(|known| Some(known.request(secret, known.body())), Ok(()));
    }
}

#[test]
fn a_wrong_secret_is_refused() {
    for wrong in ["wrong", "Bearer-old-4f1", "Bearer-old-4f1d2", "bearer-old-4f1d"] {
        check(|known| Some(known.request(wrong, known.body())), Err(Unauthenticated::Wrong));
    }
}

#[test]
fn a_request_without_a_credential_is_refused() {
    check(
        |known| {
            let mut request = known.request(SECRETS[0], known.body());
            if matches!(known.how, How::Certificate) {
                return None;
            }
            request.query = None;
            if let Some((name, _)) = known.header() {
                request.headers.remove(name);
            }
            Some(request)
        },
        Err(Unauthenticated::Missing),
    );
}

#[test]
fn a_second_credential_is_refused_whatever_it_is() {
    check(
        |known| {
            let mut request = known.request(SECRETS[0], known.body());
            match known.how {
                How::Query(name) => request.query = Some(format!("{name}={}&{name}=x", SECRETS[0])),
                How::Header(name, _) | How::Sha1(name, _) | How::Sha256(name, _) => request.append(name, "x"),
                How::Token => request.append("authorization", "x"),
                How::Certificate => return None,
            }
            Some(request)
        },
        Err(Unauthenticated::Several),
    );
}

#[test]
fn an_empty_credential_is_refused() {
    check(
        |known| {
            let mut request = known.request("", known.body());
            // Of a signature that Gitea sends without a secret nothing but the prefix is there.
            if let Some((name, before)) = known.header() {
                request.headers.remove(name);
                request.append(name, before);
            }
            Some(request)
        },
        Err(Unauthenticated::Wrong),
    );
}

#[test]
fn a_signature_made_with_the_empty_secret_is_refused() {
    check(|known| known.is_signed().then(|| known.request("", known.body())), Err(Unauthenticated::Wrong));
}

#[test]
fn a_signed_body_that_was_changed_is_refused() {
    check(
        |known| {
            let mut request = known.request(SECRETS[0], known.body());
            request.body.push(b' ');
            if matches!(known.how, How::Certificate) {
                request.body = String::from_utf8(request.body).unwrap().replace("mandelbrot", "other").into_bytes();
                return Some(request);
            }
            known.is_signed().then_some(request)
        },
        Err(Unauthenticated::Wrong),
    );
}

#[test]
fn a_signature_that_is_not_one_is_refused_before_the_body_is_read() {
    let head = |known: &Known, value: &str| {
        let mut request = known.request(SECRETS[0], known.body());
        let (name, before) = known.header().unwrap();
        request.headers.remove(name);
        request.append(name, &format!("{before}{value}"));
        let head = registry::webhook::Head { headers: &request.headers, query: None };
        world().runtime.block_on(async { known.sender().admit(&head, now()).await.map(|_| ()) })
    };
    for known in ALL.iter().filter(|known| known.is_signed()) {
        for value in ["", "00", "zz", "BOGUS", &"0".repeat(63), &"0".repeat(66), &"é".repeat(20), " "] {
            assert_eq!(head(known, value), Err(Unauthenticated::Wrong.into()), "{known:?} {value:?}");
        }
    }
}

#[test]
fn whether_artifactory_signs_is_configured_and_never_guessed() {
    let (plain, signed) = (JFROG.request(SECRETS[1], JFROG.body()), JFROG_SIGNING.request(SECRETS[1], JFROG.body()));
    assert!(plain.to(&JFROG.sender()).is_ok() && signed.to(&JFROG_SIGNING.sender()).is_ok());
    assert_eq!(plain.to(&JFROG_SIGNING.sender()), Err(Unauthenticated::Wrong.into()));
    assert_eq!(signed.to(&JFROG.sender()), Err(Unauthenticated::Wrong.into()));
}

#[test]
fn the_password_of_an_address_is_a_secret_of_quay() {
    let mut request = QUAY.request(SECRETS[0], QUAY.body());
    request.query = None;
    // tagferry:Bearer-new-9c27
    request.append("authorization", "Basic dGFnZmVycnk6QmVhcmVyLW5ldy05YzI3");
    assert!(request.to(&QUAY.sender()).is_ok());
}

#[test]
fn neither_secrets_nor_what_was_sent_are_printed() {
    for known in &ALL {
        let sender = known.sender();
        let request = known.request(SECRETS[0], known.body());
        let head = registry::webhook::Head { headers: &request.headers, query: request.query.as_deref() };
        let admitted = world().runtime.block_on(sender.admit(&head, now())).unwrap();
        let printed = format!("{sender:?} {head:?} {admitted:?}");
        assert!(!printed.contains("4f1d") && !printed.contains("9c27"), "{printed}");
    }
}
