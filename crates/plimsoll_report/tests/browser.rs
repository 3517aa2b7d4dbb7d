//! The page in a real browser: it loads without a complaint, shows what the report holds, and
//! fits a narrow screen.
//!
//! Needs Chromium: `CHROMIUM` names it, else it is looked for in `PATH`. Without one the tests
//! say so and pass, except in CI (`CI` is set), where they fail.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_core::Report;
use plimsoll_report::{Colour, Format, Rendering, Sources, render};
use tempfile::TempDir;

#[path = "../src/evaluation/sample.rs"]
mod evaluation;
#[path = "browser/evaluation_page.rs"]
mod evaluation_page;
#[path = "browser/log_page.rs"]
mod log_page;
#[path = "browser/log_reports.rs"]
mod log_reports;
#[path = "../src/sample.rs"]
mod sample;

/// A run takes about two seconds; a loaded machine may need many times that.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder with pages, and the browser to look at them with.
struct Browser {
    program: PathBuf,
    folder: TempDir,
}

/// What the browser left behind.
struct Visit {
    stdout: String,
    /// Lines that the page's console got, complaints about policy and markup included.
    console: Vec<String>,
}

fn page() -> String {
    page_of(&sample::report())
}

fn page_of(report: &Report) -> String {
    let sources = sample::sources();
    let colour = Colour::Never;
    let rendering =
        Rendering { report, sources: Sources::new(&sources), colour, width: 80, rule_help: &|_| None };
    render(Format::Html, &rendering)
}

fn found() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os("CHROMIUM") {
        return Some(program.into());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

impl Browser {
    /// None, and a word about it, where there is no Chromium.
    fn start() -> Option<Self> {
        let Some(program) = found() else {
            let advice = "no Chromium found; install it (Debian: apt-get install chromium) or set CHROMIUM";
            assert!(std::env::var_os("CI").is_none(), "{advice}");
            eprintln!("skipped: {advice}");
            return None;
        };
        Some(Self { program, folder: TempDir::new().expect("a temporary folder can be made") })
    }

    fn write(&self, name: &str, page: &str) {
        fs::write(self.folder.path().join(name), page).expect("the temporary folder can be written");
    }

    /// Opens a page of the folder. The clock within it runs ahead, so nothing waits.
    fn visit(&self, name: &str, arguments: &[&str]) -> Visit {
        self.open(name, &[arguments, &["--virtual-time-budget=3000"]].concat())
    }

    /// Opens a page of the folder by the clock on the wall, up to its load.
    fn open(&self, name: &str, arguments: &[&str]) -> Visit {
        let folder = self.folder.path();
        let profile = TempDir::new_in(folder).expect("the temporary folder can be written");
        let file = |name: &str| File::create(folder.join(name)).expect("the temporary folder can be written");
        let child = Command::new(&self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr"])
            .arg("--allow-file-access-from-files")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(arguments)
            .arg(format!("file://{}/{name}", folder.display()))
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("Chromium starts");
        wait(child);
        let read = |name: &str| String::from_utf8_lossy(&read(&folder.join(name))).into_owned();
        let console =
            read("stderr").lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
        Visit { stdout: read("stdout"), console }
    }

    fn screenshot(&self, name: &str) -> Vec<u8> {
        let png = self.folder.path().join(format!("{name}.png"));
        self.visit(name, &["--window-size=1200,1600", &format!("--screenshot={}", png.display())]);
        read(&png)
    }
}

/// A page that another script may ask, since it has no policy.
fn without_policy(page: &str) -> String {
    let mut asked = page.to_owned();
    let policy = page.find("<meta http-equiv").expect("the page has a policy");
    asked.replace_range(policy..policy + page[policy..].find('>').expect("the tag ends") + 1, "");
    asked
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()))
}

/// Waits, but not forever; a browser that hangs is killed.
fn wait(mut child: Child) {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => return assert!(status.success(), "Chromium ended with {status}"),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    child.kill().expect("our own child can be killed");
    child.wait().expect("a killed child ends");
    panic!("Chromium took more than {PATIENCE:?}");
}

#[test]
fn the_page_loads_without_a_complaint_and_shows_the_report() {
    let Some(browser) = Browser::start() else { return };
    browser.write("page.html", &page());
    let visit = browser.visit("page.html", &["--dump-dom"]);
    assert_eq!(visit.console, Vec::<String>::new());
    assert!(visit.stdout.contains("<span class=\"word\">danger</span>"));
    assert!(visit.stdout.contains("Don’t deploy this as it is."));
    let report = sample::report();
    let statements = &report.rehearsal.as_ref().unwrap().statements;
    let locks = statements.iter().flat_map(|record| record.strongest_locks()).filter(|lock| lock.existing);
    assert_eq!(visit.stdout.matches("<a class=\"bar\"").count(), locks.count());
    let unfolding = |class: &str| visit.stdout.matches(&format!("<details class=\"{class}")).count();
    assert_eq!(unfolding("finding "), report.told().len());
    assert_eq!(unfolding("statement"), statements.len());
    assert_eq!(unfolding("query "), report.queries.as_ref().unwrap().len());
}

#[test]
fn a_complaint_would_be_seen() {
    let Some(browser) = Browser::start() else { return };
    browser.write("page.html", &page().replacen("</body>", "<script>1</script></body>", 1));
    let console = browser.visit("page.html", &["--dump-dom"]).console;
    assert!(console.iter().any(|line| line.contains("Content Security Policy")), "{console:?}");
}

#[test]
fn the_page_is_drawn() {
    let Some(browser) = Browser::start() else { return };
    browser.write("page.html", &page());
    browser.write("blank.html", "<!doctype html><title>blank</title>");
    let (page, blank) = (browser.screenshot("page.html"), browser.screenshot("blank.html"));
    assert!(page.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(page.len() > 4 * blank.len(), "{} bytes, a blank page has {}", page.len(), blank.len());
}

/// Chromium's windows have at least 500 pixels, so a frame is the narrow screen. The copy of
/// the page within it unfolds everything, measures itself and tells the page around.
#[test]
fn nothing_overflows_at_380_and_360_pixels() {
    const MEASURE: &str = "<script>\
        for (const details of document.querySelectorAll('details')) details.open = true;\
        parent.postMessage(document.documentElement.scrollWidth + ' of ' + innerWidth, '*');\
        </script></body>";
    let Some(browser) = Browser::start() else { return };
    for mut copy in [page(), page_of(&sample::watched())] {
        let policy = copy.find("<meta http-equiv").expect("the page has a policy");
        copy.replace_range(policy..policy + copy[policy..].find('>').expect("the tag ends") + 1, "");
        browser.write("copy.html", &copy.replacen("</body>", MEASURE, 1));
        for width in [380, 360] {
            let frame = format!(
                "<!doctype html><script>onmessage = event => document.body.append('scrollWidth ' + event.data)\
                 </script><body><iframe src='copy.html' width='{width}' height='3000' frameborder='0'></iframe>"
            );
            browser.write("frame.html", &frame);
            let dom = browser.visit("frame.html", &["--dump-dom"]).stdout;
            assert!(dom.contains(&format!("scrollWidth {width} of {width}")), "{dom}");
        }
    }
}

const PLAN: &str = "\
Sort  (cost=9.00..9.00 rows=5 width=4) (actual time=90.0..95.0 rows=60000 loops=1)
  Sort Key: a
  Sort Method: external merge  Disk: 4000kB
  Buffers: shared hit=100 read=900, temp read=500 written=500
  ->  Hash Join  (cost=1.00..8.00 rows=5 width=4) (actual time=1.0..40.0 rows=60000 loops=1)
        Hash Cond: (a.id = b.id)
        ->  Seq Scan on a  (cost=0.00..4.00 rows=5 width=4) (actual time=0.1..30.0 rows=60000 loops=1)
              Filter: (n = 3)
              Rows Removed by Filter: 900000
        ->  Hash  (cost=0.00..1.00 rows=5 width=4) (actual time=1.0..1.0 rows=5 loops=1)
              ->  Seq Scan on b  (cost=0.00..1.00 rows=5 width=4) (actual time=0.1..0.5 rows=5 loops=1)
";

fn plan_page(together: plimsoll_report::Together) -> String {
    let shown = |title: &str, text: &str| plimsoll_report::ShownPlan {
        title: title.to_owned(),
        plan: plimsoll_explain::read(text).expect("a plan").remove(0),
    };
    let plans =
        [shown("before", PLAN), shown("after", &PLAN.replace("Seq Scan on a", "Index Scan using a_n on a"))];
    plimsoll_report::render_plans(plimsoll_report::PlanFormat::Html, &plans, together, Colour::Never, 80)
}

/// The page's own script is let in by its hash; what it does is asked of the page by another, for which the policy goes.
#[test]
fn a_plan_is_drawn_folds_and_moves_by_the_keyboard() {
    const PRESS: &str = "<script>\
        const rows = [...document.querySelectorAll('ul.plan summary')], told = [];\
        const press = key => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));\
        const at = () => rows.indexOf(document.activeElement);\
        const width = row => Math.round(row.querySelector('.bar').getBoundingClientRect().width / row.getBoundingClientRect().width * 100);\
        rows[0].focus(); press('ArrowDown'); told.push(at()); press('ArrowDown'); told.push(at());\
        press('Home'); press('ArrowLeft'); told.push(rows[0].parentElement.open); press('ArrowRight'); told.push(rows[0].parentElement.open);\
        press('End'); told.push(at());\
        told.push(width(rows[0])); document.querySelector('#by-rows').click(); told.push(width(rows[4]));\
        document.body.append('told ' + told.join(' ') + ' end');\
        </script></body>";
    let Some(browser) = Browser::start() else { return };
    let page = plan_page(plimsoll_report::Together::Apart);
    browser.write("plan.html", &page);
    let visit = browser.visit("plan.html", &["--dump-dom"]);
    assert_eq!(visit.console, Vec::<String>::new());
    assert!(visit.stdout.contains("sort on disk") && visit.stdout.contains("href=\"#p0n2\""));
    browser.write("foreign.html", &page.replacen("</body>", "<script>1</script></body>", 1));
    let console = browser.visit("foreign.html", &["--dump-dom"]).console;
    assert!(console.iter().any(|line| line.contains("Content Security Policy")), "{console:?}");
    let policy = page.find("<meta http-equiv").expect("the page has a policy");
    let mut asked = page.clone();
    asked.replace_range(policy..policy + page[policy..].find('>').expect("the tag ends") + 1, "");
    browser.write("asked.html", &asked.replacen("</body>", PRESS, 1));
    let dom = browser.visit("asked.html", &["--dump-dom"]).stdout;
    assert!(dom.contains("told 1 2 false true 4 100 0 end"), "{}", &dom[dom.len().saturating_sub(400)..]);
}

#[test]
fn plans_side_by_side_fit_and_mark_what_differs() {
    const MEASURE: &str = "<script>document.body.append('wide ' + document.documentElement.scrollWidth + ' of ' + innerWidth)</script></body>";
    let Some(browser) = Browser::start() else { return };
    let mut page = plan_page(plimsoll_report::Together::Compared);
    assert_eq!(page.matches("badge plain\">differs").count(), 2);
    let policy = page.find("<meta http-equiv").expect("the page has a policy");
    page.replace_range(policy..policy + page[policy..].find('>').expect("the tag ends") + 1, "");
    browser.write("plans.html", &page.replacen("</body>", MEASURE, 1));
    for width in ["1400", "700"] {
        let dom = browser.visit("plans.html", &["--dump-dom", &format!("--window-size={width},900")]).stdout;
        assert!(
            dom.contains(&format!("wide {width} of {width}")),
            "{}",
            &dom[dom.len().saturating_sub(400)..]
        );
    }
}
