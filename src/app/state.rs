//! Tells how a running server stands: the configuration at work, and the keys that vendors refuse.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::App;
use super::source::Source;
use crate::catalogue::TransformSpec;
use crate::config::Loaded;
use crate::hex::hex;

/// Shows how a server stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateView {
    /// Effective values by path, as `pivotd check` writes them: secrets are masked.
    pub values: BTreeMap<String, String>,
    /// What the vendors of refused keys said, by provider, and by tenant where the key is one's own:
    /// `virustotal.tenants.acme`.
    pub refused: BTreeMap<String, String>,
    /// The file that the server reads its configuration from; the compiled-in one where there is none.
    pub file: Option<PathBuf>,
}

/// Returns the effective values of a configuration by path. A transform has one value: what it is made of.
#[must_use]
pub fn values(loaded: &Loaded) -> BTreeMap<String, String> {
    let values = loaded.origins.iter();
    let values = values.map(|one| (one.path.clone(), one.value.clone()));
    let transforms = loaded.settings.transforms.iter();
    let transforms = transforms.map(|spec| (format!("transform.{}", spec.name), digest(spec)));
    values.chain(transforms).collect()
}

/// Names what a transform is made of, wherever it is written.
fn digest(spec: &TransformSpec) -> String {
    let placeless = TransformSpec {
        line: 0,
        ..spec.clone()
    };
    let digest = hex(&Sha256::digest(format!("{placeless:?}").as_bytes()));
    digest.chars().take(12).collect()
}

impl App {
    /// Tells how the server stands.
    #[must_use]
    pub fn state(&self) -> StateView {
        let runtimes = self.engine.runtimes();
        StateView {
            file: self.source.as_ref().and_then(Source::whole_file),
            values: values(&self.configured.load().loaded),
            refused: runtimes
                .values()
                .flat_map(|runtime| runtime.keyring.refusals())
                .collect(),
        }
    }
}
