//! The one way of saying no: what was wrong, where, and what is allowed, in Danish and English.

use std::cell::RefCell;
use std::fmt;

use serde::Serialize;

/// The result of anything that can be refused.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

/// A refusal: nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The stable code that programs go by.
    pub code: Code,
    /// What was wrong, in Danish.
    pub da: String,
    /// What was wrong, in English.
    pub en: String,
    /// Where in the input.
    #[serde(skip_serializing_if = "Place::is_empty")]
    pub place: Place,
    /// What would have been allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// One line per thing that was wrong, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
    /// What stands against what, where two sides collide: both texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Box<serde_json::Value>>,
    /// After how many seconds the same request may succeed, when that is known.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// Where in an input something was found. All parts are optional; lines, columns and rows count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file or the parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Line of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column in that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Row of a table, the heading being row 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// JSON path, element path or column name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Place {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A line and column of a text.
    #[must_use]
    pub fn line(line: u64, column: u64) -> Self {
        Self { line: Some(line), column: Some(column), ..Self::default() }
    }

    /// A row of a table.
    #[must_use]
    pub fn row(row: u64) -> Self {
        Self { row: Some(row), ..Self::default() }
    }

    /// A JSON path, a parameter or a column.
    #[must_use]
    pub fn field(field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.name.clone());
        parts.extend(self.line.map(|n| format!("line {n}")));
        parts.extend(self.column.map(|n| format!("column {n}")));
        parts.extend(self.row.map(|n| format!("row {n}")));
        parts.extend(self.field.clone());
        f.write_str(&parts.join(", "))
    }
}

/// What kind of no it is; every door translates it to its own status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// The request cannot be understood.
    Malformed,
    /// It is understood and breaks a rule.
    Unlawful,
    /// What it names does not exist.
    Missing,
    /// It collides with what is there.
    Conflict,
    /// It is larger than a limit.
    TooLarge,
    /// No representation that the caller accepts.
    NotAcceptable,
    /// Nobody knows who asks.
    Unknown,
    /// It is known who asks, and they may not.
    Forbidden,
    /// Asked too often.
    TooOften,
    /// The registry is at fault or out of a resource.
    Broken,
    /// Busy; the same request may succeed later.
    Busy,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $category:ident;)*) => {
        /// The stable codes of refusals. A code is a promise: it is never given another meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, for the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Code::$name => $text,)* } }

            /// What kind of no it is.
            #[must_use]
            pub const fn category(self) -> Category { match self { $(Code::$name => Category::$category,)* } }
        }
    };
}

codes! {
    /// Not a calendar day.
    InvalidDate = "invalid-date", Malformed;
    /// Not an instant.
    InvalidTime = "invalid-time", Malformed;
    /// A period that ends before it begins.
    EmptyPeriod = "empty-period", Malformed;
    /// Not a language tag (BCP 47).
    InvalidLanguage = "invalid-language", Malformed;
    /// Not a lawful short name of a vocabulary.
    InvalidSlug = "invalid-slug", Malformed;
    /// Not a lawful version label.
    InvalidLabel = "invalid-label", Malformed;
    /// Not a lawful identifier, IRI or uuid.
    InvalidIdentifier = "invalid-identifier", Malformed;
    /// A text that is empty, too long or holds control characters.
    InvalidText = "invalid-text", Malformed;
    /// A parameter that the address does not take.
    UnknownParameter = "unknown-parameter", Malformed;
    /// A parameter whose value cannot be used.
    InvalidParameter = "invalid-parameter", Malformed;
    /// A cursor that this list did not hand out.
    InvalidCursor = "invalid-cursor", Malformed;
    /// Not a mail address.
    InvalidMail = "invalid-mail", Malformed;
    /// A body that cannot be read.
    InvalidBody = "invalid-body", Malformed;
    /// Bytes that are not the format they were said to be.
    Syntax = "syntax", Malformed;
    /// Text that is not UTF-8.
    Encoding = "encoding", Malformed;
    /// A construct that is refused for safety (entities, remote contexts).
    Forbidden = "forbidden-construct", Malformed;
    /// A file that lacks what the format demands.
    Incomplete = "incomplete", Unlawful;
    /// Two concepts with one code.
    DuplicateCode = "duplicate-code", Unlawful;
    /// A relation to a concept that is not there.
    UnknownTarget = "unknown-target", Unlawful;
    /// A concept that is its own ancestor.
    Cycle = "cycle", Unlawful;
    /// Two preferred terms in one language, or none at all.
    PreferredTerm = "preferred-term", Unlawful;
    /// A value that breaks a rule of the model.
    Unlawful = "unlawful", Unlawful;
    /// A password that is too easy to guess.
    WeakPassword = "weak-password", Unlawful;
    /// It takes an account, and nobody is signed in.
    NotSignedIn = "not-signed-in", Unknown;
    /// Mail address and password do not belong together, or there is no such account.
    WrongCredentials = "wrong-credentials", Unknown;
    /// A session, a token or a link that has run out.
    Expired = "expired", Unknown;
    /// What an OpenID provider sent does not prove who it is.
    ProviderToken = "provider-token", Unknown;
    /// An OpenID provider did not let somebody in.
    ProviderRefused = "provider-refused", Forbidden;
    /// An answer of an OpenID provider that this browser did not ask for, or asked for too long ago.
    SignInState = "sign-in-state", Forbidden;
    /// An answer of an OpenID provider that was used already.
    SignInUsed = "sign-in-used", Forbidden;
    /// The OpenID provider names no mail address, or none that it has proven.
    MailUnproven = "mail-unproven", Forbidden;
    /// There is no account, and none is made at the first sign-in.
    NoAccount = "no-account", Forbidden;
    /// A password where nobody signs in by one: the registry takes people from its OpenID providers alone.
    LocalSignInOff = "local-sign-in-off", Forbidden;
    /// The account, or its organisation, has been closed.
    AccountClosed = "account-closed", Forbidden;
    /// The account, or its token, does not have the right.
    NotAllowed = "forbidden", Forbidden;
    /// A page of another site asked in the name of somebody who is signed in here.
    ForeignOrigin = "foreign-origin", Forbidden;
    /// Too many attempts to sign in; `Retry-After` says when the next may be made.
    TooManyAttempts = "too-many-attempts", TooOften;
    /// Asked again before it may be; `Retry-After` says when.
    TooSoon = "too-soon", TooOften;
    /// The account has as many tokens as it may have.
    TooManyTokens = "too-many-tokens", Conflict;
    /// The account or organisation has as many subscriptions as it may have.
    TooManySubscriptions = "too-many-subscriptions", Conflict;
    /// The account has as many code sets and declared uses as it may have.
    TooManyUsages = "too-many-usages", Conflict;
    /// An address that nothing is sent to: not https, or on a network that is not public.
    ForbiddenTarget = "forbidden-target", Unlawful;
    /// Nobody would be left who can administer the registry.
    LastAdministrator = "last-administrator", Conflict;
    /// Somebody would have no way left to sign in.
    LastWayIn = "last-way-in", Conflict;
    /// It cannot be decided which concept is meant.
    Doubt = "identity-in-doubt", Conflict;
    /// A version label that is taken, with other content.
    LabelTaken = "label-taken", Conflict;
    /// Something of that name exists already.
    Exists = "exists", Conflict;
    /// The governance of the vocabulary does not allow it.
    Governance = "governance", Conflict;
    /// What is closed or published cannot be changed.
    Immutable = "immutable", Conflict;
    /// It cannot be done as things stand: the draft, hearing, request or meeting has not come so far, or further.
    Phase = "phase", Conflict;
    /// A draft that says the same as the version that it lies over: there is nothing to decide.
    EmptyDraft = "empty-draft", Conflict;
    /// Somebody else changed the same meanwhile.
    Conflict = "conflict", Conflict;
    /// It is not the content that was looked at, recommended or decided.
    OtherContent = "other-content", Conflict;
    /// Another version has been published since: the draft must be laid over it first.
    Overtaken = "overtaken", Conflict;
    /// Who wrote it cannot alone let it out.
    FourEyes = "four-eyes", Conflict;
    /// The `If-Match` of the request is not the entity tag of what there is: somebody else changed it.
    PreconditionFailed = "precondition-failed", Conflict;
    /// The change must say what it was made of: `If-Match`.
    PreconditionRequired = "precondition-required", Malformed;
    /// The database is held by another process, or is not empty where it must be.
    DatabaseInUse = "database-in-use", Conflict;
    /// No such vocabulary.
    UnknownVocabulary = "unknown-vocabulary", Missing;
    /// No such version.
    UnknownVersion = "unknown-version", Missing;
    /// No such concept.
    UnknownConcept = "unknown-concept", Missing;
    /// The concept exists, but not in the version or at the date that was asked for.
    NotInVersion = "not-in-version", Missing;
    /// The vocabulary had no content at the point that was asked for.
    NothingInForce = "nothing-in-force", Missing;
    /// No such graph.
    UnknownGraph = "unknown-graph", Missing;
    /// No such provider to sign in at.
    UnknownProvider = "unknown-provider", Missing;
    /// No such subscription, or another's.
    UnknownSubscription = "unknown-subscription", Missing;
    /// It was here, and has been deleted.
    Gone = "gone", Missing;
    /// No such address.
    NotFound = "not-found", Missing;
    /// The address does not take that method.
    MethodNotAllowed = "method-not-allowed", Malformed;
    /// A body of a type that the address does not take.
    UnsupportedType = "unsupported-type", Malformed;
    /// A query that would change something.
    UpdateRefused = "update-refused", Malformed;
    /// A query that asks another endpoint.
    ServiceRefused = "service-refused", Malformed;
    /// A query that took longer than it may.
    QueryTime = "query-time", TooLarge;
    /// A query that took more memory than it may.
    QueryMemory = "query-memory", TooLarge;
    /// A query whose answer has more rows than it may.
    QueryRows = "query-rows", TooLarge;
    /// A query that made a longer text than it may.
    QuerySize = "query-size", TooLarge;
    /// More queries of one client at once than it may have.
    TooManyQueries = "too-many-queries", Busy;
    /// Input beyond a limit.
    TooLarge = "too-large", TooLarge;
    /// Deeper than the limit.
    TooDeep = "too-deep", TooLarge;
    /// No representation that the caller accepts.
    NotAcceptable = "not-acceptable", NotAcceptable;
    /// It took longer than the limit.
    Timeout = "timeout", Busy;
    /// Too much at once.
    Busy = "busy", Busy;
    /// An OpenID provider does not answer, or not as one.
    ProviderUnreachable = "provider-unreachable", Busy;
    /// What it is answered from is being built.
    NotReady = "not-ready", Busy;
    /// The hash chain, a digest or a projection does not agree with the facts.
    Corrupt = "corrupt", Broken;
    /// The database failed; nothing was changed.
    Database = "database", Broken;
    /// A file could not be read or written.
    File = "file", Broken;
    /// A fault of our own.
    Internal = "internal", Broken;
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Refusal {
    /// A refusal with its text in Danish and English.
    pub fn new(code: Code, da: impl Into<String>, en: impl Into<String>) -> Self {
        let (place, allowed, items) = (Place::default(), Vec::new(), Vec::new());
        Self { code, da: da.into(), en: en.into(), place, allowed, items, conflict: None, retry_after: None }
    }

    /// The same refusal, with the place; parts that were known already stay.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        let known = std::mem::take(&mut self.place);
        self.place = Place {
            name: known.name.or(place.name),
            line: known.line.or(place.line),
            column: known.column.or(place.column),
            row: known.row.or(place.row),
            field: known.field.or(place.field),
        };
        self
    }

    /// The same refusal, with what would have been allowed.
    #[must_use]
    pub fn allowed<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.allowed = values.into_iter().map(Into::into).collect();
        self
    }

    /// The same refusal, with both sides of what collides.
    #[must_use]
    pub fn conflict(mut self, sides: serde_json::Value) -> Self {
        self.conflict = Some(Box::new(sides));
        self
    }

    /// The same refusal, with when to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same refusal, with one line per thing that was wrong.
    #[must_use]
    pub fn items<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.items = values.into_iter().map(Into::into).collect();
        self
    }
}

thread_local! {
    /// The refusal that was written out last, while somebody reads what may be refused; nothing when nobody does.
    static WRITTEN: RefCell<Option<Option<Refusal>>> = const { RefCell::new(None) };
}

/// Reads something with a reader that knows refusals as texts alone, and gives back the refusal that such a text was
/// made of: its code and its Danish are not lost on the way.
pub fn reading<T, E: fmt::Display>(read: impl FnOnce() -> Result<T, E>) -> Result<T, (E, Option<Refusal>)> {
    WRITTEN.set(Some(None));
    let done = read();
    let written = WRITTEN.take().flatten();
    done.map_err(|e| {
        // Another one may have been written out before, and something else have gone wrong.
        let written = written.filter(|r| e.to_string().starts_with(&r.to_string()));
        (e, written)
    })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        WRITTEN.with_borrow_mut(|written| written.iter_mut().for_each(|last| *last = Some(self.clone())));
        write!(f, "{} ({})", self.en, self.code.as_str())?;
        if !self.place.is_empty() {
            write!(f, " at {}", self.place)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{text}");
        }
    }
}
