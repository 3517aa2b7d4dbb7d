//! How long it takes to tell which query a statement is of: read anew, and where its like has come before.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use plimsoll_sql::NormalForm;
use plimsoll_traffic::texts::Texts;

fn main() {
    divan::main();
}

/// Statements as programs send them.
const KINDS: [&str; 6] = ["pgbench", "orm", "in-list", "insert-100-rows", "prepared", "prepared-orm"];

/// The n-th statement of a kind; those of one kind differ in their literals alone.
fn statement(kind: &str, n: usize) -> String {
    let columns: Vec<String> = (0..32).map(|at| format!("\"shop_order\".\"column_{at}\"")).collect();
    let wide = |value: &str| {
        format!(
            "SELECT {} FROM \"shop_order\" INNER JOIN \"shop_customer\" ON (\"shop_order\".\"customer_id\" = \
             \"shop_customer\".\"id\") WHERE (\"shop_order\".\"state\" = {value} AND \"shop_order\".\"id\" > {value}) \
             ORDER BY \"shop_order\".\"placed_at\" DESC LIMIT 21",
            columns.join(", ")
        )
    };
    match kind {
        "pgbench" => {
            format!("UPDATE pgbench_accounts SET abalance = abalance + {} WHERE aid = {};", n % 5000, n * 7)
        }
        "orm" => wide(&format!("'{n}'")),
        "in-list" => {
            let list: Vec<String> = (0..50 + n % 7).map(|at| (at * 37 + n).to_string()).collect();
            format!("SELECT id, name FROM products WHERE id IN ({})", list.join(", "))
        }
        "insert-100-rows" => {
            let rows: Vec<String> = (0..100).map(|at| format!("({at}, 'name {n}', {n}.5)")).collect();
            format!("INSERT INTO measurements (id, name, value) VALUES {}", rows.join(", "))
        }
        "prepared" => {
            "SELECT id, name, price FROM products WHERE id = $1 AND shop = $2 ORDER BY id LIMIT $3".to_owned()
        }
        _ => wide("$1"),
    }
}

fn statements(kind: &str) -> Vec<String> {
    (0..64).map(|n| statement(kind, n)).collect()
}

fn bytes(statements: &[String]) -> BytesCount {
    BytesCount::new(statements.iter().map(String::len).sum::<usize>())
}

/// 64 statements, each read to its end.
#[divan::bench(args = KINDS)]
fn normal_form(bencher: Bencher, kind: &str) {
    let statements = statements(kind);
    let mut form = NormalForm::default();
    bencher.counter(bytes(&statements)).bench_local(|| {
        for statement in &statements {
            black_box(form.of(black_box(statement)));
        }
    });
}

/// 64 statements whose query is known.
#[divan::bench(args = KINDS)]
fn known(bencher: Bencher, kind: &str) {
    let statements = statements(kind);
    let mut texts = Texts::new(100);
    for statement in statements.iter().chain(&statements) {
        texts.query(statement);
    }
    bencher.counter(bytes(&statements)).bench_local(|| {
        for statement in &statements {
            black_box(texts.query(black_box(statement)));
        }
    });
}
