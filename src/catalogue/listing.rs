//! Lists what the catalogue offers to Maltego clients.

use std::sync::Arc;

use super::{Catalogue, TransformSpec, own};
use crate::maltego::listing::{ListedTransform, Listing, TransformSetting};
use crate::providers::{Descriptor, Providers};

const DOMAIN: &str = "maltego.Domain";

/// Lists the transforms of a catalogue with their settings at all their providers.
#[must_use]
pub fn listing(catalogue: &Catalogue, providers: &Providers) -> Listing {
    let listed = |spec: &TransformSpec| ListedTransform {
        name: spec.name.clone(),
        title: spec.title.clone(),
        about: spec.about.clone(),
        set: spec.set.clone(),
        inputs: spec.inputs.iter().map(|input| input.type_id.clone()).collect(),
        constraint: spec.constraint.clone(),
        outputs: spec.given_types().into_iter().map(str::to_owned).collect(),
        settings: spec.settings_at(asked(providers, spec)),
        is_offered: catalogue.listed().iter().any(|one| one.name == spec.name),
    };
    Listing::new(catalogue.transforms().iter().map(|spec| listed(spec)).collect())
}

/// Returns the descriptors of those that a transform asks.
fn asked<'a>(providers: &'a Providers, spec: &'a TransformSpec) -> impl Iterator<Item = &'a Arc<Descriptor>> {
    let is_asked =
        |descriptor: &&'a Arc<Descriptor>| spec.providers().iter().any(|name| descriptor.name == *name);
    providers.descriptors().filter(is_asked)
}

impl TransformSpec {
    /// Lists the settings of this transform at all the providers that it asks, each once.
    #[must_use]
    pub fn settings_at<'a>(&self, asked: impl Iterator<Item = &'a Arc<Descriptor>>) -> Vec<TransformSetting> {
        let mut all: Vec<TransformSetting> = Vec::new();
        let mut asked = asked.peekable();
        let own = asked.peek().is_none().then_some(&*own::DESCRIPTOR);
        for setting in asked.chain(own).flat_map(|descriptor| self.settings(descriptor)) {
            if !all.iter().any(|known| known.name == setting.name) {
                all.push(setting);
            }
        }
        all
    }

    /// Lists the entity types of all that it can give back, each once: of new entities, and of inputs that it annotates.
    fn given_types(&self) -> Vec<&str> {
        let mut types = self.output_types();
        if self.entities.iter().any(|rule| rule.on_input) {
            let inputs = self.inputs.iter().map(|input| input.type_id.as_str());
            // What is said of a registrable domain stands on an entity of its own.
            let domain = self
                .inputs
                .iter()
                .any(|input| input.registrable)
                .then_some(DOMAIN);
            for given in inputs.chain(domain) {
                if !types.contains(&given) {
                    types.push(given);
                }
            }
        }
        types
    }
}
