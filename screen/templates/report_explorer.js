"use strict";

// One screen's part of the page: table, filters, scatter, chosen candidate and comparison all show
// the same candidates and the same choice.
const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

function withError(quantity, value, error) {
  if (value === null || value === undefined) return "–";
  const digits = quantity.digits;
  const shown = value.toFixed(digits).replace("-", "−");
  if (error === null || error === undefined) return shown;
  if (error === 0) return `${shown} ± 0`;
  return error < 0.5 * 10 ** -digits
    ? `${shown} ± ${error.toExponential(0).replace(/e-(\d)$/, "e-0$1")}`
    : `${shown} ± ${error.toFixed(digits)}`;
}

// Groups beyond the eighth share a colour with an earlier one and have another symbol.
const MOST_GROUPS = 24;
const symbolOf = (place) => SYMBOLS[(place + Math.floor(place / COLOURS.length)) % SYMBOLS.length];

const percent = (part) =>
  part === null ? "–" : part > 0.995 && part < 1 ? "> 99 %" : part > 0 && part < 0.005 ? "< 1 %" : `${Math.round(100 * part)} %`;

class Explorer {
  constructor(screen) {
    this.screen = screen;
    this.part = document.querySelector(`[data-screen="${screen.name}"]`);
    this.candidates = screen.candidates;
    this.quantities = new Map(screen.quantities.map((quantity) => [quantity.name, quantity]));
    this.shown = new Set(this.candidates.map((candidate) => candidate.id));
    this.compared = new Set();
    this.chosen = null;
    this.groups = [...new Set(this.candidates.map((candidate) => candidate.facts[0]))];
    this.scatter = this.part.querySelector(".scatter");
    this.panel = this.part.querySelector(".panel");
    this.viewer = new Viewer(this.panel.querySelector("canvas"));
    this.label = null;
    this.setUpFilters();
    this.setUpScatter();
    this.setUpChoice();
    this.setUpComparison();
    this.applyFilters();
  }

  find(selector) {
    return this.part.querySelector(selector);
  }

  all(selector) {
    return [...this.part.querySelectorAll(selector)];
  }

  // Filters

  setUpFilters() {
    const form = (this.form = this.find("form.filters"));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.applyFilters());
    form.addEventListener("reset", () =>
      setTimeout(() => {
        form.querySelector(".conditions").replaceChildren();
        this.applyFilters();
      })
    );
    form.querySelector(".add-condition").addEventListener("click", () => this.addCondition());
  }

  addCondition() {
    const quantity = element("select", { "aria-label": "Quantity", class: "quantity" });
    for (const { name, label, unit } of this.quantities.values())
      quantity.append(element("option", { value: name }, `${label} (${unit})`));
    const side = element(
      "select",
      { "aria-label": "At least or at most", class: "side" },
      element("option", { value: "least" }, "≥"),
      element("option", { value: "most" }, "≤")
    );
    const bound = element("input", { type: "number", step: "any", "aria-label": "Bound", class: "bound" });
    const remove = element("button", { type: "button", "aria-label": "Remove the condition" }, "×");
    const condition = element("span", { class: "condition" }, quantity, side, bound, remove);
    remove.addEventListener("click", () => {
      condition.remove();
      this.applyFilters();
    });
    this.form.querySelector(".conditions").append(condition);
    bound.focus();
  }

  applyFilters() {
    const { text, status, columns } = this.form.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const bounds = [...this.form.querySelectorAll(".condition")]
      .map((condition) => ({
        name: condition.querySelector(".quantity").value,
        side: condition.querySelector(".side").value,
        bound: condition.querySelector(".bound").value,
      }))
      .filter(({ bound }) => bound !== "");
    const meets = (candidate) => {
      const name = candidate.name.toLowerCase().normalize("NFD");
      if (!words.every((word) => name.includes(word) || name.replace(/[^a-z0-9 ]/g, "").includes(word)))
        return false;
      if (status.value === "ranked" && candidate.rank === null) return false;
      if (status.value === "front" && candidate.front !== 1) return false;
      if (status.value === "apart" && candidate.rank !== null) return false;
      return bounds.every(({ name: quantity, side, bound }) => {
        const value = candidate.values[quantity];
        if (value === null || value === undefined) return false;
        return side === "least" ? value >= Number(bound) : value <= Number(bound);
      });
    };
    this.shown = new Set(this.candidates.filter(meets).map((candidate) => candidate.id));
    for (const row of this.all("tr[data-id], article[data-id]"))
      row.hidden = !this.shown.has(Number(row.dataset.id));
    this.find("table.ranking").classList.toggle("all-columns", columns.checked);
    this.find(".count").textContent = `${this.shown.size} of ${this.candidates.length} shown`;
    this.drawScatter();
  }

  // Scatter of any two quantities

  setUpScatter() {
    const criteria = Object.keys(this.screen.criteria);
    const names = [...this.quantities.keys()];
    const first = { x: criteria[1] ?? names[1] ?? names[0], y: criteria[0] ?? names[0] };
    for (const axis of ["x", "y"]) {
      const select = this.find(`select[name="${axis}"]`);
      for (const { name, label, unit } of this.quantities.values())
        select.append(element("option", { value: name }, `${label} (${unit})`));
      select.value = first[axis];
      select.addEventListener("change", () => this.drawScatter());
    }
    const colour = this.find('select[name="colour"]');
    colour.append(element("option", { value: "" }, "by host"));
    for (const { name, label, unit } of this.quantities.values())
      colour.append(element("option", { value: name }, `by ${label} (${unit})`));
    colour.addEventListener("change", () => this.drawScatter());
  }

  scatterFigure() {
    const [x, y, by] = ["x", "y", "colour"].map((name) => this.find(`select[name="${name}"]`).value);
    const visible = this.candidates.filter(
      ({ id, values }) => this.shown.has(id) && [x, y].every((name) => (values[name] ?? null) !== null)
    );
    const doubtful = ({ rank, failures }) => rank === null || x in failures || y in failures;
    const few = visible.length <= 30;
    // Neighbours along the axis have their names on different sides, so that few of them collide.
    const along = [...visible].sort((one, other) => one.values[x] - other.values[x]).map(({ id }) => id);
    const trace = (members, place, name) => ({
      type: "scatter",
      mode: few ? "markers+text" : "markers",
      name,
      x: members.map(({ values }) => values[x]),
      y: members.map(({ values }) => values[y]),
      error_x: this.errorBars(members, x),
      error_y: this.errorBars(members, y),
      text: members.map((candidate) => candidate.name),
      textposition: members.map(({ id }) => (along.indexOf(id) % 2 ? "bottom center" : "top center")),
      customdata: members.map(({ id }) => id),
      marker: {
        size: members.map(({ id }) => (id === this.chosen ? 17 : 11)),
        line: { width: members.map(({ id }) => (id === this.chosen ? 3 : 1)) },
        symbol: members.map((one) => symbolOf(place) + (doubtful(one) ? "-open" : "")),
        ...(by
          ? { color: members.map(({ values }) => values[by]), colorscale: "Viridis", showscale: true, colorbar: { thickness: 12, title: { text: this.heading(by), side: "right" } } }
          : { color: COLOURS[place % COLOURS.length] }),
      },
      hoverinfo: "none",
    });
    const groups = by || this.groups.length > MOST_GROUPS ? [visible] : this.groups.map((group) => visible.filter(({ facts }) => facts[0] === group));
    const better = (name) => ({ min: " – less is better", max: " – more is better" })[this.screen.criteria[name]] ?? "";
    return {
      data: groups.map((members, place) => trace(members, place, this.groups[place])).filter((one) => one.x.length),
      layout: {
        xaxis: { title: { text: this.heading(x) + better(x) } },
        yaxis: { title: { text: this.heading(y) + better(y) } },
        showlegend: !few && groups.length > 1,
        hovermode: "closest",
        hoverdistance: 12,
        uirevision: `${x} ${y}`,
      },
    };
  }

  heading(name) {
    const { label, unit } = this.quantities.get(name);
    return `${label} (${unit})`;
  }

  errorBars(members, name) {
    const array = members.map(({ errors }) => errors[name] ?? 0);
    return { type: "data", array, visible: array.some((error) => error > 0), thickness: 1.2, width: 3 };
  }

  async drawScatter() {
    await plot(this.scatter.id, () => this.scatterFigure());
    if (this.listening) return;
    this.listening = true;
    const candidate = ({ points }) => this.candidates[points[0].customdata];
    this.scatter.on("plotly_click", (event) => this.choose(candidate(event).id));
    this.scatter.on("plotly_hover", (event) => showHover(this, candidate(event), event.event));
    this.scatter.on("plotly_unhover", hideHover);
  }

  // The chosen candidate

  setUpChoice() {
    for (const button of this.all("button.choose")) {
      const id = Number(button.closest("[data-id]").dataset.id);
      button.addEventListener("click", () => {
        this.choose(id);
        this.panel.scrollIntoView({ block: "nearest", behavior: "smooth" });
      });
      button.addEventListener("focus", () => {
        if (button.matches(":focus-visible")) showHover(this, this.candidates[id], button.getBoundingClientRect());
      });
      button.addEventListener("blur", hideHover);
    }
    for (const row of this.all("tr[data-id]")) {
      row.addEventListener("pointerenter", (event) => showHover(this, this.candidates[row.dataset.id], event));
      row.addEventListener("pointerleave", hideHover);
      row.addEventListener("click", (event) => {
        if (!event.target.closest("button, input, a")) this.choose(Number(row.dataset.id));
      });
    }
    this.panel.querySelector(".previous").addEventListener("click", () => this.step(-1));
    this.panel.querySelector(".next").addEventListener("click", () => this.step(1));
    if (this.candidates.length) this.choose(0);
  }

  step(by) {
    const visible = this.candidates.map(({ id }) => id).filter((id) => this.shown.has(id));
    if (!visible.length) return;
    const at = visible.indexOf(this.chosen);
    this.choose(visible[(at + by + visible.length) % visible.length]);
  }

  choose(id) {
    this.chosen = id;
    const candidate = this.candidates[id];
    for (const row of this.all("tr[data-id], article[data-id]"))
      row.classList.toggle("chosen", Number(row.dataset.id) === id);
    this.panel.querySelector("h3").textContent = candidate.name;
    this.panel.querySelector(".place").textContent = this.placeText(candidate);
    this.panel.querySelector("dl").replaceChildren(...this.numbers(candidate));
    this.showStructures(candidate);
    this.showCurves(candidate);
    if (this.listening) this.drawScatter();
  }

  placeText({ rank, interval, top, reason, status }) {
    if (rank === null) return `${status}: ${reason}`;
    const [low, high] = interval ?? [rank, rank];
    const places = low === high ? `${low}` : `${low} to ${high}`;
    return `Rank ${rank} (90 %: ${places}), among the best ${this.screen.top}: ${percent(top)}`;
  }

  numbers({ values, errors, failures }) {
    return [...this.quantities.values()]
      .filter(({ name }) => (values[name] ?? null) !== null || name in failures)
      .flatMap((quantity) => {
        const unit = quantity.unit === "1" ? "" : quantity.unit;
        const text = `${withError(quantity, values[quantity.name], errors[quantity.name])} ${unit}`;
        const number = element("dd", quantity.name in failures ? { class: "failed", title: failures[quantity.name] } : {}, text);
        return [element("dt", {}, quantity.label), number];
      });
  }

  showStructures(candidate) {
    const tabs = this.panel.querySelector(".tabs");
    const labels = candidate.structures.map(({ label }) => label);
    const label = labels.includes(this.label) ? this.label : labels[0];
    tabs.replaceChildren(
      ...labels.map((one) => {
        const button = element("button", { type: "button", "aria-pressed": String(one === label) }, one);
        button.addEventListener("click", () => {
          this.label = one;
          this.showStructures(candidate);
        });
        return button;
      })
    );
    const structure = candidate.structures.find((one) => one.label === label) ?? null;
    this.viewer.canvas.hidden = !structure;
    this.viewer.canvas.setAttribute("aria-label", `${label ?? "no structure"} of ${candidate.name}, to be turned with the arrow keys`);
    this.viewer.show(structure);
  }

  showCurves(candidate) {
    const place = this.panel.querySelector(".curves");
    for (const old of place.children) forget(old.querySelector(".plot"));
    place.replaceChildren(...candidate.curves.map((curve) => curveFigure(curve.title, [{ name: candidate.name, curve }])));
    place.querySelectorAll(".plot").forEach((one) => redraw(one, false));
  }

  // Comparison side by side

  setUpComparison() {
    for (const box of this.all("input.compare")) {
      const id = Number(box.closest("[data-id]").dataset.id);
      box.addEventListener("change", () => {
        if (box.checked) this.compared.add(id);
        else this.compared.delete(id);
        this.drawComparison();
      });
    }
  }

  drawComparison() {
    const place = this.find(".compared");
    for (const old of place.querySelectorAll(".plot")) forget(old);
    const chosen = [...this.compared].map((id) => this.candidates[id]);
    this.part.classList.toggle("comparing", chosen.length > 1);
    if (chosen.length < 2) {
      place.replaceChildren();
      return;
    }
    chosen.sort((one, other) => one.id - other.id);
    const head = element("tr", {}, element("th", { scope: "col" }, ""), ...chosen.map(({ name }) => element("th", { scope: "col" }, name)));
    const pictures = element("tr", {}, element("th", { scope: "row" }, "Structure"));
    const drawn = [];
    for (const { structures, name } of chosen) {
      const cell = element("td");
      if (structures.length) {
        const canvas = element("canvas", { class: "still", role: "img", "aria-label": `${structures[0].label} of ${name}` });
        drawn.push([canvas, structures[0]]);
        cell.append(canvas);
      }
      pictures.append(cell);
    }
    const line = (label, texts) =>
      element("tr", {}, element("th", { scope: "row" }, label), ...texts.map((text) => element("td", {}, text)));
    const rows = [
      line("Rank", chosen.map(({ rank }) => (rank === null ? "–" : String(rank)))),
      line("90 % interval", chosen.map(({ interval }) => (interval ? [...new Set(interval)].join("–") : "–"))),
      line(`Among the best ${this.screen.top}`, chosen.map(({ top }) => percent(top))),
      ...[...this.quantities.values()].map((quantity) => this.comparedRow(quantity, chosen)).filter(Boolean),
    ];
    const table = element("table", { class: "side-by-side" }, element("thead", {}, head), element("tbody", {}, pictures, ...rows));
    const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Side by side" }, table);
    const clear = element("button", { type: "button", class: "clear-comparison" }, "Clear the comparison");
    clear.addEventListener("click", () => {
      this.compared.clear();
      this.all("input.compare").forEach((box) => (box.checked = false));
      this.drawComparison();
    });
    place.replaceChildren(scroll, ...this.verdicts(chosen), ...this.comparedCurves(chosen), clear);
    for (const [canvas, structure] of drawn) drawStill(canvas, structure);
    place.querySelectorAll(".plot").forEach((one) => redraw(one, false));
  }

  // A quantity's row: numbers above bars of value and error on one scale for the row.
  comparedRow(quantity, chosen) {
    const values = chosen.map(({ values: all }) => all[quantity.name] ?? null);
    if (values.every((value) => value === null)) return null;
    const errors = chosen.map(({ errors: all }) => all[quantity.name] ?? 0);
    const known = values.map((value, i) => [value, errors[i]]).filter(([value]) => value !== null);
    const low = Math.min(...known.map(([value, error]) => value - error));
    const high = Math.max(...known.map(([value, error]) => value + error));
    const at = (value) => (high > low ? 4 + (112 * (value - low)) / (high - low) : 60);
    const aim = this.screen.criteria[quantity.name];
    const title = `${quantity.label} (${quantity.unit})${aim ? (aim === "max" ? " ↑" : " ↓") : ""}`;
    const cells = values.map((value, i) => {
      const candidate = chosen[i];
      const failed = quantity.name in candidate.failures;
      const cell = element("td", failed ? { class: "failed", title: candidate.failures[quantity.name] } : {});
      cell.append(withError(quantity, value, candidate.errors[quantity.name]));
      if (value !== null)
        cell.insertAdjacentHTML(
          "beforeend",
          `<svg class="bar" viewBox="0 0 120 10" width="120" height="10" aria-hidden="true"><line class="rail" x1="4" x2="116" y1="5" y2="5"/><line class="error" x1="${at(value - errors[i])}" x2="${at(value + errors[i])}" y1="5" y2="5"/><circle cx="${at(value)}" cy="5" r="3.5"/></svg>`
        );
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row" }, title), ...cells);
  }

  verdicts(chosen) {
    const lines = [];
    for (const [i, one] of chosen.entries())
      for (const other of chosen.slice(i + 1)) {
        if (one.rank === null || other.rank === null) continue;
        const ahead = this.screen.ahead[one.rank - 1]?.[other.rank - 1];
        if (ahead === undefined) continue;
        const sure = Math.max(ahead, 100 - ahead);
        const [first, second] = ahead >= 50 ? [one, other] : [other, one];
        const verdict = sure >= 95 ? "decided" : "the numbers cannot decide";
        lines.push(element("li", { class: sure >= 95 ? "decided" : "undecided" }, `${first.name} ahead of ${second.name}: ${sure} %, ${verdict}`));
      }
    return lines.length ? [element("ul", { class: "verdicts" }, ...lines)] : [];
  }

  comparedCurves(chosen) {
    const titles = [...new Set(chosen.flatMap(({ curves }) => curves.map(({ title }) => title)))];
    return titles.map((title) =>
      curveFigure(
        title,
        chosen.flatMap(({ name, curves }, place) => curves.filter((curve) => curve.title === title).map((curve) => ({ name, curve, place })))
      )
    );
  }

  drawStructures() {
    this.viewer.draw();
    for (const canvas of this.all("canvas.still"))
      if (stills.has(canvas)) drawStill(canvas, stills.get(canvas));
  }
}

function curveFigure(title, named) {
  const place = element("div", { class: "plot curve", role: "img", "aria-label": `${title} of ${named.map(({ name }) => name).join(", ")}` });
  plots.set(place, () => curvesFigure(named));
  return element("figure", {}, element("figcaption", {}, element("h4", {}, title)), place);
}

// What appears under the pointer, or beside what has the focus: name, place and curves.
const hover = document.getElementById("hover");
function showHover(explorer, candidate, at) {
  const parts = [element("strong", {}, candidate.name), element("p", {}, explorer.placeText(candidate))];
  const shownNames = Object.keys(explorer.screen.criteria);
  const numbers = shownNames.map((name) => {
    const quantity = explorer.quantities.get(name);
    return `${quantity.label} ${withError(quantity, candidate.values[name], candidate.errors[name])} ${quantity.unit}`;
  });
  parts.push(element("p", {}, numbers.join(" · ")));
  for (const curve of candidate.curves.slice(0, 4)) {
    parts.push(element("p", { class: "small" }, `${curve.title}: ${curve.y_label} against ${curve.x_label}`));
    const drawing = element("div");
    drawing.innerHTML = sparkline(curve);
    parts.push(drawing);
  }
  hover.replaceChildren(...parts);
  hover.hidden = false;
  const x = at.clientX ?? at.right;
  const y = at.clientY ?? at.top;
  const box = hover.getBoundingClientRect();
  const left = x + 18 + box.width > innerWidth ? Math.max(4, x - box.width - 18) : x + 18;
  hover.style.left = `${left}px`;
  hover.style.top = `${Math.max(4, Math.min(y + 14, innerHeight - box.height - 8))}px`;
}

function hideHover() {
  hover.hidden = true;
}
