//! That what is said in several places is the same in all: registry, template, binaries, events, generated files, tests.

mod files;
mod generated;
mod layers;
mod template;
