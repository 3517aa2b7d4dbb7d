//! The text form's properties, of which a line often holds several, to those of the other formats.

use crate::properties::Property;

/// What is given each property of a line, by its name in the other formats.
pub(super) type Set<'a> = &'a mut dyn FnMut(&str, Property);

fn number(text: &str) -> Property {
    let digits = text.trim().trim_end_matches("kB").trim_end_matches(" ms");
    Property::of_number(digits).unwrap_or_else(|| Property::Text(text.to_owned()))
}

/// The value behind `name=` in a text.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(name)?;
        let behind = at + name.len();
        let begins = at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b'(');
        if begins && text.as_bytes().get(behind) == Some(&b'=') {
            let value = &text[behind + 1..];
            let end = value.find([' ', ')', ',']).unwrap_or(value.len());
            return Some(&value[..end]);
        }
        from = behind;
    }
}

/// `(cost=0.00..1.01 rows=1 width=4) (actual time=0.01..0.02 rows=1 loops=1)`; false where it is none of that.
pub(super) fn figures(text: &str, set: Set<'_>) -> bool {
    let text = text.trim();
    let mut known = text.is_empty();
    let (planned, actual) = match text.find("(actual ") {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    if let Some((startup, total)) = field(planned, "cost").and_then(|cost| cost.split_once("..")) {
        known = true;
        set("Startup Cost", number(startup));
        set("Total Cost", number(total));
        for (name, key) in [("rows", "Plan Rows"), ("width", "Plan Width")] {
            if let Some(value) = field(planned, name) {
                set(key, number(value));
            }
        }
    }
    if let Some(actual) = actual {
        known = true;
        run(actual, set);
    } else if planned.contains("(never executed)") {
        known = true;
        set("Actual Rows", Property::Number(0.0));
        set("Actual Loops", Property::Number(0.0));
    }
    known
}

/// `actual time=0.01..0.02 rows=1 loops=1`.
pub(super) fn run(text: &str, set: Set<'_>) {
    if let Some((startup, total)) = field(text, "time").and_then(|time| time.split_once("..")) {
        set("Actual Startup Time", number(startup));
        set("Actual Total Time", number(total));
    }
    for (name, key) in [("rows", "Actual Rows"), ("loops", "Actual Loops")] {
        if let Some(value) = field(text, name) {
            set(key, number(value));
        }
    }
}

/// One property line of a node, a worker or planning.
pub(super) fn property(node_type: &str, key: &str, value: &str, set: Set<'_>) {
    match key {
        "Buffers" => buffers(value, set),
        "I/O Timings" => timings(value, set),
        "WAL" => wal(value, set),
        "Sort Method" => sort(value, set),
        "Heap Blocks" | "Tuples" => {
            for (name, count) in pairs(value, ' ', '=') {
                let name = capitalized(name);
                let key =
                    if key == "Tuples" { format!("Tuples {name}") } else { format!("{name} Heap Blocks") };
                set(&key, number(count));
            }
        }
        "Sampling" => sampling(value, set),
        "Sort Methods" => set("Sort Methods Used", Property::Text(value.to_owned())),
        "Full-sort Groups" | "Pre-sorted Groups" => groups(key, value, set),
        "Buckets" | "Batches" | "Planned Partitions" | "Hits" | "Storage" => {
            for (name, part) in pairs(&format!("{key}: {value}"), '\0', ':') {
                sized(node_type, name, part, set);
            }
        }
        "Memory" => {
            for (name, size) in pairs(value, ' ', '=') {
                set(&format!("Memory {}", capitalized(name)), number(size));
            }
        }
        "Output" | "Params Evaluated" | "Relations" => set(key, list(key, value)),
        "Disabled" | "Inner Unique" | "Single Copy" => set(key, Property::Bool(value == "true")),
        "Workers Planned" | "Workers Launched" | "Heap Fetches" | "Index Searches" | "Subplans Removed" => {
            set(key, number(value));
        }
        "Tuples Inserted" | "Conflicting Tuples" => set(key, number(value)),
        _ if key.starts_with("Rows Removed by ") => set(key, number(value)),
        _ => set(key, Property::Text(value.to_owned())),
    }
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// `a: 1  b: 2` by two spaces where the separator is `\0`, else by the separator.
fn pairs(text: &str, separator: char, between: char) -> impl Iterator<Item = (&str, &str)> {
    let separator = if separator == '\0' { "  ".to_owned() } else { separator.to_string() };
    let parts: Vec<&str> = text.split(separator.as_str()).collect();
    parts.into_iter().filter_map(move |part| {
        let (name, value) = part.trim().split_once(between)?;
        Some((name.trim(), value.trim()))
    })
}

/// `1024 (originally 512)`.
fn sized(node_type: &str, name: &str, value: &str, set: Set<'_>) {
    let (now, before) = match value.split_once(" (originally ") {
        Some((now, before)) => (now, before.trim_end_matches(')')),
        None => (value, value),
    };
    match (name, node_type) {
        ("Buckets", _) => set("Hash Buckets", number(now)),
        ("Batches", "Hash") => {
            set("Hash Batches", number(now));
            set("Original Hash Batches", number(before));
        }
        ("Batches", _) => set("HashAgg Batches", number(now)),
        ("Hits" | "Misses" | "Evictions" | "Overflows", _) => set(&format!("Cache {name}"), number(now)),
        ("Memory Usage", _) => set("Peak Memory Usage", number(now)),
        ("Storage", _) => set(name, Property::Text(value.to_owned())),
        _ => set(name, number(now)),
    }
}

/// `shared hit=3 read=4, temp written=2`.
fn buffers(value: &str, set: Set<'_>) {
    for part in value.split(", ") {
        let Some((place, counts)) = part.split_once(' ') else { continue };
        for (name, count) in pairs(counts, ' ', '=') {
            set(&format!("{} {} Blocks", capitalized(place), capitalized(name)), number(count));
        }
    }
}

/// `shared read=0.1 write=0.2, temp read=0.3`; before 16 `read=0.1`.
fn timings(value: &str, set: Set<'_>) {
    for part in value.split(", ") {
        for word in part.split(' ') {
            if let Some((name, time)) = word.split_once('=') {
                set(&format!("I/O {} Time", capitalized(name)), number(time));
            }
        }
    }
}

fn wal(value: &str, set: Set<'_>) {
    let value = value.replace("buffers full=", "full=");
    for (name, count) in pairs(&value, ' ', '=') {
        let key = match name {
            "records" => "WAL Records",
            "fpi" => "WAL FPI",
            "bytes" => "WAL Bytes",
            "full" => "WAL Buffers Full",
            _ => continue,
        };
        set(key, number(count));
    }
}

/// `external merge  Disk: 200kB`.
fn sort(value: &str, set: Set<'_>) {
    let (method, space) = value.split_once("  ").unwrap_or((value, ""));
    set("Sort Method", Property::Text(method.to_owned()));
    if let Some((kind, size)) = space.split_once(": ") {
        set("Sort Space Used", number(size));
        set("Sort Space Type", Property::Text(kind.trim().to_owned()));
    }
}

/// `system ('10'::real) REPEATABLE ('1'::double precision)`.
fn sampling(value: &str, set: Set<'_>) {
    let (method, rest) = value.split_once(" (").unwrap_or((value, ""));
    let (parameters, seed) =
        rest.split_once(") REPEATABLE (").map_or((rest, None), |(one, two)| (one, Some(two)));
    set("Sampling Method", Property::Text(method.to_owned()));
    set("Sampling Parameters", Property::Text(parameters.trim_end_matches(')').to_owned()));
    if let Some(seed) = seed {
        set("Repeatable Seed", Property::Text(seed.trim_end_matches(')').to_owned()));
    }
}

/// `5  Sort Method: quicksort  Average Memory: 30kB  Peak Memory: 30kB`, told as the other formats' group is.
fn groups(key: &str, value: &str, set: Set<'_>) {
    let mut told = String::new();
    let mut spaces: Vec<(String, String)> = Vec::new();
    for (index, part) in value.split("  ").enumerate() {
        match part.split_once(": ") {
            None if index == 0 => told = format!("Group Count: {part}"),
            Some(("Sort Method" | "Sort Methods", methods)) => {
                told += &format!(", Sort Methods Used: {methods}")
            }
            Some((name, size)) => {
                let (which, place) = name.split_once(' ').unwrap_or((name, ""));
                let size = size.trim_end_matches("kB");
                let one = format!("{which} Sort Space Used: {size}");
                match spaces.iter_mut().find(|(known, _)| known == place) {
                    Some((_, text)) => *text += &format!(", {one}"),
                    None => spaces.push((place.to_owned(), one)),
                }
            }
            None => {}
        }
    }
    for (place, sizes) in spaces {
        told += &format!(", Sort Space {place}: {sizes}");
    }
    set(key, Property::Text(told));
}

/// Expressions parted by commas outside of brackets and quotes.
fn list(key: &str, value: &str) -> Property {
    if key != "Output" {
        return Property::Text(value.to_owned());
    }
    let mut parts = Vec::new();
    let (mut depth, mut quote, mut start) = (0_usize, None, 0);
    for (index, byte) in value.bytes().enumerate() {
        match (byte, quote) {
            (b'\'' | b'"', None) => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (b'(' | b'[', None) => depth += 1,
            (b')' | b']', None) => depth = depth.saturating_sub(1),
            (b',', None) if depth == 0 => {
                parts.push(Property::Text(value[start..index].trim().to_owned()));
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(Property::Text(value[start..].trim().to_owned()));
    Property::List(parts)
}

/// `work_mem = '64kB', search_path = 'a, b'`.
pub(super) fn settings(value: &str) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let mut rest = value;
    while let Some((name, after)) = rest.split_once(" = '") {
        let end = after.find("', ").unwrap_or_else(|| after.trim_end_matches('\'').len());
        settings.push((name.to_owned(), after[..end].replace("''", "'")));
        rest = after.get(end + 3..).unwrap_or_default();
    }
    settings
}
