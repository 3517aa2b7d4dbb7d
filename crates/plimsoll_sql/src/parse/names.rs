//! Names in the tree to folded names.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, normalize_name_node};

use crate::name::ObjectName;

/// A name's text as PostgreSQL folds it.
pub(super) fn folded(node: &SyntaxNode) -> String {
    normalize_name_node(node)
}

/// The name that a defining path spells.
pub(super) fn of(path: ast::Path) -> ObjectName {
    let name = path.segment().map(|segment| folded(segment.syntax())).unwrap_or_default();
    let schema = path.qualifier().and_then(|qualifier| qualifier.segment());
    ObjectName { schema: schema.map(|segment| folded(segment.syntax())), name }
}

/// The name that a referring path spells.
pub(super) fn of_ref(path: ast::PathRef) -> ObjectName {
    let name = path.segment().map(|segment| folded(segment.syntax())).unwrap_or_default();
    let schema = path.qualifier().and_then(|qualifier| qualifier.segment());
    ObjectName { schema: schema.map(|segment| folded(segment.syntax())), name }
}

/// Every outermost referring path below a node, in order.
pub(super) fn all_below(node: &impl AstNode) -> Vec<ObjectName> {
    let is_path = |node: &SyntaxNode| ast::PathRef::can_cast(node.kind());
    node.syntax()
        .descendants()
        .filter(|node| is_path(node) && !node.parent().is_some_and(|parent| is_path(&parent)))
        .filter_map(ast::PathRef::cast)
        .map(of_ref)
        .collect()
}
