"use strict";

// Sorting: a click on a heading sorts by its column, a second click turns the order round. Empty
// cells stay last in both directions.
function cellValue(row, column) {
  const cell = row.cells[column];
  if (cell.dataset.value === undefined) return cell.textContent.trim();
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

function sortBy(table, column) {
  const headings = [...table.tHead.rows[0].cells];
  const descending = headings[column].getAttribute("aria-sort") === "ascending";
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [cellValue(row, column), row]);
  rows.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return descending ? compare(other, one) : compare(one, other);
  });
  body.append(...rows.map(([, row]) => row));
  headings.forEach((heading) => heading.removeAttribute("aria-sort"));
  headings[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => sortBy(table, column));
  });
}

// Plots take text and grid from the page's theme; on paper they are light.
const figures = JSON.parse(document.getElementById("figures").textContent);
const root = document.documentElement;

function themed(layout) {
  const style = getComputedStyle(document.body);
  const soft = style.getPropertyValue("--soft").trim();
  const text = style.getPropertyValue("--text").trim();
  const grid = style.getPropertyValue("--grid").trim();
  const line = style.getPropertyValue("--line").trim();
  const axis = { gridcolor: grid, zerolinecolor: line, linecolor: line, automargin: true };
  return {
    ...layout,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: text, size: 13, family: style.fontFamily },
    margin: { t: layout.title || layout.annotations ? 40 : 15, r: 15, b: 50, l: 60 },
    xaxis: { ...layout.xaxis, ...axis, dividercolor: line },
    yaxis: { ...layout.yaxis, ...axis },
    title: { ...layout.title, x: 0, xref: "paper", xanchor: "left", font: { size: 14 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: line, activecolor: soft },
    hoverlabel: { font: { family: style.fontFamily } },
    autosize: true,
  };
}

// What fits on A4 inside the margins of the style sheet, in CSS pixels: one plot, or two in a row.
const PAPER_WIDTH = 690;
const PAPER_HALF_WIDTH = 340;

function paperWidth(place) {
  return document.getElementById(place).closest(".pair") ? PAPER_HALF_WIDTH : PAPER_WIDTH;
}

function draw({ onPaper = false } = {}) {
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  return Promise.all(
    Object.entries(figures).map(([place, figure]) =>
      Plotly.react(
        place,
        figure.data,
        { ...themed(figure.layout), ...(onPaper ? { width: paperWidth(place) } : {}) },
        config
      )
    )
  );
}

const dark = matchMedia("(prefers-color-scheme: dark)");
document.getElementById("theme").addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  draw();
});
dark.addEventListener("change", () => draw());

let themeOnScreen;
addEventListener("beforeprint", () => {
  themeOnScreen = root.dataset.theme;
  root.dataset.theme = "light";
  document.querySelectorAll("details").forEach((part) => part.removeAttribute("open"));
  draw({ onPaper: true });
});
addEventListener("afterprint", () => {
  if (themeOnScreen === undefined) delete root.dataset.theme;
  else root.dataset.theme = themeOnScreen;
  draw();
});

draw().then(() => {
  root.dataset.ready = "true";
});
