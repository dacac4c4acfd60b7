//! Worse evidence never gives a better verdict: over all outcomes of all kinds, and over what is found under each policy.

use super::*;
use crate::{
    application::{AppName, CheckRule, Demand, Provenance, Tolerated, Wish},
    image::{Contents, Said},
    release::{Barrier, Build},
};

/// From the best on.
const OUTCOMES: usize = 4;

fn outcome(level: usize) -> Outcome {
    match level {
        0 => Outcome::Passed,
        1 => Outcome::Skipped,
        2 => Outcome::Pending { until: at(1) },
        _ => Outcome::Failed,
    }
}

const fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Passed => 0,
        Verdict::Pending { .. } => 1,
        Verdict::Failed { .. } => 2,
    }
}

#[test]
fn a_worse_outcome_of_any_kind_never_gives_a_better_verdict_and_none_passes_without_what_is_always_asked_for() {
    let mut all: Vec<Evidence> =
        Kind::ALL.iter().map(|kind| Evidence::passed(*kind, kind.as_str().to_owned())).collect();
    let mut ranks = vec![0; OUTCOMES.pow(u32::try_from(Kind::ALL.len()).unwrap())];
    for number in 0..ranks.len() {
        let mut rest = number;
        for one in &mut all {
            one.outcome = outcome(rest % OUTCOMES);
            rest /= OUTCOMES;
        }
        let verdict = verdict(&all);
        ranks[number] = rank(&verdict);
        if verdict == Verdict::Passed {
            let has_passed = |kind: &Kind| all.iter().any(|one| one.kind == *kind && one.outcome == Outcome::Passed);
            assert!(Kind::ALWAYS.iter().all(has_passed), "{number}");
        }
        // One level better of each kind was judged before; what is always asked for has no meaning when it is skipped.
        let mut place = 1;
        for kind in Kind::ALL {
            let level = number / place % OUTCOMES;
            let is_order = !(Kind::ALWAYS.contains(&kind) && level == 2);
            if level > 0 && is_order {
                assert!(ranks[number - place] <= ranks[number], "{kind} in {number}");
            }
            place *= OUTCOMES;
        }
    }
}

/// What can be found out of one kind, the later the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Good,
    Missing,
    Bad,
}

const FOUND: [Found; 3] = [Found::Good, Found::Missing, Found::Bad];

fn policies() -> Vec<Application> {
    let rule = |tolerated: &[Tolerated]| CheckRule {
        name: "c*".parse().unwrap(),
        app: Some(AppName::Slug("actions".to_owned())),
        tolerated: tolerated.to_vec(),
    };
    let checks = [vec![], vec![rule(&[])], vec![rule(&[Tolerated::Neutral])]];
    let mut all = Vec::new();
    for demand in [Demand::Required, Demand::Off] {
        for wish in [Wish::Required, Wish::IfPresent, Wish::Off] {
            for rules in &checks {
                for platforms in [vec![], vec!["linux/amd64".parse().unwrap()]] {
                    let mut one = application();
                    (one.verify.branch, one.verify.same_digest, one.verify.immutable) = (demand, demand, demand);
                    (one.verify.revision, one.verify.builder) = (wish, wish);
                    one.verify.provenance = Provenance { demand, workflows: Vec::new(), references: Vec::new() };
                    one.verify.gate = demand;
                    (one.verify.checks, one.verify.platforms) = (rules.clone(), platforms);
                    all.push(one);
                }
            }
        }
    }
    all
}

/// What a rule says when that was found of its kind.
fn evidence(application: &Application, kind: Kind, found: Found, wait: Wait) -> Evidence {
    let good = [build("aws", 1, 0), build("gcp", 1, 0)];
    let lookup = |branch: Option<&str>| Lookup::Present {
        subject: "Zoom".to_owned(),
        url: "https://forge.example/c".to_owned(),
        branch: branch.map(|branch| branch.parse().unwrap()),
        left: None,
        checks: Vec::new(),
    };
    match kind {
        Kind::Tag => tag(application, commit()),
        Kind::Commit if found == Found::Good => crate::evidence::commit(application, commit(), &lookup(None)),
        Kind::Commit => crate::evidence::commit(application, commit(), &Lookup::Absent),
        Kind::Branch if found == Found::Good => branch(application, commit(), &lookup(Some("main"))),
        Kind::Branch => branch(application, commit(), &lookup(None)),
        Kind::Checks => checks(application, &reported(found), wait),
        Kind::Image => of_image(application, &good, found, wait),
        Kind::Immutable if found == Found::Bad => immutable(application, &[build("aws", 1, 0), build("aws", 2, 0)]),
        Kind::Immutable => immutable(application, &good),
        Kind::Revision => {
            let said = |value: Option<&str>| super::images::images(&good, &super::images::says(value, None));
            let ours = commit().to_string();
            let images = match found {
                Found::Good => said(Some(&ours)),
                Found::Missing => said(None),
                Found::Bad => said(Some("deadbeef")),
            };
            revision(application, commit(), &good, &images, wait)
        }
        Kind::Builder => {
            let report = |build: &Build, digest: &Digest| BuilderReport {
                reference: build.reference.clone(),
                digest: Some(digest.clone()),
                workflow: "acme/mandelbrot/.github/workflows/release.yml@refs/heads/main".to_owned(),
                run_url: None,
            };
            let reports: Vec<BuilderReport> = match found {
                Found::Good => good.iter().map(|build| report(build, &build.digest)).collect(),
                Found::Missing => Vec::new(),
                Found::Bad => good.iter().map(|one| report(one, &build("aws", 9, 0).digest)).collect(),
            };
            builder(application, &good, &reports, wait)
        }
        Kind::Gate => {
            let verdict = match found {
                Found::Good => GateVerdict::Pass,
                Found::Missing => GateVerdict::Pending,
                Found::Bad => GateVerdict::Fail,
            };
            gate(application, Some(&GateAnswer { verdict, reason: String::new(), link: None }), wait)
        }
        Kind::Provenance => {
            let all = match found {
                Found::Good => super::provenance::attestations(&good, &[super::provenance::attested()]),
                Found::Missing => BTreeMap::new(),
                Found::Bad => super::provenance::attestations(&good, &[Attested::default()]),
            };
            provenance(application, commit(), &good, (&all, &super::provenance::origin()), wait)
        }
    }
}

fn reported(found: Found) -> Vec<Reported> {
    let state = match found {
        Found::Missing => return Vec::new(),
        Found::Good => CheckState::Succeeded,
        Found::Bad => CheckState::Failed("failure".to_owned()),
    };
    let app = Some(App { id: 1, slug: "actions".to_owned() });
    vec![Reported { name: "ci".to_owned(), app, state, url: None }]
}

fn of_image(application: &Application, builds: &[Build], found: Found, wait: Wait) -> Evidence {
    let images: Images = builds
        .iter()
        .map(|build| {
            let platform = Some("linux/amd64".parse().unwrap());
            let said = Said {
                platform,
                revisions: std::collections::BTreeSet::new(),
                sources: std::collections::BTreeSet::new(),
            };
            (build.digest.clone(), Arc::new(Contents { images: vec![said] }))
        })
        .collect();
    let missing = vec!["gcp".parse().unwrap()];
    let barrier = match found {
        Found::Good => Barrier::Complete,
        Found::Missing => Barrier::Open { missing, until: wait.until },
        Found::Bad => Barrier::Overdue { missing },
    };
    image(application, builds, (&barrier, &images), wait)
}

fn level(one: &Evidence) -> u8 {
    match one.outcome {
        Outcome::Passed | Outcome::Skipped => 0,
        Outcome::Pending { .. } => 1,
        Outcome::Failed => 2,
    }
}

#[test]
fn under_each_policy_what_is_worse_is_never_judged_better_before_the_deadline_and_after_it() {
    for application in policies() {
        for wait in [wait(60), wait(0)] {
            for kind in Kind::ALL {
                let judged = FOUND.map(|found| evidence(&application, kind, found, wait));
                let levels: Vec<u8> = judged.iter().map(level).collect();
                // That there is nothing is better than something wrong only where nothing need be there.
                assert!(levels.is_sorted(), "{kind} {levels:?} {:?}", application.verify);
                if Kind::ALWAYS.contains(&kind) {
                    assert!(judged.iter().all(|one| one.outcome != Outcome::Skipped), "{kind}");
                }
            }
        }
    }
}

#[test]
fn no_policy_passes_without_what_it_asks_for_and_none_fails_when_all_is_good() {
    for application in policies() {
        let all = |worse: Option<(Kind, Found)>| -> Vec<Evidence> {
            let found = |kind| worse.filter(|(worse, _)| *worse == kind).map_or(Found::Good, |(_, found)| found);
            Kind::ALL.iter().map(|kind| evidence(&application, *kind, found(*kind), wait(60))).collect()
        };
        assert_eq!(verdict(&all(None)), Verdict::Passed, "{:?}", application.verify);
        let verify = &application.verify;
        let asked = |kind| match kind {
            Kind::Tag => false,
            Kind::Commit | Kind::Image => true,
            Kind::Branch | Kind::Immutable => verify.branch == Demand::Required,
            Kind::Checks => !verify.checks.is_empty(),
            Kind::Revision | Kind::Builder => verify.revision != Wish::Off,
            Kind::Provenance | Kind::Gate => verify.provenance.demand == Demand::Required,
        };
        for kind in Kind::ALL {
            let bad = verdict(&all(Some((kind, Found::Bad))));
            assert_eq!(bad != Verdict::Passed, asked(kind), "{kind} {verify:?}");
        }
    }
}
