//! How long an edit takes, proof included, beside reading and writing the document with `serde_yaml`.
//!
//! `cargo bench --package kustomize` edits the project's own kustomizations; with `TAGFERRY_CORPUS` those of others as
//! well. First a table of each file's time is printed, both contenders measured in turn; then criterion measures whole
//! collections, and documents that grow up to a megabyte.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench reads files and a clock, fails by panicking and prints"
)]

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kustomize::{Change, ImageName, Missing, NewName, Version, set_image};
use serde_yaml::Value as Yaml;

/// As often is each file measured for the table.
const ROUNDS: usize = 31;

/// One edit: a text and the tag that one of its images gets.
struct Job {
    text: String,
    change: Change,
}

impl Job {
    /// Sets the tag of the first image that can be set.
    fn new(text: String) -> Option<Self> {
        let root: Yaml = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        let entries = root.get("images")?.as_sequence()?;
        let names = entries.iter().filter_map(|entry| entry.get("name")?.as_str()?.parse::<ImageName>().ok());
        let changes = names.map(|image| Change {
            image,
            new_name: NewName::Keep,
            version: Version::Tag("v9.9.9-zz".parse().unwrap_or_else(|error| panic!("{error}"))),
            missing: Missing::Refuse,
        });
        let change = changes.into_iter().find(|change| set_image(text.as_bytes(), change).is_ok())?;
        Some(Self { text, change })
    }

    /// What Tagferry does, the proof by two parsers included.
    fn splice(&self) -> usize {
        let edit = set_image(black_box(self.text.as_bytes()), &self.change);
        black_box(edit.map_or(0, |edit| edit.into_text().len()))
    }

    /// What others do: the document is read, changed and written anew, and nothing is proven.
    fn write_anew(&self) -> usize {
        let text = black_box(self.text.as_str()).trim_start_matches('\u{feff}');
        let Ok(mut root) = serde_yaml::from_str::<Yaml>(text) else { return 0 };
        let entries = root.get_mut("images").and_then(Yaml::as_sequence_mut).into_iter().flatten();
        for entry in entries {
            if entry.get("name").and_then(Yaml::as_str) == Some(self.change.image.as_str()) {
                entry["newTag"] = Yaml::from("v9.9.9-zz");
            }
        }
        black_box(serde_yaml::to_string(&root).map_or(0, |text| text.len()))
    }
}

/// The jobs of a directory, without the files that can not be edited.
fn jobs(directory: &Path) -> Vec<Job> {
    let files = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    let texts = paths.iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.filter_map(Job::new).collect()
}

fn collections() -> Vec<(&'static str, Vec<Job>)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut collections = vec![("own files", jobs(&own))];
    match env::var_os("TAGFERRY_CORPUS") {
        Some(corpus) => collections.push(("public files", jobs(&PathBuf::from(corpus).join("kustomize/real")))),
        None => println!("TAGFERRY_CORPUS is not set: only the project's own files are measured"),
    }
    collections
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Each file's median time for both contenders, measured in turn.
fn medians(job: &Job) -> (Duration, Duration) {
    let time = |work: fn(&Job) -> usize| {
        let began = Instant::now();
        work(job);
        began.elapsed()
    };
    let (splice, write): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (time(Job::splice), time(Job::write_anew))).unzip();
    (median(splice), median(write))
}

fn print_table(title: &str, jobs: &[Job]) {
    let (mut splice, mut write): (Vec<_>, Vec<_>) = jobs.iter().map(medians).unzip();
    println!("{title}: {} edits, microseconds each", jobs.len());
    for (name, times) in [("set_image, proven", &mut splice), ("serde_yaml, written anew", &mut write)] {
        times.sort();
        let at = |percent: usize| {
            times.get((times.len() * percent / 100).min(times.len() - 1)).map_or(0, Duration::as_micros)
        };
        println!("  {name:<25} median {:>5}  p90 {:>5}  max {:>6}", at(50), at(90), at(100));
    }
}

fn whole_collections(criterion: &mut Criterion) {
    for (name, jobs) in collections() {
        print_table(name, &jobs);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(u64::try_from(jobs.len()).unwrap_or_default()));
        group.bench_function("set_image, proven", |bencher| {
            bencher.iter(|| jobs.iter().map(Job::splice).sum::<usize>());
        });
        group.bench_function("serde_yaml, written anew", |bencher| {
            bencher.iter(|| jobs.iter().map(Job::write_anew).sum::<usize>());
        });
        group.finish();
    }
}

/// Documents of 5, 50, 500 and 5,000 entries; the largest has nearly a megabyte.
fn growing_documents(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growing documents");
    group.sample_size(10);
    for entries in [5, 50, 500, 5_000] {
        let entry = |index: usize| {
            format!(
                "- name: registry.example/team/service-{index:04} # owned by team {index}\n  \
                 newName: mirror.example/production/team/service-{index:04}\n  newTag: \"build-{index:06}\"\n  \
                 # Released by the pipeline of the team, not by hand.\n"
            )
        };
        let text = format!("kind: Kustomization\nimages:\n{}", (0..entries).map(entry).collect::<String>());
        group.throughput(Throughput::Bytes(u64::try_from(text.len()).unwrap_or_default()));
        let job = Job::new(text).unwrap_or_else(|| panic!("{entries} entries can not be edited"));
        group.bench_with_input(BenchmarkId::new("set_image, proven", entries), &job, |bencher, job| {
            bencher.iter(|| job.splice());
        });
        group.bench_with_input(BenchmarkId::new("serde_yaml, written anew", entries), &job, |bencher, job| {
            bencher.iter(|| job.write_anew());
        });
    }
    group.finish();
}

criterion_group!(benches, whole_collections, growing_documents);
criterion_main!(benches);
