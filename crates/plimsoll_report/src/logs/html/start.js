
// Everything on the page comes to life.
for (const rest of document.querySelectorAll('p.rest')) rest.remove();
const COLOURS = { 'n-plus-one': 'error', 'write-loop': 'warning', repetition: 'plain', paging: 'other' };
const MOST_LANES = 30;

const overTime = () => {
  const box = document.getElementById('charts'), { charts, lanes: rows } = data.charts;
  if (!full || charts.length + rows.length === 0) return;
  const shown = h('span', { role: 'status' });
  const all = h('button', { type: 'button', id: 'all-time', onclick: reset }, 'Show all');
  box.hidden = false;
  box.append(h('h2', {}, 'Over time'), h('p', { class: 'lead range' }, shown, ' ', all),
    h('p', { class: 'hint' }, 'Drag over a chart to zoom all of them, and the tables with a trend. Keys: + − ← →, Escape or a double click for all; Ctrl and the wheel, or the wheel alone in a chart that was clicked.'));
  const tell = () => { shown.textContent = `${span(range.from, range.until)} UTC`; all.disabled = !zoomed(); };
  watchers.add(tell);
  tell();
  for (const [, title, measure, series] of charts) chart(box, title, measure, series);
  if (rows.length > 0) lanes(box, 'What happened', rows.map(row => [...row, null]));
};
const burstLanes = () => {
  const sheet = sheets.get('bursts'), box = document.getElementById('burst-timeline');
  if (!full || !sheet) return;
  const at = title => sheet.columns.findIndex(([name]) => name === title);
  const [kind, road, application, query] = ['kind', 'route', 'application', 'query'].map(at);
  const rows = sheet.rows.map((row, number) => {
    const words = [texts[row[kind]], row[road] === null ? null : texts[row[road]], row[application] === null ? null : texts[row[application]], row[query] === null ? '(not told)' : texts[row[query]]];
    return [words.filter(word => word !== null).join(' · '), COLOURS[texts[row[kind]]] ?? 'plain', sheet.trends[number], addressOf(row[query])];
  }).filter(([, , told]) => told).slice(0, MOST_LANES);
  if (rows.length === 0) return;
  box.hidden = false;
  box.append(h('ul', { class: 'legend' }, Object.entries(COLOURS).map(([name, colour]) => h('li', {}, s('svg', { width: 14, height: 12, 'aria-hidden': 'true' }, s('rect', { class: `area ${colour}`, width: 14, height: 12 })), name))));
  lanes(box, `Bursts over time${sheet.rows.length > rows.length ? `, the ${rows.length} largest of ${count(sheet.rows.length)}` : ''}`, rows);
};

// A query's page takes the place of everything else, which stays as it was.
const tables = h('div', { id: 'tables' });
const main = document.getElementById('main');
tables.append(...main.children);
main.append(h('section', { id: 'query-page', 'aria-labelledby': 'query-title', hidden: true }), tables);
overTime();
burstLanes();
const graphs = sheets.has('lock-edges') ? [blocking(document.getElementById('blocking'), sheets.get('lock-edges').rows)] : [];
for (const section of tables.querySelectorAll('section[data-sheet]')) {
  const sheet = sheets.get(section.dataset.sheet);
  live(sheet, section.querySelector('table'), section.querySelector('h2').firstChild.textContent.trim().toLowerCase());
}
let resized = 0;
addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(() => { redraw(); graphs.forEach(draw => draw()); }, 80); });
addEventListener('hashchange', route);
addEventListener('keydown', event => { if (event.key === 'Escape' && event.target === document.body && full && zoomed()) reset(); });
route();
if (!tables.hidden) toAnchor();
