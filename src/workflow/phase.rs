//! How far a draft has come.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{Code, Refusal, Result};

/// How far a draft has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// It is worked on (kladde).
    Drafting,
    /// The group looks through it; it may still be edited (under kvalitetssikring).
    InReview,
    /// It is heard, and frozen meanwhile (i høring).
    InHearing,
    /// It has been heard; answers are weighed and become edits (høring lukket).
    Heard,
    /// It lies with a committee, and is frozen (indstillet).
    Recommended,
    /// The committee adopted it; it waits for its publication (vedtaget).
    Adopted,
    /// It is a version (publiceret).
    Published,
    /// The committee rejected it (afvist).
    Rejected,
    /// The group gave it up (trukket).
    Withdrawn,
    /// It rests (sat i bero).
    OnHold,
}

impl Phase {
    /// Every phase, in the order in which a draft comes through them.
    pub const ALL: &'static [Self] = &[
        Self::Drafting,
        Self::InReview,
        Self::InHearing,
        Self::Heard,
        Self::Recommended,
        Self::Adopted,
        Self::Published,
        Self::Rejected,
        Self::Withdrawn,
        Self::OnHold,
    ];

    /// The phases in which content may be edited.
    pub const EDITABLE: &'static [Self] = &[Self::Drafting, Self::InReview, Self::Heard];

    /// The phases that are not the end.
    pub const OPEN: &'static [Self] =
        &[Self::Drafting, Self::InReview, Self::InHearing, Self::Heard, Self::Recommended, Self::Adopted, Self::OnHold];

    /// Whether content may be edited.
    #[must_use]
    pub fn is_editable(self) -> bool {
        Self::EDITABLE.contains(&self)
    }

    /// Whether more can happen.
    #[must_use]
    pub fn is_open(self) -> bool {
        Self::OPEN.contains(&self)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drafting => "drafting",
            Self::InReview => "inReview",
            Self::InHearing => "inHearing",
            Self::Heard => "heard",
            Self::Recommended => "recommended",
            Self::Adopted => "adopted",
            Self::Published => "published",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::OnHold => "onHold",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Phase {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|p| p.as_str() == text).ok_or_else(|| {
            let text: String = text.chars().take(80).collect();
            let (da, en) = (format!("»{text}« er ikke en fase"), format!("'{text}' is not a phase"));
            Refusal::new(Code::InvalidParameter, da, en).allowed(Self::ALL.iter().map(|p| p.as_str()))
        })
    }
}
