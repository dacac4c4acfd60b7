//! The GitOps repository in the shape of a real one: each overlay is written in another style.

/// The host that the overlays in this source tree name.
const HOST: &str = "registry.demo";

/// The commit that the overlays in this source tree name.
const COMMIT: &str = "0000000000000000000000000000000000000000";

/// Paths and texts as they are in this source tree.
const FILES: [(&str, &str); 8] = [
    ("README.md", include_str!("../../gitops/README.md")),
    ("apps/mandelbrot/base/deployment.yaml", include_str!("../../gitops/apps/mandelbrot/base/deployment.yaml")),
    ("apps/mandelbrot/base/kustomization.yaml", include_str!("../../gitops/apps/mandelbrot/base/kustomization.yaml")),
    ("apps/mandelbrot/base/service.yaml", include_str!("../../gitops/apps/mandelbrot/base/service.yaml")),
    (
        "apps/mandelbrot/overlays/aws/kustomization.yaml",
        include_str!("../../gitops/apps/mandelbrot/overlays/aws/kustomization.yaml"),
    ),
    (
        "apps/mandelbrot/overlays/aws/replicas.yaml",
        include_str!("../../gitops/apps/mandelbrot/overlays/aws/replicas.yaml"),
    ),
    (
        "apps/mandelbrot/overlays/azure/kustomization.yaml",
        include_str!("../../gitops/apps/mandelbrot/overlays/azure/kustomization.yaml"),
    ),
    (
        "apps/mandelbrot/overlays/gcp/kustomization.yaml",
        include_str!("../../gitops/apps/mandelbrot/overlays/gcp/kustomization.yaml"),
    ),
];

/// The repository's files for a registry, with a commit that is deployed already.
pub(super) fn files(host: &str, deployed: &str) -> Vec<(&'static str, String)> {
    FILES.iter().map(|&(path, text)| (path, text.replace(HOST, host).replace(COMMIT, deployed))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::TARGETS;

    #[test]
    fn every_overlay_names_the_image_repository_of_its_target() {
        let files = files("127.0.0.1:5000", "0123456789012345678901234567890123456789");
        for target in TARGETS {
            let (_, text) = files.iter().find(|(path, _)| *path == target.kustomization()).unwrap();
            assert!(text.contains(&format!("127.0.0.1:5000/{}", target.repository)), "{text}");
        }
    }
}
