//! No text makes a reader panic, and what it reads can be judged.

use plimsoll_explain::{Figures, advice, from_json, from_log, from_text, from_xml, from_yaml, read};
use proptest::prelude::*;

const SEED: [&str; 4] = [
    "[{\"Plan\": {\"Node Type\": \"Sort\", \"Sort Key\": [\"a\"], \"Actual Rows\": 3, \"Actual Loops\": 2, \"Plans\": [{\"Node Type\": \"Seq Scan\", \"Filter\": \"(lower(a) = 'b'::text)\"}]}, \"JIT\": {\"Timing\": {\"Total\": 3}}}]",
    "- Plan: \n    Node Type: \"Sort\"\n    Sort Key: \n      - \"a\"\n    Plans: \n      - Node Type: \"Seq Scan\"\n  Triggers: \n  Execution Time: 3.0\n",
    "<explain xmlns=\"x\">\n <Query>\n  <Plan>\n   <Node-Type>Sort</Node-Type>\n   <Sort-Key>\n    <Item>a &lt; b</Item>\n   </Sort-Key>\n  </Plan>\n </Query>\n</explain>\n",
    " QUERY PLAN \n------------\n Sort  (cost=0.00..1.00 rows=3 width=4) (actual time=0.1..0.2 rows=3 loops=1)\n   Sort Key: a\n   Sort Method: external merge  Disk: 20kB\n   Worker 0:  Sort Method: quicksort  Memory: 25kB\n   InitPlan 1 (returns $0)\n     ->  Result\n   ->  Seq Scan on a\n         Filter: (a = 'é'::text)\n Planning:\n   Buffers: shared hit=3\n Trigger t on a: time=0.1 calls=2\n(9 rows)\n",
];

fn judged(text: &str) {
    for reader in [read, from_json, from_text, from_yaml, from_xml] {
        for plan in reader(text).unwrap_or_default() {
            let figures = Figures::of(&plan.root);
            assert!(figures.nodes.iter().all(|one| one.own_ms.is_none_or(|ms| ms >= 0.0)));
            drop(advice::of(&plan, &figures));
        }
    }
    drop(from_log(text));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        judged(&text);
    }

    #[test]
    fn a_damaged_plan_is_read_or_refused(seed in 0_usize..4, cut in 0_usize..400, length in 0_usize..60, by in "[\\[\\]{}<>\"':,=()a-z0-9 \n|+-]{0,6}") {
        let characters: Vec<char> = SEED[seed].chars().collect();
        let start = cut.min(characters.len());
        let end = (start + length).min(characters.len());
        let text: String = characters[..start].iter().copied().chain(by.chars()).chain(characters[end..].iter().copied()).collect();
        judged(&text);
        judged(&format!("x LOG:  duration: 1.0 ms  plan:\n\t{}", text.replace('\n', "\n\t")));
    }
}

#[test]
fn plans_with_decoration_are_read() {
    for seed in SEED {
        let plain = read(seed).unwrap();
        let width = seed.lines().map(|line| line.chars().count()).max().unwrap();
        let psql: String = seed
            .lines()
            .filter(|line| {
                !line.contains("QUERY PLAN") && !line.contains("---") && !line.contains("rows)\u{0}")
            })
            .map(|line| format!(" {line:width$}+\r\n"))
            .collect();
        let decorated = format!(
            "db=# EXPLAIN x;\r\n QUERY PLAN \r\n{}\r\n{psql}(1 row)\r\n\r\ndb=# \r\n",
            "-".repeat(width + 2)
        );
        if !seed.contains("QUERY PLAN") {
            assert_eq!(read(&decorated).unwrap(), plain);
        }
        assert_eq!(plain[0].root.node_type, "Sort");
    }
}
