//! Labelled cases and a detector's scores of them, checked.

/// Scores of cases, in the cases' order.
#[derive(Clone, Copy, Debug)]
pub enum Scores<'a> {
    /// Of half the width; ties are those of `f32`.
    F32(&'a [f32]),
    /// Of full width.
    F64(&'a [f64]),
}

impl Scores<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(scores) => scores.len(),
            Self::F64(scores) => scores.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// That of a case.
    pub(crate) fn at(&self, case: usize) -> f64 {
        match self {
            Self::F32(scores) => f64::from(scores[case]),
            Self::F64(scores) => scores[case],
        }
    }
}

/// Cases by label, with what each weighs.
#[derive(Clone, Copy, Debug)]
pub struct Cases<'a> {
    positive: &'a [bool],
    weights: Option<&'a [f64]>,
}

/// Why cases or scores can't be judged. Cases are counted from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CasesError {
    /// There is no case.
    #[error("there is no case")]
    Empty,
    /// Scores or weights aren't as many as labels.
    #[error("{labels} labels have {others} {what}")]
    Lengths {
        /// `scores` or `weights`.
        what: &'static str,
        /// How many labels.
        labels: usize,
        /// How many of the others.
        others: usize,
    },
    /// A score isn't a finite number.
    #[error("the score of case {case} is {score}, not a finite number")]
    Score {
        /// Which.
        case: usize,
        /// As it is.
        score: f64,
    },
    /// A weight isn't finite, or negative.
    #[error("the weight of case {case} is {weight}, not a finite number of at least 0")]
    Weight {
        /// Which.
        case: usize,
        /// As it is.
        weight: f64,
    },
    /// All weights are 0.
    #[error("the weights of all cases are 0")]
    NoWeight,
}

impl<'a> Cases<'a> {
    /// Checks labels and weights.
    ///
    /// # Errors
    /// Where there is no case, or a weight isn't one.
    pub fn new(positive: &'a [bool], weights: Option<&'a [f64]>) -> Result<Self, CasesError> {
        if positive.is_empty() {
            return Err(CasesError::Empty);
        }
        if let Some(weights) = weights {
            same_length("weights", positive.len(), weights.len())?;
            if let Some(case) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
                return Err(CasesError::Weight { case, weight: weights[case] });
            }
            if weights.iter().all(|weight| *weight == 0.0) {
                return Err(CasesError::NoWeight);
            }
        }
        Ok(Self { positive, weights })
    }

    /// Whether each is positive.
    #[must_use]
    pub fn positive(&self) -> &'a [bool] {
        self.positive
    }

    /// What each weighs; None where each weighs 1.
    #[must_use]
    pub fn weights(&self) -> Option<&'a [f64]> {
        self.weights
    }

    /// What a case weighs.
    pub(crate) fn weight(&self, case: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[case])
    }

    /// Checks a detector's scores.
    pub(crate) fn check(&self, scores: &Scores) -> Result<(), CasesError> {
        same_length("scores", self.positive.len(), scores.len())?;
        let odd = match scores {
            Scores::F32(scores) => scores.iter().position(|score| !score.is_finite()),
            Scores::F64(scores) => scores.iter().position(|score| !score.is_finite()),
        };
        odd.map_or(Ok(()), |case| Err(CasesError::Score { case, score: scores.at(case) }))
    }
}

fn same_length(what: &'static str, labels: usize, others: usize) -> Result<(), CasesError> {
    if labels == others { Ok(()) } else { Err(CasesError::Lengths { what, labels, others }) }
}
