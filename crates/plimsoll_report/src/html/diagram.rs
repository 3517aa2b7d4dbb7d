//! A plan as a diagram: a row a node, with a bar as long as its own part of the plan. Rows fold; without a script they fold too.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};
use plimsoll_core::PlanNode;
use plimsoll_core::units::{count, duration_ms};
use plimsoll_explain::{Figure, Figures, Measure};

use super::shown;
use crate::plans::{Seen, blocks, details, differing, rows_told, signatures};

/// Browsers stop nesting at some hundred elements; deeper nodes stand below each other.
const DEEPEST_NESTING: usize = 60;

/// The diagram of a plan, compared with the plan on the other side if there is one.
pub(super) fn of_node(plan: &PlanNode, other: Option<&PlanNode>) -> Markup {
    let figures = Figures::of(plan);
    let differing = other.map(|other| differing(&figures, &signatures(other))).unwrap_or_default();
    let diagram = Diagram {
        figures: &figures,
        prefix: None,
        marked: &|place| differing.contains(&place),
        advised: &|_| None,
    };
    diagram.draw()
}

/// The diagram of a plan with what is said of it; nodes can be linked to by `prefix` and their place.
pub(super) fn of_seen(seen: &Seen<'_>, prefix: &str) -> Markup {
    let advised = |place: usize| {
        let all: Vec<&str> =
            seen.advice.iter().filter(|one| one.node == Some(place)).map(|one| one.kind.title).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    let marked = |place: usize| seen.differing.contains(&place);
    Diagram { figures: &seen.figures, prefix: Some(prefix), marked: &marked, advised: &advised }.draw()
}

struct Diagram<'a> {
    figures: &'a Figures<'a>,
    prefix: Option<&'a str>,
    marked: &'a dyn Fn(usize) -> bool,
    advised: &'a dyn Fn(usize) -> Option<String>,
}

/// The most of each quantity that a node has.
struct Most {
    time: f64,
    buffers: f64,
    rows: f64,
}

impl Diagram<'_> {
    /// A list is closed once its last node is; no function calls itself.
    fn draw(&self) -> Markup {
        let nodes = &self.figures.nodes;
        let most = Most {
            time: self.most(|one| self.time(one)),
            buffers: self.most(|one| (one.own_shared() + one.own_temp) as f64),
            rows: self.most(rows_in_all),
        };
        let mut page = String::from("<ul class=\"plan\">");
        let mut nesting = 0;
        for (place, figure) in nodes.iter().enumerate() {
            let depth = figure.depth.min(DEEPEST_NESTING);
            while nesting > depth {
                page.push_str("</ul></details></li>");
                nesting -= 1;
            }
            let next = nodes.get(place + 1).map_or(0, |next| next.depth.min(DEEPEST_NESTING));
            let row = self.row(place, figure, &most).into_string();
            if next > depth {
                let _ = write!(page, "<li><details class=\"node\" open>{row}<ul>");
                nesting += 1;
            } else {
                let _ = write!(page, "<li><details class=\"node leaf\">{row}</details></li>");
            }
        }
        for _ in 0..nesting {
            page.push_str("</ul></details></li>");
        }
        page.push_str("</ul>");
        PreEscaped(page)
    }

    fn most(&self, value: impl Fn(&Figure<'_>) -> f64) -> f64 {
        self.figures.nodes.iter().map(value).fold(0.0, f64::max)
    }

    /// Where no time was taken, buffers or the cost stand for it.
    fn time(&self, figure: &Figure<'_>) -> f64 {
        match self.figures.measure {
            Measure::Time => figure.own_ms.unwrap_or_default(),
            Measure::Buffers => (figure.own_shared() + figure.own_temp) as f64,
            Measure::Cost => figure.own_cost,
        }
    }

    fn row(&self, place: usize, figure: &Figure<'_>, most: &Most) -> Markup {
        let node = figure.node;
        let part = |value: f64, most: f64| if most > 0.0 { value / most * 100.0 } else { 0.0 };
        let style = format!(
            "--time:{:.1};--buffers:{:.1};--rows:{:.1};--heat:{:.0}%",
            part(self.time(figure), most.time),
            part((figure.own_shared() + figure.own_temp) as f64, most.buffers),
            part(rows_in_all(figure), most.rows),
            (figure.share * 160.0).min(100.0)
        );
        let verb = node.verb();
        let label = node.label();
        let object = label.strip_prefix(&verb).unwrap_or_default().trim_start();
        let advised = (self.advised)(place);
        html! {
            summary id=[self.prefix.map(|prefix| format!("{prefix}{place}"))]
                class={ @if figure.share < 0.05 { "cool " } @if (self.marked)(place) { "differs " } @if advised.is_some() { "advised " } @if node.loops() == 0 && node.actual.is_some() { "unrun" } }
                style=(style) {
                span class="bar" aria-hidden="true" {}
                span class="label" {
                    @if let Some(name) = &node.subplan_name { span class="sub" { (shown(name)) } " " }
                    b { (shown(if object.is_empty() { &label } else { &verb })) } " " (shown(object))
                    @if figure.depth > DEEPEST_NESTING { " " span class="badge plain" { "level " (figure.depth) } }
                    @if (self.marked)(place) { " " span class="badge plain" { "differs" } }
                    @if let Some(advised) = &advised { " " span class="badge warning" { (advised) } }
                }
                span class="figures" {
                    span class="time" {
                        @match (figure.own_ms, node.total_cost) {
                            (Some(ms), _) => { (duration_ms(ms)) " " }
                            (None, Some(_)) => { (format!("cost {:.1}", figure.own_cost)) " " }
                            (None, None) => {}
                        }
                        i { (format!("{:.0} %", figure.share * 100.0)) }
                    }
                    span class="rows" { (rows_told(node)) " rows" }
                    @if figure.own_shared() + figure.own_temp > 0 {
                        span class="buffers" { (blocks(figure.own_shared())) @if figure.own_temp > 0 { " + " (blocks(figure.own_temp)) " temp" } }
                    }
                    @if node.loops() > 1 { span { (count(node.loops())) " loops" } }
                }
            }
            (further(figure))
        }
    }
}

fn rows_in_all(figure: &Figure<'_>) -> f64 {
    if figure.node.actual.is_some() {
        figure.node.total_rows()
    } else {
        figure.node.plan_rows.unwrap_or_default()
    }
}

fn further(figure: &Figure<'_>) -> Markup {
    let node = figure.node;
    let mut figures: Vec<String> = Vec::new();
    if let Some(cost) = node.total_cost {
        figures.push(format!("cost {:.2}..{cost:.2}", node.startup_cost.unwrap_or_default()));
    }
    if let Some(ms) = figure.total_ms {
        figures.push(format!("{} with what is below", duration_ms(ms)));
    }
    if node.buffers.shared() > 0 {
        figures.push(format!("buffers with what is below {}", blocks(node.buffers.shared())));
    }
    if let Some(width) = node.plan_width {
        figures.push(format!("width {width}"));
    }
    html! {
        div class="further" {
            @for detail in details(node) { p class="detail" { (shown(&detail)) } }
            @if !figures.is_empty() { p class="node-numbers" { (figures.join(" · ")) } }
        }
    }
}
