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

for (const table of document.querySelectorAll("table.sortable"))
  [...table.tHead.rows[0].cells].forEach((heading, column) =>
    heading.querySelector("button")?.addEventListener("click", () => sortBy(table, column))
  );

const explorers = data.screens.map((screen) => new Explorer(screen));

// Pictures of the cards are drawn when they come into sight, and all of them for paper.
function drawCard(canvas) {
  const { screen } = canvas.closest("[data-screen]").dataset;
  const { candidates } = data.screens.find(({ name }) => name === screen);
  drawStill(canvas, candidates[canvas.closest("article").dataset.id].structures[0]);
}

const watcher = new IntersectionObserver(
  (entries) =>
    entries.filter(({ isIntersecting }) => isIntersecting).forEach(({ target }) => {
      drawCard(target);
      watcher.unobserve(target);
    }),
  { rootMargin: "400px" }
);
document.querySelectorAll("article canvas.still").forEach((canvas) => watcher.observe(canvas));

function redrawPage(options) {
  explorers.forEach((explorer) => explorer.drawStructures());
  return redrawAll(options);
}

const dark = matchMedia("(prefers-color-scheme: dark)");
document.getElementById("theme").addEventListener("click", () => {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  redrawPage();
});
dark.addEventListener("change", () => redrawPage());
let resized;
addEventListener("resize", () => {
  cancelAnimationFrame(resized);
  resized = requestAnimationFrame(() => explorers.forEach((explorer) => explorer.drawStructures()));
});

let themeOnScreen;
addEventListener("beforeprint", () => {
  themeOnScreen = root.dataset.theme;
  root.dataset.theme = "light";
  document.querySelectorAll("details").forEach((part) => part.removeAttribute("open"));
  document.querySelectorAll("article:not([hidden]) canvas.still").forEach(drawCard);
  redrawPage({ onPaper: true });
});
addEventListener("afterprint", () => {
  if (themeOnScreen === undefined) delete root.dataset.theme;
  else root.dataset.theme = themeOnScreen;
  redrawPage();
});

// Where a server gives the page out, it is asked now and then whether the database has changed.
const { state } = document.body.dataset;
async function askForState() {
  try {
    const answer = await fetch("state", { cache: "no-store" });
    if (answer.ok) document.getElementById("newer").hidden = (await answer.text()) === state;
  } catch {
    // The server has ended; the page stays as it is.
  }
}
if (state !== undefined) {
  document.querySelector("#newer button").addEventListener("click", () => location.reload());
  setInterval(askForState, 5000);
}

Promise.all(Object.entries(data.figures).map(([place, figure]) => plot(place, () => figure))).then(() => {
  root.dataset.ready = "true";
});
