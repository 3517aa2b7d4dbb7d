// Moves between the nodes of a plan by the arrow keys; Enter folds, as browsers have it.
addEventListener('keydown', event => {
  const here = document.activeElement;
  const plan = here.closest('ul.plan');
  if (!plan || here.localName !== 'summary' || event.ctrlKey || event.altKey || event.metaKey) return;
  const rows = [...plan.querySelectorAll('summary')].filter(row => row.checkVisibility());
  const at = rows.indexOf(here), node = here.parentElement;
  const go = row => row && (row.focus(), row.scrollIntoView({ block: 'nearest' }));
  switch (event.key) {
    case 'ArrowDown': go(rows[at + 1]); break;
    case 'ArrowUp': go(rows[at - 1]); break;
    case 'Home': go(rows[0]); break;
    case 'End': go(rows.at(-1)); break;
    case 'ArrowRight': node.open ? go(node.querySelector('ul summary')) : (node.open = true); break;
    case 'ArrowLeft': node.open ? (node.open = false) : go(node.parentElement.closest('details')?.querySelector('summary')); break;
    default: return;
  }
  event.preventDefault();
});
