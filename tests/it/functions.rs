//! The functions as `cargo dev` and the tests run them: each as it is in `functions/src/bin`, all in one program.
//!
//! A process is one function, as it is in AWS, with an environment and a memory of its own. Only the program is shared:
//! as programs of their own the functions are 2.5 GB, and each is compiled and linked again after every change of
//! `shared`. What is deployed is a program a function: `.ci/run cargo_lambda` runs those, `.ci/run sam_build` builds
//! them.

use std::io::Write;

use shared::Exit;

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

fn main() -> Exit {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some(function) = function(&name) else {
        // Nobody is left to tell if this fails.
        let _ =
            writeln!(std::io::stderr().lock(), "no function has the binary {name:?}: name one as the first argument");
        return Exit::FAILURE;
    };
    function()
}
