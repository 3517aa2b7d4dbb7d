//! What a rewrite is called in frameworks whose migrations aren't SQL; and what a tool has to be
//! told so that a statement outside a transaction comes to its end.

use std::path::Path;

use plimsoll_core::{Finding, Severity};
use plimsoll_lint::fix::{Rewrite, Run};
use plimsoll_sql::layout::Layout;

/// A framework: the file by which it is known, and what it calls a statement outside a transaction.
const FRAMEWORKS: [(&str, &str); 3] = [
    (
        "manage.py",
        "In Django: a migration of its own with `atomic = False`, and AddIndexConcurrently or RemoveIndexConcurrently of \
         django.contrib.postgres.operations in the place of AddIndex or RemoveIndex.",
    ),
    (
        "alembic.ini",
        "In Alembic: `with op.get_context().autocommit_block():` around it, and `postgresql_concurrently=True`.",
    ),
    (
        "config/application.rb",
        "In Rails: `disable_ddl_transaction!` in a migration of its own, and `algorithm: :concurrently`.",
    ),
];

/// Rules whose remedy a framework has words of its own for.
const CONCURRENT: [&str; 2] = ["require-concurrent-index-creation", "require-concurrent-index-deletion"];

/// Flyway holds its lock in a transaction of another connection, which a concurrent build waits for (its issue 3508).
const FLYWAY: &str = "Flyway 9.1.2 and newer wait for themselves here without end, unless flyway.postgresql.transactional.lock=false is in \
     their configuration (postgresql.transactional.lock in flyway.toml, FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK in the environment).";

/// How the project's framework says it, where there is one; or what its tool needs.
pub(crate) fn of_rewrites<'a>(
    root: &Path,
    layout: &Layout,
    rewrites: impl IntoIterator<Item = &'a Rewrite>,
) -> Option<&'static str> {
    let outside =
        rewrites.into_iter().flat_map(|rewrite| &rewrite.steps).any(|step| step.run == Run::Outside);
    if outside && layout.name == "flyway" {
        return Some(FLYWAY);
    }
    of_framework(root).filter(|_| outside)
}

/// How the project's framework says that an index is made or dropped concurrently, where some finding asks for it.
pub(crate) fn of_findings(root: &Path, findings: &[Finding]) -> Option<&'static str> {
    let asks =
        |finding: &Finding| finding.severity > Severity::Note && CONCURRENT.contains(&finding.rule.as_str());
    of_framework(root).filter(|_| findings.iter().any(asks))
}

/// How the project's framework says that a statement runs outside a transaction.
pub(crate) fn of_framework(root: &Path) -> Option<&'static str> {
    FRAMEWORKS.iter().find(|(file, _)| root.join(file).is_file()).map(|(_, advice)| *advice)
}
