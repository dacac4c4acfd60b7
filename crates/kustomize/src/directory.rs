//! Which of several files is the kustomization.

/// The names that Kustomize looks for (`api/konfig/general.go`, `RecognizedKustomizationFileNames`).
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A directory does not hold exactly one kustomization.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKustomizationFile {
    /// None of the names is there.
    #[error("the directory holds none of kustomization.yaml, kustomization.yml and Kustomization")]
    None,
    /// Two of the names are there, which Kustomize refuses.
    #[error("the directory holds both {first} and {second}; keep one")]
    Several {
        /// One of them.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
}

/// Says which of the names in a directory is the kustomization, as Kustomize decides it.
///
/// # Errors
///
/// There is none, or there is more than one.
pub fn kustomization_file<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<&'static str, NoKustomizationFile> {
    let mut found = [false; FILE_NAMES.len()];
    for name in names {
        for (known, found) in FILE_NAMES.iter().zip(&mut found) {
            *found |= *known == name;
        }
    }
    let mut there = FILE_NAMES.into_iter().zip(found).filter_map(|(name, found)| found.then_some(name));
    match (there.next(), there.next()) {
        (None, _) => Err(NoKustomizationFile::None),
        (Some(only), None) => Ok(only),
        (Some(first), Some(second)) => Err(NoKustomizationFile::Several { first, second }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_holds_exactly_one_kustomization() {
        assert_eq!(kustomization_file(["a.yaml", "kustomization.yml", "b"]), Ok("kustomization.yml"));
        assert_eq!(kustomization_file(["Kustomization"]), Ok("Kustomization"));
        assert_eq!(kustomization_file(["kustomization", "Kustomization.yaml"]), Err(NoKustomizationFile::None));
        assert_eq!(
            kustomization_file(["Kustomization", "kustomization.yaml"]),
            Err(NoKustomizationFile::Several { first: "kustomization.yaml", second: "Kustomization" })
        );
    }
}
