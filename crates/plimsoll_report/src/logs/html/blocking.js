
// Who blocked whom: queries that held locks on the left, those that waited on the right, lines as wide as the time waited.
const MOST_NODES = 14, NODE = 34;

const blocking = (box, rows) => {
  const sheet = sheets.get('lock-edges');
  const at = title => sheet.columns.findIndex(([name]) => name === title);
  const [waits, waited, state, holder, waiting] = ['waits', 'waited', 'holder was', 'holder', 'waiting'].map(at);
  const edges = new Map();
  for (const row of rows) {
    const key = `${row[holder]} ${row[waiting]} ${row[state]}`;
    const edge = edges.get(key) ?? { holder: row[holder], waiting: row[waiting], state: texts[row[state]], waits: 0, waited: 0 };
    edge.waits += row[waits]; edge.waited += row[waited];
    edges.set(key, edge);
  }
  const list = [...edges.values()].sort((a, b) => b.waited - a.waited || b.waits - a.waits);
  const sums = side => {
    const of = new Map();
    for (const edge of list) of.set(edge[side], (of.get(edge[side]) ?? 0) + edge.waited);
    return [...of].sort((a, b) => b[1] - a[1]).slice(0, MOST_NODES).map(([text]) => text);
  };
  const left = sums('holder'), right = sums('waiting');
  const drawn = list.filter(edge => left.includes(edge.holder) && right.includes(edge.waiting));
  const height = Math.max(left.length, right.length) * NODE + 26, most = Math.max(...drawn.map(edge => edge.waited), 1);
  const draw = () => {
    const width = box.clientWidth || 900, side = Math.min(width * 0.36, 460);
    const y = number => 26 + number * NODE + NODE / 2 - 3;
    const picture = s('svg', { class: 'blocking', role: 'group', viewBox: `0 0 ${width} ${height}`, height,
      'aria-label': `Who blocked whom: ${left.length} queries that held locks, ${right.length} that waited` },
      s('text', { class: 'tick', x: 0, y: 12 }, 'held the lock'), s('text', { class: 'tick', x: width - side, y: 12 }, 'waited'));
    for (const edge of drawn) {
      const from = y(left.indexOf(edge.holder)), to = y(right.indexOf(edge.waiting)), middle = width / 2;
      const told = `${count(edge.waits)} waits, ${duration(edge.waited)}; the holder was ${edge.state}`;
      picture.append(s('path', { class: `edge ${edge.state === 'running' ? 'running' : 'open'}`, d: `M${side + 4} ${from}C${middle} ${from} ${middle} ${to} ${width - side - 4} ${to}`,
        'stroke-width': (1.5 + edge.waited / most * 9).toFixed(1) }, s('title', {}, told)));
    }
    const node = (text, number, begin) => {
      const named = text === null ? '(not told)' : texts[text], address = text === null ? null : addressOf(text);
      const shape = [s('rect', { class: 'node', x: begin, y: y(number) - 12, width: side, height: 24, rx: 4 }),
        s('text', { class: 'node-text', x: begin + 8, y: y(number) + 4 }, clipped(named, Math.floor((side - 16) / 6.7))), s('title', {}, named)];
      picture.append(address ? s('a', { href: address, 'aria-label': named }, shape) : s('g', {}, shape));
    };
    left.forEach((text, number) => node(text, number, 0));
    right.forEach((text, number) => node(text, number, width - side));
    const rest = list.length - drawn.length;
    box.replaceChildren(h('p', { class: 'lead' }, 'Lines are as wide as the time waited: solid where the holder was running, dashed where its transaction was left open.',
      rest > 0 ? ` ${count(rest)} more pairs are in the table alone.` : ''), picture);
  };
  box.hidden = false;
  draw();
  return draw;
};
