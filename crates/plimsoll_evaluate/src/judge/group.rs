//! Figures of each group of cases, at the threshold that was chosen by all of them.

use plimsoll_core::evaluation::GroupFigures;

use super::Groups;
use super::choice::{Trials, confusion_from};
use crate::areas::Areas;
use crate::cases::{Cases, CasesError, Scores};
use crate::ranking::Ranking;

/// The largest group first.
pub(super) fn figures(
    cases: &Cases,
    scores: Scores,
    groups: Option<Groups>,
    threshold: Option<Option<f64>>,
    confidence: f64,
) -> Result<Vec<GroupFigures>, CasesError> {
    let Some(groups) = groups else { return Ok(Vec::new()) };
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups.names.len()];
    let weighing = groups.of_case.iter().enumerate().filter(|(case, _)| cases.weight(*case) > 0.0);
    weighing.for_each(|(case, group)| members[*group as usize].push(case));
    let mut told: Vec<GroupFigures> = groups
        .names
        .iter()
        .zip(&members)
        .filter(|(_, members)| !members.is_empty())
        .map(|(name, members)| of_group(name, cases, scores, members, threshold, confidence))
        .collect::<Result<_, _>>()?;
    told.sort_by(|one, other| other.cases.cmp(&one.cases).then_with(|| one.name.cmp(&other.name)));
    Ok(told)
}

fn of_group(
    name: &str,
    cases: &Cases,
    scores: Scores,
    members: &[usize],
    threshold: Option<Option<f64>>,
    confidence: f64,
) -> Result<GroupFigures, CasesError> {
    let positive: Vec<bool> = members.iter().map(|case| cases.positive()[*case]).collect();
    let own: Vec<f64> = members.iter().map(|case| scores.at(*case)).collect();
    let weights: Option<Vec<f64>> =
        cases.weights().map(|weights| members.iter().map(|case| weights[*case]).collect());
    let cases = Cases::new(&positive, weights.as_deref())?;
    let areas = Areas::of(&Ranking::corners(&cases, Scores::F64(&own))?);
    let of_both = areas.roc_area.is_some();
    let confusion = threshold.map(|threshold| confusion_from(&cases, Scores::F64(&own), threshold));
    let trials = Trials::of(&cases, confidence);
    Ok(GroupFigures {
        name: name.to_owned(),
        cases: members.len() as u64,
        positives: positive.iter().filter(|label| **label).count() as u64,
        average_precision: of_both.then_some(areas.average_precision),
        roc_area: areas.roc_area,
        precision: confusion.map(|confusion| trials.precision(&confusion)),
        recall: confusion.map(|confusion| trials.recall(&confusion)),
    })
}
