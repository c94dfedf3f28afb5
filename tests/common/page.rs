//! What a test asks of a page.

use super::Answer;

/// All of this stands on it.
#[track_caller]
pub fn has(page: &Answer, parts: &[&str]) {
    let text = page.text();
    for part in parts {
        assert!(text.contains(part), "{}: no {part}: {text}", page.asked);
    }
}

/// None of this stands on it.
#[track_caller]
pub fn has_not(page: &Answer, parts: &[&str]) {
    let text = page.text();
    for part in parts {
        assert!(!text.contains(part), "{}: {part}: {text}", page.asked);
    }
}

/// Where a form led to.
#[track_caller]
pub fn led(answer: Answer) -> String {
    answer.with(303).header("location")
}

/// The address of a page, without what was done last.
pub fn bare(place: &str) -> String {
    place.split('?').next().unwrap_or_default().to_owned()
}
