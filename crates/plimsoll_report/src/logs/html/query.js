
// A query's own page: its normal form, figures, trend, who runs it, and whatever the other tables tell of it.
let leave = [];
const part = (title, ...children) => h('section', {}, h('h3', {}, title), children);

// The rows of a table that are of this query, as a table of their own.
const related = (id, text) => {
  const sheet = sheets.get(id);
  if (!sheet) return null;
  const places = sheet.columns.map(([, kind], at) => [kind, at]).filter(([kind]) => kind === 'query' || kind === 'parts').map(([, at]) => at);
  const has = number => places.some(at => { const value = sheet.rows[number][at]; return Array.isArray(value) ? value.includes(text) : value === text; });
  if (!sheet.rows.some((_, number) => has(number))) return null;
  const title = document.getElementById(id).firstChild.textContent.trim();
  const table = h('table', { class: 'sheet', 'aria-label': `${title}, of this query` });
  const box = part(title, h('div', { class: 'scroll' }, table));
  return { box, start: () => live(sheet, table, `${title.toLowerCase()} of this query`, has), has, sheet };
};
const streamsSheet = streams => ({
  id: 'streams', trends: [], rows: streams,
  columns: [['calls', 'n'], ['total', 'ms'], ['application', 'name'], ['user', 'name'], ['database', 'name'], ['host', 'name'], ['route', 'name']],
});

const queryPage = number => {
  const sheet = sheets.get('queries'), row = sheet.rows[number], [fingerprint, timed, streams, plan] = data.queries[number];
  const text = row[queryColumn], page = document.getElementById('query-page');
  const tiles = sheet.columns.map(([title, kind], at) => [title, kind, row[at]]).filter(([, kind]) => NUMBERS.has(kind));
  const title = h('h2', { tabindex: '-1', id: 'query-title' }, 'Query ', h('code', {}, fingerprint));
  const drawn = h('div', { class: 'charts' });
  page.replaceChildren();
  made(page, {}, [h('p', {}, h('a', { href: '#queries', class: 'back' }, '← All queries')), title,
    text === null ? h('p', {}, untold()) : laidOut(texts[text]),
    h('dl', { class: 'tiles' }, tiles.map(([name, kind, value]) => h('div', { class: 'tile' }, h('dt', {}, name), h('dd', {}, figures[kind](value))))),
    timed < row[0] ? h('p', { class: 'lead' }, `The log tells the duration of ${count(timed)} of its calls.`) : null, drawn]);
  page.hidden = false;
  const told = sheet.trends[number];
  if (told && full) leave.push(chart(drawn, 'Calls per second', 'rate', [['calls', 'plain', told]]), chart(drawn, 'Mean duration', 'mean', [['mean', 'plain', told]]),
    chart(drawn, 'Active on average', 'active', [['active', 'plain', told]]));
  if (streams.length > 0) {
    const table = h('table', { class: 'sheet', 'aria-label': 'Who runs it' });
    page.append(part('Who runs it', h('div', { class: 'scroll' }, table)));
    leave.push(live(streamsSheet(streams), table, 'who runs it'));
  }
  for (const id of ['rhythms', 'bursts', 'failed', 'lock-waits', 'lock-edges', 'deadlocks', 'temporary-files']) {
    const found = text === null ? null : related(id, text);
    if (!found) continue;
    page.append(found.box);
    if (id === 'lock-edges') {
      const graph = h('div', {});
      found.box.querySelector('.scroll').before(graph);
      blocking(graph, found.sheet.rows.filter((_, row) => found.has(row)));
    }
    leave.push(found.start());
  }
  if (plan) page.append(part(`Slowest plan, ${duration(plan[0])}`, h('pre', { class: 'sql', tabindex: '0' }, h('code', {}, texts[plan[1]]))));
  page.append(h('p', { class: 'lead' }, 'Literals are redacted: only the normal form is kept.'));
  title.focus({ preventScroll: true });
  scrollTo({ top: 0, behavior: 'instant' });
};

// Which page the address names. The tables stay as they were, and where they were, for whoever comes back.
let scrolled = null;
const route = () => {
  const wanted = /^#query=([0-9a-f]{1,16})$/.exec(location.hash), number = wanted && byFingerprint.get(wanted[1]);
  const page = document.getElementById('query-page'), tables = document.getElementById('tables');
  leave.forEach(stop => stop());
  leave = [];
  if (typeof number === 'number') {
    if (!tables.hidden) scrolled = scrollY;
    document.body.classList.add('of-query');
    tables.hidden = true;
    queryPage(number);
    return;
  }
  document.body.classList.remove('of-query');
  page.hidden = true;
  page.replaceChildren();
  if (tables.hidden) {
    tables.hidden = false;
    redraw();
    if (scrolled !== null) scrollTo({ top: scrolled, behavior: 'instant' });
    else toAnchor();
  }
};
// Where the address leads, once everything has its height.
const toAnchor = () => { if (location.hash.length > 1) document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: 'instant' }); };
