// Sliders move thresholds, markers follow on every chart, and charts tell of the point that is nearest to the pointer.
const data = JSON.parse(document.getElementById('data').textContent);
const panels = [...document.querySelectorAll('.panel svg')].filter(svg => svg.querySelector('.near'));

const figure = value => {
  if (!Number.isFinite(value)) return 'none';
  if (Math.abs(value) >= 999.5) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
};
const share = (part, whole) => (whole > 0 ? part / whole : 0);

const counts = (detector, index) => {
  const [threshold, tp, fp] = detector.points[index];
  const fn = Math.max(data.positives - tp, 0), tn = Math.max(data.negatives - fp, 0);
  return { threshold, tp, fp, fn, tn };
};

const figures = (detector, index) => {
  const of = counts(detector, index);
  const { threshold, tp, fp, fn, tn } = of;
  return {
    threshold: threshold === null ? 'above every score' : String(threshold),
    precision: figure(share(tp, tp + fp)),
    recall: figure(share(tp, tp + fn)),
    rate: figure(share(fp, fp + tn)),
    f: figure(share(2 * tp, 2 * tp + fp + fn)),
    elsewhere: data.elsewhere === null ? '' : figure(share(tp, tp + data.elsewhere * fp)),
    tp: figure(tp), fp: figure(fp), fn: figure(fn), tn: figure(tn),
  };
};

const put = (circle, place) => {
  if (!place) { circle.setAttribute('visibility', 'hidden'); return; }
  circle.setAttribute('cx', place[0]);
  circle.setAttribute('cy', place[1]);
  circle.setAttribute('visibility', 'visible');
};

const move = number => {
  const slider = document.querySelector(`.slider[data-detector="${number}"]`);
  const input = slider.querySelector('input'), detector = data.detectors[number], index = Number(input.value);
  const told = figures(detector, index);
  for (const output of slider.querySelectorAll('[data-figure]')) output.textContent = told[output.dataset.figure];
  input.setAttribute('aria-valuetext', `threshold ${told.threshold}, precision ${told.precision}, recall ${told.recall}`);
  for (const svg of panels) {
    put(svg.querySelector(`.marker[data-detector="${number}"]`), detector.places[svg.dataset.kind][index]);
  }
};

const nearest = (svg, event) => {
  const matrix = svg.getScreenCTM();
  if (!matrix) return null;
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  let best = null;
  data.detectors.forEach((detector, number) => {
    detector.places[svg.dataset.kind].forEach((place, index) => {
      if (!place) return;
      const far = (place[0] - at.x) ** 2 + (place[1] - at.y) ** 2;
      if (!best || far < best.far) best = { far, number, index, place };
    });
  });
  return best && best.far < 60 ** 2 ? best : null;
};

for (const svg of panels) {
  const near = svg.querySelector('.near'), readout = svg.closest('.panel').querySelector('.readout');
  const leave = () => { put(near, null); readout.textContent = '\u00a0'; };
  svg.addEventListener('pointermove', event => {
    const found = nearest(svg, event);
    if (!found) { leave(); return; }
    const detector = data.detectors[found.number], told = figures(detector, found.index);
    put(near, found.place);
    readout.textContent = `${detector.name}: threshold ${told.threshold}, precision ${told.precision}, recall ${told.recall}; `
      + `${told.tp} right, ${told.fp} false, ${told.fn} missed, ${told.tn} rightly silent`;
  });
  svg.addEventListener('pointerleave', leave);
  svg.addEventListener('click', event => {
    const found = nearest(svg, event);
    if (!found) return;
    document.querySelector(`#slider-${found.number}`).value = found.index;
    move(found.number);
  });
}

data.detectors.forEach((_, number) => {
  document.querySelector(`#slider-${number}`).addEventListener('input', () => move(number));
  move(number);
});
