//! How well the search finds what Danish readers mean: `tests/relevance/queries.tsv`, judged before anything was tuned.
//! A third is held back from tuning. The figures may not drop below those that the README quotes.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::HashMap;

use begreb::exchange::Format;
use common::{World, edition, encoded, kl, on_every_database};

struct Judged {
    set: String,
    kind: String,
    query: String,
    vocabularies: String,
    grades: HashMap<String, u32>,
}

fn queries() -> Vec<Judged> {
    let text = include_str!("relevance/queries.tsv");
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    let judged = lines.map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [set, kind, query, vocabularies, judged, _why] = columns[..] else { panic!("six columns: {line}") };
        // Notations may hold commas, with a space after them; those between judgements have none.
        let mut grades = HashMap::new();
        let mut rest = judged;
        while !rest.is_empty() {
            let equals = rest.find('=').expect("a grade");
            let end = rest[equals..].find(',').map_or(rest.len(), |n| equals + n);
            grades.insert(rest[..equals].to_owned(), rest[equals + 1..end].parse().expect("a grade"));
            rest = rest[end..].trim_start_matches(',');
        }
        Judged { set: set.into(), kind: kind.into(), query: query.into(), vocabularies: vocabularies.into(), grades }
    });
    judged.collect()
}

async fn fill(world: &World) {
    world.load_paragraphs().await;
    for (slug, file, label) in
        [("fsiii", "FSIII-2024-10-31.json", "2024-10-31"), ("ffb", "FFB-2024-06-03.json", "2024-06-03")]
    {
        let Some(bytes) = kl(file) else { continue };
        world.import(edition(slug, Format::Fhir, &bytes, label, label)).await.expect("it imports");
    }
}

/// What a list of grades is worth: gain 2^grade - 1, discounted by the logarithm of the place.
fn dcg(grades: impl Iterator<Item = u32>) -> f64 {
    grades.take(10).enumerate().map(|(i, g)| (2f64.powi(g as i32) - 1.0) / (i as f64 + 2.0).log2()).sum()
}

#[derive(Default)]
struct Score {
    count: usize,
    ndcg: f64,
    first: usize,
}

impl Score {
    fn add(&mut self, ndcg: f64, first: bool) {
        self.count += 1;
        self.ndcg += ndcg;
        self.first += usize::from(first);
    }

    fn ndcg(&self) -> f64 {
        self.ndcg / self.count as f64
    }

    fn first(&self) -> f64 {
        self.first as f64 / self.count as f64
    }
}

#[tokio::test]
async fn readers_find_what_they_mean() {
    if kl("FSIII-2024-10-31.json").is_none() {
        eprintln!("KL's publications are not on this machine");
        return;
    }
    on_every_database(async |world| {
        fill(&world).await;
        let (mut sets, mut kinds) = (HashMap::<String, Score>::new(), HashMap::<(String, String), Score>::new());
        let show = std::env::var("BEGREB_RELEVANCE").is_ok_and(|v| v == "show");
        for judged in queries() {
            let mut address = format!("/api/v1/search?limit=10&q={}", encoded(&judged.query));
            if judged.vocabularies != "*" {
                address.push_str(&format!("&vocabulary={}", judged.vocabularies));
            }
            let answer = world.json(&address).await;
            let hits: Vec<String> = answer["hits"]
                .as_array()
                .expect("hits")
                .iter()
                .map(|hit| {
                    let keys = ["notation", "uuid"].map(|name| {
                        let key = hit[name].as_str().unwrap_or_default();
                        format!("{}:{key}", hit["vocabulary"].as_str().unwrap_or_default())
                    });
                    let is_judged = |key: &&String| judged.grades.contains_key(*key);
                    keys.iter().find(is_judged).unwrap_or(&keys[0]).clone()
                })
                .collect();
            let grade = |key: &String| judged.grades.get(key).copied().unwrap_or_default();
            let mut ideal: Vec<u32> = judged.grades.values().copied().collect();
            ideal.sort_unstable_by_key(|g| std::cmp::Reverse(*g));
            let ndcg = dcg(hits.iter().map(grade)) / dcg(ideal.into_iter());
            let first = hits.first().map(grade) == Some(3);
            for set in [&judged.set, "all"] {
                sets.entry(set.to_string()).or_default().add(ndcg, first);
            }
            kinds.entry((judged.set.clone(), judged.kind.clone())).or_default().add(ndcg, first);
            // What is held back is not looked at.
            if show && judged.set == "tune" && (ndcg < 0.8 || !first) {
                println!("{ndcg:.2} {first} [{}] {} total={}", judged.kind, judged.query, answer["total"]);
                for (i, hit) in answer["hits"].as_array().expect("hits").iter().take(6).enumerate() {
                    println!("     {} {} {} ({})", grade(&hits[i]), hits[i], hit["label"], hit["why"]);
                }
                let mut missing: Vec<_> = judged.grades.iter().filter(|(k, g)| **g > 1 && !hits.contains(k)).collect();
                missing.sort();
                println!("     missing {missing:?}");
            }
        }
        let mut rows: Vec<_> = kinds.iter().collect();
        rows.sort_by_key(|(key, _)| *key);
        for ((set, kind), score) in rows {
            println!("{set:5} {kind:22} {:3} NDCG@10 {:.3} first {:.3}", score.count, score.ndcg(), score.first());
        }
        for (set, score) in &sets {
            println!(
                "{set:5} {:3} queries: NDCG@10 {:.3}, right concept first {:.3}",
                score.count,
                score.ndcg(),
                score.first()
            );
        }
        for (set, ndcg, first) in [("tune", 0.93, 0.93), ("held", 0.95, 0.97)] {
            let score = &sets[set];
            assert!(score.ndcg() >= ndcg, "{set}: NDCG@10 {:.3} fell below {ndcg}", score.ndcg());
            assert!(score.first() >= first, "{set}: right concept first {:.3} fell below {first}", score.first());
        }
    })
    .await;
}
