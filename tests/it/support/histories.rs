//! Histories that are played from seeds, some at once.

use std::collections::BTreeMap;

/// How many are played at once. More than there are processors: after a conflict, a process waits for a moment.
const AT_ONCE: u64 = 4;

/// A number from the environment.
pub fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// Plays histories, and counts what was in them. `LATCHKEY_<name>_SEED` replays the one of that seed,
/// `LATCHKEY_<name>_HISTORIES` says how many there are. `None` if there are fewer than usual, so that some things need
/// not have been in them.
pub fn played(name: &str, usual: u64, judge: fn(Vec<u64>) -> BTreeMap<String, i32>) -> Option<BTreeMap<String, i32>> {
    let seeds = match setting(&format!("LATCHKEY_{name}_SEED")) {
        Some(seed) => seed..seed + 1,
        None => 0..setting(&format!("LATCHKEY_{name}_HISTORIES")).unwrap_or(usual),
    };
    let is_usual = seeds.end - seeds.start >= usual;
    let parts = (0..AT_ONCE).map(|part| {
        let seeds: Vec<_> = seeds.clone().filter(|seed| seed % AT_ONCE == part).collect();
        std::thread::spawn(move || judge(seeds))
    });
    let mut seen = BTreeMap::new();
    for part in parts.collect::<Vec<_>>() {
        for (what, count) in part.join().unwrap() {
            *seen.entry(what).or_insert(0) += count;
        }
    }
    is_usual.then_some(seen)
}
