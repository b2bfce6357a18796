import {
  BLACK, LOOKS, OUTSIDE, begin, bowl, clamp, diamond, dot, dress, font, frame, lines, look, occupied, picture, star, turned,
} from "./plots.js";
import * as server from "./server.js";
import { listen as listenTo } from "./hand.js";

const el = (id) => document.getElementById(id);
const LIMITS = [5, 10, 20, 40, 60, 100, 200, 400, 600, 1000, 2000];
const LEVEL = "#5d7794";
/** Milliseconds between descents that follow a pointer. */
const LIVE = 200;

/** What the server says of the experiment, its map and its data. */
let info, map, data;
/** What is shown; the address bar has all of it. Objective and data are null where they are the experiment's own. */
const view = {
  experiment: null, objective: null, data: null, at: null, methods: [], rule: "own", factor: 1, damping: null,
  iterations: 200, shown: null, zoom: false, look: "light", local: null,
};
/** What questions to the server are about. */
const scene = () => ({ experiment: view.experiment, objective: view.objective, data: view.data });
/** Per label: rows, models, how it ended, density shown. */
let paths = new Map();
let cursor = [0, 0];
/** Where the pointer is over the landscape, and the local model there. */
let pointer = null, local = null;
let running = null;
let playing = null;

// Small things -----------------------------------------------------------------------------

const short = (v) => {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  const a = Math.abs(v);
  if (a !== 0 && (a < 1e-3 || a >= 1e5)) return v.toExponential(2).replace(/\.?0+e/, "e");
  return String(Number(v.toPrecision(4)));
};
const method = (label) => info.methods.find((m) => m.label === label);
const make = (tag, text, attributes = {}) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};
const complain = (text) => {
  el("message").textContent = text || "";
  el("message").hidden = !text;
};

// Plots ------------------------------------------------------------------------------------

/** The landscape in a window. */
function relief(g, plot) {
  if (!map) return;
  const [a, b] = [plot.to(map.x[0], map.y[1]), plot.to(map.x[1], map.y[0])];
  const c = g.context;
  c.imageSmoothingEnabled = true;
  c.drawImage(map.picture, a[0], a[1], b[0] - a[0], b[1] - a[1]);
  const path = new Path2D();
  path.addPath(map.lines, new DOMMatrix([b[0] - a[0], 0, 0, b[1] - a[1], a[0], a[1]]));
  c.strokeStyle = LEVEL; c.lineWidth = 0.75; c.setLineDash([]); c.stroke(path);
}

/** What the data are made from: a star where a fit can reach it, a diamond where other parameters differ. */
function drawOrigin(c, plot, size) {
  if (info.truth) star(c, plot.to(...info.truth), size);
  else if (info.origin) diamond(c, plot.to(...info.origin), 0.75 * size);
}

const pair = (theta) => info.varied.map((i) => theta[i]);

function trail(g, plot, label, last) {
  const path = paths.get(label), style = method(label), c = g.context;
  const points = path.rows.slice(0, last + 1).map((r) => plot.to(...pair(r.theta)));
  if (!points.length) return;
  const line = () => { c.beginPath(); points.forEach((p, k) => (k ? c.lineTo(...p) : c.moveTo(...p))); c.stroke(); };
  c.setLineDash([]); c.strokeStyle = "#fff"; c.lineWidth = 3.6; line();
  c.setLineDash(style.dash); c.strokeStyle = style.color; c.lineWidth = 1.8; line();
  c.setLineDash([]);
  let before = null;
  for (const p of points) {
    if (before && Math.hypot(p[0] - before[0], p[1] - before[1]) < 7) continue;
    dot(c, p, 2.6, style.color); before = p;
  }
  dot(c, points[points.length - 1], 4.8, style.color);
}

const chosen = () => view.methods.filter((label) => paths.has(label));
const lastOf = (label) => paths.get(label).rows.length - 1;
const shownOf = (label) => Math.min(view.shown === null ? Infinity : view.shown, lastOf(label));

let mapPlot = null;
function drawMap() {
  const g = begin(el("map"));
  mapPlot = frame(g, { x: [info.lower[0], info.upper[0]], y: [info.lower[1], info.upper[1]] }, info.names);
  mapPlot.clip(() => {
    relief(g, mapPlot);
    const c = g.context;
    if (!map) { c.fillStyle = look.soft; c.textAlign = "center"; c.fillText("computing the landscape …", g.w / 2, g.h / 2); }
    drawOrigin(c, mapPlot, 10);
    for (const label of chosen()) trail(g, mapPlot, label, shownOf(label));
    if (view.at) {
      const [x, y] = mapPlot.to(...view.at);
      c.beginPath(); c.arc(x, y, 6, 0, 2 * Math.PI); c.strokeStyle = BLACK; c.lineWidth = 2; c.stroke();
    }
    if (local) drawLocal(c);
    if (document.activeElement === el("map")) {
      const [x, y] = mapPlot.to(...cursor);
      for (const [color, width] of [["#fff", 4], [BLACK, 1.6]]) {
        c.strokeStyle = color; c.lineWidth = width; c.beginPath();
        c.moveTo(x - 11, y); c.lineTo(x + 11, y); c.moveTo(x, y - 11); c.lineTo(x, y + 11); c.stroke();
      }
    }
  });
  mapPlot.draw();
}

/** The metric's ellipse at the pointer with −∇f and −G⁻¹∇f, all as long as can be seen. */
function drawLocal(c) {
  const [x, y] = mapPlot.to(...local.at), { box } = mapPlot, style = method(local.label);
  const unit = [0, 1].map((k) => (k ? box.y - box.bottom : box.right - box.x) / (info.upper[k] - info.lower[k]));
  const [a, b, , d] = local.matrix, [gx, gy] = local.gradient, det = a * d - b * b;
  const arrow = (h, color, dash) => {
    const [u, v] = [h[0] * unit[0], h[1] * unit[1]], length = Math.hypot(u, v);
    if (!(length > 0) || !Number.isFinite(length)) return;
    const [p, q] = [u / length, v / length], end = [x + 58 * p, y + 58 * q];
    for (const [ink, width] of [["#fff", 4.6], [color, 2.2]]) {
      c.strokeStyle = ink; c.fillStyle = ink; c.lineWidth = width;
      c.setLineDash(ink === "#fff" ? [] : dash);
      c.beginPath(); c.moveTo(x, y); c.lineTo(end[0] - 7 * p, end[1] - 7 * q); c.stroke();
      c.setLineDash([]); c.beginPath(); c.moveTo(...end);
      c.lineTo(end[0] - 10 * p + 4.5 * q, end[1] - 10 * q - 4.5 * p);
      c.lineTo(end[0] - 10 * p - 4.5 * q, end[1] - 10 * q + 4.5 * p); c.closePath(); c.fill();
    }
  };
  if (a > 0 && det > 1e-14 * a * d) {
    const l11 = Math.sqrt(a), l21 = b / l11, l22 = Math.sqrt(det / a), ring = [];
    for (let k = 0; k <= 90; k++) {
      const v = Math.sin(k * Math.PI / 45) / l22, u = (Math.cos(k * Math.PI / 45) - l21 * v) / l11;
      ring.push([u * unit[0], v * unit[1]]);
    }
    const size = 46 / Math.max(...ring.map(([u, v]) => Math.hypot(u, v)));
    for (const [ink, width] of [["#fff", 3.6], [style.color, 1.6]]) {
      c.beginPath(); ring.forEach(([u, v], k) => (k ? c.lineTo(x + size * u, y + size * v) : c.moveTo(x + size * u, y + size * v)));
      c.strokeStyle = ink; c.lineWidth = width; c.setLineDash([]); c.stroke();
    }
    arrow([-(d * gx - b * gy), -(a * gy - b * gx)], style.color, []);
  }
  arrow([-gx, -gy], "#6a6a6a", [5, 3]);
}

/** The objective on the map at a place, by the nearest four nodes; null where it has none. */
function reading([px, py]) {
  if (!map) return null;
  const rows = map.z.length / map.columns;
  const i = (px - map.x[0]) / (map.x[1] - map.x[0]) * (map.columns - 1), j = (py - map.y[0]) / (map.y[1] - map.y[0]) * (rows - 1);
  if (!(i >= 0 && j >= 0 && i <= map.columns - 1 && j <= rows - 1)) return null;
  const [m, n] = [Math.min(Math.floor(i), map.columns - 2), Math.min(Math.floor(j), rows - 2)], [s, t] = [i - m, j - n];
  const z = (a, b) => map.z[(n + b) * map.columns + m + a];
  const v = (1 - t) * ((1 - s) * z(0, 0) + s * z(1, 0)) + t * ((1 - s) * z(0, 1) + s * z(1, 1));
  return Number.isNaN(v) ? null : map.log ? 10 ** v : v;
}

function read() {
  if (!pointer) { el("reading").textContent = "\u00a0"; return; }
  const v = reading(pointer), f = v === null ? "" : `, f ≈ ${short(v)}`;
  el("reading").textContent = `${info.names[0]} = ${short(pointer[0])}, ${info.names[1]} = ${short(pointer[1])}${f}`;
}

/** Asks for the local model at the pointer: one question at a time, always for where it is now. */
let asking = false;
async function lookAround() {
  if (asking || !view.local || !pointer || reading(pointer) === null) return;
  asking = true;
  const at = pointer, label = view.local;
  try {
    const order = { start: at, methods: [label], rule: null, factor: 1, damping: view.damping, iterations: 1 };
    let model = null;
    await server.descend(scene(), order, undefined, (events) => {
      model ??= events.find((event) => event.event === "model");
      return !model;
    });
    local = model && pointer && view.local === label ? { at, label, matrix: model.matrix, gradient: model.gradient } : null;
  } catch {
    // Where the model has no value there is nothing to draw.
    local = null;
  }
  draw();
  setTimeout(() => { asking = false; if (pointer && pointer !== at) lookAround(); }, 80);
}

/** Ends of a logarithmic axis: powers of ten times 1, 2 or 5. */
function decades(low, high) {
  if (!(low > 0 && high > 0 && high < Infinity)) return [0.1, 1];
  const ends = [rounded(low, [1, 2, 5]).findLast((v) => v <= low), rounded(high, [1, 2, 5]).find((v) => v >= high)];
  return ends[0] < ends[1] ? ends : [0.5 * ends[0], 2 * ends[1]];
}

/** Such numbers around a value: of its own decade and the next. */
function rounded(v, digits) {
  const e = Math.floor(Math.log10(v));
  return [e - 1, e, e + 1].flatMap((k) => digits.map((d) => Number(`${d}e${k}`)));
}

/** Ticks of a logarithmic axis with room for so many: the library's own do not end for very small numbers. */
function logTicks(low, high, room) {
  const [a, b] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const digits = [[1, 2, 5], [1]].find((d) => d.length * (b - a) <= room) ?? [1];
  const apart = Math.max(1, Math.ceil((b - a) / room)), found = [];
  for (let k = a; k <= b; k++) if (k % apart === 0) found.push(...digits.map((d) => Number(`${d}e${k}`)));
  return found.filter((v) => v >= low * 0.999 && v <= high * 1.001);
}

/** The chart of the objective, made anew where its lines or its look change. */
let chart = null, chartOf = "";
function drawConvergence() {
  const place = el("convergence"), labels = chosen(), width = place.clientWidth;
  // Logarithmic axes of nothing the library does not have.
  if (!labels.some((label) => paths.get(label).rows.length)) {
    if (!labels.length) { chart?.destroy(); chart = null; chartOf = ""; }
    return;
  }
  const longest = Math.max(1, ...labels.map(lastOf));
  const values = [Array.from({ length: longest + 1 }, (_, k) => k),
    ...labels.map((label) => Array.from({ length: longest + 1 }, (_, k) => {
      const v = paths.get(label).rows[k]?.objective;
      return v > 0 ? v : null;
    }))];
  const of = JSON.stringify([labels, view.look, width]);
  if (of === chartOf) { chart.setData(values); return; }
  chart?.destroy();
  chartOf = of;
  const letters = font();
  const axis = (label, more) => ({
    label, font: letters, labelFont: letters, stroke: look.ink, grid: { stroke: look.grid, width: 1 }, ticks: { stroke: look.ink, width: 1 }, ...more });
  chart = new uPlot({
    width, height: Math.round(0.55 * width), padding: [8, 2 * look.size, 0, 0],
    scales: { x: { time: false }, y: { distr: 3, range: (_, low, high) => decades(low, high) } },
    axes: [axis("iteration", { size: 3 * look.size, labelSize: 2 * look.size }),
      axis(`objective (${info.objective})`, { size: 5 * look.size, labelSize: 2 * look.size,
        splits: (u, _, low, high) => logTicks(low, high, u.height / (3 * look.size)), filter: (_, splits) => splits,
        values: (_, splits) => splits.map(short) })],
    series: [{ label: "iteration" }, ...labels.map((label) => {
      const style = method(label);
      const stroke = style.color.toLowerCase() === BLACK ? look.dark : style.color;
      return { label: style.name, stroke, width: look.size / 7, dash: style.dash, points: { show: false }, value: (_, v) => short(v) };
    })],
    hooks: { draw: [(u) => {
      if (view.shown === null) return;
      const x = u.valToPos(view.shown, "x", true), c = u.ctx;
      c.save(); c.strokeStyle = look.soft; c.lineWidth = 1.5; c.beginPath();
      c.moveTo(x, u.bbox.top); c.lineTo(x, u.bbox.top + u.bbox.height); c.stroke(); c.restore();
    }] },
  }, values, place);
}

function drawModel(label) {
  const path = paths.get(label), style = method(label), g = begin(path.model);
  const k = shownOf(label);
  if (k < 0) return;
  // At the end no step was taken; the last one is shown.
  const at = Math.min(k, path.models.length - 1);
  const found = at >= 0 ? bowl(path.models[at], pair(path.rows[at].theta)) : null;
  let window_ = { x: [info.lower[0], info.upper[0]], y: [info.lower[1], info.upper[1]] };
  if (view.zoom) {
    const here = pair(path.rows[k].theta);
    const reach = [0, 1].map((axis) => {
      const full = info.upper[axis] - info.lower[axis];
      const ends = found ? found.rings[0].map((p) => Math.abs(p[axis] - here[axis])) : [];
      return clamp(1.15 * Math.max(0, ...ends), 0.02 * full, 0.5 * full);
    });
    window_ = { x: [here[0] - reach[0], here[0] + reach[0]], y: [here[1] - reach[1], here[1] + reach[1]] };
  }
  const plot = frame(g, window_, info.names, short, true);
  plot.clip(() => {
    const c = g.context;
    c.fillStyle = OUTSIDE; c.fillRect(0, 0, g.w, g.h);
    relief(g, plot);
    drawOrigin(c, plot, 8);
    if (found) {
      for (const [ring, width] of [[found.rings[0], 1.8], [found.rings[1], 1.2]]) {
        c.beginPath(); ring.forEach((p, n) => (n ? c.lineTo(...plot.to(...p)) : c.moveTo(...plot.to(...p))));
        c.setLineDash([]); c.strokeStyle = "#fff"; c.lineWidth = width + 1.6; c.stroke();
        c.strokeStyle = style.color; c.lineWidth = width; c.stroke();
      }
    }
    trail(g, plot, label, k);
    if (found) {
      const [x, y] = plot.to(...found.minimiser);
      c.beginPath(); c.arc(x, y, 4.5, 0, 2 * Math.PI); c.fillStyle = "#fff"; c.fill();
      c.strokeStyle = style.color; c.lineWidth = 2; c.stroke();
    }
  });
  plot.draw();
}

function drawDensity(label) {
  const path = paths.get(label), g = begin(path.density);
  const axes = info.axes;
  if (!data) return;
  if (axes.length === 1) {
    const axis = axes[0], n = axis.cells;
    const top = 1.05 * Math.max(data.max, ...(path.field || [0]));
    const plot = frame(g, { x: [axis.lower, axis.upper], y: [0, top] }, [axis.name, "density"], short, true);
    const curve = (values, color, width) => {
      const c = g.context; c.strokeStyle = color; c.lineWidth = width; c.setLineDash([]); c.beginPath();
      values.forEach((v, k) => {
        const p = plot.to(axis.lower + (k + 0.5) / n * (axis.upper - axis.lower), v);
        if (k) c.lineTo(...p); else c.moveTo(...p);
      });
      c.stroke();
    };
    plot.clip(() => { curve(data.values, "#9aa3ad", 3); if (path.field) curve(path.field, method(label).color, 1.6); });
    plot.draw();
    return;
  }
  const plot = frame(g, data.window, [axes[0].name, axes[1].name], short, true);
  const [a, b] = [plot.to(axes[0].lower, axes[1].upper), plot.to(axes[0].upper, axes[1].lower)];
  const [w, h] = [b[0] - a[0], b[1] - a[1]];
  plot.clip(() => {
    const c = g.context;
    if (path.picture) { c.imageSmoothingEnabled = true; c.drawImage(path.picture, ...a, w, h); }
    const level = new Path2D();
    level.addPath(data.lines, new DOMMatrix([w, 0, 0, h, ...a]));
    c.strokeStyle = "#d55e00"; c.lineWidth = 1; c.setLineDash([]); c.stroke(level);
  });
  plot.draw();
}

let wanted = false;
function draw() {
  if (wanted || !info) return;
  wanted = true;
  requestAnimationFrame(() => {
    wanted = false;
    drawNow();
  });
}

function drawNow() {
  drawMap();
  drawConvergence();
  for (const label of chosen()) { drawModel(label); drawDensity(label); caption(label); density(label); }
  drawTable();
}

// Texts ------------------------------------------------------------------------------------

function caption(label) {
  const path = paths.get(label), k = shownOf(label);
  if (path.failed) { path.caption.textContent = path.failed; return; }
  if (k < 0) { path.caption.textContent = "…"; return; }
  const row = path.rows[k];
  const step = k > 0 ? `, step ${short(row.step)}` : "";
  const damped = row.damping > 0 ? `, damping ${short(row.damping)}` : "";
  path.caption.textContent = `iteration ${k} of ${lastOf(label)}, f = ${short(row.objective)}${step}${damped}`;
}

function drawTable() {
  const head = el("table").tHead, body = el("table").tBodies[0];
  const names = ["method", "state", "iteration", "f", ...info.parameters];
  if (head.childElementCount === 0) {
    const row = make("tr");
    for (const name of [...names, "remark"]) row.append(make("th", name, { scope: "col" }));
    head.append(row);
  }
  body.replaceChildren(...chosen().map((label) => {
    const path = paths.get(label), k = shownOf(label), at = path.rows[k];
    const last = path.rows[path.rows.length - 1];
    const row = make("tr", undefined, { "data-method": label, "data-state": path.state });
    if (last) {
      row.dataset.theta = JSON.stringify(last.theta);
      row.dataset.objective = JSON.stringify(last.objective);
      row.dataset.iterations = String(last.iteration);
    }
    row.append(make("th", method(label).name, { scope: "row" }), make("td", path.state), make("td", at ? String(k) : "–"));
    row.append(make("td", at ? short(at.objective) : "–"));
    info.parameters.forEach((_, i) => row.append(make("td", at ? short(at.theta[i]) : "–")));
    row.append(make("td", path.failed || path.reason || "", { class: "reason" }));
    return row;
  }));
  const longest = Math.max(0, ...chosen().map(lastOf));
  const slider = el("iteration");
  slider.max = String(longest);
  slider.disabled = longest === 0;
  el("replay").disabled = longest === 0 || running !== null;
  slider.value = String(view.shown === null ? longest : view.shown);
  el("iteration-text").textContent = longest === 0 ? "–" : `${slider.value} of ${longest}`;
}

// Densities: one question per method at a time, always for the iterate shown ----------------

async function density(label) {
  const path = paths.get(label), k = shownOf(label);
  if (k < 0 || path.asking || path.fieldAt === k) return;
  path.asking = true;
  try {
    const values = await server.density(scene(), path.rows[k].theta);
    path.fieldAt = k;
    take(path, values);
  } catch (error) {
    // The next iterate asks again.
    path.fieldAt = k;
    if (paths.get(label) === path) complain(error.message);
  }
  // Many iterates a second cannot be told apart, and the server answers a hundred questions a second.
  setTimeout(() => { path.asking = false; if (paths.get(label) === path) draw(); }, 150);
}

function take(path, values) {
  if (info.axes.length === 1) { path.field = values; return; }
  const [n0, n1] = [info.axes[0].cells, info.axes[1].cells];
  // Few samples in many cells are far higher than any density of theirs.
  const own = values.reduce((a, b) => Math.max(a, b), 0), top = data && data.max < 3 * own ? data.max : own;
  path.picture = picture(turned(values, n0, n1), n0, 0, top, info.palettes[1]);
}

// Descents ---------------------------------------------------------------------------------

function cards() {
  el("cards").replaceChildren(...chosen().map((label) => {
    const path = paths.get(label), style = method(label);
    const card = make("article"), head = make("header"), both = make("div", undefined, { class: "pair" });
    const swatch = make("span", undefined, { class: "swatch" });
    swatch.style.background = style.color;
    head.append(swatch, make("h3", style.name));
    path.caption = make("p", "…");
    path.model = make("canvas", undefined, { role: "img", "aria-label": `${style.name}: path and local quadratic model` });
    path.density = make("canvas", undefined, { role: "img", "aria-label": `${style.name}: density at the iterate, with level lines of the data` });
    both.append(path.model, path.density);
    card.append(head, path.caption, both);
    return card;
  }));
}

async function run() {
  if (running) running.abort();
  stopReplay();
  complain("");
  if (!view.at || view.methods.length === 0) {
    paths = new Map();
    running = null;
    cards();
    draw();
    document.body.dataset.state = "ready";
    return;
  }
  const mine = new AbortController();
  running = mine;
  const before = paths;
  paths = new Map(view.methods.map((label) => [label, {
    rows: [], models: [], state: "running", reason: null, failed: null, asking: false, fieldAt: -1,
    field: before.get(label)?.field, picture: before.get(label)?.picture }]));
  cards();
  const shown = view.shown;
  view.shown = null;
  document.body.dataset.state = "running";
  const { at: start, methods, rule, factor, damping, iterations } = view;
  try {
    const order = { start, methods, factor, iterations, rule: rule === "own" ? null : rule, damping };
    await server.descend(scene(), order, mine.signal, (events) => {
      if (mine !== running) return false;
      events.forEach(hear);
      draw();
      return true;
    });
    if (mine !== running) return;
    if ([...paths.values()].some((p) => p.state === "running")) throw new Error("wngd play stopped; start it again");
  } catch (error) {
    if (mine !== running || error.name === "AbortError") return;
    for (const path of paths.values()) if (path.state === "running") path.state = "stopped";
    complain(server.inWords(error));
  }
  running = null;
  view.shown = shown;
  remember();
  // At once: who reads "done" must find the ends in the table, not those of a frame before.
  drawNow();
  document.body.dataset.state = "done";
  el("spoken").textContent = chosen().map((label) => {
    const path = paths.get(label), last = path.rows[path.rows.length - 1];
    return `${method(label).name}: ${path.state}${last ? ` after ${last.iteration} iterations, objective ${short(last.objective)}` : ""}.`;
  }).join(" ");
}

function hear(event) {
  const path = paths.get(event.method);
  if (event.event === "iterate") path.rows.push(event);
  else if (event.event === "model") path.models.push(event);
  else if (event.event === "end") { path.state = event.status; path.reason = event.reason; }
  else { path.state = "failed"; path.failed = event.error; }
}

function stopReplay() {
  if (playing !== null) cancelAnimationFrame(playing);
  playing = null;
  el("replay").textContent = "Replay";
}

function replay() {
  if (playing !== null) { stopReplay(); return; }
  const longest = Math.max(0, ...chosen().map(lastOf));
  const pace = Math.max(longest / 8, 4) / 1000;
  const begun = performance.now();
  el("replay").textContent = "Stop";
  const tick = (now) => {
    view.shown = Math.min(Math.floor((now - begun) * pace), longest);
    draw();
    if (view.shown < longest) { playing = requestAnimationFrame(tick); return; }
    stopReplay();
    view.shown = null;
    remember();
    draw();
  };
  playing = requestAnimationFrame(tick);
}

// The view in the address bar --------------------------------------------------------------

function remember() {
  const words = new URLSearchParams({ experiment: info.experiment });
  if (view.objective !== null) words.set("objective", view.objective);
  if (view.data) words.set("data", view.data.join(","));
  if (view.at) words.set("at", view.at.join(","));
  words.set("methods", view.methods.join(","));
  if (view.rule !== "own") words.set("rule", view.rule);
  if (view.factor !== 1) words.set("factor", String(view.factor));
  if (view.damping !== null) words.set("damping", String(view.damping));
  words.set("iterations", String(view.iterations));
  if (view.shown !== null) words.set("shown", String(view.shown));
  if (view.zoom) words.set("zoom", "1");
  if (view.look !== "light") words.set("look", view.look);
  history.replaceState(null, "", `#${words}`);
}

/** Two numbers of the address; null where there are none. */
const two = (text) => {
  const found = (text ?? "").split(",").map((v) => (v.trim() === "" ? NaN : Number(v)));
  return found.length === 2 && found.every(Number.isFinite) ? found : null;
};

/** The scene of a link. */
function linked() {
  const words = new URLSearchParams(location.hash.slice(1));
  return { experiment: words.get("experiment"), objective: words.get("objective"), data: two(words.get("data")) };
}

/** Takes up the view of a link; says what of it cannot be. Without one, the experiment's own start is shown. */
function recall() {
  if (location.hash.length > 1) view.at = null;
  const words = new URLSearchParams(location.hash.slice(1));
  const problems = [];
  const number = (name, good, otherwise) => {
    if (!words.has(name)) return otherwise;
    const v = Number(words.get(name));
    if (words.get(name).trim() !== "" && good(v)) return v;
    problems.push(name);
    return otherwise;
  };
  if (words.has("at")) {
    const at = two(words.get("at"));
    if (at) { view.at = at; cursor = [...at]; } else problems.push("at");
  }
  if (words.has("data") && !two(words.get("data"))) problems.push("data");
  if (words.has("methods")) {
    const labels = words.get("methods").split(",").filter(Boolean);
    view.methods = info.methods.map((m) => m.label).filter((label) => labels.includes(label));
    if (view.methods.length !== labels.length) problems.push("methods");
  }
  if (words.has("rule")) {
    if ([...el("rule").options].some((o) => o.value === words.get("rule"))) view.rule = words.get("rule");
    else problems.push("rule");
  }
  view.factor = number("factor", (v) => v >= info.limits.factor[0] && v <= info.limits.factor[1], 1);
  view.damping = number("damping", (v) => v >= 0 && v <= info.limits.damping, null);
  view.iterations = number("iterations", (v) => Number.isInteger(v) && v >= 1 && v <= info.limits.iterations, view.iterations);
  view.shown = number("shown", (v) => Number.isInteger(v) && v >= 0, null);
  view.zoom = words.get("zoom") === "1";
  if (words.has("look")) {
    if (words.get("look") in LOOKS) view.look = words.get("look");
    else problems.push("look");
  }
  return problems.length ? `The link has an unusable value for ${problems.join(", ")}; the usual one is taken.` : "";
}

// Controls ---------------------------------------------------------------------------------

const dampings = [null, 0, ...Array.from({ length: 11 }, (_, k) => 10 ** (k - 8))];

function showControls() {
  for (const box of el("methods").querySelectorAll("input")) box.checked = view.methods.includes(box.value);
  el("rule").value = view.rule;
  el("factor").value = String(Math.log2(view.factor));
  el("factor-text").textContent = view.rule === "armijo" ? "chosen by search" : `× ${short(view.factor)}`;
  el("factor").disabled = view.rule === "armijo";
  const nearest = dampings.reduce((best, d, k) => {
    const far = (v) => (v === null || v === 0 ? -12 : Math.log10(v));
    if (view.damping === null || d === null) return view.damping === d ? k : best;
    return Math.abs(far(d) - far(view.damping)) < Math.abs(far(dampings[best] ?? Infinity) - far(view.damping)) ? k : best;
  }, view.damping === null ? 0 : 1);
  el("damping").value = String(nearest);
  el("damping-text").textContent = view.damping === null ? "as given" : view.damping === 0 ? "none" : short(view.damping);
  const limit = LIMITS.findIndex((n) => n >= view.iterations);
  el("iterations").value = String((limit < 0 ? LIMITS.length - 1 : limit) + 1);
  el("iterations-text").textContent = String(view.iterations);
  el("zoom").checked = view.zoom;
  el("look").value = view.look;
  document.documentElement.dataset.look = view.look;
  dress(view.look);
  el("local").value = view.local || "";
  el("experiment").value = info.experiment;
  el("objective").value = info.objective;
  showPlaces();
}

/** The numbers of the start and of what the data are made from. */
function showPlaces() {
  const show = (ids, place) => ids.forEach((id, k) => { el(id).value = String(Number(place[k].toPrecision(6))); });
  show(["x", "y"], cursor);
  el("origin").hidden = !info.origin;
  if (info.origin) show(["data-x", "data-y"], info.origin);
  el("as-given").disabled = !view.data;
}

let later = null;
function changed() {
  showControls();
  remember();
  clearTimeout(later);
  later = setTimeout(run, 250);
}

function go(at) {
  view.at = at;
  cursor = [...at];
  view.shown = null;
  showPlaces();
  remember();
  clearTimeout(later);
  run();
}

function listen() {
  const canvas = el("map");
  /** Parameters at a place of the canvas; null beside the plot. */
  const under = ([px, py]) => {
    const { box } = mapPlot;
    if (px < box.x || px > box.right || py < box.y || py > box.bottom) return null;
    const part = [(px - box.x) / (box.right - box.x), (box.bottom - py) / (box.bottom - box.y)];
    // As fine as a pointer is, so that near zero no digits of chance are left.
    return part.map((t, k) => {
      const width = info.upper[k] - info.lower[k], unit = 10 ** (Math.floor(Math.log10(width)) - 5);
      return Number((Math.round((info.lower[k] + t * width) / unit) * unit).toPrecision(12));
    });
  };
  const marks = () => [["start", view.at], ["data", info.origin]].filter(([, at]) => at)
    .map(([name, at]) => ({ name, at: mapPlot.to(...at) }));
  let live = 0;
  listenTo(canvas, {
    marks,
    under,
    pointed(at, dragging) {
      pointer = at;
      read();
      if (!at) local = null;
      if (!dragging) lookAround();
      draw();
    },
    pressed: go,
    dragged(mark, at) {
      local = null;
      if (mark === "data") moveData(at);
      else { view.at = at; cursor = [...at]; }
      showPlaces();
      // A few descents a second follow the pointer; the last place is descended from when it is let go.
      if (performance.now() - live < LIVE) return;
      live = performance.now();
      if (mark === "data") survey(true);
      run();
    },
    dropped(mark, at) {
      if (mark === "data") makeData(at);
      else go(at);
    },
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (step) {
      const share = event.shiftKey ? 400 : 40;
      cursor = cursor.map((v, k) => Number(clamp(v + step[k] * (info.upper[k] - info.lower[k]) / share, info.lower[k], info.upper[k]).toPrecision(6)));
      showPlaces();
      draw();
    } else if (event.key === "Enter" || event.key === " ") go([...cursor]);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);
  el("start").addEventListener("submit", (event) => {
    event.preventDefault();
    go([el("x").valueAsNumber, el("y").valueAsNumber]);
  });
  el("origin").addEventListener("submit", (event) => {
    event.preventDefault();
    makeData([el("data-x").valueAsNumber, el("data-y").valueAsNumber]);
  });
  el("as-given").addEventListener("click", () => makeData(null));
  el("experiment").addEventListener("change", () => change({ experiment: el("experiment").value, objective: null, data: null }));
  el("objective").addEventListener("change", () => change({ ...scene(), objective: el("objective").value }));
  el("methods").addEventListener("change", () => {
    view.methods = [...el("methods").querySelectorAll("input:checked")].map((box) => box.value);
    changed();
  });
  el("rule").addEventListener("change", () => { view.rule = el("rule").value; changed(); });
  el("factor").addEventListener("input", () => { view.factor = 2 ** Number(el("factor").value); changed(); });
  el("damping").addEventListener("input", () => { view.damping = dampings[Number(el("damping").value)]; changed(); });
  el("iterations").addEventListener("input", () => { view.iterations = LIMITS[Number(el("iterations").value) - 1]; changed(); });
  el("zoom").addEventListener("change", () => { view.zoom = el("zoom").checked; remember(); draw(); });
  el("look").addEventListener("change", () => { view.look = el("look").value; showControls(); remember(); draw(); });
  el("local").addEventListener("change", () => { view.local = el("local").value || null; local = null; draw(); });
  el("replay").addEventListener("click", replay);
  el("iteration").addEventListener("input", () => {
    stopReplay();
    const slider = el("iteration");
    view.shown = slider.value === slider.max ? null : Number(slider.value);
    remember();
    draw();
  });
  el("share").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      el("share-text").textContent = "copied";
    } catch {
      el("share-text").textContent = "it is in the address bar";
    }
    setTimeout(() => { el("share-text").textContent = ""; }, 3000);
  });
  window.addEventListener("hashchange", () => change(linked(), recall));
  window.addEventListener("resize", draw);
}

/** The experiment that is shown: its name, its parameters, its methods. */
function offer() {
  el("name").textContent = info.experiment;
  document.title = `${info.experiment} – wngd play`;
  el("about").textContent = `${info.names.join(" and ")} of ${info.parameters.length} free parameters; wngd ${info.version}`;
  el("origin-hint").textContent = !info.origin ? "" : info.truth
    ? "The star marks the parameters that made the data. Drag it: the data follow."
    : "The diamond marks what the data are made from; other parameters differ in them, so that it is no minimum. Drag it: the data follow.";
  for (const [id, name] of [["x-name", 0], ["data-x-name", 0], ["y-name", 1], ["data-y-name", 1]]) el(id).textContent = info.names[name];
  el("methods").replaceChildren(el("methods").firstElementChild);
  el("local").replaceChildren(el("local").options[0]);
  for (const m of info.methods) {
    const line = make("label"), box = make("input", undefined, { type: "checkbox", value: m.label });
    const swatch = make("span", undefined, { class: "swatch" }), text = make("span", `${m.name} `);
    swatch.style.background = m.color;
    text.append(make("small", m.step));
    line.append(box, swatch, text);
    el("methods").append(line);
    if (m.label.split("-")[0] !== "none") el("local").append(make("option", m.name, { value: m.label }));
  }
  view.local = el("local").options[1]?.value ?? null;
  el("table").tHead.replaceChildren();
  menu("experiment", [{ name: info.experiment }]);
  menu("objective", [{ name: info.objective }]);
}

function menu(id, entries) {
  el(id).replaceChildren(...entries.map(({ name, about }) => make("option", name, { value: name, title: about ?? name })));
  el(id).value = info[id];
}

/** Fills the menus, which takes the server a moment. */
async function fillMenus(mine) {
  const found = await server.choices({ experiment: view.experiment });
  if (mine !== turn) return;
  menu("experiment", found.experiments);
  menu("objective", found.objectives.map((name) => ({ name })));
  document.body.dataset.menus = "filled";
}

/** Moves what the data are made from; null: to where the experiment has it. */
function moveData(at) {
  view.data = at;
  if (!at) return;
  info.origin = at;
  if (info.truth) info.truth = at;
}

/** Makes data from there, to stay. */
function makeData(at) {
  if (!at) { change({ ...scene(), data: null }); return; }
  moveData(at);
  view.shown = null;
  showPlaces();
  remember();
  clearTimeout(later);
  survey(false);
  run();
}

/** Gets data and landscape of the scene; a coarse one while something moves, and then one at a time. */
let surveying = null;
async function survey(coarse) {
  if (coarse && surveying) return;
  surveying?.abort();
  const mine = surveying = new AbortController(), of = scene();
  if (!coarse) delete document.body.dataset.map;
  try {
    const values = await server.data(of);
    if (mine !== surveying) return;
    const max = values.reduce((a, b) => Math.max(a, b), 0);
    data = { values, max };
    if (info.axes.length > 1) {
      const [n0, n1] = [info.axes[0].cells, info.axes[1].cells];
      data.lines = lines(turned(values, n0, n1), n0, [0.05, 0.25, 0.5, 0.75].map((s) => s * max), true);
      data.window = occupied(values, max, info.axes);
    }
    draw();
    // Where there is none yet, a coarse one is there sooner.
    for (const rough of coarse ? [true] : map ? [false] : [true, false]) {
      const found = await server.landscape(of, rough, mine.signal);
      if (mine !== surveying) return;
      map = { ...found, picture: picture(found.z, found.columns, found.range[0], found.range[1], info.palettes[0]) };
      map.lines = lines(map.z, map.columns, map.levels, false);
      if (!rough) document.body.dataset.map = "drawn";
      draw();
    }
  } catch (error) {
    if (mine === surveying && error.name !== "AbortError") complain(server.inWords(error));
  } finally {
    if (mine === surveying) surveying = null;
  }
}

/** Counts the scenes that were opened: answers to questions about earlier ones are not waited for. */
let turn = 0;

/** Opens another scene; one that cannot be is told, and the page stays as it was. */
async function change(next, from) {
  const mine = ++turn;
  try {
    const found = await server.describe(next);
    if (mine === turn) await enter(mine, next, found, from);
  } catch (error) {
    if (mine !== turn) return;
    complain(server.inWords(error));
    showControls();
  }
}

/** Shows a scene; `from` takes up what a link says of the view and returns what of it cannot be. */
async function enter(mine, next, found, from) {
  const other = found.experiment !== info?.experiment;
  info = found;
  Object.assign(view, next, { experiment: info.experiment, shown: null });
  if (other) {
    view.at = [...info.start];
    view.methods = info.methods.filter((m) => m.chosen).map((m) => m.label);
    view.iterations = clamp(info.iterations, 1, info.limits.iterations);
    cursor = [...info.start];
  } else view.methods = view.methods.filter(method);
  // What was drawn belongs to the scene before.
  running?.abort();
  running = map = data = local = pointer = null;
  paths = new Map();
  delete document.body.dataset.menus;
  offer();
  const problem = from ? from() : "";
  showControls();
  if (!from) remember();
  draw();
  survey(false);
  fillMenus(mine).catch((error) => { if (mine === turn) complain(server.inWords(error)); });
  await run();
  if (problem && mine === turn) complain(problem);
}

async function main() {
  document.body.dataset.state = "loading";
  listen();
  const mine = ++turn;
  let next = linked(), from = recall, found;
  try {
    found = await server.describe(next);
  } catch (error) {
    if (error instanceof TypeError || location.hash.length < 2) throw error;
    // What was opened can be shown.
    next = { experiment: null, objective: null, data: null };
    found = await server.describe(next);
    from = () => `The link cannot be shown: ${error.message}`;
  }
  await enter(mine, next, found, from);
}

main().catch((error) => complain(server.inWords(error)));
