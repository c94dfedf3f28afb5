//! Danish-looking concepts, the same for the same seed: compound words, definitions of some twenty words, a
//! hierarchy in which every concept has up to twelve below it.

/// A small generator (SplitMix64), so that a run can be repeated.
pub struct Seeded(pub u64);

impl Seeded {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.number() % n as u64) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const FIRST: [&str; 24] = [
    "hjemme",
    "døgn",
    "social",
    "familie",
    "botilbuds",
    "pleje",
    "støtte",
    "rådgivnings",
    "misbrugs",
    "ældre",
    "børne",
    "unge",
    "aflastnings",
    "trænings",
    "beskæftigelses",
    "netværks",
    "boligs",
    "kontakt",
    "sundheds",
    "omsorgs",
    "ledsage",
    "værge",
    "fritids",
    "krise",
];
/// What compounds end with.
pub const LAST: [&str; 24] = [
    "hjælp",
    "behandling",
    "indsats",
    "støtte",
    "ordning",
    "tilbud",
    "vurdering",
    "plan",
    "undersøgelse",
    "person",
    "besøg",
    "forløb",
    "ydelse",
    "samtale",
    "anbringelse",
    "rådgivning",
    "opfølgning",
    "ophold",
    "træning",
    "ledsagelse",
    "aktivitet",
    "tilstand",
    "afklaring",
    "koordinering",
];
/// The words of definitions.
pub const WORDS: [&str; 32] = [
    "indsats",
    "der",
    "ydes",
    "til",
    "borgeren",
    "i",
    "eget",
    "hjem",
    "efter",
    "en",
    "individuel",
    "vurdering",
    "af",
    "behovet",
    "for",
    "støtte",
    "og",
    "omfatter",
    "både",
    "praktisk",
    "hjælp",
    "samt",
    "udvikling",
    "vedligeholdelse",
    "færdigheder",
    "med",
    "henblik",
    "på",
    "at",
    "øge",
    "selvstændighed",
    "trivsel",
];

/// The term of a concept.
pub fn term(number: usize) -> String {
    let mut random = Seeded(number as u64 * 2 + 1);
    format!("{}{} {number}", random.pick(&FIRST), random.pick(&LAST))
}

/// A FHIR CodeSystem of `n` concepts as its parts: `change` of every hundred have another definition in `edition`.
pub fn code_system(n: usize, edition: u64, change: usize) -> Vec<u8> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); n];
    for i in 1..n {
        children[(i - 1) / 12].push(i);
    }
    let mut out = String::with_capacity(n * 400);
    out.push_str(r#"{"resourceType":"CodeSystem","url":"https://bench.example/cs","title":"Måling","status":"active","content":"complete","concept":["#);
    // An explicit stack: what is still to be written.
    enum Step {
        Open(usize, bool),
        Close,
    }
    let mut stack = vec![Step::Open(0, true)];
    while let Some(step) = stack.pop() {
        match step {
            Step::Close => out.push_str("]}"),
            Step::Open(i, first) => {
                if !first {
                    out.push(',');
                }
                let changed = (i * 7919 + edition as usize * 31) % 100 < change;
                let term = term(i);
                let mut random = Seeded(i as u64 * 2 + 2);
                if changed {
                    random = Seeded(i as u64 * 2 + edition * 1_000_003);
                }
                let words: Vec<&str> = (0..22).map(|_| random.pick(&WORDS)).collect();
                let definition = words.join(" ");
                out.push_str(&format!(r#"{{"code":"C{i}","display":"{term}","definition":"{definition}""#));
                if children[i].is_empty() {
                    out.push('}');
                } else {
                    out.push_str(r#","concept":["#);
                    stack.push(Step::Close);
                    let list = children[i].iter().enumerate().rev();
                    stack.extend(list.map(|(k, &child)| Step::Open(child, k == 0)));
                }
            }
        }
    }
    out.push_str("]}");
    out.into_bytes()
}
