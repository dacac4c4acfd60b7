//! Reduces GitHub's published descriptions to what the tests need; the note beside the fixtures says how to run it.

mod sdl;
mod webhooks;

use std::{env, fs, io::Write as _};

fn main() -> Result<(), String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let read = |path: &String| fs::read_to_string(path).map_err(|error| format!("reading {path}: {error}"));
    let reduced = match arguments.as_slice() {
        [what, published, used] if what == "graphql" => sdl::reduce(&read(published)?, &read(used)?)?,
        [what, published] if what == "webhooks" => webhooks::reduce(&read(published)?)?,
        _ => {
            return Err("reduce graphql PUBLISHED.graphql USED.graphql, or reduce webhooks PUBLISHED.json".to_owned());
        }
    };
    std::io::stdout().write_all(reduced.as_bytes()).map_err(|error| error.to_string())
}
