
// Charts over time. All share the range and the pointer's place.
const LEFT = 54, RIGHT = 8, HEIGHT = 96, AXIS = 18;
const cursors = new Set();
const point = at => { for (const cursor of cursors) cursor(at); };

// A series in columns as wide as a step, or as a pixel if steps are finer.
const columns = (trend, measure, from, until, width, least = 0) => {
  const size = trend.step * Math.max(1, Math.ceil(Math.max((until - from) / width, least) / trend.step));
  const first = Math.floor(from / size), many = Math.ceil(until / size) - first;
  const list = new Float64Array(Math.max(many, 0));
  if (measure === 'level') {
    let i = lower(trend.at, first * size), level = i > 0 ? trend.calls[i - 1] : 0;
    for (let column = 0; column < many; column++) {
      let most = level;
      for (; i < trend.at.length && trend.at[i] < (first + column + 1) * size; i++) { level = trend.calls[i]; most = Math.max(most, level); }
      list[column] = most;
    }
    return { size, first, list };
  }
  for (let i = lower(trend.at, first * size); i < trend.at.length && trend.at[i] < until; i++) {
    const column = Math.floor(trend.at[i] / size) - first;
    const value = measure === 'active' ? trend.ms[i] / 1000 : trend.calls[i];
    list[column] += measure === 'count' ? value : value / size;
  }
  if (measure === 'mean') {
    const calls = new Float64Array(list.length), ms = new Float64Array(list.length);
    for (let i = lower(trend.at, first * size); i < trend.at.length && trend.at[i] < until; i++) {
      const column = Math.floor(trend.at[i] / size) - first;
      calls[column] += trend.calls[i]; ms[column] += trend.ms[i];
    }
    list.forEach((_, column) => { list[column] = calls[column] > 0 ? ms[column] / calls[column] : 0; });
  }
  return { size, first, list };
};
// The end of an axis, whose half is a round number too; of what is counted a whole one.
const nice = (most, measure) => {
  const whole = measure === 'level' || measure === 'count';
  if (!(most > 0)) return whole ? 2 : 1;
  const power = 10 ** Math.floor(Math.log10(most));
  const top = [1, 2, 4, 5, 10].find(step => step * power >= most) * power;
  return whole ? Math.max(2, top + top % 2) : top;
};

// Whatever has a time axis: zooms by dragging, wheel and keys, and shows where the pointer is.
const timed = (box, name, draw) => {
  const picture = s('svg', { role: 'img', 'aria-label': name });
  const readout = h('span', { class: 'readout' });
  const figure = h('figure', { class: 'chart' }, h('figcaption', {}, h('b', {}, name), ' ', readout),
    h('div', { class: 'picture', tabindex: '0', role: 'group', 'aria-label': `${name}: plus and minus zoom, arrows move, Escape shows all` }, picture));
  box.append(figure);
  const held = figure.querySelector('.picture');
  let width = 0, drawn = null, drag = null;
  const x = at => LEFT + (at - range.from) / (range.until - range.from) * (width - LEFT - RIGHT);
  const at = pixel => range.from + (Math.min(Math.max(pixel, LEFT), width - RIGHT) - LEFT) / (width - LEFT - RIGHT) * (range.until - range.from);
  const cross = s('line', { class: 'cross', visibility: 'hidden' }), chosen = s('rect', { class: 'chosen', visibility: 'hidden' });
  const paint = () => {
    width = held.clientWidth || 800;
    const height = drawn = draw(picture, width, x, readout);
    picture.setAttribute('viewBox', `0 0 ${width} ${height.height}`);
    picture.setAttribute('height', height.height);
    const { step, list } = ticks(range.from, range.until, Math.max(2, Math.floor((width - LEFT) / 90)));
    for (const tick of list) {
      picture.prepend(s('line', { class: 'grid', x1: x(tick), x2: x(tick), y1: 0, y2: height.height - AXIS }));
      picture.append(s('text', { class: 'tick', x: Math.min(x(tick), width - (step < 60 ? 28 : 18)), y: height.height - 4, 'text-anchor': 'middle' }, label(tick, step)));
    }
    cross.setAttribute('y2', height.height - AXIS); chosen.setAttribute('height', height.height - AXIS);
    picture.append(chosen, cross);
  };
  const cursor = moment => {
    const shown = moment !== null && moment >= range.from && moment <= range.until;
    cross.setAttribute('visibility', shown ? 'visible' : 'hidden');
    if (shown) { cross.setAttribute('x1', x(moment)); cross.setAttribute('x2', x(moment)); }
    drawn?.tell(shown ? moment : null);
  };
  const place = event => at(event.clientX - picture.getBoundingClientRect().left);
  held.addEventListener('pointermove', event => {
    const moment = place(event);
    point(moment);
    if (!drag) return;
    const [from, until] = [Math.min(drag.at, moment), Math.max(drag.at, moment)];
    chosen.setAttribute('visibility', 'visible'); chosen.setAttribute('x', x(from)); chosen.setAttribute('width', x(until) - x(from));
  });
  held.addEventListener('pointerdown', event => {
    if (event.button !== 0 || event.target.closest('a')) return;
    drag = { at: place(event), x: event.clientX };
    try { held.setPointerCapture(event.pointerId); } catch { /* A pointer that is gone already can't be captured. */ }
  });
  held.addEventListener('pointerup', event => {
    chosen.setAttribute('visibility', 'hidden');
    const started = drag, moment = place(event);
    drag = null;
    if (started && Math.abs(event.clientX - started.x) > 4) zoom(Math.min(started.at, moment), Math.max(started.at, moment));
  });
  held.addEventListener('pointercancel', () => { drag = null; chosen.setAttribute('visibility', 'hidden'); });
  held.addEventListener('pointerleave', () => point(null));
  held.addEventListener('dblclick', reset);
  // A page that scrolls mustn't be caught by its charts: the wheel zooms in a chart that was clicked, or with Ctrl.
  held.addEventListener('wheel', event => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== held) return;
    event.preventDefault();
    event.shiftKey ? pan(Math.sign(event.deltaY || event.deltaX) * 0.1) : scale(event.deltaY > 0 ? 1.25 : 0.8, place(event));
  }, { passive: false });
  held.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const does = { '+': () => scale(0.5), '=': () => scale(0.5), '-': () => scale(2), ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2),
      Home: () => pan(-1e9), End: () => pan(1e9), Escape: reset, 0: reset }[event.key];
    if (does) { event.preventDefault(); does(); }
  });
  watchers.add(paint); cursors.add(cursor);
  paint();
  return () => { watchers.delete(paint); cursors.delete(cursor); figure.remove(); };
};

const units = { rate: value => `${short(value)}/s`, active: short, level: count, count, mean: duration };
// Series on one another, the first at the bottom; lines for levels.
const chart = (box, name, measure, series) => {
  const shown = series.map(([title, colour, told]) => ({ title, colour, trend: trendOf(told) }));
  return timed(box, name, (picture, width, x, readout) => {
    const inner = width - LEFT - RIGHT, bottom = HEIGHT + 6;
    const widest = Math.max(...shown.map(one => one.trend.step));
    const drawn = shown.map(one => columns(one.trend, measure, range.from, range.until, inner / 2, widest));
    const size = Math.max(...drawn.map(one => one.size));
    const base = new Map();
    let most = 0;
    const paths = drawn.map((one, number) => {
      const tops = [];
      one.list.forEach((value, i) => {
        const from = (one.first + i) * one.size, below = base.get(from) ?? 0;
        base.set(from, below + value);
        most = Math.max(most, below + value);
        tops.push([from, below, below + value]);
      });
      return { tops, number, size: one.size };
    });
    const top = nice(most, measure), y = value => bottom - value / top * HEIGHT;
    picture.replaceChildren();
    for (const value of [0, top / 2, top]) picture.append(s('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      s('text', { class: 'tick', x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, measure === 'mean' && value > 0 ? duration(value) : short(value)));
    for (const { tops, number, size } of paths) {
      const path = tops.filter(([, below, above]) => above > below).map(([from, below, above]) => {
        const left = Math.max(x(from), LEFT), right = Math.min(x(from + size), width - RIGHT);
        return right > left ? `M${left.toFixed(1)} ${y(below).toFixed(1)}V${y(above).toFixed(1)}H${right.toFixed(1)}V${y(below).toFixed(1)}Z` : '';
      }).join('');
      picture.append(s('path', { class: `area ${shown[number].colour}`, d: path }));
    }
    const highest = `at most ${units[measure](most)}`;
    picture.setAttribute('aria-label', `${name}, ${highest}, ${span(range.from, range.until)}`);
    const tell = moment => {
      if (moment === null) { readout.textContent = highest; return; }
      const told = drawn.map((one, number) => {
        const value = one.list[Math.floor(moment / one.size) - one.first] ?? 0;
        return shown.length > 1 ? `${shown[number].title} ${units[measure](value)}` : units[measure](value);
      });
      readout.textContent = `${stepOf(moment, size)}  ${told.join(', ')}`;
    };
    tell(null);
    return { height: bottom + AXIS, tell };
  });
};
const stepOf = (at, size) => moment(Math.floor(at / size) * size);
