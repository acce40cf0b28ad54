//! Whoever asks for what is public.

use super::{Attempt, Caller, Needs, Request, SecurityScheme};
use crate::app::App;
use crate::error::Result;

/// No proof of anything.
#[derive(Debug)]
pub struct Anyone;

impl Caller for Anyone {
    const SCHEMES: &'static [SecurityScheme] = &[];

    type Found = ();
    type ChangeContext = ();

    async fn authenticate(_: &App, _: &Request, _: &Needs) -> Result<(Self, ())> {
        Ok((Self, ()))
    }

    fn change(&self, _: &Attempt<'_>) -> Result<()> {
        Ok(())
    }
}
