//! Us: looking, deciding with the function under test, and acting in small parts that we may be killed between.

mod act;
mod look;

use crate::world::World;
use act::{act, parts};
use look::{Seen, Sight, look};

/// Looks at one promotion, lets the world move, and acts on what was seen.
pub(crate) fn pass(world: &mut World) {
    let index = world.random.usize(0..world.promotions.len());
    let Some(Seen { step, base, hides_creation }) = look(world, index, Sight::Blurred) else {
        return;
    };
    // What the forge does not show yet nobody can touch.
    let events = if hides_creation { 0 } else { world.random.usize(0..3) };
    for _ in 0..events {
        world.something_happens();
    }
    for part in parts(&step, world, index, base) {
        if world.random.u8(0..12) == 0 {
            world.tell("killed", format_args!("before {part:?} of {index}"));
            return;
        }
        if !act(world, index, part) {
            return;
        }
    }
}

/// Looks at every promotion once and acts, with nothing in between.
pub(crate) fn calm_pass(world: &mut World) {
    for index in 0..world.promotions.len() {
        let Some(Seen { step, base, .. }) = look(world, index, Sight::Sharp) else {
            continue;
        };
        for part in parts(&step, world, index, base) {
            if !act(world, index, part) {
                break;
            }
        }
    }
}
