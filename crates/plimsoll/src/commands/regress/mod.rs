//! `plimsoll regress`: queries that may not get slower unnoticed. One file a verb.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use plimsoll_core::SourceFile;
use plimsoll_lint::names::nearest;
use plimsoll_regress::{Baseline, baseline};

use crate::args::ColorChoice;
use crate::commands::check::ground::Ground;
use crate::corpus::{self, CorpusQuery};
use crate::exit::Failure;
use crate::inputs::read_text;
use crate::measuring::{Bed, Moment, baseline_path};
use crate::progress::Progress;
use crate::regress_args::{Place, RegressArguments, RegressVerb, Selection};
use crate::settings::Settings;

mod import;
mod plans;
mod record;
mod sides;
mod suggest;
mod test;

/// Runs the verb and returns the exit code.
pub(crate) async fn run(
    arguments: &RegressArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    match &arguments.verb {
        RegressVerb::Record(arguments) => record::run(arguments, config).await,
        RegressVerb::Accept(arguments) => record::accept(arguments, config).await,
        RegressVerb::Test(arguments) => test::run(arguments, config, color).await,
        RegressVerb::Plans(arguments) => plans::run(arguments, config, color).await,
        RegressVerb::Suggest(arguments) => suggest::run(arguments, config, color).await,
        RegressVerb::Import(arguments) => import::run(arguments, config).await,
    }
}

/// What a verb that measures begins with.
struct Asked {
    settings: Settings,
    /// The commit since which migrations are new, where git isn't to find it.
    base: Option<String>,
    ground: Option<Ground>,
    corpus: Vec<CorpusQuery>,
    /// From where on queries are worse, and why from there.
    alarm_notes: Vec<String>,
    /// The files of all queries that there are, chosen or not, by their names.
    files: HashMap<String, PathBuf>,
}

impl Asked {
    fn of(selection: &Selection, place: &Place, config: Option<&Path>) -> Result<Self, Failure> {
        Self::with(selection, place, config, |_| Vec::new())
    }

    /// For a verb that raises alarms: `choose` sets from where on, and says why.
    fn with(
        selection: &Selection,
        place: &Place,
        config: Option<&Path>,
        choose: impl FnOnce(&mut Settings) -> Vec<String>,
    ) -> Result<Self, Failure> {
        let ground = place.on.as_ref().map(|trunk| Ground::of(trunk, config)).transpose()?;
        let settings = Settings::load(config, ground.as_ref().map(Ground::major).or(place.postgres))?;
        let mut settings = match &ground {
            Some(ground) => Settings { database: ground.database().to_owned(), ..settings },
            None => settings,
        };
        let alarm_notes = choose(&mut settings);
        let corpus = whole_corpus(&settings)?;
        let file = |query: &CorpusQuery| (query.query.name.clone(), query.source.path().to_owned());
        let files = corpus.iter().map(file).collect();
        let corpus = chosen(corpus, selection)?;
        Ok(Self { settings, base: place.base.clone(), ground, corpus, alarm_notes, files })
    }

    /// A server with the state after all migrations.
    async fn bed(&self, progress: &Progress) -> Result<Bed, Failure> {
        let (base, ground) = (self.base.as_deref(), self.ground.as_ref());
        Bed::make(&self.settings, base, ground, Moment::AfterAll, progress).await
    }
}

/// Where queries are when nothing says otherwise.
const USUAL_FOLDER: &str = "queries";

/// All queries of the project.
fn whole_corpus(settings: &Settings) -> Result<Vec<CorpusQuery>, Failure> {
    let usual = settings.root.join(USUAL_FOLDER);
    let folder = settings.queries.clone().or_else(|| usual.is_dir().then_some(usual));
    let Some(folder) = folder else {
        return Err(Failure::input(
            "find the queries: there is no folder of them; write them into queries/NAME.sql, or say where they are by \
             [queries] path. `plimsoll watch --save` and `plimsoll regress import` write them too",
        ));
    };
    let corpus = corpus::load(&folder, settings)?;
    if corpus.is_empty() {
        return Err(Failure::input(format!(
            "find the queries: {} holds no .sql file with a query",
            folder.display()
        )));
    }
    Ok(corpus)
}

/// The queries of these names and tags; without any, all.
fn chosen(corpus: Vec<CorpusQuery>, selection: &Selection) -> Result<Vec<CorpusQuery>, Failure> {
    let Selection { names, tags } = selection;
    for name in names {
        if corpus.iter().all(|query| query.query.name != *name) {
            let known = corpus.iter().map(|query| query.query.name.as_str());
            let near = nearest(name, known).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(Failure::input(format!("find query {name}: the corpus has none of this name{near}")));
        }
    }
    let known_tag = |tag: &String| corpus.iter().any(|query| query.tags.contains(tag));
    if let Some(tag) = tags.iter().find(|tag| !known_tag(tag)) {
        return Err(Failure::input(format!("find queries tagged {tag}: no query has this tag")));
    }
    let is_wanted = |query: &CorpusQuery| {
        (names.is_empty() || names.contains(&query.query.name))
            && (tags.is_empty() || tags.iter().any(|tag| query.tags.contains(tag)))
    };
    Ok(corpus.into_iter().filter(is_wanted).collect())
}

/// The baselines of the files that these queries stand in.
struct Baselines {
    /// By the path of the query file, as reports name it.
    files: BTreeMap<PathBuf, BaselineFile>,
}

/// The baseline of a query file.
struct BaselineFile {
    path: PathBuf,
    /// What it says; none where there is none yet.
    baseline: Option<Baseline>,
}

impl Baselines {
    /// Reads those that are there. `Unreadable::Replaced` takes one that can't be read as none.
    fn read(corpus: &[CorpusQuery], settings: &Settings, unreadable: Unreadable) -> Result<Self, Failure> {
        let mut files = BTreeMap::new();
        for query in corpus {
            let queries = query.source.path();
            if files.contains_key(queries) {
                continue;
            }
            let path = baseline_path(&settings.current.join(queries));
            let baseline = match path.is_file() {
                false => None,
                true => match read_baseline(&path, settings) {
                    Err(Failure::Input(_)) if unreadable == Unreadable::Replaced => None,
                    read => Some(read?),
                },
            };
            files.insert(queries.to_owned(), BaselineFile { path, baseline });
        }
        Ok(Self { files })
    }

    fn of(&self, query: &CorpusQuery) -> Option<&Baseline> {
        self.files.get(query.source.path()).and_then(|file| file.baseline.as_ref())
    }
}

/// What is done with a baseline that can't be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    /// The run ends.
    Refused,
    /// It is written anew.
    Replaced,
}

fn read_baseline(path: &Path, settings: &Settings) -> Result<Baseline, Failure> {
    let text = read_text(path, &settings.current)?;
    let source = SourceFile::new(plimsoll_core::paths::seen_from(path, &settings.current), text);
    baseline::read(source.text())
        .map_err(|error| Failure::input(format!("read {}:{}: {}", source.name(), error.line, error.message)))
}

/// The sources that a report quotes.
fn sources(corpus: &[CorpusQuery]) -> Vec<SourceFile> {
    let mut sources: Vec<SourceFile> = Vec::new();
    for query in corpus {
        if sources.last().is_none_or(|last| last.path() != query.source.path()) {
            sources.push(query.source.clone());
        }
    }
    sources
}

/// Queries that weren't run, and why.
fn skipped(corpus: &[CorpusQuery]) -> impl Iterator<Item = String> {
    corpus
        .iter()
        .filter_map(CorpusQuery::skipped)
        .map(|(name, why)| format!("Query {name} was skipped: {why}."))
}
