/** What plots are made of: level lines, pictures of lattices, frames with ticks, marks. */

export const BLACK = "#1a1a1a", OUTSIDE = "#ececec";
const STAR = "#ffe14d";
const FAMILY = 'system-ui, "DejaVu Sans", Verdana, sans-serif';
/** What the page can look like: ink and grid of plots, size of their letters. */
export const LOOKS = {
  light: { ink: BLACK, soft: "#595959", grid: "#e4e4e4", dark: "#1a1a1a", size: 12 },
  dark: { ink: "#e8eaed", soft: "#b4bac2", grid: "#333a42", dark: "#e8eaed", size: 12 },
  presentation: { ink: BLACK, soft: "#595959", grid: "#e4e4e4", dark: "#1a1a1a", size: 18 },
};
/** What it looks like now. */
export let look = LOOKS.light;
export const dress = (name) => { look = LOOKS[name]; };
/** The letters of plots. */
export const font = () => `${look.size}px ${FAMILY}`;

export const clamp = (v, a, b) => Math.min(Math.max(v, a), b);

// Level lines and colours ------------------------------------------------------------------

/** Level lines of a lattice as a path over the unit square, first row at the bottom. */
export function lines(values, columns, levels, inset) {
  const rows = values.length / columns;
  const path = new Path2D();
  const at = (i, j) => inset
    ? [(i + 0.5) / columns, 1 - (j + 0.5) / rows]
    : [i / (columns - 1), 1 - j / (rows - 1)];
  for (const level of levels) {
    for (let j = 0; j + 1 < rows; j++) {
      for (let i = 0; i + 1 < columns; i++) {
        const corner = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const z = corner.map(([a, b]) => values[b * columns + a]);
        if (z.some(Number.isNaN)) continue;
        const cuts = [];
        for (let k = 0; k < 4; k++) {
          const n = (k + 1) % 4;
          if ((z[k] < level) !== (z[n] < level)) {
            const t = (level - z[k]) / (z[n] - z[k]);
            cuts.push(at(corner[k][0] + t * (corner[n][0] - corner[k][0]), corner[k][1] + t * (corner[n][1] - corner[k][1])));
          }
        }
        for (let k = 0; k + 1 < cuts.length; k += 2) {
          path.moveTo(...cuts[k]);
          path.lineTo(...cuts[k + 1]);
        }
      }
    }
  }
  return path;
}

/** A lattice as a picture, first row at the bottom. */
export function picture(values, columns, low, high, palette) {
  const rows = values.length / columns;
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const rgb = (c) => [1, 3, 5].map((k) => parseInt(c.slice(k, k + 2), 16));
  const colors = palette.map(rgb), outside = rgb(OUTSIDE);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const v = values[j * columns + i];
      const t = high > low ? clamp((v - low) / (high - low), 0, 1) : 0;
      const c = Number.isNaN(v) ? outside : colors[Math.round(t * (colors.length - 1))];
      image.data.set([...c, 255], 4 * ((rows - 1 - j) * columns + i));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Values whose last axis is fastest, as rows of the second axis. */
export function turned(values, n0, n1) {
  const out = new Float32Array(values.length);
  for (let i = 0; i < n0; i++) for (let j = 0; j < n1; j++) out[j * n0 + i] = values[i * n1 + j];
  return out;
}

/** The part of the box where a density is, with room around it. */
export function occupied(values, max, axes) {
  const [a0, a1] = axes, n1 = a1.cells;
  const ends = [[a0.cells, -1], [n1, -1]];
  values.forEach((v, n) => {
    if (v < 0.005 * max) return;
    [Math.floor(n / n1), n % n1].forEach((i, k) => { ends[k] = [Math.min(ends[k][0], i), Math.max(ends[k][1], i)]; });
  });
  const [x, y] = [a0, a1].map((axis, k) => {
    const room = 0.4 * (ends[k][1] - ends[k][0] + 1), at = (i) => axis.lower + i / axis.cells * (axis.upper - axis.lower);
    return [at(Math.max(ends[k][0] - room, 0)), at(Math.min(ends[k][1] + 1 + room, axis.cells))];
  });
  return { x, y };
}

// Plots ------------------------------------------------------------------------------------

export function begin(canvas) {
  const scale = window.devicePixelRatio || 1;
  const [w, h] = [canvas.clientWidth, canvas.clientHeight];
  const [pw, ph] = [Math.round(w * scale), Math.round(h * scale)];
  if (canvas.width !== pw || canvas.height !== ph) { canvas.width = pw; canvas.height = ph; }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, w, h);
  context.font = font();
  context.lineJoin = "round";
  return { context, w, h };
}

/** Round numbers between two ends. */
function ticks(low, high, count) {
  const raw = (high - low) / Math.max(count, 1);
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

/** A frame with ticks; returns pixel coordinates of values. */
export function frame(g, window_, names, texts = String, compact = false) {
  const [x0, x1] = window_.x, [y0, y1] = window_.y;
  const across = ticks(x0, x1, g.w / (5.5 * look.size)), up = ticks(y0, y1, g.h / (4 * look.size));
  const em = look.size / 12;
  g.context.fillStyle = look.ink;
  const widest = Math.max(...up.map((v) => g.context.measureText(texts(v)).width), 0);
  const box = { x: widest + (names[1] ? 28 : 8) * em, y: 6, right: g.w - (compact ? 4 : 10), bottom: g.h - (names[0] ? 36 : 20) * em };
  const to = (x, y) => [
    box.x + (x - x0) / (x1 - x0) * (box.right - box.x),
    box.bottom - (y - y0) / (y1 - y0) * (box.bottom - box.y)];
  const draw = () => {
    const c = g.context;
    c.strokeStyle = look.ink; c.fillStyle = look.ink; c.lineWidth = 1; c.setLineDash([]);
    c.strokeRect(box.x, box.y, box.right - box.x, box.bottom - box.y);
    c.textAlign = "center"; c.textBaseline = "top";
    for (const v of across) { const [x] = to(v, y0); c.fillText(texts(v, true), clamp(x, box.x + 8, g.w - 12), box.bottom + 4); }
    if (names[0]) c.fillText(names[0], (box.x + box.right) / 2, g.h - 14 * em);
    c.textAlign = "right"; c.textBaseline = "middle";
    for (const v of up) { const [, y] = to(x0, v); c.fillText(texts(v), box.x - 5, clamp(y, 8, g.h)); }
    if (names[1]) {
      c.save(); c.translate(9 * em, (box.y + box.bottom) / 2); c.rotate(-Math.PI / 2); c.textAlign = "center";
      c.fillText(names[1], 0, 0); c.restore();
    }
  };
  const clip = (inside) => {
    g.context.save(); g.context.beginPath();
    g.context.rect(box.x, box.y, box.right - box.x, box.bottom - box.y); g.context.clip();
    inside(); g.context.restore();
  };
  return { box, to, draw, clip };
}

export function dot(c, [x, y], r, color) {
  c.beginPath(); c.arc(x, y, r, 0, 2 * Math.PI);
  c.fillStyle = color; c.fill(); c.strokeStyle = "#fff"; c.lineWidth = 1; c.stroke();
}

/** What data are made from where it is no minimum. */
export function diamond(c, [x, y], r) {
  c.beginPath();
  for (const [p, q] of [[0, -r], [r, 0], [0, r], [-r, 0]]) c.lineTo(x + p, y + q);
  c.closePath(); c.fillStyle = "#fff"; c.fill(); c.strokeStyle = BLACK; c.lineWidth = 2; c.stroke();
}

export function star(c, [x, y], r) {
  c.beginPath();
  for (let k = 0; k < 10; k++) {
    const s = k % 2 ? 0.42 * r : r, a = -Math.PI / 2 + k * Math.PI / 5;
    c.lineTo(x + s * Math.cos(a), y + s * Math.sin(a));
  }
  c.closePath(); c.fillStyle = STAR; c.fill(); c.strokeStyle = BLACK; c.lineWidth = 1.2; c.stroke();
}

/** Minimiser and two level sets of a local model; nothing if it has no minimum. */
export function bowl(model, theta) {
  const [a, b, , d] = model.matrix, [gx, gy] = model.gradient;
  const det = a * d - b * b;
  if (!(a > 0) || !(det > 1e-14 * a * d)) return null;
  const h = [-(d * gx - b * gy) / det, -(a * gy - b * gx) / det];
  const depth = -0.5 * (gx * h[0] + gy * h[1]);
  // M = L Lᵀ; h + s L⁻ᵀ(cos, sin) runs along a level set.
  const l11 = Math.sqrt(a), l21 = b / l11, l22 = Math.sqrt(det / a);
  const ring = (share) => {
    const s = Math.sqrt(2 * depth * share), out = [];
    for (let k = 0; k <= 120; k++) {
      const [u, v] = [Math.cos(k * Math.PI / 60), Math.sin(k * Math.PI / 60)];
      const y = v / l22, x = (u - l21 * y) / l11;
      out.push([theta[0] + h[0] + s * x, theta[1] + h[1] + s * y]);
    }
    return out;
  };
  return { minimiser: [theta[0] + h[0], theta[1] + h[1]], rings: [ring(1), ring(0.25)] };
}
