// The page's data, numbers as a person reads them, and elements. Text goes into text nodes alone.
const data = JSON.parse(document.getElementById('data').textContent);
const texts = data.texts;

const digits = value => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
const count = value => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ',');
const two = number => String(number).padStart(2, '0');
const duration = ms => {
  if (ms < 999.5) return `${digits(ms)} ms`;
  if (ms < 99950) return `${digits(ms / 1000)} s`;
  if (ms < 3599500) { const s = Math.round(ms / 1000); return `${Math.floor(s / 60)} min ${two(s % 60)} s`; }
  const minutes = Math.round(ms / 60000);
  return `${count(Math.floor(minutes / 60))} h ${two(minutes % 60)} min`;
};
const bytes = value => {
  if (value < 1024) return `${value} B`;
  let unit = 0;
  for (value /= 1024; value >= 999.5 && unit < 4; unit++) value /= 1024;
  return `${digits(value)} ${['kB', 'MB', 'GB', 'TB', 'PB'][unit]}`;
};
const short = value => value === 0 ? '0' : value >= 1e6 ? `${digits(value / 1e6)} M` : value >= 9999.5 ? count(value)
  : Number.isInteger(value) ? String(value) : value < 0.01 ? value.toPrecision(1) : digits(value);
const figures = {
  n: count, ms: duration, bytes, share: value => `${(value * 100).toFixed(1)} %`, decimal: value => value.toFixed(1),
  chance: value => value > 0.9999 ? '> 99.99 %' : `${(value * 100).toFixed(2)} %`,
};

const made = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return node;
};
const h = (name, attributes, ...children) => made(document.createElement(name), attributes, children);
const s = (name, attributes, ...children) => made(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);

// A trend as it was written by Rust: starts of steps in seconds, calls, milliseconds.
const values = Object.fromEntries([...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map((letter, at) => [letter.charCodeAt(0), at]));
const decoded = new WeakMap();
const trendOf = told => {
  if (!told) return null;
  let trend = decoded.get(told);
  if (trend) return trend;
  const [step, first, unit, text] = told;
  const at = [], calls = [], ms = [];
  let place = 0, number = first;
  const next = () => {
    for (let value = 0, shift = 1; ; shift *= 32) {
      const letter = values[text.charCodeAt(place++)];
      value += (letter & 31) * shift;
      if (letter < 32) return value;
    }
  };
  while (place < text.length) {
    number += next();
    at.push(number * step); calls.push(next()); ms.push(next() * unit);
  }
  trend = { step, at, calls, ms };
  decoded.set(told, trend);
  return trend;
};
// The first place whose value isn't below.
const lower = (sorted, value) => {
  let from = 0, until = sorted.length;
  while (from < until) { const middle = (from + until) >> 1; sorted[middle] < value ? from = middle + 1 : until = middle; }
  return from;
};
// Calls and milliseconds between two moments; of a step that sticks out its part within.
const within = (trend, from, until) => {
  let calls = 0, ms = 0;
  if (trend) for (let i = lower(trend.at, from - trend.step + 1e-9); i < trend.at.length && trend.at[i] < until; i++) {
    const part = (Math.min(until, trend.at[i] + trend.step) - Math.max(from, trend.at[i])) / trend.step;
    calls += trend.calls[i] * part; ms += trend.ms[i] * part;
  }
  return { calls, ms };
};
