//! Which crate may use which, under `[dependencies]` and `[build-dependencies]`.

use cargo_metadata::{DependencyKind, Package};

use crate::tree;

/// Which of our crates each of them may use.
const OURS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("kustomize", &["domain"]),
    ("identity", &["domain"]),
    ("attestation", &["domain"]),
    // Some registries show who they are with an identity token: `identity` verifies it, `registry` decides by its claims.
    ("registry", &["domain", "identity"]),
    ("forge", &["domain"]),
    ("argocd", &["domain"]),
    ("gate", &["domain"]),
    ("store", &["domain"]),
    ("reconciler", ADAPTERS),
    ("server", UP_TO_RECONCILER),
    ("cli", UP_TO_SERVER),
    ("sandbox", &["domain"]),
    ("conformance", &["sandbox"]),
    ("demo", &[]),
    ("postgres-cluster", &[]),
    ("xtask", &["postgres-cluster"]),
    ("testkit", &["sandbox", "conformance", "postgres-cluster"]),
];

const ADAPTERS: &[&str] =
    &["domain", "kustomize", "registry", "identity", "attestation", "forge", "gate", "argocd", "store"];

const UP_TO_RECONCILER: &[&str] =
    &["domain", "kustomize", "registry", "identity", "attestation", "forge", "gate", "argocd", "store", "reconciler"];

const UP_TO_SERVER: &[&str] = &[
    "domain",
    "kustomize",
    "registry",
    "identity",
    "attestation",
    "forge",
    "gate",
    "argocd",
    "store",
    "reconciler",
    "server",
];

/// The vendor crates that belong to one layer, and who may use them.
const THEIRS: &[(&str, &[&str])] = &[
    ("anyhow", &["cli", "sandbox", "demo", "xtask", "testkit"]),
    // Nothing that people run is judged.
    ("apollo-compiler", &["conformance"]),
    ("axum", &["server", "sandbox"]),
    ("clap", &["cli", "sandbox", "demo", "xtask"]),
    ("git2", &["forge"]),
    ("granit-parser", &["kustomize"]),
    ("jsonschema", &["conformance"]),
    // The forge makes tokens, the sandbox verifies those, and whoever shows us one is verified by `identity`.
    ("jsonwebtoken", &["forge", "identity", "sandbox"]),
    ("oci-client", &["registry"]),
    ("octocrab", &["forge"]),
    ("rcgen", &["testkit"]),
    ("serde_yaml", &["kustomize", "server"]),
    // A young library with many releases: its types end at the one crate that uses it.
    ("sigstore-verify", &["attestation"]),
    ("snap", &["forge", "sandbox"]),
    ("sqlx", &["store"]),
];

/// All that the crate may use which decides: nothing that reads a clock, a file, a socket or a format.
const DECIDING: (&str, &[&str]) = ("domain", &["chrono", "sha2", "thiserror"]);

/// A crate of ours and what it uses.
struct Crate {
    name: String,
    ours: Vec<String>,
    theirs: Vec<String>,
}

impl Crate {
    fn new(package: &Package) -> Self {
        let (ours, theirs): (Vec<_>, Vec<_>) = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .partition(|dependency| dependency.path.is_some());
        let names = |dependencies: Vec<&cargo_metadata::Dependency>| {
            dependencies.into_iter().map(|dependency| dependency.name.clone()).collect()
        };
        Self { name: package.name.to_string(), ours: names(ours), theirs: names(theirs) }
    }

    fn complaints(&self) -> Vec<String> {
        let name = self.name.as_str();
        let Some((_, allowed)) = OURS.iter().find(|(known, _)| *known == name) else {
            return vec![format!("{name} is in no layer: add it to the table")];
        };
        let mut complaints = Vec::new();
        for used in &self.ours {
            if !allowed.contains(&used.as_str()) {
                complaints.push(format!("{name} may not use our crate {used}"));
            }
        }
        for used in &self.theirs {
            let users = THEIRS.iter().find(|(vendor, _)| vendor == used);
            if users.is_some_and(|(_, users)| !users.contains(&name)) {
                complaints.push(format!("{name} may not use {used}, which is another layer's"));
            }
            if name == DECIDING.0 && !DECIDING.1.contains(&used.as_str()) {
                complaints.push(format!("{name} decides and may not use {used}"));
            }
        }
        complaints
    }
}

#[test]
fn every_crate_uses_only_what_its_layer_may() -> anyhow::Result<()> {
    let complaints: Vec<String> =
        tree::packages()?.iter().flat_map(|package| Crate::new(package).complaints()).collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn the_table_of_layers_names_no_crate_that_is_gone() -> anyhow::Result<()> {
    let packages = tree::packages()?;
    for (name, _) in OURS {
        assert!(packages.iter().any(|package| package.name == *name), "{name} is gone");
    }
    Ok(())
}

#[test]
fn a_crate_that_reaches_over_its_layer_is_found() {
    let check = |name: &str, ours: &[&str], theirs: &[&str], expected: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let used = Crate { name: name.to_owned(), ours: owned(ours), theirs: owned(theirs) };
        assert_eq!(used.complaints(), expected);
    };
    check("forge", &["domain"], &["git2", "tokio"], &[]);
    check("forge", &["store"], &[], &["forge may not use our crate store"]);
    check("reconciler", &["domain"], &["sqlx"], &["reconciler may not use sqlx, which is another layer's"]);
    check("domain", &[], &["serde"], &["domain decides and may not use serde"]);
    check("utils", &[], &[], &["utils is in no layer: add it to the table"]);
}
