//! The steps of the model on a real database: both take the same ones and refuse the same ones.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use domain::{announcement::About, promotion::Outcome};
use stateright::Model as _;
use store::{Attempts, Claim, Error, Note};

use crate::{
    model::{Claims, LATER, LEASE, Rule, State, Step},
    world::{World, at},
};

/// How long a step of the model's clock is, in seconds.
const TICK: u8 = 10;

const WALKS: usize = 60;

const STEPS: usize = 40;

fn time(clock: u8) -> chrono::DateTime<chrono::Utc> {
    at(i64::from(clock) * i64::from(TICK))
}

#[tokio::test]
async fn the_database_takes_and_refuses_what_the_model_does() -> Result<()> {
    let seed = fastrand::u64(..);
    println!("the seed is {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let model = Claims { replicas: 3, latest: u8::MAX / 2, most_claims: u8::MAX, rule: Rule::Fence };
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..WALKS {
        let world = World::new().await?;
        world.open(1).await?;
        let mut held: Vec<Option<Claim>> = vec![None, None, None];
        let mut state = State::first(3);
        let mut steps = Vec::new();
        for _ in 0..STEPS {
            let mut actions = Vec::new();
            model.actions(&state, &mut actions);
            let step = random.choice(actions).context("nothing can be done")?;
            let clock = state.clock;
            let expected = model.take(&mut state, step);
            steps.push(step);
            let Some(done) = real(&world, &mut held, step, clock).await? else { continue };
            ensure!(done == expected, "seed {seed}: after {steps:?} the model says {expected}, the database {done}");
            if done { taken += 1 } else { refused += 1 }
        }
    }
    println!("{taken} steps were taken and {refused} refused");
    ensure!(taken > 100 && refused > 20, "the walks do next to nothing: {taken} taken, {refused} refused");
    Ok(())
}

/// Takes a step on the database; whether it took it, `None` where it has nothing to do with it.
async fn real(world: &World, held: &mut [Option<Claim>], step: Step, clock: u8) -> Result<Option<bool>> {
    let (store, now, lease) = (&world.store, time(clock), Duration::from_secs(u64::from(LEASE * TICK)));
    let took = |result: Result<(), Error>| match result {
        Ok(()) => Ok::<_, anyhow::Error>(Some(true)),
        Err(Error::ClaimLost) => Ok(Some(false)),
        Err(error) => Err(error.into()),
    };
    let claim_of = |held: &[Option<Claim>], number: usize| -> Result<usize> {
        held[number].as_ref().map(|_| number).context("the model has a claim that the database has not")
    };
    match step {
        Step::Tick | Step::Pause(_) | Step::Resume(_) => Ok(None),
        Step::Die(number) => {
            held[number] = None;
            Ok(None)
        }
        Step::Wake => {
            store.wake_promotions(&"acme/trinity".parse()?, &About::Repository, now).await?;
            Ok(None)
        }
        Step::Claim(number) => {
            held[number] = store.claim_due(now, lease).await?;
            Ok(Some(held[number].is_some()))
        }
        Step::Renew(number) | Step::Record(number) | Step::HandBack(number) | Step::Settle(number) => {
            let number = claim_of(held, number)?;
            let claim = held[number].take().context("it was there")?;
            let done = match step {
                Step::Renew(_) => store.renew(&claim, now, lease).await,
                Step::HandBack(_) => store.hand_back(&claim, time(clock + LATER), Attempts::Reset).await,
                Step::Settle(_) => store.settle(&claim, &Outcome::Declined, now).await,
                _ => store.note(&claim, &Note { what: "armed", why: format!("at {clock}"), link: None }, now).await,
            };
            let took = took(done)?;
            if took == Some(true) && matches!(step, Step::Renew(_) | Step::Record(_)) {
                held[number] = Some(claim);
            }
            Ok(took)
        }
    }
}
