//! Says where a server reads its configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{self, ConfigErrors, Effective, Loaded, Origin};
use crate::providers::Providers;

/// Says where a server reads its configuration, at start and at every reload.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The file; the compiled-in one where there is none.
    pub file: Option<PathBuf>,
    /// Where to listen, over the configuration.
    pub listen: Option<SocketAddr>,
}

impl Source {
    /// Returns the file with its whole path.
    #[must_use]
    pub fn whole_file(&self) -> Option<PathBuf> {
        let file = self.file.as_ref()?;
        Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()))
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// As [`config::load`].
    pub fn load(&self, known: &Providers) -> Result<Loaded, ConfigErrors> {
        let mut loaded = config::load(self.file.as_deref(), &config::environment(), known)?;
        if let Some(listen) = self.listen {
            loaded.settings.server.listen = listen;
            loaded.origins.retain(|one| one.path != "server.listen");
            loaded.origins.push(Effective {
                path: "server.listen".to_owned(),
                value: format!("\"{listen}\""),
                origin: Origin::Variable(Arc::from("--listen")),
            });
        }
        Ok(loaded)
    }
}
