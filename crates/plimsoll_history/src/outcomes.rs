//! What the history comes to: how often each rule was right, and how each measured query was judged.

use crate::error::HistoryError;
use crate::file::History;
use crate::label::Judgement;

/// How a rule fared against rehearsed truth. One finding of several runs counts once, as the last run has it that
/// could tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOutcomes {
    /// Its id. What no rule is known for is under the id of the finding that told of it, such as `unclaimed-hazard`.
    pub rule: String,
    /// Claims that were seen to hold.
    pub confirmed: u64,
    /// Claims that were seen not to.
    pub refuted: u64,
    /// Claims about which a rehearsal can't tell.
    pub untested: u64,
    /// Hazards that were seen, and that the rule hadn't claimed though it names such hazards. One hazard counts against each
    /// rule that names such, so that a recall is a lower bound.
    pub missed: u64,
}

impl RuleOutcomes {
    /// Of the claims that could be proven, the share that holds: confirmed ÷ (confirmed + refuted). None without any.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        share(self.confirmed, self.refuted)
    }

    /// Of the hazards that were seen, the share that the rule claimed: confirmed ÷ (confirmed + missed). None without any.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        share(self.confirmed, self.missed)
    }
}

fn share(of: u64, others: u64) -> Option<f64> {
    (of + others > 0).then(|| of as f64 / (of + others) as f64)
}

/// A measured query. One comparison of several runs is one, as the last run has it.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmCase {
    /// What `confirm` and `dismiss` call it.
    pub id: String,
    /// The query's name.
    pub query: String,
    /// Fingerprint of its text.
    pub fingerprint: String,
    /// What the alarm rests on: its growth. 1 is none.
    pub score: f64,
    /// The growth from which it was alarmed.
    pub threshold: f64,
    /// Whether it was.
    pub alarmed: bool,
    /// What was last said of it: whether it did get worse. None where nobody has said anything.
    pub label: Option<bool>,
}

impl History {
    /// How each rule fared, by its id.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn rule_outcomes(&self) -> Result<Vec<RuleOutcomes>, HistoryError> {
        // A hazard that was missed isn't any more once a later run has claimed it.
        let sql = "
            WITH last AS (
                SELECT finding, coalesce(max(run) FILTER (WHERE verdict <> 'untested'), max(run)) AS run
                FROM claims GROUP BY finding
            ),
            counted AS (
                SELECT claims.rule, claims.verdict FROM claims JOIN last USING (finding, run)
                WHERE claims.verdict <> 'missed' OR NOT EXISTS (
                    SELECT 1 FROM claims later
                    WHERE later.statement = claims.statement AND later.verdict = 'confirmed' AND later.run > claims.run
                      AND later.relation IS claims.relation
                )
            )
            SELECT rule, count(*) FILTER (WHERE verdict = 'confirmed'), count(*) FILTER (WHERE verdict = 'refuted'),
                   count(*) FILTER (WHERE verdict = 'untested'), count(*) FILTER (WHERE verdict = 'missed')
            FROM counted GROUP BY rule ORDER BY rule";
        self.read(|connection| {
            let mut select = connection.prepare(sql)?;
            let outcomes = select.query_map([], |row| {
                Ok(RuleOutcomes {
                    rule: row.get(0)?,
                    confirmed: count(row, 1)?,
                    refuted: count(row, 2)?,
                    untested: count(row, 3)?,
                    missed: count(row, 4)?,
                })
            })?;
            outcomes.collect()
        })
    }

    /// Every measured query, by its id.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn alarm_cases(&self) -> Result<Vec<AlarmCase>, HistoryError> {
        let sql = "
            WITH last AS (SELECT comparison, max(run) AS run FROM measurements GROUP BY comparison)
            SELECT id, query, fingerprint, score, threshold, alarmed,
                   (SELECT judgement FROM labels WHERE comparison = comparisons.id ORDER BY labels.id DESC LIMIT 1)
            FROM comparisons
            JOIN last ON last.comparison = id
            JOIN measurements ON measurements.comparison = id AND measurements.run = last.run
            ORDER BY id";
        self.read(|connection| {
            let mut select = connection.prepare(sql)?;
            let cases = select.query_map([], |row| {
                let label: Option<String> = row.get(6)?;
                Ok(AlarmCase {
                    id: row.get(0)?,
                    query: row.get(1)?,
                    fingerprint: row.get(2)?,
                    score: row.get(3)?,
                    threshold: row.get(4)?,
                    alarmed: row.get(5)?,
                    label: label.as_deref().map(|word| word == Judgement::Confirmed.word()),
                })
            })?;
            cases.collect()
        })
    }

    /// How many runs it has.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn runs(&self) -> Result<u64, HistoryError> {
        self.read(|connection| connection.query_row("SELECT count(*) FROM runs", [], |row| count(row, 0)))
    }
}

fn count(row: &rusqlite::Row, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}
