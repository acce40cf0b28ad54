//! That what is said in several places is the same in all: registry, template, binaries, events, generated files,
//! tests; and what the sources keep to.

mod files;
mod generated;
mod imports;
mod layers;
mod sources;
mod template;
