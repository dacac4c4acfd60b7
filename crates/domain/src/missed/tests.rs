use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::sample;

#[derive(Default)]
struct World {
    there: BTreeSet<(String, u8)>,
    recorded: BTreeSet<(String, u8)>,
    deployed: BTreeMap<String, u8>,
}

fn commit(byte: u8) -> Commit {
    Commit::from_bytes([byte; 20])
}

impl Known for World {
    fn has(&self, target: &Name, tag: &Tag) -> bool {
        let is_it =
            |(name, byte): &(String, u8)| name == target.as_str() && tag.as_str().contains(&commit(*byte).to_string());
        self.there.iter().any(is_it)
    }

    fn is_recorded(&self, target: &Name, commit_: Commit) -> bool {
        self.recorded.iter().any(|(name, byte)| name == target.as_str() && commit(*byte) == commit_)
    }

    fn deployed(&self, target: &Name) -> Option<Commit> {
        self.deployed.get(target.as_str()).map(|byte| commit(*byte))
    }
}

/// Looks into a history of the commits 9 to 1; gives target and commit of what is missed.
fn missed_in(world: &World) -> Vec<(String, u8)> {
    let application = sample::application();
    let history: Vec<Commit> = (1..=9).rev().map(commit).collect();
    let target = |reference: &Reference| {
        let found = application.targets().iter().find(|target| target.repository == reference.repository);
        let byte = (1..=9).find(|byte| application.tag.tag(commit(*byte)) == reference.tag);
        (found.unwrap().name.to_string(), byte.unwrap())
    };
    missed(&application, &history, world).iter().map(target).collect()
}

fn at(names: &[&str], byte: u8) -> Vec<(String, u8)> {
    names.iter().map(|name| ((*name).to_owned(), byte)).collect()
}

fn targets() -> Vec<String> {
    sample::application().targets().iter().map(|target| target.name.to_string()).collect()
}

#[test]
fn the_newest_commit_that_every_target_has_is_missed_and_nothing_older() {
    let targets = targets();
    let all: Vec<&str> = targets.iter().map(String::as_str).collect();
    let mut world = World { there: at(&all, 7).into_iter().chain(at(&all, 3)).collect(), ..World::default() };
    assert_eq!(missed_in(&world), at(&all, 7));
    world.there.extend(at(&all[..1], 8));
    assert_eq!(missed_in(&world), [at(&all[..1], 8), at(&all, 7)].concat(), "one that is on its way is a release too");
    world.recorded = at(&all, 7).into_iter().collect();
    assert_eq!(missed_in(&world), at(&all[..1], 8));
}

#[test]
fn what_is_as_old_as_what_is_deployed_is_not_missed() {
    let targets = targets();
    let all: Vec<&str> = targets.iter().map(String::as_str).collect();
    let mut world = World { there: at(&all, 5).into_iter().collect(), ..World::default() };
    world.deployed = targets.iter().map(|target| (target.clone(), 5)).collect();
    assert_eq!(missed_in(&world), []);
    world.deployed = targets.iter().map(|target| (target.clone(), 6)).collect();
    assert_eq!(missed_in(&world), []);
    world.deployed.insert(all[0].to_owned(), 4);
    assert_eq!(missed_in(&world), at(&all, 5), "one target is older");
    world.deployed.remove(all[0]);
    assert_eq!(missed_in(&world), at(&all, 5), "one target has none yet");
}

#[test]
fn a_release_is_read_from_the_message_of_its_merge() {
    let (id, digest) = ("1f".repeat(20), format!("sha256:{}", "ab".repeat(32)));
    let message = format!(
        "release(mandelbrot): Zoom (1f1f1f1) → aws (#7)\r\n\r\nRelease-Id: mandelbrot/{id}\r\nSource-Commit: {id}\r\n\
         Image-Digest-aws: {digest}\r\nCo-authored-by: somebody <a@example.com>\r\n"
    );
    let told = Told::read(&message).unwrap();
    assert_eq!((told.application.as_str(), told.commit), ("mandelbrot", commit(0x1f)));
    assert_eq!(told.digests.len(), 1);
    for other in [
        "",
        "Release-Id: mandelbrot/1f",
        "x\n\nRelease-Id: mandelbrot",
        "x\n\nRelease-Id: Mandelbrot/1f\n",
        &format!("x\n\nRelease-Id: mandelbrot/{id}\n\nmore words"),
        &format!("Release-Id: mandelbrot/{id}"),
    ] {
        assert_eq!(Told::read(other), None, "{other:?}");
    }
}
