//! Objects other than tables and indexes: views, types, domains, sequences, what hangs on a
//! table, grants; and everything else by its verb and kind.

use squawk_syntax::SyntaxKind;
use squawk_syntax::ast::{self, AstNode, Stmt};

use super::{expression, has_word, names, routine, table, types, words};
use crate::command::{
    Attachment, Command, CreateDomain, CreateView, DomainAction, Drop, Grant, ObjectChange, ObjectKind,
    TypeAction, Verb,
};
use crate::name::ObjectName;

pub(super) fn object(statement: &Stmt) -> Option<Command> {
    Some(match statement {
        Stmt::CreateView(node) => {
            let name = names::of(node.view()?.path()?);
            let temporary = matches!(node.persistence(), Some(ast::Persistence::Temp(_)));
            let options = node.with_params().map(|params| words(&params)).unwrap_or_default();
            let or_replace = node.or_replace().is_some();
            Command::CreateView(Box::new(CreateView {
                or_replace,
                temporary,
                options,
                ..view(name, statement)
            }))
        }
        Stmt::CreateMaterializedView(node) => {
            let name = names::of(node.view()?.path()?);
            let if_not_exists = node.if_not_exists().is_some();
            Command::CreateView(Box::new(CreateView {
                materialized: true,
                if_not_exists,
                ..view(name, statement)
            }))
        }
        Stmt::CreatePolicy(_)
        | Stmt::AlterPolicy(_)
        | Stmt::DropPolicy(_)
        | Stmt::CreateRule(_)
        | Stmt::AlterRule(_)
        | Stmt::DropRule(_)
        | Stmt::AlterTrigger(_)
        | Stmt::DropTrigger(_) => Command::AlterAttachment(attachment(statement)?),
        Stmt::CreateDomain(node) => Command::CreateDomain(CreateDomain {
            name: names::of(node.domain()?.path()?),
            base: node.ty().and_then(|node| types::data_type(&node)),
            constraints: node
                .domain_qualifiers()
                .filter_map(|qualifier| match qualifier {
                    ast::DomainQualifier::Constraint(constraint) => {
                        table::constraint(&constraint, DOMAIN_VALUE)
                    }
                    ast::DomainQualifier::Collate(_) => None,
                })
                .collect(),
        }),
        Stmt::AlterDomain(node) => Command::AlterDomain {
            name: names::of_ref(node.domain_ref()?.path_ref()?),
            action: domain_action(&node.action()?).unwrap_or(DomainAction::Other),
        },
        Stmt::CreateType(node) => Command::CreateType {
            name: names::of(node.type_name()?.path()?),
            enum_values: match node.kind() {
                Some(ast::CreateTypeKind::EnumType(values)) => Some(strings(&values)),
                _ => None,
            },
        },
        Stmt::AlterType(node) => Command::AlterType {
            name: names::of_ref(node.type_name_ref()?.path_ref()?),
            action: type_action(&node.action()?).unwrap_or(TypeAction::Other),
        },
        Stmt::CreateSchema(node) => Command::CreateSchema {
            name: node.schema_name().map(|name| names::folded(&name)),
            elements: node
                .syntax()
                .children()
                .filter_map(Stmt::cast)
                .filter_map(|element| super::understood(&element))
                .collect(),
        },
        Stmt::CreateFunction(_) | Stmt::CreateProcedure(_) => routine::create_function(statement)?,
        Stmt::CreateSequence(node) => Command::CreateSequence { name: names::first_below(node)? },
        Stmt::CreateExtension(node) => {
            let words = words(node);
            let schema = words.split_once(" schema ").and_then(|(_, rest)| rest.split(' ').next());
            Command::CreateExtension {
                name: names::folded(node.extension()?.syntax()),
                schema: schema.map(expression::fold_identifier),
            }
        }
        Stmt::CreateStatistics(node) => {
            Command::CreateStatistics { table: names::all_below(&node.from_table()?).pop()? }
        }
        Stmt::Grant(_) | Stmt::Revoke(_) => grant(statement)?,
        Stmt::CommentOn(node) => {
            let of = words(node);
            let relation = ["table ", "view ", "materialized view ", "foreign table "];
            let on = of.strip_prefix("comment on ")?;
            relation.iter().any(|kind| on.starts_with(kind)).then_some(())?;
            Command::Comment { on: names::all_below(node).into_iter().next()? }
        }
        _ => other(statement)?,
    })
}

/// What stands for a domain's value in its constraints.
const DOMAIN_VALUE: &str = "value";

fn view(name: ObjectName, statement: &Stmt) -> CreateView {
    let syntax = statement.syntax();
    let star = syntax
        .descendants()
        .filter_map(ast::Target::cast)
        .any(|target| matches!(words(&target).as_str(), "*") || words(&target).ends_with(". *"));
    CreateView {
        name,
        materialized: false,
        or_replace: false,
        if_not_exists: false,
        temporary: false,
        reads: names::relations_read(syntax),
        columns: expression::names(syntax),
        star,
        nested: syntax.descendants().filter(|node| ast::Select::can_cast(node.kind())).count() > 1,
        options: String::new(),
    }
}

fn attachment(statement: &Stmt) -> Option<Attachment> {
    let words = words(statement);
    let (verb, rest) = words.split_once(' ')?;
    let rest = rest.strip_prefix("or replace ").unwrap_or(rest);
    let kind = [ObjectKind::Policy, ObjectKind::Rule, ObjectKind::Trigger]
        .into_iter()
        .find(|kind| rest.starts_with(kind.word()))?;
    let syntax = statement.syntax();
    let name = syntax.descendants().find_map(|node| match node.kind() {
        SyntaxKind::POLICY
        | SyntaxKind::POLICY_REF
        | SyntaxKind::RULE
        | SyntaxKind::RULE_REF
        | SyntaxKind::TRIGGER
        | SyntaxKind::TRIGGER_REF => Some(names::folded(&node)),
        _ => None,
    })?;
    let on = syntax.children().find(|node| {
        ast::OnTable::can_cast(node.kind())
            || ast::OnRelation::can_cast(node.kind())
            || ast::RuleOn::can_cast(node.kind())
    })?;
    let table = on.descendants().find_map(ast::PathRef::cast).map(names::of_ref)?;
    let clauses: String = syntax
        .children_with_tokens()
        .filter(|element| element.text_range().start() >= on.text_range().end())
        .map(|element| element.to_string().to_ascii_lowercase())
        .collect();
    Some(Attachment {
        verb: verb_of(verb)?,
        kind,
        name,
        table,
        if_exists: syntax.children().any(|child| ast::IfExists::can_cast(child.kind())),
        clauses: clauses.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

fn verb_of(word: &str) -> Option<Verb> {
    match word {
        "create" | "import" => Some(Verb::Create),
        "alter" => Some(Verb::Alter),
        "drop" => Some(Verb::Drop),
        _ => None,
    }
}

fn domain_action(node: &ast::AlterDomainAction) -> Option<DomainAction> {
    use ast::AlterDomainAction as Node;
    Some(match node {
        Node::AddConstraint(node) => {
            DomainAction::AddConstraint(table::constraint(&node.constraint()?, DOMAIN_VALUE)?)
        }
        Node::DropConstraint(node) => {
            DomainAction::DropConstraint(names::of_ref(node.constraint_name_ref()?.path_ref()?).name)
        }
        Node::ValidateConstraint(node) => {
            DomainAction::ValidateConstraint(names::of_ref(node.constraint_name_ref()?.path_ref()?).name)
        }
        Node::SetNotNull(_) => DomainAction::SetNotNull,
        Node::DropNotNull(_) => DomainAction::DropNotNull,
        Node::DomainRenameTo(node) => DomainAction::RenameTo(names::of(node.domain()?.path()?).name),
        _ => return None,
    })
}

fn type_action(node: &ast::AlterTypeAction) -> Option<TypeAction> {
    use ast::AlterTypeAction as Node;
    Some(match node {
        Node::AddValue(node) => TypeAction::AddValue {
            value: node.literal()?.string_value()?,
            if_not_exists: node.if_not_exists().is_some(),
            placed: node.value_position().is_some(),
        },
        Node::RenameValue(node) => {
            TypeAction::RenameValue { from: node.from()?.string_value()?, to: node.to()?.string_value()? }
        }
        Node::AlterTypeAttributeActionList(node) => TypeAction::Attributes {
            adds: node
                .actions()
                .any(|action| matches!(action, ast::AlterTypeAttributeAction::AddAttribute(_))),
            retypes: node
                .actions()
                .any(|action| matches!(action, ast::AlterTypeAttributeAction::AlterAttribute(_))),
        },
        Node::RenameAttribute(_) => TypeAction::RenameAttribute,
        Node::TypeRenameTo(node) => TypeAction::RenameTo(names::of(node.type_name()?.path()?).name),
        _ => return None,
    })
}

fn strings(node: &impl AstNode) -> Vec<String> {
    node.syntax()
        .descendants()
        .filter_map(ast::Literal::cast)
        .filter_map(|value| value.string_value())
        .collect()
}

/// `GRANT`, `REVOKE`: read by their words, since they are lists between `ON`, `TO` and `FROM`.
fn grant(statement: &Stmt) -> Option<Command> {
    let tokens: Vec<String> = statement
        .syntax()
        .descendants_with_tokens()
        .filter_map(|element| element.into_token())
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
        .map(|token| token.text().to_owned())
        .collect();
    let is = |token: &String, word: &str| token.eq_ignore_ascii_case(word);
    let revoke = is(tokens.first()?, "revoke");
    let turn = tokens.iter().rposition(|token| is(token, if revoke { "from" } else { "to" }))?;
    let on = tokens[..turn].iter().position(|token| is(token, "on"));
    let from = match tokens.get(1..4) {
        Some([grant, option, word])
            if (is(grant, "grant") || is(grant, "admin")) && is(option, "option") && is(word, "for") =>
        {
            4
        }
        _ => 1,
    };
    let privileges = tokens.get(from..on.unwrap_or(turn))?;
    let named = on.map_or(&[][..], |on| &tokens[on + 1..turn]);
    let kind_words: Vec<String> = named
        .iter()
        .map(|token| token.to_ascii_lowercase())
        .take_while(|token| OBJECT_WORDS.contains(&token.as_str()))
        .collect();
    let objects = &named[kind_words.len().min(named.len())..];
    let tail = &tokens[turn + 1..];
    let roles_end = tail
        .iter()
        .position(|token| ["with", "granted", "cascade", "restrict"].iter().any(|word| is(token, word)))
        .unwrap_or(tail.len());
    let has = |word: &str| tail[roles_end..].iter().any(|token| is(token, word));
    let object_kind = match (on, kind_words.is_empty()) {
        (Some(_), true) => "table".to_owned(),
        _ => kind_words.join(" "),
    };
    Some(Command::Grant(Box::new(Grant {
        revoke,
        privileges: listed(privileges).into_iter().map(|words| words.to_ascii_lowercase()).collect(),
        object_kind,
        objects: listed(objects).iter().filter_map(|text| object_name(text)).collect(),
        roles: listed(&tail[..roles_end])
            .iter()
            .map(|role| expression::fold_identifier(role.strip_prefix("group ").unwrap_or(role)))
            .collect(),
        with_option: has("option") || has("admin") || from == 4,
        cascade: has("cascade"),
    })))
}

const OBJECT_WORDS: [&str; 21] = [
    "table",
    "tables",
    "all",
    "in",
    "schema",
    "sequence",
    "sequences",
    "function",
    "functions",
    "procedure",
    "procedures",
    "routine",
    "routines",
    "database",
    "domain",
    "type",
    "language",
    "foreign",
    "server",
    "data",
    "tablespace",
];

/// Parts between commas outside parentheses.
fn listed(tokens: &[String]) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for token in tokens {
        match token.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        let part = parts.last_mut().expect("there is always one part");
        let glued = token == "." || part.ends_with('.') || part.is_empty();
        if !glued {
            part.push(' ');
        }
        part.push_str(token);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// `schema.name`, without what stands in parentheses behind it.
fn object_name(text: &str) -> Option<ObjectName> {
    let text = text.split(" (").next().unwrap_or_default();
    let mut parts: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => {
                parts.push(expression::fold_identifier(&text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(expression::fold_identifier(&text[start..]));
    let name = parts.pop().filter(|name| !name.is_empty())?;
    Some(ObjectName { schema: parts.pop(), name })
}

/// Anything else: `DROP` of every kind, and `CREATE` and `ALTER` of those without a command.
fn other(statement: &Stmt) -> Option<Command> {
    let words = words(statement);
    let (verb, rest) = words.split_once(' ')?;
    let verb = verb_of(verb)?;
    let rest = rest.strip_prefix("or replace ").unwrap_or(rest);
    let kind = kind_of(rest);
    if verb == Verb::Drop {
        return Some(drop_objects(kind, statement, &words));
    }
    let rename_to = words
        .split_once(" rename to ")
        .map(|(_, name)| expression::fold_identifier(name.split(' ').next().unwrap_or_default()));
    let name = match kind {
        ObjectKind::Schema
        | ObjectKind::Role
        | ObjectKind::Publication
        | ObjectKind::Extension
        | ObjectKind::Database => {
            let words = rest.split(' ').filter(|word| !["if", "not", "exists"].contains(word));
            words.clone().nth(1).map(|name| ObjectName::unqualified(expression::fold_identifier(name)))
        }
        _ => names::first_below(statement),
    };
    Some(Command::Object(ObjectChange { verb, kind, name, rename_to, words }))
}

fn kind_of(words: &str) -> ObjectKind {
    const KINDS: [(&str, ObjectKind); 30] = [
        ("foreign table ", ObjectKind::ForeignTable),
        ("materialized view ", ObjectKind::MaterializedView),
        ("event trigger ", ObjectKind::EventTrigger),
        ("default privileges", ObjectKind::DefaultPrivileges),
        ("table ", ObjectKind::Table),
        ("index ", ObjectKind::Index),
        ("view ", ObjectKind::View),
        ("sequence ", ObjectKind::Sequence),
        ("schema ", ObjectKind::Schema),
        ("type ", ObjectKind::Type),
        ("domain ", ObjectKind::Domain),
        ("function ", ObjectKind::Function),
        ("routine ", ObjectKind::Function),
        ("procedure ", ObjectKind::Procedure),
        ("aggregate ", ObjectKind::Aggregate),
        ("operator ", ObjectKind::Operator),
        ("cast ", ObjectKind::Cast),
        ("collation ", ObjectKind::Collation),
        ("trigger ", ObjectKind::Trigger),
        ("policy ", ObjectKind::Policy),
        ("rule ", ObjectKind::Rule),
        ("extension ", ObjectKind::Extension),
        ("publication ", ObjectKind::Publication),
        ("subscription ", ObjectKind::Subscription),
        ("statistics ", ObjectKind::Statistics),
        ("role ", ObjectKind::Role),
        ("user ", ObjectKind::Role),
        ("group ", ObjectKind::Role),
        ("database ", ObjectKind::Database),
        ("system ", ObjectKind::System),
    ];
    let found = KINDS.iter().find(|(word, _)| words.starts_with(word));
    found.map_or(ObjectKind::Other, |(_, kind)| *kind)
}

fn drop_objects(kind: ObjectKind, statement: &Stmt, words: &str) -> Command {
    let syntax = statement.syntax();
    let names = match kind {
        ObjectKind::Schema => syntax
            .children()
            .filter_map(ast::SchemaRef::cast)
            .map(|schema| ObjectName::unqualified(names::folded(schema.syntax())))
            .collect(),
        ObjectKind::Extension | ObjectKind::Role | ObjectKind::Publication => {
            let list = words.split(" exists ").last().unwrap_or_default();
            let list = match words.contains(" exists ") {
                true => list,
                false => list.splitn(3, ' ').nth(2).unwrap_or_default(),
            };
            list.trim_end_matches(" cascade")
                .split(" , ")
                .map(|name| ObjectName::unqualified(expression::fold_identifier(name)))
                .collect()
        }
        // The types of arguments are names too.
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => syntax
            .descendants()
            .filter(|node| {
                ast::FunctionNameRef::can_cast(node.kind())
                    || ast::ProcedureNameRef::can_cast(node.kind())
                    || ast::RoutineNameRef::can_cast(node.kind())
                    || ast::Aggregate::can_cast(node.kind())
            })
            .filter_map(|node| node.descendants().find_map(ast::PathRef::cast))
            .map(names::of_ref)
            .collect(),
        _ => names::all_below(statement),
    };
    Command::Drop(Drop {
        kind,
        names,
        if_exists: syntax.children().any(|child| ast::IfExists::can_cast(child.kind())),
        concurrently: has_word(statement, "concurrently"),
        cascade: words.ends_with(" cascade"),
    })
}
