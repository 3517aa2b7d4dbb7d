//! Two recorded baselines of 10,000 queries, read and compared.

use plimsoll_core::thresholds::Thresholds;
use plimsoll_regress::compare::Context;
use plimsoll_regress::record::{RelationFacts, ResultHash, ResultSum};
use plimsoll_regress::{Baseline, Facts, Outcome, RecordedQuery, Run, Shape, baseline, compare};

fn main() {
    divan::main();
}

/// Queries that join five relations, every tenth of them by another plan where `changed` says so.
fn recorded(changed: bool) -> String {
    let queries = (0..10_000_u64).map(|number| {
        let worse = changed && number % 10 == 0;
        let scan = |relation: u64| Shape {
            label: match worse {
                true => format!("Seq Scan on public.table_{relation} t{relation}"),
                false => {
                    format!("Index Scan using table_{relation}_pkey on public.table_{relation} t{relation}")
                }
            },
            conditions: vec![("Index Cond".to_owned(), format!("(t{relation}.id = ?)"))],
            rows: 12,
            expected: 10,
            buffers: if worse { 9000 } else { 14 + number },
            loops: 1,
            ..Shape::default()
        };
        let plan = (1..5).fold(scan(0), |outer, relation| Shape {
            label: "Nested Loop".to_owned(),
            rows: 12,
            expected: 10,
            buffers: outer.buffers + 14,
            loops: 1,
            children: vec![outer, scan(relation)],
            ..Shape::default()
        });
        let hash = ResultHash::Ordered {
            in_order: "5d41402abc4b2a76".to_owned(),
            as_a_set: "b9719d911017c592".to_owned(),
        };
        let run = Run {
            result: ResultSum { rows: 12, hash: Some(hash) },
            shared_hit: plan.buffers,
            rows_read: 60,
            cost: 43.25,
            plan,
            ..Run::default()
        };
        let relations = (0..5)
            .map(|relation| (format!("public.table_{relation}"), RelationFacts { rows: 1000, pages: 10 }));
        let query = RecordedQuery {
            text: format!("{number:016x}"),
            facts: Facts { relations: relations.collect(), ..Facts::default() },
            sets: [("default".to_owned(), Outcome::Ran(Box::new(run)))].into(),
        };
        (format!("query_{number:05}"), query)
    });
    baseline::write(&Baseline { server: 18, queries: queries.collect(), ..Baseline::default() })
}

#[divan::bench(sample_count = 10)]
fn read_two_and_compare(bencher: divan::Bencher) {
    let (before, after) = (recorded(false), recorded(true));
    bencher.bench_local(|| {
        let before = baseline::read(&before).expect("it was written");
        let after = baseline::read(&after).expect("it was written");
        let mut differing = 0;
        for ((_, old), (_, new)) in before.queries.iter().zip(&after.queries) {
            fn side<'a>(of: &'a Baseline, query: &'a RecordedQuery) -> Context<'a> {
                Context { facts: &query.facts, server: of.server, settings: &of.settings, text: &query.text }
            }
            for (old_run, new_run) in old.sets.values().zip(new.sets.values()) {
                let compared = compare(
                    (old_run, side(&before, old)),
                    (new_run, side(&after, new)),
                    &Thresholds::default(),
                );
                differing += usize::from(!compared.reasons.is_empty());
            }
        }
        assert_eq!(differing, 1000);
    });
}
