/** What a pointer does on the landscape, be it a mouse, a pen or a finger: it points, presses and drags. */

/** A press that moves less is still one, in CSS pixels. */
const STILL = 5;
/** How near to a mark a pointer takes hold of it. */
const REACH = { mouse: 12, pen: 16, touch: 26 };

/**
 * Listens to a canvas. `marks` lists what can be dragged, `under` knows what a place stands for and has null beside the
 * plot; `pointed`, `pressed`, `dragged` and `dropped` are told of it.
 */
export function listen(canvas, { marks, under, pointed, pressed, dragged, dropped }) {
  /** The pointer that is down: where it came down, the mark it holds, where it was last over the plot. */
  let held = null;
  const place = (event) => {
    const area = canvas.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  };
  const far = ([a, b], [x, y]) => Math.hypot(a - x, b - y);
  const nearest = (event) => {
    const at = place(event), reach = REACH[event.pointerType] ?? REACH.mouse;
    const near = marks().map((mark) => ({ name: mark.name, away: far(mark.at, at) })).filter((mark) => mark.away < reach);
    return near.sort((a, b) => a.away - b.away)[0]?.name ?? null;
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    held = { id: event.pointerId, mark: nearest(event), from: place(event), last: null, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.isPrimary) return;
    const at = under(place(event));
    if (held && far(held.from, place(event)) > STILL) held.moved = true;
    if (held?.mark && held.moved) {
      if (at) { held.last = at; dragged(held.mark, at); }
    } else if (!held) canvas.style.cursor = nearest(event) ? "grab" : "";
    pointed(at, Boolean(held?.mark));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const { mark, from, last, moved } = held;
    held = null;
    if (mark && last) dropped(mark, last);
    else if (!moved && under(from)) pressed(under(from));
  });
  canvas.addEventListener("pointercancel", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const { mark, last } = held;
    held = null;
    if (mark && last) dropped(mark, last);
  });
  // What a finger pointed at stays to be read when it is lifted.
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") pointed(null, false); });
}
