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

/// Relations that queries below a node read: the items of its FROM clauses, without the names that
/// its WITH clauses define.
pub(super) fn relations_read(node: &SyntaxNode) -> Vec<ObjectName> {
    let defined: Vec<String> = node
        .descendants()
        .filter_map(ast::WithTable::cast)
        .filter_map(|table| Some(folded(table.name()?.syntax())))
        .collect();
    let mut relations: Vec<ObjectName> = node
        .descendants()
        .filter_map(ast::RelationFromItem::cast)
        .filter_map(|item| item.path_ref())
        .map(of_ref)
        .filter(|name| name.schema.is_some() || !defined.contains(&name.name))
        .collect();
    relations.sort();
    relations.dedup();
    relations
}

/// The first name below a node, whether it defines or refers.
pub(super) fn first_below(node: &impl AstNode) -> Option<ObjectName> {
    node.syntax().descendants().find_map(|node| {
        ast::Path::cast(node.clone()).map(of).or_else(|| ast::PathRef::cast(node).map(of_ref))
    })
}

/// The first referring path below a node.
pub(super) fn path_below(node: &impl AstNode) -> Option<ast::PathRef> {
    node.syntax().descendants().find_map(ast::PathRef::cast)
}
