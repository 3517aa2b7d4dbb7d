//! Takes the script that `pg_dump` or `pg_restore` writes apart, at the headings of its objects.
//!
//! Rows and statistics hold values that anybody may have written, also such as look like a heading. So what is in quotes is
//! never looked at, and rows are passed over.

use crate::source::SchemaEntry;

/// What a plan branch is made without: what reaches out, what acts on its own, and what holds secrets.
const LEFT_OUT: [&str; 7] = [
    "EVENT TRIGGER",
    "USER MAPPING",
    "PUBLICATION",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "SUBSCRIPTION",
    "SECURITY LABEL",
];
/// Objects whose text is rows, or what only rows need.
const ROWS: [&str; 6] =
    ["TABLE DATA", "MATERIALIZED VIEW DATA", "SEQUENCE SET", "BLOB", "BLOBS", "BLOB METADATA"];

/// A script in pieces.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The objects of the schema.
    pub(super) entries: Vec<SchemaEntry>,
    /// Of each of them the OID in its source, 0 where it isn't told.
    pub(super) oids: Vec<u32>,
    /// `CREATE DATABASE`, where the script has it.
    pub(super) database: Option<SchemaEntry>,
    /// `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
    pub(super) properties: Vec<String>,
    /// Calls of `pg_restore_relation_stats` and the like, a relation each.
    pub(super) statistics: Vec<String>,
    /// The server that was dumped, by its number: 150018 of 15.18.
    pub(super) server_version: Option<u32>,
    /// Whether there are rows.
    pub(super) has_rows: bool,
    /// Whether it ends as `pg_dump` ends it.
    pub(super) is_whole: bool,
}

/// Reads a script line by line.
#[derive(Debug, Default)]
pub(super) struct Reader {
    script: Script,
    quotes: Quotes,
    /// The lines of a comment that may be a heading, from its first `--` on.
    comment: Option<Vec<String>>,
    open: Open,
    is_in_copy: bool,
    places: Vec<Defaults>,
    defaults: Defaults,
}

/// What the lines that come belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Open {
    /// Settings of the session, before the first object.
    #[default]
    Nothing,
    Entry,
    Statistics,
    Database,
    Properties,
    Rows,
}

impl Reader {
    pub(super) fn line(&mut self, line: &str) {
        if self.is_in_copy {
            self.is_in_copy = line != "\\.";
            return;
        }
        if self.quotes.are_closed() && self.takes_comment(line) {
            return;
        }
        let began_closed = self.quotes.are_closed();
        self.quotes.pass(line);
        if began_closed && (line.starts_with('\\') || self.defaults.take(line)) {
            return;
        }
        self.put(line);
        if self.open == Open::Rows && self.quotes.are_closed() {
            self.is_in_copy = line.ends_with(" FROM stdin;");
        }
    }

    pub(super) fn end(mut self) -> Script {
        let Script { entries, oids, .. } = &mut self.script;
        for (entry, place) in entries.iter_mut().zip(&self.places) {
            entry.sql = place.around(entry.sql.trim());
        }
        let mut is_empty = entries.iter().map(|entry| entry.sql.is_empty()).collect::<Vec<_>>().into_iter();
        oids.retain(|_| !is_empty.next().unwrap_or_default());
        entries.retain(|entry| !entry.sql.is_empty());
        self.script
    }

    /// Takes a line of a comment. Headings are between two lines of `--` alone.
    fn takes_comment(&mut self, line: &str) -> bool {
        match &mut self.comment {
            None if line == "--" => self.comment = Some(Vec::new()),
            None => {
                if let Some(version) = line.strip_prefix("-- Dumped from database version ") {
                    self.script.server_version = version_number(version);
                }
                return line.starts_with("-- ");
            }
            Some(comment) if line.starts_with("-- ") => comment.push(line.to_owned()),
            Some(_) => {
                let comment = self.comment.take().unwrap_or_default();
                self.begin(&comment);
                return line == "--";
            }
        }
        true
    }

    fn begin(&mut self, comment: &[String]) {
        let named = |line: &String| {
            let kinds = ["-- Name: ", "-- Data for Name: ", "-- Statistics for Name: "];
            begun(kinds.iter().find_map(|kind| line.strip_prefix(kind))?)
        };
        self.script.is_whole |= comment.iter().any(|line| line == "-- PostgreSQL database dump complete");
        let Some(entry) = comment.iter().find_map(named) else { return };
        let script = &mut self.script;
        let kind = entry.kind.as_str();
        self.open = if kind == "DATABASE" {
            script.database = Some(entry);
            Open::Database
        } else if kind == "DATABASE PROPERTIES" {
            Open::Properties
        } else if kind == "STATISTICS DATA" {
            script.statistics.push(String::new());
            Open::Statistics
        } else if ROWS.contains(&kind) {
            script.has_rows |= kind == "TABLE DATA";
            Open::Rows
        } else if LEFT_OUT.contains(&kind) {
            Open::Nothing
        } else {
            let oid =
                comment.iter().find_map(|line| line.split_once(" OID ")?.1.strip_suffix(')')?.parse().ok());
            script.oids.push(oid.unwrap_or_default());
            script.entries.push(entry);
            self.places.push(self.defaults.clone());
            Open::Entry
        };
    }

    fn put(&mut self, line: &str) {
        let text = match self.open {
            Open::Entry => self.script.entries.last_mut().map(|entry| &mut entry.sql),
            Open::Statistics => self.script.statistics.last_mut(),
            Open::Database => {
                let is_it = line.starts_with("CREATE DATABASE ");
                self.script.database.as_mut().filter(|_| is_it).map(|entry| &mut entry.sql)
            }
            Open::Properties => {
                let is_it = ["ALTER DATABASE ", "ALTER ROLE "].iter().any(|word| line.starts_with(word));
                self.script.properties.extend(is_it.then(|| line.to_owned()));
                None
            }
            Open::Nothing | Open::Rows => None,
        };
        if let Some(text) = text {
            text.push_str(line);
            text.push('\n');
        }
    }
}

/// `pilots_pkey; Type: CONSTRAINT; Schema: public; Owner: harbour`
fn begun(heading: &str) -> Option<SchemaEntry> {
    let (name, rest) = heading.split_once("; Type: ")?;
    let (kind, rest) = rest.split_once("; Schema: ")?;
    let (schema, _) = rest.split_once("; Owner: ")?;
    Some(SchemaEntry {
        kind: kind.to_owned(),
        schema: schema.to_owned(),
        name: name.to_owned(),
        sql: String::new(),
    })
}

/// `15.18 (Debian 15.18-0+deb12u1)`, `9.6.24`, `19beta1`
fn version_number(text: &str) -> Option<u32> {
    let mut numbers =
        text.split(|letter: char| !letter.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    let major = numbers.next()?;
    let minor = numbers.next().unwrap_or_default();
    Some(if major >= 10 {
        major * 10_000 + minor
    } else {
        major * 10_000 + minor * 100 + numbers.next().unwrap_or_default()
    })
}

/// Whether a text is in quotes, as far as `pg_dump` uses them: it doubles quotes within quotes in every case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Quotes {
    #[default]
    Closed,
    Single,
    Double,
    /// With what ends it: `$$`, `$body$`.
    Dollar(String),
}

impl Quotes {
    fn are_closed(&self) -> bool {
        *self == Self::Closed
    }

    fn pass(&mut self, line: &str) {
        let mut rest = line;
        loop {
            let end = match self {
                Self::Closed => {
                    let Some(at) = rest.find(['\'', '"', '$', '-']) else { return };
                    let (before, found) = rest.split_at(at);
                    if found.starts_with("--") {
                        return;
                    }
                    let is_in_word =
                        before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
                    let tag = dollar(found).filter(|_| !is_in_word);
                    rest = &found[tag.map_or(1, str::len)..];
                    *self = match (found.as_bytes()[0], tag) {
                        (b'\'', _) => Self::Single,
                        (b'"', _) => Self::Double,
                        (_, Some(tag)) => Self::Dollar(tag.to_owned()),
                        _ => Self::Closed,
                    };
                    continue;
                }
                Self::Single => "'",
                Self::Double => "\"",
                Self::Dollar(tag) => tag.as_str(),
            };
            let Some(at) = rest.find(end) else { return };
            rest = &rest[at + end.len()..];
            *self = Self::Closed;
        }
    }
}

/// The tag that begins a text in dollars.
fn dollar(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let length = inner.find('$')?;
    let tag = &inner[..length];
    let is_tag = !tag.starts_with(|letter: char| letter.is_ascii_digit())
        && tag.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    is_tag.then(|| &text[..length + 2])
}

/// Where the objects that follow are made. Said before the heading of the object that it is for; the objects get another order.
#[derive(Clone, Debug, Default)]
struct Defaults {
    tablespace: String,
    access_method: String,
}

impl Defaults {
    /// Takes a line that sets one.
    fn take(&mut self, line: &str) -> bool {
        let setting = |name: &str| {
            line.strip_prefix("SET ")?.strip_prefix(name)?.strip_prefix(" = ")?.strip_suffix(';')
        };
        if let Some(value) = setting("default_tablespace") {
            self.tablespace = if value == "''" { String::new() } else { value.to_owned() };
        } else if let Some(value) = setting("default_table_access_method") {
            let value = value.trim_matches('"');
            self.access_method = if value == "heap" { String::new() } else { value.to_owned() };
        } else {
            return false;
        }
        true
    }

    /// The statements with what sets and resets the places that aren't the usual ones.
    fn around(&self, sql: &str) -> String {
        let mut text = sql.to_owned();
        for (name, value) in
            [("default_tablespace", &self.tablespace), ("default_table_access_method", &self.access_method)]
        {
            if !value.is_empty() && !text.is_empty() {
                text = format!("SET {name} = {value};\n{text}\nRESET {name};");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> Script {
        let mut reader = Reader::default();
        script.lines().for_each(|line| reader.line(line));
        reader.end()
    }

    fn seen(script: &Script) -> Vec<(&str, &str, &str, &str)> {
        script.entries.iter().map(|entry| (&*entry.kind, &*entry.schema, &*entry.name, &*entry.sql)).collect()
    }

    #[test]
    fn a_dump_comes_apart_at_its_headings() {
        let script = read(
            "--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n\n-- Dumped from database version 15.18 (Debian)\n\nSET lock_timeout = 0;\n\n\
            SET default_tablespace = fast;\n\n\
            --\n-- Name: visits; Type: TABLE; Schema: public; Owner: harbour\n--\n\nCREATE TABLE public.visits (\n    a integer\n);\n\n\n\
            SET default_tablespace = '';\n\n\
            --\n-- TOC entry 7 (class 2606 OID 24912)\n-- Name: visits visits_pkey; Type: CONSTRAINT; Schema: public; Owner: harbour\n-- Data Pos: 0\n--\n\nALTER TABLE x;\n\n\n\
            --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x\n",
        );
        assert_eq!(
            seen(&script),
            [
                (
                    "TABLE",
                    "public",
                    "visits",
                    "SET default_tablespace = fast;\nCREATE TABLE public.visits (\n    a integer\n);\nRESET default_tablespace;"
                ),
                ("CONSTRAINT", "public", "visits visits_pkey", "ALTER TABLE x;"),
            ]
        );
        assert!(script.is_whole);
        assert_eq!((script.oids, script.server_version), (vec![0, 24_912], Some(150_018)));
    }

    /// What looks like an object, wherever a value can be.
    const EVIL: &str =
        "\n--\n-- Name: evil; Type: TABLE; Schema: public; Owner: x\n--\n\ncreate table evil();\n\\! evil\n";

    #[test]
    fn no_value_becomes_an_object() {
        let script = read(&format!(
            "--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: it's\n--\n\nCOPY public.\"it's\" (a) FROM stdin;\n\
            it's{EVIL}\\.\n\n--\n-- Data for Name: u; Type: TABLE DATA; Schema: public; Owner: o\n--\n\n\
            INSERT INTO public.u VALUES ('it''s FROM stdin;{EVIL}');\n\
            --\n-- Statistics for Name: u; Type: STATISTICS DATA; Schema: public; Owner: -\n--\n\nSELECT f('{{\"{EVIL}\"}}'::text);\n\n\n\
            --\n-- Name: f(); Type: FUNCTION; Schema: public; Owner: o\n--\n\nCREATE FUNCTION f() AS $_$ it's{EVIL}$_$;\n\n\
            --\n-- Name: f(); Type: COMMENT; Schema: public; Owner: o\n--\n\nCOMMENT ON FUNCTION f() IS E'\\\\''{EVIL}';\n"
        ));
        let names: Vec<_> = script.entries.iter().map(|entry| (&*entry.kind, &*entry.name)).collect();
        assert_eq!(names, [("FUNCTION", "f()"), ("COMMENT", "f()")]);
        assert_eq!(script.statistics, [format!("\nSELECT f('{{\"{EVIL}\"}}'::text);\n\n\n")]);
        assert!(script.has_rows && !script.is_whole);
    }

    #[test]
    fn versions_are_numbers() {
        for (text, expected) in [
            ("15.18 (Debian 15.18-0+deb12u1)", Some(150_018)),
            ("9.6.24", Some(90_624)),
            ("19beta1", Some(190_000)),
            ("x", None),
        ] {
            assert_eq!(version_number(text), expected, "{text}");
        }
    }
}
