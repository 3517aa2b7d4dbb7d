//! An evaluation's page in a real browser: the slider moves the threshold with its confusion matrix and every marker, charts
//! tell of the point below the pointer, and a column's name stays text.

use plimsoll_report::{EvaluationFormat, render_evaluation, render_picture};

use super::evaluation::evaluation;
use super::{Browser, read, without_policy};

fn page() -> String {
    render_evaluation(&evaluation(), EvaluationFormat::Html)
}

const ASK: &str = "\
    const one = query => document.querySelector(query), every = query => [...document.querySelectorAll(query)];\
    const told = [], tell = (...values) => told.push(values.join(' '));\
    const put = (number, value) => { const input = one(`#slider-${number}`); input.value = value; input.dispatchEvent(new Event('input')); };\
    const figures = number => every(`.slider[data-detector='${number}'] [data-figure]`).map(cell => cell.textContent).join(' ');\
    const marker = (kind, number) => { const of = one(`svg[data-kind=${kind}] .marker[data-detector='${number}']`); return [of.getAttribute('visibility'), of.getAttribute('cx'), of.getAttribute('cy')].join(' '); };\
    const pointer = (type, kind, x, y) => { const svg = one(`svg[data-kind=${kind}]`), at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());\
      svg.dispatchEvent(new PointerEvent(type, { clientX: at.x, clientY: at.y, bubbles: true })); };\
    const readout = kind => one(`svg[data-kind=${kind}]`).closest('.panel').querySelector('.readout').textContent.trim();";

/// Opens the page with a script that asks it, and returns what that tells.
fn asked(browser: &Browser, script: &str) -> Vec<String> {
    let script = format!(
        "<script>{ASK}try {{ {script} }} catch (why) {{ tell('failed', why.stack); }}\
         document.body.append('told: ' + told.join(' | ') + ' :end');</script></body>"
    );
    browser.write("asked.html", &without_policy(&page()).replacen("</body>", &script, 1));
    let visit = browser.visit("asked.html", &["--dump-dom", "--window-size=1200,900"]);
    let text = visit.stdout.rsplit_once("told: ").and_then(|(_, rest)| rest.split_once(" :end"));
    let text = text.unwrap_or_else(|| panic!("nothing was told: {:?}", visit.console)).0;
    text.split(" | ").map(str::to_owned).collect()
}

#[test]
fn it_loads_without_a_complaint_and_names_stay_text() {
    let Some(browser) = Browser::start() else { return };
    browser.write("page.html", &page());
    let visit = browser.visit("page.html", &["--dump-dom"]);
    assert_eq!(visit.console, Vec::<String>::new());
    assert!(visit.stdout.contains("<title>Plimsoll: how far these alarms can be trusted</title>"));
    assert!(
        visit.stdout.contains("aria-valuetext=\"threshold 0.6, precision 0.8, recall 0.8\""),
        "the script has run"
    );
    let told =
        asked(&browser, "tell(every('img').length, every('[onerror]').length, every('script').length);");
    assert_eq!(told, ["0 0 3"], "the third script is the one that asks");
}

#[test]
fn the_slider_moves_the_confusion_matrix_and_every_marker() {
    let Some(browser) = Browser::start() else { return };
    let told = asked(
        &browser,
        "tell(one('#slider-0').value, figures(0)); tell(marker('roc', 0));\
         put(0, 3); tell(figures(0)); tell(marker('roc', 0)); tell(marker('precision-recall', 0));\
         put(0, 0); tell(figures(0)); tell(marker('precision-recall', 0).split(' ')[0], marker('det', 0).split(' ')[0]);\
         tell(figures(1).split(' ')[0]);",
    );
    let expected = [
        "2 0.6 0.8 0.8 0.0222 0.8 0.0348 8 2 2 88",
        "visible 59.9 90",
        "0.3 0.333 1 0.222 0.5 0.00448 10 0 20 70",
        "visible 130.7 34",
        "visible 406 220.7",
        "above every score 0 0 0 0 0 0 10 0 90",
        "hidden visible",
        "above",
    ];
    assert_eq!(told, expected);
}

#[test]
fn charts_tell_of_the_point_below_the_pointer() {
    let Some(browser) = Browser::start() else { return };
    let told = asked(
        &browser,
        "pointer('pointermove', 'roc', 129, 36); tell(readout('roc')); tell(one('svg[data-kind=roc] .near').getAttribute('visibility'));\
         pointer('click', 'roc', 129, 36); tell(one('#slider-0').value, one('#slider-1').value);\
         pointer('pointermove', 'roc', 390, 300); tell(readout('roc') === '');\
         pointer('pointermove', 'roc', 129, 36); pointer('pointerleave', 'roc', 0, 0); tell(readout('roc') === '', one('svg[data-kind=roc] .near').getAttribute('visibility'));",
    );
    let expected = [
        "model: threshold 0.3, precision 0.333, recall 1; 10 right, 20 false, 0 missed, 70 rightly silent",
        "visible",
        "3 0",
        "true",
        "true hidden",
    ];
    assert_eq!(told, expected);
}

/// The arrow keys of a slider are the browser's own; what a key does is what `input` tells.
#[test]
fn sliders_can_be_reached_and_named_by_keyboard() {
    let Some(browser) = Browser::start() else { return };
    let told = asked(
        &browser,
        "const input = one('#slider-0'); input.focus(); tell(document.activeElement === input, input.labels[0].textContent);\
         input.stepUp(); input.dispatchEvent(new Event('input')); tell(input.getAttribute('aria-valuetext'));",
    );
    assert_eq!(told, ["true model", "threshold 0.3, precision 0.333, recall 1"]);
}

#[test]
fn nothing_overflows_a_narrow_screen() {
    const MEASURE: &str = "<script>parent.postMessage(document.documentElement.scrollWidth + ' of ' + innerWidth, '*');</script></body>";
    let Some(browser) = Browser::start() else { return };
    browser.write("copy.html", &without_policy(&page()).replacen("</body>", MEASURE, 1));
    for width in [380, 360] {
        let frame = format!(
            "<!doctype html><script>onmessage = event => document.body.append('scrollWidth ' + event.data)</script>\
             <body><iframe src='copy.html' width='{width}' height='3000' frameborder='0'></iframe>"
        );
        browser.write("frame.html", &frame);
        let dom = browser.visit("frame.html", &["--dump-dom"]).stdout;
        assert!(dom.contains(&format!("scrollWidth {width} of {width}")), "{dom}");
    }
}

#[test]
fn it_is_drawn_light_dark_and_printed() {
    let Some(browser) = Browser::start() else { return };
    browser.write("page.html", &page());
    browser.write("picture.svg", &render_picture(&evaluation()));
    let (page, picture) = (browser.screenshot("page.html"), browser.screenshot("picture.svg"));
    let path = browser.folder.path().join("dark.png");
    browser.visit(
        "page.html",
        &[
            "--window-size=1200,1600",
            "--blink-settings=preferredColorScheme=0",
            &format!("--screenshot={}", path.display()),
        ],
    );
    let dark = read(&path);
    assert!(page.len() > 20_000 && picture.len() > 20_000, "{} {}", page.len(), picture.len());
    assert!(dark.len() > 20_000 && dark != page, "dark looks different");
    let pdf = browser.folder.path().join("page.pdf");
    browser.visit("page.html", &[&format!("--print-to-pdf={}", pdf.display())]);
    assert!(read(&pdf).starts_with(b"%PDF"));
    if let Some(kept) = std::env::var_os("PLIMSOLL_KEEP_PICTURES") {
        let kept = std::path::PathBuf::from(kept);
        for (name, bytes) in
            [("page.png", page), ("picture.png", picture), ("dark.png", dark), ("page.pdf", read(&pdf))]
        {
            std::fs::write(kept.join(name), bytes).expect("the folder can be written");
        }
    }
}
