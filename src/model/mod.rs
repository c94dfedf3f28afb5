//! What a registry of concepts *is*: vocabularies, concepts, their states in two times, versions, changes.
//!
//! Pure: no I/O, no clock, no dice. Every room may call this one; it calls none. A value that exists is
//! lawful: rules are kept by types or by the one constructor of each type.

mod canonical;
mod change;
mod content;
mod diff;
mod event;
mod identifier;
mod meaning;
mod oio;
mod parts;
mod people;
mod refusal;
mod secret;
mod state;
mod subscription;
mod target;
mod text;
mod time;
mod usage;
mod version;
mod vocabulary;

pub use canonical::{Digest, canonical_json};
pub use change::{Change, ChangeKind, GENESIS};
pub use content::{Content, ContentFields};
pub use diff::{ConceptChange, ConceptChangeKind, FieldChange, Reference, Side, diff, redefines};
pub use event::{Event, EventFilter, EventType, HearingEvent};
pub use identifier::{Label, Slug};
pub use meaning::Meaning;
pub use oio::{
    OioAssertion, OioExtras, OioHidden, OioLink, OioObject, OioPart, OioRegistration, OioRelation, OioSpan, OioWord,
};
pub use parts::{
    Alias, Definition, LegalBasis, Mapping, MappingKind, Note, NoteKind, Relation, RelationKind, SourceRelation,
    Statement, Term, TermForm, TermStatus,
};
pub use people::{
    Account, Command, ForeignIdentity, Grant, Grantee, Group, GroupKind, Mail, Name, Organisation, Password, Role,
    Scope, Token, unprintable,
};
pub use refusal::{Category, Code, Place, Refusal, Result, reading};
pub use secret::{Dice, NoDice, Secret, new_uuid};
pub use state::{Revision, State, Timeline};
pub use subscription::{
    DigestLanguage, Frequency, Owner, PausedBecause, SubscriptionKind, SubscriptionState, description,
};
pub use target::{SigningSecret, Target, may_be_reached};
pub use text::{Language, Text};
pub use time::{Clock, Date, Instant, Period, Point, clock_in_denmark, parse_date, parse_in_denmark, today_in_denmark};
pub use usage::{Hiding, Link, Usage, UsageForm, UsageKind, UsedCode, Visibility, codes_digest};
pub use version::{Manifest, Origin, Version, VersionHasher};
pub use vocabulary::{Facet, Governance, Kind, Vocabulary, VocabularyFields};
