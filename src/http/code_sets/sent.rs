//! The forms of code sets as they come: fields and a file, or fields alone.

use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;

use crate::exchange::{Columns, ListedCode, codes_in};
use crate::http::api::{App, apart};
use crate::http::who::{Origin, foreign, origin};
use crate::model::{Code, Place, Refusal, Result};

/// The most fields that a form of ours has, and then some.
const MOST: usize = 20;

/// A form that was sent from a page of ours.
pub struct Sent {
    fields: Vec<(String, String)>,
    /// The file that was chosen.
    file: Option<Bytes>,
}

impl Sent {
    /// Reads a form. One that was sent from a page of somebody else is refused.
    pub async fn read(app: &App, request: Request) -> Result<Self> {
        if origin(request.headers(), &app.settings().public_url) == Origin::Foreign {
            return Err(foreign());
        }
        let media = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if media.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
            let form = Multipart::from_request(request, &()).await;
            return Self::parts(form.map_err(|_| unreadable(StatusCode::BAD_REQUEST))?).await;
        }
        let bytes = Bytes::from_request(request, &()).await.map_err(|e| unreadable(e.status()))?;
        Ok(Self { fields: form_urlencoded::parse(&bytes).into_owned().take(MOST).collect(), file: None })
    }

    async fn parts(mut form: Multipart) -> Result<Self> {
        let wrong = |e: MultipartError| unreadable(e.status());
        let mut sent = Self { fields: Vec::new(), file: None };
        while let Some(part) = form.next_field().await.map_err(wrong)? {
            if sent.fields.len() == MOST {
                return Err(unreadable(StatusCode::PAYLOAD_TOO_LARGE));
            }
            let (name, is_file) = (part.name().unwrap_or_default().to_owned(), part.file_name().is_some());
            let bytes = part.bytes().await.map_err(wrong)?;
            match is_file {
                // Where no file was chosen, browsers send an empty one.
                true if bytes.is_empty() => {}
                true => sent.file = Some(bytes),
                false => sent.fields.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
        Ok(sent)
    }

    /// What a field says.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// What a field says, if anything.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.field(name).trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The codes: of the file, or as they were pasted.
    pub async fn codes(&self) -> Result<Vec<ListedCode>> {
        let pasted = self.field("codes");
        let list = match &self.file {
            Some(_) if !pasted.trim().is_empty() => {
                let (da, en) = (
                    "der er både en fil og indsatte koder; vælg det ene",
                    "there is a file and there are pasted codes; choose one of them",
                );
                return Err(Refusal::new(Code::InvalidBody, da, en).at(Place::field("file")));
            }
            Some(file) => file.clone(),
            None => Bytes::from(pasted.to_owned()),
        };
        let columns = Columns { column: self.some("column"), heading: None };
        apart(move || codes_in(&list, &columns)).await
    }
}

fn unreadable(status: StatusCode) -> Refusal {
    let code = if status == StatusCode::PAYLOAD_TOO_LARGE { Code::TooLarge } else { Code::InvalidBody };
    Refusal::new(code, "formularen kan ikke læses", "the form cannot be read")
}
