//! The language that the command speaks: Danish or English.

use begreb::exchange::paper::{Tongue, change_name, counted_name};
use begreb::model::{ConceptChangeKind, Refusal};

/// Danish or English.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Lang {
    // No documentation here: it would make every --help three times as long.
    Da,
    En,
}

impl Lang {
    /// The language of the environment, as gettext finds it: Danish when it says so, else English.
    pub fn of_environment(get: impl Fn(&str) -> Option<String>) -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| get(name).filter(|v| !v.is_empty()));
        if set.is_some_and(|tag| tag == "da" || tag.starts_with("da_") || tag.starts_with("da.")) {
            Self::Da
        } else {
            Self::En
        }
    }

    /// The one of two texts that is in this language.
    pub fn say<T>(self, da: T, en: T) -> T {
        match self {
            Self::Da => da,
            Self::En => en,
        }
    }

    /// The tag: `da` or `en`.
    pub fn tag(self) -> &'static str {
        self.say("da", "en")
    }

    /// The language of the papers.
    pub fn tongue(self) -> Tongue {
        self.say(Tongue::Danish, Tongue::English)
    }

    /// The text of a refusal.
    pub fn text(self, refusal: &Refusal) -> &str {
        self.say(&refusal.da, &refusal.en)
    }
}

/// `format!` in the language: the Danish text, then the English one; both take names from where they stand.
macro_rules! say {
    ($lang:expr, $da:literal, $en:literal) => {
        match $lang {
            $crate::lang::Lang::Da => format!($da),
            $crate::lang::Lang::En => format!($en),
        }
    };
}
pub(crate) use say;

/// The kind of change of a name, if it is one.
pub fn kind_of(name: &str) -> Option<ConceptChangeKind> {
    serde_json::from_value(name.into()).ok()
}

/// A word of the JSON answers after a number of concepts, as people say it.
pub fn counted(lang: Lang, name: &str, count: u64) -> &str {
    kind_of(name).map_or_else(|| word(lang, name), |kind| counted_name(kind, count, lang.tongue()))
}

/// A yes, no or word of the JSON answers, as people say it.
pub fn word(lang: Lang, name: &str) -> &str {
    if let Some(kind) = kind_of(name) {
        return change_name(kind, lang.tongue());
    }
    let (da, en) = match name {
        "identity" => ("efter identitetsfilen", "by the identity file"),
        "uuid" => ("på uuid", "by uuid"),
        "code" => ("på kode", "by code"),
        "formerCode" => ("på en tidligere kode", "by a former code"),
        "created" => ("som nye", "as new"),
        "inForce" => ("gældende", "in force"),
        "future" => ("kommende", "not yet in force"),
        "valid" => ("gyldig", "valid"),
        "otherCode" => ("begrebet har nu en anden kode", "the concept has another code now"),
        "otherDisplay" => ("teksten er ikke en term for begrebet", "the display is not a term of the concept"),
        "unknownCode" => ("ukendt kode", "unknown code"),
        "unknownSystem" => ("ukendt ordforråd", "unknown vocabulary"),
        "unknownVersion" => ("ukendt version", "unknown version"),
        "invalidDate" => ("ikke en dato", "not a date"),
        "preferred" => ("foretrukken", "preferred"),
        "admitted" => ("tilladt", "admitted"),
        "deprecated" => ("frarådet", "deprecated"),
        "hidden" => ("skjult", "hidden"),
        "scope" => ("omfang", "scope"),
        "example" => ("eksempel", "example"),
        "application" => ("anvendelse", "application"),
        "history" => ("historik", "history"),
        "editorial" => ("redaktionel", "editorial"),
        "change" => ("ændring", "change"),
        "general" => ("note", "note"),
        "generic" => ("overbegreb", "broader"),
        "partitive" => ("helhed", "part of"),
        "associative" => ("associeret", "associated"),
        "seeAlso" => ("se også", "see also"),
        "legalCombination" => ("kan kombineres med", "may be combined with"),
        "replaces" => ("erstatter", "replaces"),
        "terminology" => ("terminologi", "terminology"),
        "classification" => ("klassifikation", "classification"),
        "codeList" => ("kodeliste", "code list"),
        "legalBasis" => ("retsgrundlag", "legal basis"),
        "hearing" => ("høring og beslutning", "hearing and decision"),
        "committee" => ("beslutning", "decision"),
        "direct" => ("redaktøren udgiver", "an editor publishes"),
        "mirror" => ("udgives af andre", "published by others"),
        other => (other, other),
    };
    lang.say(da, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        let of = |pairs: &'static [(&str, &str)]| {
            Lang::of_environment(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(of(&[("LANG", "da_DK.UTF-8")]), Lang::Da);
        assert_eq!(of(&[("LANG", "da")]), Lang::Da);
        assert_eq!(of(&[("LANG", "da_DK.UTF-8"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(of(&[("LANG", "en_GB.UTF-8"), ("LC_MESSAGES", "da_DK.UTF-8")]), Lang::Da);
        assert_eq!(of(&[("LANG", "da_DK.UTF-8"), ("LC_ALL", "")]), Lang::Da);
        assert_eq!(of(&[("LANG", "dan-x")]), Lang::En);
        assert_eq!(of(&[]), Lang::En);
    }
}
