
// The range of time that all charts show, and how it is told. Seconds since 1970, UTC.
const seconds = moment => Date.parse(moment) / 1000;
const full = (() => {
  let from = seconds(data.range[0]), until = seconds(data.range[1]);
  if (!(from <= until)) return null;
  // Steps stick out of the log's time by less than their width.
  const drawn = [...data.charts.charts.flatMap(([, , , series]) => series), ...data.charts.lanes];
  for (const [, , told] of drawn) {
    const trend = trendOf(told);
    if (!trend) continue;
    from = Math.min(from, trend.at[0]);
    until = Math.max(until, trend.at.at(-1) + trend.step);
  }
  return { from, until: Math.max(until, from + 1) };
})();
const range = { ...full };
const watchers = new Set();
let pending = 0;
const zoomed = () => full !== null && (range.from > full.from || range.until < full.until);
const redraw = () => { pending = 0; for (const watcher of watchers) watcher(); };
const zoom = (from, until) => {
  const least = Math.min(1, full.until - full.from);
  const width = Math.min(Math.max(until - from, least), full.until - full.from);
  if (until - from < least) from = (from + until - least) / 2;
  range.from = Math.min(Math.max(from, full.from), full.until - width);
  range.until = range.from + width;
  pending ||= setTimeout(redraw, 12);
};
const reset = () => zoom(full.from, full.until);
const scale = (factor, around = (range.from + range.until) / 2) =>
  zoom(around - (around - range.from) * factor, around + (range.until - around) * factor);
const pan = part => { const by = (range.until - range.from) * part; zoom(range.from + by, range.until + by); };

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];
const ticks = (from, until, most) => {
  const step = STEPS.find(step => (until - from) / step <= most) ?? Math.ceil((until - from) / most);
  const list = [];
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) list.push(at);
  return { step, list };
};
const iso = at => new Date(at * 1000).toISOString();
const day = at => iso(at).slice(5, 10);
// A tick: the day at midnight, and where steps are days.
const label = (at, step) => step >= 86400 || at % 86400 === 0 ? day(at) : iso(at).slice(11, step < 60 ? 19 : 16);
const moment = at => `${iso(at).slice(0, 10)} ${iso(at).slice(11, 19)}`;
const span = (from, until) => iso(from).slice(0, 10) === iso(until).slice(0, 10) ? `${moment(from)} to ${iso(until).slice(11, 19)}` : `${moment(from)} to ${moment(until)}`;
