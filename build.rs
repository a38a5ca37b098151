//! Rebuilds when a fixture changes: they are compiled in for the demo.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=fixtures");
}
