//! What was measured: one line for each run comes in, medians and ratios come out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Digits that are kept of a figure: no run is more exact.
const DIGITS: i32 = 4;

/// All of it, as docs/benchmarks.json has it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) conditions: Conditions,
    pub(crate) peers: Vec<Peer>,
    /// Runs by measure, peer and round.
    pub(crate) runs: BTreeMap<String, BTreeMap<String, Vec<Run>>>,
}

/// The machine, and when it was.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Conditions {
    pub(crate) date: String,
    pub(crate) kernel: String,
    pub(crate) cpu: String,
    pub(crate) cores: u32,
    pub(crate) memory_kib: u64,
    pub(crate) seconds: u32,
}

/// A server: which one it was, or why it is not there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Peer {
    #[serde(rename = "peer")]
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<String>,
}

/// What one run gave; what it does not measure is absent.
#[derive(Debug, Default, Clone, Serialize, Deserialize, PartialEq)]
#[serde(default)]
pub(crate) struct Run {
    /// Whom it is compared with: those of the same round.
    pub(crate) round: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_us: Option<f64>,
    /// The same, in multiples of what it was of a roomd that was measured at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_each: Option<f64>,
    /// Of what was due, the share that did not come, and that the server did not tell of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lost: Option<f64>,
    /// The share that did not come, but that the server told each client of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) declared: Option<f64>,
    /// The load's own processor time, in percent of its core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) load_percent: Option<f64>,
    /// Why there is no figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<String>,
}

/// What a run has a figure of.
pub(crate) type Of = fn(&Run) -> Option<f64>;

impl Figures {
    /// Reads the lines that `scripts/bench-peers` notes. What comes twice counts as it came last.
    ///
    /// # Errors
    /// A line that is none of its kinds, with its number; no conditions.
    pub(crate) fn of_lines(text: &str) -> Result<Self, String> {
        let (mut conditions, mut peers) = (None, Vec::<Peer>::new());
        let mut rounds: BTreeMap<(String, String), BTreeMap<u64, Run>> = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |error: serde_json::Error| format!("line {number}: {error}");
            let fields: Map<String, Value> = serde_json::from_str(line).map_err(wrong)?;
            let word = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
            match (word("measure"), word("peer"), fields.get("round").and_then(Value::as_u64)) {
                (Some(measure), Some(peer), Some(round)) => {
                    rounds.entry((measure, peer)).or_default().insert(round, Run::of(round, &fields));
                }
                (None, Some(name), None) => {
                    let peer = serde_json::from_str(line).map_err(wrong)?;
                    match peers.iter_mut().find(|peer| peer.name == name) {
                        Some(known) => *known = peer,
                        None => peers.push(peer),
                    }
                }
                (None, None, None) => conditions = Some(serde_json::from_str(line).map_err(wrong)?),
                _ => return Err(format!("line {number}: no run, peer or conditions")),
            }
        }
        let mut runs = BTreeMap::<_, BTreeMap<_, _>>::new();
        for ((measure, peer), rounds) in rounds {
            runs.entry(measure).or_default().insert(peer, rounds.into_values().collect());
        }
        Ok(Self {
            conditions: conditions.ok_or("there are no conditions: nothing was measured")?,
            peers,
            runs,
        })
    }

    /// One line for each peer and for each measure of it.
    pub(crate) fn json(&self) -> String {
        let line = |value: &dyn Fn() -> serde_json::Result<String>| value().expect("figures are plain");
        let peers: Vec<_> = self.peers.iter().map(|peer| line(&|| serde_json::to_string(peer))).collect();
        let measures = self.runs.iter().map(|(measure, peers)| {
            let peers = peers.iter().map(|(peer, runs)| {
                let runs: Vec<_> = runs.iter().map(|run| line(&|| serde_json::to_string(run))).collect();
                format!("\"{peer}\":[\n{}]", runs.join(",\n"))
            });
            format!("\"{measure}\":{{\n{}}}", peers.collect::<Vec<_>>().join(",\n"))
        });
        format!(
            "{{\"conditions\":{},\n\"peers\":[\n{}],\n\"runs\":{{\n{}}}}}\n",
            line(&|| serde_json::to_string(&self.conditions)),
            peers.join(",\n"),
            measures.collect::<Vec<_>>().join(",\n")
        )
    }

    /// All rounds of a peer in a measure; none if it was not measured so.
    pub(crate) fn rounds(&self, measure: &str, peer: &str) -> &[Run] {
        self.runs.get(measure).and_then(|peers| peers.get(peer)).map_or(&[], Vec::as_slice)
    }

    /// The median over the rounds in which there is one.
    pub(crate) fn median(&self, measure: &str, peer: &str, of: Of) -> Option<f64> {
        median(self.rounds(measure, peer).iter().filter_map(of).collect())
    }

    /// The median of the ratios to roomd in the same round.
    pub(crate) fn ratio(&self, measure: &str, peer: &str, of: Of) -> Option<f64> {
        let roomd = self.rounds(measure, "roomd");
        let beside = |peer: &Run| {
            let roomd = roomd.iter().find(|roomd| roomd.round == peer.round)?;
            Some(of(peer)? / of(roomd).filter(|value| *value > 0.0)?)
        };
        median(self.rounds(measure, peer).iter().filter_map(beside).collect())
    }

    /// Why it failed and in how many rounds of all, if it did.
    pub(crate) fn failure(&self, measure: &str, peer: &str) -> Option<(&str, usize, usize)> {
        let rounds = self.rounds(measure, peer);
        let reasons: Vec<_> = rounds.iter().filter_map(|run| run.failed.as_deref()).collect();
        Some((*reasons.first()?, reasons.len(), rounds.len()))
    }

    /// How often the pairs were measured.
    pub(crate) fn rounds_max(&self) -> usize {
        self.runs.values().flat_map(BTreeMap::values).map(Vec::len).max().unwrap_or(0)
    }
}

impl Run {
    fn of(round: u64, fields: &Map<String, Value>) -> Self {
        let Some(result) = fields.get("result") else {
            let failed = fields.get("failed").and_then(Value::as_str).unwrap_or("failed");
            return Self { round, failed: Some(failed.to_owned()), ..Self::default() };
        };
        let number = |pointer: &str| result.pointer(pointer).and_then(Value::as_f64);
        let cpu_us = cpu_us_of(result);
        let deliveries = number("/deliveries");
        if number("/lost/surplus").is_some_and(|surplus| surplus > 0.0) {
            return Self { round, failed: Some("has no rooms".to_owned()), ..Self::default() };
        }
        if let Some(roomd) = fields.get("roomd") {
            let ratio = cpu_us_of(roomd).filter(|of_roomd| *of_roomd > 0.0).zip(cpu_us);
            let cpu_ratio = ratio.map(|(of_roomd, cpu_us)| rounded(cpu_us / of_roomd));
            return Self { round, cpu_us: cpu_us.map(rounded), cpu_ratio, ..Self::default() };
        }
        let (declared, lost) = (number("/lost/declared"), number("/lost/undeclared"));
        let due = [deliveries, declared, lost].into_iter().flatten().sum::<f64>().max(1.0);
        let share = |missing: Option<f64>| {
            missing.filter(|missing| *missing > 0.0).map(|missing| rounded(missing / due))
        };
        let idle = deliveries.is_none().then(|| number("/server/bytes_each")).flatten();
        Self {
            round,
            per_s: number("/deliveries_per_s").map(rounded),
            cpu_us: cpu_us.map(rounded),
            cpu_ratio: None,
            p99_ms: number("/latency_ms/p99").map(rounded),
            bytes_each: idle.map(rounded),
            lost: share(lost),
            declared: share(declared),
            load_percent: deliveries.and(number("/bench_cpu_percent")).map(rounded),
            failed: None,
        }
    }
}

fn cpu_us_of(result: &Value) -> Option<f64> {
    result.pointer("/server/cpu_us_per_delivery").and_then(Value::as_f64)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        len if len % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// To so many digits that nothing of it is chance.
#[expect(clippy::cast_possible_truncation, reason = "an exponent is small")]
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let places = DIGITS - 1 - value.abs().log10().floor() as i32;
    // By way of text, as multiplying by a power of ten leaves digits behind.
    if places > 0 {
        format!("{value:.*}", places.unsigned_abs() as usize).parse().unwrap_or(value)
    } else {
        let unit = 10_f64.powi(-places);
        (value / unit).round() * unit
    }
}
