
// Tables that sort and filter. Rows are made when they are shown, a few at a time.
const FEW = 25, MORE = 200;
const NUMBERS = new Set(['n', 'ms', 'share', 'bytes', 'decimal', 'chance']);
const sheets = new Map(data.sheets.map(sheet => [sheet.id, sheet]));
// What a narrow screen can do without.
const MINOR = new Set(['p50', 'p99', 'share', 'traced', 'between']);
const queryColumn = sheets.get('queries')?.columns.findIndex(([, kind]) => kind === 'query') ?? -1;
// Queries by the number of their text, and by fingerprint.
const byText = new Map((sheets.get('queries')?.rows ?? []).map((row, number) => [row[queryColumn], number]));
const byFingerprint = new Map(data.queries.map((query, number) => [query[0], number]));
const addressOf = text => byText.has(text) ? `#query=${data.queries[byText.get(text)][0]}` : null;

const untold = () => h('span', { class: 'untold' }, '(not told)');
const queryText = text => {
  const address = addressOf(text);
  return address ? h('a', { href: address, class: 'to-query' }, h('code', {}, texts[text])) : h('code', {}, texts[text]);
};
const numberClass = title => MINOR.has(title) ? 'number minor' : 'number';
const cell = ({ kind, title }, value) => {
  if (NUMBERS.has(kind)) return h('td', { class: numberClass(title) }, value === null ? '' : figures[kind](value));
  if (value === null) return h('td', {}, untold());
  if (kind === 'parts') return h('td', {}, h('div', { class: 'parts' }, value.map(text => byText.has(text) ? queryText(text) : texts[text])));
  const short = kind === 'name' && texts[value].length <= 20 ? 'name short' : kind;
  return h('td', { class: kind === 'query' ? 'form' : short }, kind === 'query' ? queryText(value) : texts[value]);
};
// What a row is looked for by, in small letters.
const sought = (columns, row) => columns.map(([, kind], at) => {
  const value = row[at];
  return NUMBERS.has(kind) || value === null ? '' : Array.isArray(value) ? value.map(text => texts[text]).join(' ') : texts[value];
}).join('\n').toLowerCase();

// A trend in a cell: the range in a few bars.
const sparkline = told => {
  const picture = s('svg', { class: 'sparkline', viewBox: '0 0 90 20', 'aria-hidden': 'true' });
  const trend = trendOf(told);
  if (!trend) return picture;
  const { size, first, list } = columns(trend, 'count', range.from, range.until, 45);
  const most = Math.max(...list), x = at => Math.min(Math.max((at - range.from) / (range.until - range.from) * 90, 0), 90);
  let path = '';
  list.forEach((sum, i) => {
    const begins = x((first + i) * size), ends = x((first + i + 1) * size);
    if (sum > 0) path += `M${begins.toFixed(1)} 20V${(20 - Math.max(1, sum / most * 19)).toFixed(1)}H${Math.max(ends - 0.4, begins + 0.8).toFixed(1)}V20Z`;
  });
  picture.append(s('path', { class: 'area plain', d: path }));
  return picture;
};

// Makes a table live. `only` keeps the rows that are meant, by their number; null keeps all.
const live = (sheet, table, name, only = null) => {
  const rows = sheet.rows.map((row, number) => number).filter(number => !only || only(number));
  const trends = full !== null && sheet.trends.length > 0;
  // Columns as shown: those of the sheet that have room, calls and time in the range where it is zoomed, the trend.
  const shown = sheet.columns.map(([title, kind], at) => ({ title, kind, at })).filter(column => column.kind !== 'names');
  const numbers = shown.filter(column => NUMBERS.has(column.kind)), words = shown.filter(column => !NUMBERS.has(column.kind));
  const inRange = trends ? [{ title: 'in range', kind: 'n', range: 'calls' }, { title: 'time in range', kind: 'ms', range: 'ms' }] : [];
  const facets = sheet.columns.map(([title, kind], at) => ({ title, kind, at, chosen: '' })).filter(column => column.kind === 'name' || column.kind === 'names');
  const state = { sort: null, down: true, words: [], most: FEW };
  let sums = null, timer = 0;
  const texted = [];
  const head = h('tr'), body = h('tbody');
  const tools = h('div', { class: 'tools' }), below = h('div', { class: 'below' });
  const status = h('span', { class: 'status', role: 'status' });
  const columnsNow = () => [...(trends && zoomed() ? inRange : []), ...numbers, ...(trends ? [{ title: 'trend', kind: 'trend' }] : []), ...words];
  const key = (column, number) => {
    if (column.range) return sums[column.range][number];
    const value = sheet.rows[number][column.at];
    if (value === null) return NUMBERS.has(column.kind) ? -Infinity : '';
    if (NUMBERS.has(column.kind)) return value;
    return (Array.isArray(value) ? value.map(text => texts[text]).join(' ') : texts[value]).toLowerCase();
  };
  const add = () => {
    sums = null;
    if (!trends || !zoomed()) return;
    sums = { calls: new Float64Array(sheet.rows.length), ms: new Float64Array(sheet.rows.length) };
    for (const number of rows) {
      const { calls, ms } = within(trendOf(sheet.trends[number]), range.from, range.until);
      sums.calls[number] = Math.round(calls); sums.ms[number] = ms;
    }
  };
  const kept = () => rows.filter(number => {
    const row = sheet.rows[number];
    for (const facet of facets) {
      if (facet.chosen === '') continue;
      const value = row[facet.at], chosen = Number(facet.chosen);
      if (Array.isArray(value) ? !value.includes(chosen) : value !== chosen) return false;
    }
    if (sums && !(sums.calls[number] > 0)) return false;
    const text = state.words.length > 0 ? texted[number] ??= sought(sheet.columns, row) : '';
    return state.words.every(word => text.includes(word));
  });
  const sorted = list => {
    const column = state.sort ?? (sums ? inRange[inRange.length - (sheet.id === 'queries' ? 1 : 2)] : null);
    if (!column || (column.range && !sums)) return list;
    const keys = new Map(list.map(number => [number, key(column, number)])), sign = state.down ? -1 : 1;
    return list.sort((a, b) => { const [x, y] = [keys.get(a), keys.get(b)]; return x < y ? -sign : x > y ? sign : a - b; });
  };
  const heads = () => {
    const focused = head.contains(document.activeElement) ? document.activeElement.textContent : null;
    head.replaceChildren(...columnsNow().map(column => {
      if (column.kind === 'trend') return h('th', { scope: 'col' }, 'trend');
      const same = state.sort && state.sort.title === column.title;
      return h('th', { scope: 'col', class: NUMBERS.has(column.kind) && numberClass(column.title), 'aria-sort': same ? (state.down ? 'descending' : 'ascending') : 'none' },
        h('button', { type: 'button', onclick: () => {
          state.down = same ? !state.down : NUMBERS.has(column.kind);
          state.sort = column;
          show();
        } }, column.title));
    }));
    if (focused !== null) [...head.querySelectorAll('button')].find(button => button.textContent === focused)?.focus();
  };
  const show = () => {
    const list = sorted(kept()), columns = columnsNow();
    heads();
    body.replaceChildren(...list.slice(0, state.most).map(number => h('tr', {}, columns.map(column =>
      column.kind === 'trend' ? h('td', {}, sparkline(sheet.trends[number])) : cell(column, column.range ? sums[column.range][number] : sheet.rows[number][column.at])))));
    const all = list.length === rows.length;
    status.textContent = all ? '' : `${count(list.length)} of ${count(rows.length)}${sums ? ' in the range' : ''}`;
    const rest = list.length - Math.min(state.most, list.length);
    below.replaceChildren(...rest > 0 ? [
      h('button', { type: 'button', class: 'more-rows', onclick: () => { state.most += MORE; show(); } }, `Show ${count(Math.min(MORE, rest))} more`),
      h('span', {}, `${count(rest)} more`)] : []);
  };
  const filter = text => { state.words = text.toLowerCase().split(/\s+/).filter(word => word); state.most = FEW; show(); };
  if (rows.length > 5) tools.append(h('label', {}, h('span', { class: 'unseen' }, `Filter ${name}`), h('input', { type: 'search', placeholder: 'Filter…', autocomplete: 'off',
    spellcheck: 'false', oninput: event => { clearTimeout(timer); timer = setTimeout(filter, 60, event.target.value); },
    onchange: event => { clearTimeout(timer); filter(event.target.value); } })));
  for (const facet of facets) {
    const found = new Set(rows.flatMap(number => sheet.rows[number][facet.at] ?? []));
    if (rows.length <= 5 || found.size < 2 || found.size > 300) continue;
    const options = [...found].sort((a, b) => texts[a] < texts[b] ? -1 : 1).map(text => h('option', { value: text }, clipped(texts[text], 60)));
    tools.append(h('select', { 'aria-label': `${facet.title} of ${name}`, onchange: event => { facet.chosen = event.target.value; state.most = FEW; show(); } },
      h('option', { value: '' }, `any ${facet.title}`), options));
  }
  tools.append(status);
  table.replaceChildren(h('thead', {}, head), body);
  table.closest('.scroll').before(tools);
  table.closest('.scroll').after(below);
  const again = () => { add(); show(); };
  if (trends) watchers.add(again);
  again();
  return () => watchers.delete(again);
};
