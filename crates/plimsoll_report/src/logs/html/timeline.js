
// Rows of ticks over time: what the server did, and bursts, a row a stream.
const ROW = 30;
const clipped = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;

// A row's ticks as one path, as wide as their steps but never too thin to see; ticks that would hide one another are one.
const tickPath = (trend, x, top, right) => {
  let path = '', last = -1;
  for (let i = lower(trend.at, range.from - trend.step + 1e-9); i < trend.at.length && trend.at[i] < range.until; i++) {
    const begins = Math.max(x(trend.at[i]), LEFT), ends = Math.min(Math.max(x(trend.at[i] + trend.step), begins + 2), right);
    if (ends - last < 0.5) continue;
    path += `M${begins.toFixed(1)} ${top}h${Math.max(ends - begins, 1.5).toFixed(1)}v11H${begins.toFixed(1)}Z`;
    last = ends;
  }
  return path;
};
// Each row: name, colour, trend as told, address or null.
const lanes = (box, name, rows) => timed(box, name, (picture, width, x, readout) => {
  picture.replaceChildren();
  // An image's parts can't be reached; rows are links.
  picture.setAttribute('role', 'group');
  const shown = rows.map(([title, colour, told, address], number) => {
    const trend = trendOf(told), top = number * ROW + 16;
    const text = s('text', { class: 'lane', x: LEFT, y: top - 4 }, clipped(title, Math.floor((width - LEFT) / 6.6)), s('title', {}, title));
    picture.append(address ? s('a', { href: address, 'aria-label': title }, text) : text,
      s('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: top + 11, y2: top + 11 }),
      s('text', { class: 'tick', x: LEFT - 6, y: top + 9, 'text-anchor': 'end' }, short(Math.round(within(trend, range.from, range.until).calls))),
      s('path', { class: `area ${colour}`, d: tickPath(trend, x, top, width - RIGHT) }));
    return { title, trend };
  });
  picture.setAttribute('aria-label', `${name}: ${shown.length} rows, ${span(range.from, range.until)}`);
  const near = (range.until - range.from) / width * 2;
  const tell = at => {
    const here = at === null ? [] : shown.map(({ title, trend }) => [title, within(trend, at - near - trend.step / 2, at + near + trend.step / 2).calls])
      .filter(([, calls]) => calls >= 0.5).slice(0, 3);
    readout.textContent = at === null ? '' : `${moment(at)}  ${here.map(([title, calls]) => `${clipped(title, 40)} ${short(Math.round(calls))}`).join(', ')}`;
  };
  tell(null);
  return { height: shown.length * ROW + 6 + AXIS, tell };
});
