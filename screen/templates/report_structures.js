"use strict";

// Structures, drawn as balls on a canvas without WebGL: sorted from back to front, those at the
// back faded into the page. The cell is repeated in its plane to a piece of at least PIECE Å, as
// far as it does not become too many atoms; crystals that fill their cell are repeated along c too.
const PIECE = 14;
const MOST_ATOMS = 900;
const data = JSON.parse(document.getElementById("data").textContent);

const add = (one, other, factor = 1) => one.map((part, i) => part + factor * other[i]);
const dot = (one, other) => one.reduce((sum, part, i) => sum + part * other[i], 0);
const length = (vector) => Math.sqrt(dot(vector, vector));
const cross = (u, v) => [
  u[1] * v[2] - u[2] * v[1],
  u[2] * v[0] - u[0] * v[2],
  u[0] * v[1] - u[1] * v[0],
];

// Atoms of the piece that is shown and the corners of one cell, centred on the origin.
const pieces = new WeakMap();
function pieceOf(structure) {
  if (pieces.has(structure)) return pieces.get(structure);
  const { lattice, coords, kinds, symbols } = structure;
  const heights = coords.filter((_, i) => i % 3 === 2);
  const extent = (Math.max(...heights) - Math.min(...heights)) * length(lattice[2]);
  const isSlab = length(lattice[2]) - extent > 5;
  const repeats = lattice.map((vector, i) =>
    i === 2 && (isSlab || length(vector) > 9) ? 1 : Math.max(1, Math.ceil(PIECE / length(vector)))
  );
  while (repeats[0] * repeats[1] * repeats[2] * kinds.length > MOST_ATOMS && Math.max(...repeats) > 1)
    repeats[repeats.indexOf(Math.max(...repeats))] -= 1;
  const atoms = [];
  kinds.forEach((kind, atom) => {
    const at = [0, 1, 2].map((i) => {
      const part = coords[3 * atom + i];
      return i === 2 && isSlab ? part : part - Math.floor(part + 1e-4);
    });
    for (let a = 0; a < repeats[0]; a++)
      for (let b = 0; b < repeats[1]; b++)
        for (let c = 0; c < repeats[2]; c++) {
          const [u, v, w] = [at[0] + a, at[1] + b, at[2] + c];
          const place = add(add(lattice[0].map((part) => u * part), lattice[1], v), lattice[2], w);
          atoms.push({ place, element: symbols[kind] });
        }
  });
  const low = [0, 1, 2].map((i) => Math.min(...atoms.map((atom) => atom.place[i])));
  const high = [0, 1, 2].map((i) => Math.max(...atoms.map((atom) => atom.place[i])));
  const middle = low.map((part, i) => (part + high[i]) / 2);
  atoms.forEach((atom) => (atom.place = add(atom.place, middle, -1)));
  const bottom = isSlab ? [0, 0, low[2]] : [0, 0, 0];
  const top = isSlab ? [0, 0, high[2] - low[2]] : lattice[2];
  const corner = (a, b, c) =>
    add(add(add(add(add(bottom, lattice[0], a), lattice[1], b), top, c), middle, -1), [0, 0, 0]);
  const edges = [];
  for (const i of [0, 1])
    for (const j of [0, 1])
      edges.push(
        [corner(0, i, j), corner(1, i, j)],
        [corner(i, 0, j), corner(i, 1, j)],
        [corner(i, j, 0), corner(i, j, 1)]
      );
  const reach = Math.max(...atoms.map((atom) => length(atom.place))) + 1.5;
  const piece = { atoms, edges, reach, size: high.map((part, i) => part - low[i] + 3) };
  pieces.set(structure, piece);
  return piece;
}

// Views are rows of screen axes: right, up, towards the eye.
const SIDE = [[1, 0, 0], [0, 0, 1], [0, -1, 0]];
const ABOVE = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

function turned(view, right, up) {
  const about = (axis, angle) => (vector) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const along = dot(axis, vector) * (1 - c);
    return add(add(vector.map((part) => part * c), cross(axis, vector), s), axis, along);
  };
  return view.map(about(view[1], -right)).map(about(view[0], -up));
}

// A ball lit from the upper left, made once for each element and theme.
const sprites = new Map();
function sprite(element, paper) {
  const key = element + paper;
  if (!sprites.has(key)) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const context = canvas.getContext("2d");
    const [red, green, blue] = data.elements[element].colour;
    const shade = (factor) => `rgb(${[red, green, blue].map((part) => part * factor).join()})`;
    const light = (factor) =>
      `rgb(${[red, green, blue].map((part) => part + (255 - part) * factor).join()})`;
    const gradient = context.createRadialGradient(24, 22, 2, 32, 32, 31);
    gradient.addColorStop(0, light(0.75));
    gradient.addColorStop(0.45, shade(1));
    gradient.addColorStop(1, shade(0.62));
    context.beginPath();
    context.arc(32, 32, 30.5, 0, 2 * Math.PI);
    context.fillStyle = gradient;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = "rgba(20, 25, 30, 0.75)";
    context.stroke();
    sprites.set(key, canvas);
  }
  return sprites.get(key);
}

function drawView(context, piece, view, box, scale, paper, line) {
  const centre = [box.x + box.width / 2, box.y + box.height / 2];
  const onScreen = (place) => [
    centre[0] + scale * dot(view[0], place),
    centre[1] - scale * dot(view[1], place),
    dot(view[2], place),
  ];
  const balls = piece.atoms.map(({ place, element }) => {
    const [x, y, depth] = onScreen(place);
    // Flatter than covalent radii, so that small atoms stay visible between large ones.
    return { x, y, depth, element, radius: (scale * (1.2 + 0.66 * data.elements[element].radius)) / 2 };
  });
  balls.sort((one, other) => one.depth - other.depth);
  const nearest = balls[balls.length - 1].depth;
  const span = Math.max(nearest - balls[0].depth, 1e-6);
  context.save();
  context.beginPath();
  context.rect(box.x, box.y, box.width, box.height);
  context.clip();
  for (const { x, y, depth, element, radius } of balls) {
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = paper;
    context.fill();
    context.globalAlpha = 1 - (0.55 * (nearest - depth)) / span;
    context.drawImage(sprite(element, paper), x - radius, y - radius, 2 * radius, 2 * radius);
  }
  context.globalAlpha = 0.85;
  context.strokeStyle = line;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  for (const [from, to] of piece.edges) {
    const [start, end] = [onScreen(from), onScreen(to)];
    context.beginPath();
    context.moveTo(start[0], start[1]);
    context.lineTo(end[0], end[1]);
    context.stroke();
  }
  context.restore();
}

function prepared(canvas) {
  const ratio = Math.max(devicePixelRatio || 1, 1.5);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const style = getComputedStyle(canvas);
  const paper = style.backgroundColor;
  return { context, width, height, paper, line: style.color };
}

// Element names with their colours along the bottom of the canvas.
function legend(context, structure, height, line) {
  context.setLineDash([]);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  let x = 8;
  for (const element of structure.symbols) {
    context.drawImage(sprite(element, ""), x, height - 17, 12, 12);
    context.fillStyle = line;
    context.fillText(element, x + 16, height - 10.5);
    x += 26 + context.measureText(element).width;
  }
}

// A still picture: from the side on the left, from above on the right.
const stills = new WeakMap();
function drawStill(canvas, structure) {
  stills.set(canvas, structure);
  const piece = pieceOf(structure);
  const { context, width, height, paper, line } = prepared(canvas);
  if (!width) return;
  const scale = Math.min(
    (width / 2 - 6) / piece.size[0],
    (height - 22) / Math.max(piece.size[1], piece.size[2])
  );
  const half = { y: 0, width: width / 2, height: height - 20 };
  drawView(context, piece, SIDE, { ...half, x: 0 }, scale, paper, "transparent");
  drawView(context, piece, ABOVE, { ...half, x: width / 2 }, scale, paper, line);
  legend(context, structure, height, line);
}

// A structure that can be turned with the pointer and the keyboard.
class Viewer {
  constructor(canvas) {
    this.canvas = canvas;
    this.structure = null;
    this.reset();
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      this.turn((event.clientX - last[0]) * 0.01, (event.clientY - last[1]) * 0.01);
      last = [event.clientX, event.clientY];
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => (last = null));
    canvas.addEventListener("keydown", (event) => {
      const step = Math.PI / 24;
      const acts = {
        ArrowLeft: () => this.turn(-step, 0),
        ArrowRight: () => this.turn(step, 0),
        ArrowUp: () => this.turn(0, -step),
        ArrowDown: () => this.turn(0, step),
        "+": () => this.enlarge(1.15),
        "-": () => this.enlarge(1 / 1.15),
        0: () => {
          this.reset();
          this.draw();
        },
      };
      if (!(event.key in acts) || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      acts[event.key]();
    });
  }

  reset() {
    this.view = turned(SIDE, 0.35, 0.22);
    this.zoom = 1;
  }

  turn(right, up) {
    this.view = turned(this.view, right, up);
    this.draw();
  }

  enlarge(factor) {
    this.zoom = Math.min(8, Math.max(0.4, this.zoom * factor));
    this.draw();
  }

  show(structure) {
    this.structure = structure;
    this.draw();
  }

  draw() {
    const { context, width, height, paper, line } = prepared(this.canvas);
    if (!this.structure || !width) return;
    const piece = pieceOf(this.structure);
    const scale = (this.zoom * Math.min(width, height - 16)) / (2 * piece.reach) * 1.12;
    drawView(context, piece, this.view, { x: 0, y: 0, width, height: height - 16 }, scale, paper, line);
    legend(context, this.structure, height, line);
  }
}
