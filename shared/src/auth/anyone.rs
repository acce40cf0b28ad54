//! Whoever asks for what is public.

use super::{Attempt, Caller, Request, SecurityScheme};
use crate::app::App;
use crate::error::Result;
use crate::store::Wanted;

/// No proof of anything.
#[derive(Debug)]
pub struct Anyone;

impl Caller for Anyone {
    const SCHEMES: &'static [SecurityScheme] = &[];

    type Found = ();
    type Change = ();

    async fn authenticate(_: &App, _: &Request, _: &[Wanted]) -> Result<(Self, ())> {
        Ok((Self, ()))
    }

    fn change(&self, _: &Attempt<'_>) -> Result<()> {
        Ok(())
    }
}
