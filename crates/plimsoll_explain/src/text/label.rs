//! What the text form prints for a node, such as `Parallel Hash Left Join` or `Index Scan Backward using a on public.b c`, to
//! the properties that the other formats name.

use plimsoll_core::plan::PlanNode;

/// Reads a node's line without its figures. None where it can't be one.
pub(super) fn read(label: &str) -> Option<PlanNode> {
    let mut node = PlanNode::default();
    let mut rest = label.trim();
    if !rest.starts_with(|one: char| one.is_ascii_uppercase()) {
        return None;
    }
    for (prefix, mark) in [("Parallel ", 0), ("Async ", 1), ("Partial ", 2), ("Finalize ", 2)] {
        if let Some(after) = rest.strip_prefix(prefix) {
            rest = after;
            match mark {
                0 => node.parallel_aware = true,
                1 => node.async_capable = true,
                _ => node.partial_mode = Some(prefix.trim_end().to_owned()),
            }
        }
    }
    let (head, object) = match rest.split_once(" on ") {
        Some((head, object)) => (head, Some(object)),
        None => (rest, None),
    };
    let (head, index) = match head.split_once(" using ") {
        Some((head, index)) => (head, Some(index)),
        None => (head, None),
    };
    let (head, backward) = match head.strip_suffix(" Backward") {
        Some(head) => (head, true),
        None => (head, false),
    };
    head_of(&mut node, head)?;
    node.index = index.map(|index| names(index).first().cloned().unwrap_or_default());
    if index.is_some() {
        node.scan_direction = Some(if backward { "Backward" } else { "Forward" }.to_owned());
    }
    if let Some(object) = object {
        target(&mut node, object);
    }
    Some(node)
}

/// Node types that no other pattern covers, with those that an extension can't rename.
const PLAIN: [&str; 38] = [
    "Result",
    "ProjectSet",
    "Append",
    "Merge Append",
    "Recursive Union",
    "BitmapAnd",
    "BitmapOr",
    "Seq Scan",
    "Sample Scan",
    "Gather",
    "Gather Merge",
    "Index Scan",
    "Index Only Scan",
    "Bitmap Index Scan",
    "Bitmap Heap Scan",
    "Tid Scan",
    "Tid Range Scan",
    "Subquery Scan",
    "Function Scan",
    "Table Function Scan",
    "Values Scan",
    "CTE Scan",
    "Named Tuplestore Scan",
    "WorkTable Scan",
    "Foreign Scan",
    "Custom Scan",
    "Materialize",
    "Memoize",
    "Sort",
    "Incremental Sort",
    "Group",
    "WindowAgg",
    "Unique",
    "SetOp",
    "LockRows",
    "Limit",
    "Hash",
    "Result Cache",
];

fn head_of(node: &mut PlanNode, head: &str) -> Option<()> {
    let strategy = |node: &mut PlanNode, kind: &str, strategy: &str| {
        node.node_type = kind.to_owned();
        node.strategy = Some(strategy.to_owned());
    };
    match head {
        "Insert" | "Update" | "Delete" | "Merge" => {
            node.node_type = "ModifyTable".to_owned();
            node.operation = Some(head.to_owned());
        }
        "Foreign Insert" | "Foreign Update" | "Foreign Delete" => {
            node.node_type = "Foreign Scan".to_owned();
            node.operation = head.strip_prefix("Foreign ").map(str::to_owned);
        }
        "Aggregate" => strategy(node, "Aggregate", "Plain"),
        "GroupAggregate" => strategy(node, "Aggregate", "Sorted"),
        "HashAggregate" => strategy(node, "Aggregate", "Hashed"),
        "MixedAggregate" => strategy(node, "Aggregate", "Mixed"),
        "Nested Loop" | "Hash Join" | "Merge Join" => {
            node.node_type = head.to_owned();
            node.join_type = Some("Inner".to_owned());
        }
        _ => return other_head(node, head),
    }
    if node.node_type == "Aggregate" {
        node.partial_mode.get_or_insert_with(|| "Simple".to_owned());
    }
    if node.node_type == "Foreign Scan" || node.node_type == "ModifyTable" {
        return Some(());
    }
    Some(())
}

fn other_head(node: &mut PlanNode, head: &str) -> Option<()> {
    if let Some(join) = head.strip_suffix(" Join") {
        for (word, kind) in
            [("Nested Loop ", "Nested Loop"), ("Hash ", "Hash Join"), ("Merge ", "Merge Join")]
        {
            if let Some(join_type) = join.strip_prefix(word) {
                node.node_type = kind.to_owned();
                node.join_type = Some(join_type.to_owned());
                return Some(());
            }
        }
        return None;
    }
    for (word, strategy) in [("HashSetOp", "Hashed"), ("SetOp", "Sorted")] {
        if let Some(command) = head.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')) {
            node.node_type = "SetOp".to_owned();
            node.strategy = Some(strategy.to_owned());
            node.command = Some(command.to_owned());
            return Some(());
        }
    }
    if let Some(provider) = head.strip_prefix("Custom Scan (").and_then(|rest| rest.strip_suffix(')')) {
        node.node_type = "Custom Scan".to_owned();
        node.source = Some(provider.to_owned());
        return Some(());
    }
    if !PLAIN.contains(&head) {
        return None;
    }
    node.node_type = head.to_owned();
    if head == "Foreign Scan" {
        node.operation = Some("Select".to_owned());
    }
    Some(())
}

/// What a node works on, behind ` on `.
fn target(node: &mut PlanNode, object: &str) {
    let (named, alias) = name_and_alias(object);
    let last = named.last().cloned().unwrap_or_default();
    let schema = (named.len() > 1).then(|| named[0].clone());
    match node.node_type.as_str() {
        "Bitmap Index Scan" => {
            node.index = Some(last);
            return;
        }
        "Values Scan" | "Subquery Scan" => {
            node.alias = Some(last);
            return;
        }
        "CTE Scan" | "WorkTable Scan" | "Function Scan" | "Table Function Scan" | "Named Tuplestore Scan" => {
            node.source = Some(last.clone());
        }
        _ => node.relation = Some(last.clone()),
    }
    node.schema = schema;
    node.alias = Some(alias.unwrap_or(last));
}

fn name_and_alias(object: &str) -> (Vec<String>, Option<String>) {
    let mut at = 0;
    let mut quoted = false;
    for (index, byte) in object.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b' ' if !quoted => break,
            _ => {}
        }
        at = index + 1;
    }
    let alias = names(object[at..].trim()).pop();
    (names(&object[..at]), alias)
}

/// Names parted by dots, without their quotes.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(one) = characters.next() {
        match one {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                name.push('"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => names.push(std::mem::take(&mut name)),
            _ => name.push(one),
        }
    }
    if !name.is_empty() {
        names.push(name);
    }
    names
}

/// A relation that a ModifyTable changes besides its first, as the other formats tell it.
pub(super) fn further_target(line: &str) -> Option<String> {
    let rest = line.strip_prefix("Foreign ").unwrap_or(line);
    let object = ["Insert on ", "Update on ", "Delete on ", "Merge on "]
        .iter()
        .find_map(|one| rest.strip_prefix(one))?;
    let (named, alias) = name_and_alias(object);
    let relation = named.last()?;
    let schema = if named.len() > 1 { format!(", Schema: {}", named[0]) } else { String::new() };
    Some(format!("Relation Name: {relation}{schema}, Alias: {}", alias.as_ref().unwrap_or(relation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_are_written() {
        let labels = [
            "Parallel Index Only Scan Backward using \"Odd Index\" on public.\"Odd, on Table\" x",
            "Hash Right Semi Join",
            "Nested Loop Left Join",
            "Finalize GroupAggregate",
            "HashSetOp Except All",
            "Bitmap Index Scan on a_pkey",
            "CTE Scan on recent r",
            "Merge on ships",
            "Foreign Update on far.away a",
            "Function Scan on pg_catalog.generate_series g",
        ];
        for label in labels {
            let read = read(label).unwrap_or_else(|| panic!("{label} is read"));
            assert_eq!(read.label(), label.replace('"', "").replace("pg_catalog.", ""), "{read:?}");
        }
        assert_eq!(read("Sort Key: a"), None);
        assert_eq!(read("Insert into x"), None);
    }
}
