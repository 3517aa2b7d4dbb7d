//! A log's page in a real browser: charts zoom, tables sort and filter, queries have pages of their own, also where there
//! are 5,000 of them; and what a client has chosen stays text.

use std::fmt::Write as _;

use plimsoll_core::logs::{LogReport, LogTemporaryFiles, LogTrend};
use plimsoll_report::{LogFormat, render_log};

use super::log_reports::{large, query, small};
use super::{Browser, Visit, without_policy};

fn page(report: &LogReport) -> String {
    render_log(report, LogFormat::Html, 20)
}

/// What every question begins with: names for what a person sees and does.
const ASK: &str = "\
    const one = (query, from = document) => from.querySelector(query), every = (query, from = document) => [...from.querySelectorAll(query)];\
    const told = [], tell = (...values) => told.push(values.join(' '));\
    const wait = ms => new Promise(done => setTimeout(done, ms));\
    const table = id => one(`section[data-sheet=${id}]`);\
    const rows = id => every('tbody tr', table(id));\
    const first = id => one('td:last-child', rows(id)[0]).textContent;\
    const head = (id, title) => every('th', table(id)).find(head => head.textContent === title);\
    const sort = (id, title) => { one('button', head(id, title)).click(); return head(id, title).getAttribute('aria-sort'); };\
    const filter = (id, text) => { const box = one('input', table(id)); box.value = text; box.dispatchEvent(new Event('change')); };\
    const picture = number => every('.picture')[number];\
    const pointer = (type, number, part) => { const box = picture(number).getBoundingClientRect();\
      picture(number).dispatchEvent(new PointerEvent(type, { clientX: box.left + 54 + (box.width - 62) * part, clientY: box.top + 9, button: 0, bubbles: true })); };\
    const drag = async (number, from, until) => { pointer('pointerdown', number, from); pointer('pointermove', number, until); pointer('pointerup', number, until); await wait(60); };\
    const press = async (number, key) => { picture(number).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })); await wait(60); };\
    const range = () => one('.range span').textContent.slice(11, 31);\
    const end = () => document.body.append('told: ' + told.join(' | ') + ' :end');";

/// Opens the page with a script that asks it, and returns what that tells.
fn asked(browser: &Browser, page: &str, script: &str) -> String {
    let script = format!(
        "<script>{ASK}(async () => {{ {script} }})().catch(why => tell('failed', why.stack)).finally(end);</script></body>"
    );
    browser.write("asked.html", &without_policy(page).replacen("</body>", &script, 1));
    told(&browser.visit("asked.html", &["--dump-dom", "--window-size=1200,900"]))
}

fn told(visit: &Visit) -> String {
    let text = visit.stdout.rsplit_once("told: ").and_then(|(_, rest)| rest.split_once(" :end"));
    text.unwrap_or_else(|| panic!("nothing was told: {:?}", visit.console)).0.to_owned()
}

#[test]
fn it_loads_without_a_complaint_and_runs_its_own_script_alone() {
    let Some(browser) = Browser::start() else { return };
    let page = page(&small());
    browser.write("page.html", &page);
    let visit = browser.visit("page.html", &["--dump-dom"]);
    assert_eq!(visit.console, Vec::<String>::new());
    assert!(
        visit.stdout.contains("<title>Plimsoll: what the log tells</title>"),
        "no client's script has run"
    );
    assert!(visit.stdout.contains("aria-sort") && visit.stdout.contains("<figcaption>"), "ours has");
    browser.write("foreign.html", &page.replacen("</body>", "<script>1</script></body>", 1));
    let console = browser.visit("foreign.html", &["--dump-dom"]).console;
    assert!(console.iter().any(|line| line.contains("Content Security Policy")), "{console:?}");
}

#[test]
fn what_a_client_chose_is_text_on_every_page() {
    let Some(browser) = Browser::start() else { return };
    let told = asked(
        &browser,
        &page(&small()),
        "location.hash = '#query=0000000000000003'; await wait(100);\
         tell(document.title, one('#query-page pre').textContent.includes('<script>'), every('img').length, every('[onerror], [onload]').length,\
              every('script').length, every('a').filter(link => !link.getAttribute('href').startsWith('#')).length);",
    );
    assert_eq!(told, "Plimsoll: what the log tells true 0 0 3 0", "the third script is the one that asks");
}

#[test]
fn charts_zoom_together_and_tables_follow() {
    let Some(browser) = Browser::start() else { return };
    let told = asked(
        &browser,
        &page(&small()),
        "const ticks = number => every('.tick[text-anchor=middle]', picture(number)).map(tick => tick.textContent).join();\
         tell(range(), one('#all-time').disabled, rows('queries').length);\
         await drag(0, 0.9, 1);\
         tell(range(), ticks(0) === ticks(2), every('th', table('queries')).slice(0, 2).map(head => head.textContent).join(), rows('queries').length, first('queries'));\
         tell(one('td', rows('queries')[0]).textContent);\
         await press(1, 'Escape'); tell(range(), rows('queries').length);\
         await press(1, '+'); tell(range()); await press(1, 'ArrowRight'); tell(range()); await press(1, 'ArrowLeft'); await press(1, '-'); tell(range());\
         const scroll = new WheelEvent('wheel', { deltaY: -1, cancelable: true, bubbles: true }); picture(0).dispatchEvent(scroll); await wait(60); tell(scroll.defaultPrevented, one('#all-time').disabled);\
         const wheel = new WheelEvent('wheel', { deltaY: -1, ctrlKey: true, cancelable: true, bubbles: true }); picture(0).dispatchEvent(wheel); await wait(60); tell(wheel.defaultPrevented, one('#all-time').disabled);\
         picture(0).dispatchEvent(new MouseEvent('dblclick', { bubbles: true })); await wait(60); tell(range());\
         pointer('pointermove', 0, 0.5); tell(every('.readout').slice(0, 3).map(one => one.textContent.trim().split('  ').at(-1)).join());",
    );
    let expected = [
        "12:00:00 to 13:00:00 true 7",
        "12:54:00 to 13:00:00 true in range,time in range 1 delete from tokens where id = $1",
        "180",
        "12:00:00 to 13:00:00 7",
        "12:15:00 to 12:45:00",
        "12:21:00 to 12:51:00",
        "12:00:00 to 13:00:00",
        "false true",
        "true false",
        "12:00:00 to 13:00:00",
        "2/s,0.002,3",
    ];
    assert_eq!(told.split(" | ").collect::<Vec<_>>(), expected);
}

#[test]
fn tables_sort_by_number_and_filter_by_words_and_names() {
    let Some(browser) = Browser::start() else { return };
    let told = asked(
        &browser,
        &page(&small()),
        "const calls = () => rows('queries').map(row => every('td', row)[0].textContent).join(' ');\
         tell(head('queries', 'calls').getAttribute('aria-sort'), sort('queries', 'calls'), calls());\
         tell(sort('queries', 'calls'), calls());\
         tell(sort('queries', 'query'), head('queries', 'calls').getAttribute('aria-sort'), first('queries'));\
         one('button', head('queries', 'max')).focus(); document.activeElement.click(); tell(document.activeElement.textContent);\
         filter('queries', 'NUMBERS select'); tell(rows('queries').length, one('.status', table('queries')).textContent);\
         filter('queries', ''); const select = one('select', table('queries')); select.value = every('option', select).find(option => option.textContent === 'worker').value;\
         select.dispatchEvent(new Event('change')); tell(rows('queries').length, first('queries'), select.getAttribute('aria-label'));",
    );
    let expected = [
        "none descending 1,007 1,006 1,005 1,004 100 20 9",
        "ascending 9 20 100 1,004 1,005 1,006 1,007",
        "ascending none &lt;script&gt;document.title='hit'&lt;/script&gt;&lt;img src=x onerror=\"document.title='hit'\"&gt;\"onload=1 javascript:1 &lt;/script&gt;&lt;!-- ␛[31m �",
        "max",
        "4 4 of 7",
        "1 delete from tokens where id = $1 application of queries by time in total",
    ];
    assert_eq!(told.split(" | ").collect::<Vec<_>>(), expected);
}

#[test]
fn a_query_has_a_page_that_can_be_linked_to_and_left() {
    let Some(browser) = Browser::start() else { return };
    let page = page(&small());
    let told = asked(
        &browser,
        &page,
        "filter('queries', 'tokens'); one('a.to-query', rows('queries')[0]).click(); await wait(100);\
         const shown = () => every('#tables, #query-page').filter(part => part.checkVisibility()).map(part => part.id).join();\
         tell(location.hash, shown(), one('#query-title').textContent, document.activeElement.id);\
         tell(every('#query-page h3').map(title => title.textContent).join(), every('#query-page .chart').length, one('#query-page pre').textContent.split('\\n').length);\
         history.back(); await wait(200); tell(location.hash === '', shown(), rows('queries').length, every('#query-page *').length);\
         every('svg.blocking a')[0].dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true })); await wait(100); tell(location.hash, one('#query-page pre').textContent.split('\\n').join('/'));\
         location.hash = '#query=00000000000000ff'; await wait(100); tell(shown()); location.hash = '#query=__proto__'; await wait(100); tell(shown());",
    );
    let expected = [
        "#query=0000000000000002 query-page Query 0000000000000002 query-title",
        "Who runs it,Bursts of one query,Queries that failed,Who blocked whom 3 2",
        "true tables 1 0",
        "#query=0000000000000001 select a, b /from t /join u on t.id = u.id /where a in (/  select x /  from y/) /  and b in (/    select 1 /    from z /    where m between $1 and $2/  )",
        "tables",
        "tables",
    ];
    assert_eq!(told.split(" | ").collect::<Vec<_>>(), expected);
    browser.write("linked.html", &page);
    let visit = browser.visit("linked.html#query=0000000000000002", &["--dump-dom"]);
    assert!(visit.stdout.contains("id=\"query-title\"") && visit.console.is_empty(), "{:?}", visit.console);
}

/// Without moments there is nothing to draw; without anything there is a head.
#[test]
fn a_log_without_moments_has_its_tables_and_an_empty_one_a_page() {
    let Some(browser) = Browser::start() else { return };
    let untimed = LogReport { queries: small().queries, ..LogReport::default() };
    for (name, report, rows) in [("empty.html", LogReport::default(), 0), ("untimed.html", untimed, 7)] {
        browser.write(name, &page(&report));
        let visit = browser.visit(&format!("{name}#query=0000000000000002"), &["--dump-dom"]);
        assert_eq!(visit.console, Vec::<String>::new(), "{name}");
        assert_eq!(visit.stdout.contains("id=\"query-title\""), rows > 0, "{name}");
        assert_eq!(visit.stdout.matches("class=\"to-query\"").count(), rows, "{name}");
        assert!(!visit.stdout.contains("<figure"), "{name}");
    }
}

/// The figures of the markup, which Rust wrote, are those that the script writes.
#[test]
fn the_script_tells_the_same_figures_as_the_markup() {
    const BEFORE: &str = "<script>const cells = drop => [...document.querySelectorAll('table.sheet')].map(table => [...table.querySelectorAll('tr')].map(row =>\
        [...row.children].filter(cell => !drop || cell.textContent !== 'trend' && !cell.querySelector('svg')).map(cell => cell.textContent).join('; ')).join(' / '));\
        const before = cells(false);</script><script type=\"application/json\"";
    let Some(browser) = Browser::start() else { return };
    let mut report = small();
    let times =
        [0.0, 0.004, 9.994, 9.996, 99.94, 999.4, 999.6, 99_949.0, 100_000.0, 3_599_400.0, 3_600_000.0, 1e10];
    for (number, time) in (0_u64..).zip(times) {
        let mut query = query(
            100 + number,
            &format!("select {number} from times"),
            "web",
            10_u64.pow(number as u32),
            LogTrend::default(),
        );
        (query.figures.mean_ms, query.share) = (time, time / 1e10);
        report.queries.push(query);
        let bytes = 1000_u64.pow(number as u32 / 2) * 3;
        report.temporary_files.push(LogTemporaryFiles {
            query: None,
            files: number,
            bytes,
            largest: bytes / 2,
        });
    }
    let page = page(&report).replacen("<script type=\"application/json\"", BEFORE, 1);
    let told = asked(
        &browser,
        &page,
        "const after = cells(true); before.forEach((table, number) => { if (table !== after[number]) tell(table, 'BUT', after[number]); }); tell(before.length);",
    );
    assert_eq!(told, "7", "all tables, and no word of a difference");
}

#[test]
fn it_fits_800_pixels_and_prints_its_tables() {
    let Some(browser) = Browser::start() else { return };
    let script = "<script>document.body.append(`told: ${document.documentElement.scrollWidth} of ${innerWidth} :end`)</script></body>";
    browser.write("narrow.html", &without_policy(&page(&small())).replacen("</body>", script, 1));
    let visit = browser.visit("narrow.html", &["--dump-dom", "--window-size=800,900"]);
    assert_eq!(told(&visit), "800 of 800");
    let pdf = browser.folder.path().join("page.pdf");
    browser.visit("narrow.html", &[&format!("--print-to-pdf={}", pdf.display())]);
    assert!(super::read(&pdf).starts_with(b"%PDF"));
}

/// By the clock on the wall; a frame that stays open holds the page's load back until all is told.
#[test]
fn five_thousand_queries_are_no_burden() {
    let Some(browser) = Browser::start() else { return };
    let page = page(&large());
    assert!(page.len() < 14 << 20, "{} bytes", page.len());
    let mut script = String::from(
        "<script>const ready = performance.now(), open = document.body.appendChild(document.createElement('iframe')).contentDocument; open.open();",
    );
    write!(
        script,
        "{ASK}(async () => {{ const clock = () => performance.now(); const timed = async work => {{ const from = clock(); await work(); document.body.offsetHeight; return Math.round(clock() - from); }};\
         const times = [Math.round(ready)];\
         tell(rows('queries').length, one('.more-rows').textContent);\
         times.push(await timed(() => sort('queries', 'calls'))); tell(one('td', rows('queries')[0]).textContent, one('td', rows('queries')[24]).textContent);\
         times.push(await timed(() => filter('queries', 'table_42 column_42,'))); tell(rows('queries').length, one('.status', table('queries')).textContent);\
         filter('queries', '');\
         times.push(await timed(() => drag(0, 0.2, 0.3))); tell(range(), rows('queries').length);\
         times.push(await timed(() => drag(0, 0.2, 0.5)));\
         times.push(await timed(async () => {{ location.hash = '#query=0000000000000007'; while (!one('#query-title')) await wait(1); }})); tell(one('#query-title').textContent);\
         tell('times', times.join(' ')); }})().catch(why => tell('failed', why.stack)).finally(() => {{ end(); open.close(); }});</script></body>"
    )
    .expect("a string takes all");
    browser.write("large.html", &without_policy(&page).replacen("</body>", &script, 1));
    let told = told(&browser.open("large.html", &["--dump-dom", "--window-size=1200,900"]));
    let (told, times) = told.split_once(" | times ").unwrap_or((&told, "none"));
    eprintln!(
        "{} bytes; milliseconds to the first rendering, to sort, filter, zoom twice and open a query: {times}",
        page.len()
    );
    let expected = [
        "25 Show 200 more",
        "4,999 4,975",
        "1 1 of 5,000",
        "12:12:00 to 12:18:00 25",
        "Query 0000000000000007",
    ];
    assert_eq!(told.split(" | ").collect::<Vec<_>>(), expected);
}
