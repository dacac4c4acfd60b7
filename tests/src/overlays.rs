//! A GitOps repository in the shape of a real one: each overlay is written in another style.

/// The texts of the repository by path.
#[must_use]
pub fn files() -> [(&'static str, &'static str); 9] {
    [
        ("README.md", "# trinity\n\nWhat runs in our three clouds.\n"),
        ("apps/mandelbrot/base/kustomization.yaml", BASE),
        ("apps/mandelbrot/base/deployment.yaml", DEPLOYMENT),
        ("apps/mandelbrot/overlays/aws/kustomization.yaml", AWS),
        (
            "apps/mandelbrot/overlays/aws/replicas.yaml",
            "# Bigger here.\n- { op: replace, path: /spec/replicas, value: 6 }\n",
        ),
        ("apps/mandelbrot/overlays/gcp/kustomization.yaml", GCP),
        ("apps/mandelbrot/overlays/azure/kustomization.yaml", AZURE),
        ("apps/other/base/kustomization.yaml", "resources: []\n"),
        (".github/CODEOWNERS", "* @acme/release\n"),
    ]
}

/// The path of a target's kustomization.
#[must_use]
pub fn path(target: &str) -> String {
    format!("apps/mandelbrot/overlays/{target}/kustomization.yaml")
}

/// What all overlays build on.
pub const BASE: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
";

/// What runs.
pub const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: mandelbrot
spec:
  replicas: 2
  selector: { matchLabels: { app: mandelbrot } }
  template:
    metadata: { labels: { app: mandelbrot } }
    spec:
      containers:
        - name: mandelbrot
          image: mandelbrot
";

/// Indented lists, comments, and a neighbour whose tag is none of our business.
pub const AWS: &str = "# Production in us-east-1.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization

resources:
  - ../../base

patches:
  - path: replicas.yaml   # six of them
    target: { kind: Deployment, name: mandelbrot }

images:
  # The sidecar is updated by hand.
  - name: envoy
    newTag: v1.31.0
  - name: mandelbrot # ours
    newName: registry.example/aws/mandelbrot
    newTag: sha-0000000000000000000000000000000000000000 # set by the release
";

/// Lists at the margin, quotes, and nothing after the last value.
pub const GCP: &str = "kind: Kustomization
apiVersion: kustomize.config.k8s.io/v1beta1
images:
- name: mandelbrot
  newName: \"registry.example/gcp/mandelbrot\"
  newTag: 'bootstrap'
resources:
- ../../base
namespace: mandelbrot";

/// Keys in another order, and no tag yet.
pub const AZURE: &str = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
images:
  - newName: registry.example/azure/mandelbrot
    name: mandelbrot
commonAnnotations:
  note: |
    images:
      - name: mandelbrot
        newTag: not-this-one
";
