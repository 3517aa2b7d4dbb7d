//! Each statement that was sent is told once, with its text, its phase and its values.

use plimsoll_logs::message::plan::PlanFormat;
use plimsoll_logs::message::{Event, Phase, Statement};

use crate::Understood;
use crate::doings::Doings;

fn statements<'a>(understood: &Understood<'a>, application: &str) -> Vec<Statement<'a>> {
    let all = understood.of(application).filter_map(|event| match event {
        Event::Statement(statement) => Some(statement),
        _ => None,
    });
    all.collect()
}

fn of_phase<'a>(statements: &[Statement<'a>], phase: Phase) -> Vec<Statement<'a>> {
    statements.iter().filter(|statement| statement.phase == phase).copied().collect()
}

pub(crate) fn check(doings: &Doings, understood: &Understood<'_>) {
    let sent = &doings.sent;
    let simple = statements(understood, "simple");
    assert!(simple.iter().all(|one| one.phase == Phase::Simple && one.duration_us.is_some()));
    let texts: Vec<&str> = simple.iter().map(|one| one.text).collect();
    assert_eq!(texts, sent.simple);
    extended(doings, &statements(understood, "extended"));
    let portal = statements(understood, "portal");
    assert_eq!(of_phase(&portal, Phase::Execute).len(), 1);
    assert_eq!(of_phase(&portal, Phase::Fetch).len(), sent.fetched);
    assert!(of_phase(&portal, Phase::Fetch).iter().all(|one| !one.portal.is_empty()), "{portal:?}");
    assert_eq!(of_phase(&portal, Phase::Simple).len(), 2, "BEGIN and COMMIT");
    assert_eq!(statements(understood, "forger").len(), 1, "the DO alone: {}", sent.forged);
    plans(doings, understood);
}

fn extended(doings: &Doings, extended: &[Statement<'_>]) {
    let parsed: Vec<&str> = of_phase(extended, Phase::Parse).iter().map(|one| one.text).collect();
    assert_eq!(parsed, doings.sent.prepared);
    for phase in [Phase::Bind, Phase::Execute] {
        let told: Vec<(&str, Vec<Option<String>>)> = of_phase(extended, phase)
            .iter()
            .map(|one| {
                assert!(
                    !one.name.is_empty() && one.portal.is_empty() && one.duration_us.is_some(),
                    "{one:?}"
                );
                (one.text, one.parameters.iter().map(|one| one.value().map(Into::into)).collect())
            })
            .collect();
        assert_eq!(told, doings.sent.executed);
    }
}

fn plans(doings: &Doings, understood: &Understood<'_>) {
    let plans: Vec<_> = understood
        .of("explained")
        .filter_map(|event| match event {
            Event::Plan(plan) => Some(plan),
            _ => None,
        })
        .map(|plan| {
            let format = match plan.format {
                PlanFormat::Text => "text",
                PlanFormat::Json => "json",
                PlanFormat::Yaml => "yaml",
                PlanFormat::Xml => "xml",
            };
            assert!(plan.duration_us > 0 && plan.text.contains("ships"));
            (format, plan.query().unwrap().into_owned())
        })
        .collect();
    assert_eq!(plans, doings.sent.explained);
}
