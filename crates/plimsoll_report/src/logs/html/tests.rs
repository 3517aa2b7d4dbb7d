use plimsoll_core::logs::{LogConnections, LogPlan, LogStream, LogTrend};

use super::super::head;
use super::*;
use crate::hostile::HOSTILE;
use crate::logs::tests::sample;

fn page_of(report: &LogReport) -> String {
    page(report, &head(report), 20)
}

/// The page without what its style, script and data elements hold.
fn markup(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(at) = ["<style", "<script"].iter().filter_map(|tag| rest.find(tag)).min() {
        let end = if rest[at..].starts_with("<style") { "</style>" } else { "</script>" };
        let opened = at + rest[at..].find('>').unwrap() + 1;
        text.push_str(&rest[..opened]);
        rest = &rest[opened + rest[opened..].find(end).unwrap()..];
    }
    text + rest
}

/// The JSON of the page's data element.
fn told(page: &str) -> serde_json::Value {
    let opened = "<script type=\"application/json\" id=\"data\">";
    let from = page.find(opened).unwrap() + opened.len();
    serde_json::from_str(&page[from..from + page[from..].find("</script>").unwrap()]).unwrap()
}

#[test]
fn a_page_reads_well_without_its_script() {
    let policy_by_hash = markup(&page_of(&sample()));
    let from = policy_by_hash.find("sha256-").unwrap();
    let hash = &policy_by_hash[from..from + policy_by_hash[from..].find('\'').unwrap()];
    insta::assert_snapshot!(policy_by_hash.replace(hash, "sha256-HASH").replace("><", ">\n<"));
}

/// The sample with hostile text in every field that a client can choose, and no other text in the page.
fn hostile() -> LogReport {
    let text = || format!("{HOSTILE}</script><!--\"onload=alert(1) '\u{2028}\u{2029}");
    let mut report = sample();
    let trend = LogTrend { step_s: 1, steps: vec![(1_795_435_200, 1, 1.0)] };
    for source in &mut report.sources {
        (source.name, source.prefixes) = (text(), vec![text()]);
    }
    for query in &mut report.queries {
        query.query = text();
        query.applications = vec![text()];
        query.trend = trend.clone();
        query.plan = Some(LogPlan { duration_ms: 1.0, text: text() });
        query.streams = vec![LogStream {
            application: text(),
            user: text(),
            database: text(),
            host: text(),
            route: text(),
            calls: 1,
            total_ms: 1.0,
        }];
    }
    for burst in &mut report.bursts {
        (burst.query, burst.before, burst.route, burst.application) = (text(), Some(text()), text(), text());
    }
    for problem in &mut report.problems {
        (problem.message, problem.sqlstate) = (text(), text());
    }
    report.failed.iter_mut().for_each(|failed| failed.query = text());
    report.requests.iter_mut().for_each(|request| request.route = text());
    for edge in &mut report.lock_edges {
        (edge.waiting, edge.holder, edge.object, edge.mode) = (Some(text()), Some(text()), text(), text());
    }
    for edge in report.deadlocks.iter_mut().flat_map(|deadlock| &mut deadlock.edges) {
        (edge.waiting, edge.object) = (Some(text()), text());
    }
    report.connections = vec![LogConnections {
        application: text(),
        user: text(),
        database: text(),
        host: text(),
        ..LogConnections::default()
    }];
    report.missing = vec![text()];
    report
}

#[test]
fn a_page_gains_no_element_and_no_attribute() {
    let (page, calm) = (page_of(&hostile()), page_of(&sample()));
    let count = |page: &str, what: &str| page.matches(what).count();
    for what in [
        "<script",
        "</script",
        "<!--",
        "<style",
        "<section id",
        "<header",
        "<main",
        "<body",
        "<link",
        "<meta",
    ] {
        assert_eq!(count(&page, what), count(&calm, what), "{what}");
    }
    // Within a tag, quotes would end an attribute's value: nothing hostile stands in one.
    let markup = markup(&page);
    for tag in markup.split('<').filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
        assert!(!tag.contains("alert") && !tag.contains("javascript") && !tag.contains("onload"), "{tag}");
    }
    assert!(markup.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn a_page_has_no_character_that_a_browser_obeys() {
    let page = page_of(&hostile());
    let bad = page.chars().find(|letter| {
        letter.is_control() && !matches!(letter, '\n' | '\t') || matches!(letter, '\u{2028}'..='\u{202e}')
    });
    assert_eq!(bad, None);
}

#[test]
fn data_has_each_text_once_and_every_row() {
    let report = LogReport {
        queries: (0..100)
            .map(|number| plimsoll_core::logs::LogQuery {
                query: format!("select {number} from t"),
                streams: vec![LogStream { application: "web".into(), ..LogStream::default() }],
                ..Default::default()
            })
            .collect(),
        ..LogReport::default()
    };
    let page = page_of(&report);
    assert_eq!(markup(&page).matches("<tr>").count(), 21, "the head and the first 20");
    let data = told(&page);
    assert_eq!(data["sheets"][0]["rows"].as_array().unwrap().len(), 100);
    let texts = data["texts"].as_array().unwrap();
    assert_eq!(texts.iter().filter(|text| *text == "web").count(), 1);
    assert_eq!(texts.len(), 101);
}
