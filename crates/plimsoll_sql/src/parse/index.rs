//! Indexes: `CREATE INDEX`, `ALTER INDEX`, `REINDEX`.

use squawk_syntax::ast::{self, AstNode};

use super::{expression, has_word, names, option_is_on, words};
use crate::command::{Command, CreateIndex, IndexAction, IndexKey, ReindexTarget};

pub(super) fn create_index(node: &ast::CreateIndex) -> Option<Command> {
    let relation = node.table_relation_name()?;
    let index_word = node.index_token()?.text_range();
    let method = node.using_method().map_or_else(|| "btree".to_owned(), |method| last_word(&words(&method)));
    Some(Command::CreateIndex(Box::new(CreateIndex {
        name: node.index().and_then(|index| index.path()).map(|path| names::of(path).name),
        table: names::all_below(&relation).pop()?,
        unique: has_word(node, "unique"),
        concurrently: has_word(node, "concurrently"),
        if_not_exists: node.if_not_exists().is_some(),
        only: has_word(&relation, "only"),
        method,
        keys: node.partition_item_list()?.partition_items().map(|item| key(&item)).collect(),
        partial: node.where_clause().is_some(),
        predicate_columns: node
            .where_clause()
            .map(|clause| expression::names(clause.syntax()))
            .unwrap_or_default(),
        index_word: index_word.start().into()..index_word.end().into(),
    })))
}

/// A key of an index or of `PARTITION BY`.
pub(super) fn key(item: &ast::PartitionItem) -> IndexKey {
    let expression = item.expr();
    let column = match &expression {
        Some(ast::Expr::NameRef(name)) => Some(names::folded(name.syntax())),
        _ => None,
    };
    IndexKey {
        text: item.syntax().text().to_string(),
        columns: expression.map(|node| expression::names(node.syntax())).unwrap_or_default(),
        column,
        operator_class: item
            .op_class_ref()
            .and_then(|class| class.path_ref())
            .map(|path| names::of_ref(path).name),
    }
}

pub(super) fn alter_index(node: &ast::AlterIndex) -> Option<Command> {
    let name = names::of_ref(node.index_ref()?.path_ref()?);
    let action = match node.action()? {
        ast::AlterIndexAction::IndexRenameTo(rename) => {
            return Some(Command::RenameIndex { name, to: names::of(rename.index()?.path()?).name });
        }
        ast::AlterIndexAction::AttachIndexPartition(attach) => {
            IndexAction::AttachPartition(names::of_ref(attach.index_ref()?.path_ref()?))
        }
        ast::AlterIndexAction::SetTablespace(_) => IndexAction::SetTablespace,
        ast::AlterIndexAction::SetOptions(_)
        | ast::AlterIndexAction::ResetOptions(_)
        | ast::AlterIndexAction::AlterSetStatistics(_) => IndexAction::SetOptions,
        _ => IndexAction::Other,
    };
    Some(Command::AlterIndex { name, action })
}

pub(super) fn reindex(node: &ast::Reindex) -> Option<Command> {
    let target = node.reindex_target()?;
    let concurrently = has_word(&target, "concurrently") || option_is_on(&words(node), "concurrently");
    let target = match target {
        ast::ReindexTarget::ReindexTargetIndex(node) => {
            ReindexTarget::Index(names::of_ref(node.index_ref()?.path_ref()?))
        }
        ast::ReindexTarget::ReindexTargetTable(node) => {
            ReindexTarget::Table(names::of_ref(node.table_name_ref()?.path_ref()?))
        }
        ast::ReindexTarget::ReindexTargetSchema(node) => {
            ReindexTarget::Schema(node.schema_ref().map(|schema| names::folded(schema.syntax())))
        }
        other if words(&other).contains("system") => ReindexTarget::System,
        _ => ReindexTarget::Schema(None),
    };
    Some(Command::Reindex { target, concurrently })
}

fn last_word(words: &str) -> String {
    words.rsplit(' ').next().unwrap_or_default().trim_matches('"').to_owned()
}
