//! What a log must not tell, for CI: `--max-queries-per-route` and `--fail-on`.

use plimsoll_core::logs::LogReport;
use plimsoll_core::units::{count, plural};

use crate::logs_args::{LogFailure, ShownArguments};

/// A line for each limit that is passed.
pub(super) fn found(report: &LogReport, arguments: &ShownArguments) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(most) = arguments.max_queries_per_route {
        let over = report.requests.iter().filter(|one| one.most > most);
        found.extend(over.map(|one| {
            format!(
                "over the budget: a request of {} needed {}, and {} are allowed ({} of {}, {:.1} on average)",
                printable(&one.route),
                plural(one.most as usize, "statement"),
                count(most),
                plural(one.requests as usize, "request"),
                printable(&one.route),
                one.mean
            )
        }));
        if report.requests.is_empty() {
            found.push(
                "no budget can be checked: no statement has a route; let the service put sqlcommenter tags into its \
                 queries (route, or controller and action)"
                    .to_owned(),
            );
        }
    }
    found.extend(arguments.fail_on.iter().filter_map(|what| of_kind(report, *what)));
    found
}

fn of_kind(report: &LogReport, what: LogFailure) -> Option<String> {
    let told = |number: u64, what: &str| (number > 0).then(|| plural(number as usize, what));
    match what {
        LogFailure::NPlusOne => {
            let bursts = report.bursts.iter().filter(|burst| burst.kind == "n-plus-one");
            told(bursts.map(|burst| burst.bursts).sum(), "n-plus-one burst")
        }
        LogFailure::Deadlock => told(report.deadlocks.iter().map(|one| one.count).sum(), "deadlock"),
        LogFailure::FailedStatement => {
            told(report.failed.iter().map(|one| one.count).sum(), "failed statement")
        }
    }
}

fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
