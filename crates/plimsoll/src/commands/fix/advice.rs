//! What a rewrite is called in frameworks whose migrations aren't SQL, for those who export theirs; and what a tool has to be
//! told so that a statement outside a transaction comes to its end.

use std::path::Path;

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

/// Flyway holds its lock in a transaction of another connection, which a concurrent build waits for (its issue 3508).
const FLYWAY: &str = "Flyway 9.1.2 and newer wait for themselves here without end, unless flyway.postgresql.transactional.lock=false is in \
     their configuration (postgresql.transactional.lock in flyway.toml, FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK in the environment).";

/// How the project's framework says it, where there is one; or what its tool needs.
pub(super) fn of<'a>(
    root: &Path,
    layout: &Layout,
    rewrites: impl IntoIterator<Item = &'a Rewrite>,
) -> Option<&'static str> {
    let outside =
        rewrites.into_iter().flat_map(|rewrite| &rewrite.steps).any(|step| step.run == Run::Outside);
    if outside && layout.name == "flyway" {
        return Some(FLYWAY);
    }
    let known = FRAMEWORKS.iter().find(|(file, _)| root.join(file).is_file());
    known.filter(|_| outside).map(|(_, advice)| *advice)
}
