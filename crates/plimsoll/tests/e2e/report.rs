//! A JSON report as a program would read it: checked against the published schema, and its parts
//! in short words for assertions.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let text = include_str!("../../../../docs/report.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
});

/// A report, and the exit code that came with it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) json: Value,
    pub(crate) code: i32,
}

impl Report {
    #[track_caller]
    pub(crate) fn read(text: &str, code: i32) -> Self {
        let json: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let errors: Vec<String> =
            SCHEMA.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{json:#}");
        Self { json, code }
    }

    /// Each finding as `LINE rule severity kind`.
    pub(crate) fn findings(&self) -> Vec<String> {
        let shown = |finding: &Value| {
            format!(
                "{} {} {} {}",
                finding["location"]["line"],
                text(&finding["rule"]),
                text(&finding["severity"]),
                text(&finding["evidence"]["kind"])
            )
        };
        self.places().into_iter().map(shown).collect()
    }

    /// The findings of a rule.
    pub(crate) fn findings_of(&self, rule: &str) -> Vec<&Value> {
        self.places().into_iter().filter(|finding| finding["rule"] == rule).collect()
    }

    /// Each finding as [`Self::findings`] has it, and the file that it is in.
    pub(crate) fn places_and_files(&self) -> Vec<(&str, String)> {
        let files = self.places().into_iter().map(|finding| text(&finding["location"]["file"]));
        files.zip(self.findings()).collect()
    }

    /// The findings, those at further places too, in the order of their places.
    fn places(&self) -> Vec<&Value> {
        let told = list(&self.json["findings"]).iter();
        let mut places: Vec<&Value> = told
            .flat_map(|finding| {
                [finding].into_iter().chain(finding["further"].as_array().into_iter().flatten())
            })
            .collect();
        places.sort_by_key(|finding| {
            let place = &finding["location"];
            let number = |key: &str| place[key].as_u64();
            let ends = (number("end_line"), number("end_column"));
            (text(&place["file"]), number("line"), number("column"), ends, text(&finding["rule"]))
        });
        places
    }

    /// What was rehearsed, in order.
    pub(crate) fn statements(&self) -> &[Value] {
        list(&self.json["rehearsal"]["statements"])
    }

    /// The statement whose text contains this.
    #[track_caller]
    pub(crate) fn statement(&self, part: &str) -> &Value {
        let found = self.statements().iter().find(|statement| text(&statement["sql"]).contains(part));
        found.unwrap_or_else(|| panic!("no {part:?} in {:#}", self.json))
    }

    /// Each statement in words: locks on existing relations beyond ROW EXCLUSIVE, and work.
    pub(crate) fn deeds(&self) -> Vec<String> {
        self.statements().iter().map(deed).collect()
    }

    /// The texts of the statements, each with `+` before it if it ran in a transaction of several.
    pub(crate) fn ran(&self) -> Vec<String> {
        let mark = |statement: &Value| if statement["in_transaction"] == true { "+" } else { "" };
        self.statements().iter().map(|s| format!("{}{}", mark(s), text(&s["sql"]))).collect()
    }

    /// Each query as `name verdict`.
    pub(crate) fn queries(&self) -> Vec<String> {
        let shown = |query: &Value| format!("{} {}", text(&query["name"]), text(&query["verdict"]));
        list(&self.json["queries"]).iter().map(shown).collect()
    }

    #[track_caller]
    pub(crate) fn query(&self, name: &str) -> &Value {
        let found = list(&self.json["queries"]).iter().find(|query| query["name"] == name);
        found.unwrap_or_else(|| panic!("no query {name}"))
    }

    pub(crate) fn notes(&self) -> Vec<&str> {
        self.json["notes"].as_array().into_iter().flatten().map(text).collect()
    }
}

/// What a statement did: `AccessExclusiveLock public.t, rewrote public.t, scanned public.t 9, built public.i`.
pub(crate) fn deed(statement: &Value) -> String {
    let weak = ["AccessShareLock", "RowShareLock", "RowExclusiveLock"];
    let mut words = Vec::new();
    if !statement["error"].is_null() {
        words.push(format!("failed {}", text(&statement["error"]["sqlstate"])));
    }
    for lock in list(&statement["locks"]) {
        if lock["existing"] == true && !weak.contains(&text(&lock["mode"])) {
            words.push(format!("{} {}", text(&lock["mode"]), text(&lock["relation"])));
        }
    }
    words.extend(list(&statement["rewrites"]).iter().map(|name| format!("rewrote {}", text(name))));
    let scans = list(&statement["scans"]).iter();
    words.extend(scans.map(|scan| format!("scanned {} {}", text(&scan["relation"]), scan["rows"])));
    words.extend(list(&statement["index_builds"]).iter().map(|name| format!("built {}", text(name))));
    words.join(", ")
}

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[track_caller]
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}
