
// A normal form laid out: clauses begin lines, conditions stand below them, subqueries are further in. Words stay as they are.
const CLAUSES = new Set(['select', 'from', 'where', 'group', 'having', 'order', 'limit', 'offset', 'fetch', 'union', 'intersect', 'except', 'values', 'returning', 'set', 'window',
  'insert', 'update', 'delete', 'merge', 'with', 'for', 'using']);
const JOINS = new Set(['join', 'left', 'right', 'full', 'inner', 'cross', 'natural']);
const KEYWORDS = new Set([...CLAUSES, ...JOINS, 'outer', 'on', 'and', 'or', 'not', 'as', 'in', 'is', 'null', 'by', 'into', 'distinct', 'case', 'when', 'then', 'else', 'end', 'exists',
  'between', 'like', 'ilike', 'asc', 'desc', 'all', 'any', 'conflict', 'do', 'nothing', 'create', 'alter', 'drop', 'table', 'index', 'begin', 'commit', 'rollback', 'lateral', 'over',
  'partition', 'cast', 'share', 'only', 'recursive', 'materialized', 'nulls', 'first', 'last', 'array']);
const TOKEN = /\s+|"(?:[^"]|"")*"?|'(?:[^']|'')*'?|\$\d+|[\p{L}_][\p{L}\p{N}_$]*|[(),;]|[^\s\p{L}\p{N}_"'$(),;]+|./gsu;

const laidOut = text => {
  const lines = [[]], depth = [0];
  let indent = 0, before = '', between = 0, condition = false;
  const open = () => { if (lines.at(-1).some(token => token.trim())) lines.push([]); condition = false; lines.at(-1).push('  '.repeat(Math.max(indent, 0))); };
  for (const token of text.match(TOKEN) ?? []) {
    const word = token.toLowerCase();
    if (/^\s+$/.test(token)) { if (lines.at(-1).some(one => one.trim())) lines.at(-1).push(' '); continue; }
    const level = depth.at(-1);
    if (token === '(') depth.push(null);
    // Only what holds a query of its own is laid out on lines of its own.
    else if (before === '(' && level === null && (word === 'select' || word === 'with' || word === 'values' && depth.length < 3)) {
      depth[depth.length - 1] = condition ? 2 : 1; indent += depth.at(-1); open();
    } else if (token === ')') {
      const by = depth.length > 1 ? depth.pop() : null;
      if (by !== null) { indent -= by; open(); if (by === 2) { condition = true; lines.at(-1).push('  '); } }
    } else if (level !== null) {
      if (word === 'between') between += 1;
      const joins = JOINS.has(word) && !JOINS.has(before) && before !== 'outer';
      const clause = CLAUSES.has(word) && !(word === 'from' && before === 'distinct') && !(word === 'from' && before === 'delete') && !(before === 'for' || before === 'do');
      if (before && (joins || clause)) open();
      else if ((word === 'and' || word === 'or') && !(word === 'and' && between > 0)) { open(); condition = true; lines.at(-1).push('  '); }
      else if (word === 'and') between -= 1;
    }
    lines.at(-1).push(token);
    before = word;
  }
  const shown = lines.flatMap((line, at) => [at > 0 ? '\n' : null, ...line.map(token => KEYWORDS.has(token.toLowerCase()) ? h('b', {}, token) : token)]);
  return h('pre', { class: 'sql', tabindex: '0' }, h('code', {}, shown));
};
