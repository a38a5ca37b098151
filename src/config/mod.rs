//! Reads `transforms.toml` and the environment into [`Settings`]; a wrong file is refused with line and reason.

pub mod settings;

pub use settings::Settings;
