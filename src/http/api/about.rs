//! What most addresses of one thing take: who asks, its uuid, and no parameters.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use uuid::Uuid;

use super::App;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::problem::Failure;
use crate::http::who::Who;
use crate::model::{Code, Refusal};
use crate::registry::Actor;

/// Somebody who asks about one thing, by its uuid, at an address that takes no parameters.
pub struct About {
    /// Where it is asked.
    pub app: App,
    /// Who asks.
    pub actor: Actor,
    /// About what.
    pub of: Uuid,
}

impl FromRequestParts<App> for About {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Who(actor) = Who::from_request_parts(parts, app).await?;
        let path = Path::<String>::from_request_parts(parts, app).await;
        let Path(of) = path.map_err(|e| Refusal::new(Code::NotFound, e.to_string(), e.to_string()))?;
        Params::<Nothing>::from_request_parts(parts, app).await?;
        Ok(Self { app: app.clone(), actor, of: uuid(&of)? })
    }
}
