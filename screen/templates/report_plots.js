"use strict";

// Plots take text and grid from the page's theme; on paper they are light.
const root = document.documentElement;
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8f7ee7", "#a6761d"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "x"];
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };

function themeColours() {
  const style = getComputedStyle(document.body);
  const [page, text, soft, grid, line] = ["--page", "--text", "--soft", "--grid", "--line"].map((name) =>
    style.getPropertyValue(name).trim()
  );
  return { page, text, soft, grid, line, family: style.fontFamily };
}

function themed(layout) {
  const { text, soft, grid, line, page, family } = themeColours();
  const axis = { gridcolor: grid, zerolinecolor: line, linecolor: line, automargin: true };
  return {
    ...layout,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: text, size: 13, family },
    margin: { t: 15, r: 15, b: 50, l: 60, ...layout.margin },
    xaxis: { ...layout.xaxis, ...axis, dividercolor: line },
    yaxis: { ...layout.yaxis, ...axis },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: line, activecolor: soft },
    hoverlabel: { font: { family } },
    autosize: true,
  };
}

// What fits on A4 inside the margins of the style sheet, in CSS pixels: one plot, or two in a row.
const PAPER_WIDTH = 690;
const PAPER_HALF_WIDTH = 335;

const plots = new Map();
const drawing = new WeakMap();

// Draw or redraw what `figure()` gives at a place, now and whenever the theme changes.
function plot(place, figure) {
  plots.set(place, figure);
  return redraw(place, false);
}

function redraw(place, onPaper) {
  const element = typeof place === "string" ? document.getElementById(place) : place;
  const figure = plots.get(place)();
  if (figure.layout.height) element.style.height = `${figure.layout.height}px`;
  const width = onPaper ? (element.closest(".half") ? PAPER_HALF_WIDTH : PAPER_WIDTH) : undefined;
  const config = { ...CONFIG, displayModeBar: element.classList.contains("curve") ? false : "hover" };
  const layout = { ...themed(figure.layout), ...(width ? { width } : {}) };
  // One after the other: Plotly cannot begin a drawing, or be rid of one, in the middle of another.
  const before = drawing.get(element) ?? Promise.resolve();
  const done = before.then(() => element.isConnected && Plotly.react(element, figure.data, layout, config));
  drawing.set(element, done);
  return done;
}

// Be rid of a plot that leaves the page.
function forget(element) {
  if (!element) return;
  plots.delete(element);
  (drawing.get(element) ?? Promise.resolve()).then(() => Plotly.purge(element));
}

function redrawAll({ onPaper = false } = {}) {
  return Promise.all([...plots.keys()].map((place) => redraw(place, onPaper)));
}

// Curves of candidates in one plot, one line for each.
function curvesFigure(named) {
  const [{ curve: first }] = named;
  return {
    data: named.map(({ name, curve, place = 0 }) => ({
      type: "scatter",
      mode: "lines+markers",
      name,
      x: curve.x,
      y: curve.y,
      error_y: curve.errors?.length ? { type: "data", array: curve.errors, thickness: 1, width: 2 } : undefined,
      text: curve.labels.length ? curve.labels : undefined,
      line: { color: COLOURS[place % COLOURS.length], ...(curve.step ? { shape: "hv" } : { shape: "spline", smoothing: 0.6 }) },
      marker: { size: 6, symbol: SYMBOLS[place % SYMBOLS.length] },
      hovertemplate: `${name}<br>%{x:.3g}, %{y:.3f} %{text}<extra></extra>`,
    })),
    layout: {
      xaxis: { title: { text: first.x_label } },
      yaxis: { title: { text: first.y_label } },
      showlegend: named.length > 1,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
      margin: { t: named.length > 1 ? 40 : 10, r: 10, b: 45, l: 55 },
    },
  };
}

// The same as a small drawing, for what appears under the pointer.
function sparkline(curve) {
  const [width, height, edge] = [210, 84, 6];
  const [low, high] = [Math.min(...curve.y), Math.max(...curve.y)];
  const [first, last] = [Math.min(...curve.x), Math.max(...curve.x)];
  const x = (value) => edge + ((value - first) / (last - first || 1)) * (width - 2 * edge);
  const y = (value) => height - edge - ((value - low) / (high - low || 1)) * (height - 2 * edge);
  const points = curve.x.map((value, i) => [x(value), y(curve.y[i])]);
  const path = points
    .map(([px, py], i) => (i === 0 ? `M${px},${py}` : curve.step ? `H${px}V${py}` : `L${px},${py}`))
    .join("");
  const dots = points.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="2.5"/>`).join("");
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true"><path d="${path}" fill="none" stroke="${COLOURS[0]}" stroke-width="2"/><g fill="${COLOURS[0]}">${dots}</g></svg>`;
}
