// The gates of all units at every token, a strip a gate, in a lane a direction; and the units that matter for the tag.
// In: the store; each refresh, the view, with the model in it. Out: {element, refresh}. A canvas draws them, so that two hundred tokens of
// two hundred units cost no more than a picture; mouse and arrow keys point at one number, Enter chooses its unit.
import { button, filled, make, renew, setText } from "gatewise/dom.js";
import { BLOCKS } from "gatewise/encoder.js";
import { COLUMN, columnsOf } from "gatewise/sentence.js";
import { decimal, signed } from "gatewise/trace_numbers.js";
import { words } from "gatewise/words.js";

const SHOWN = { gates: ["i", "f", "g", "o"], states: ["c", "h"] }, HEAD = 16, TALL = 256, STRONGEST = 8, FEW = 16;
export const ARROWS = { forward: "→", reverse: "←" };

// One number of a pass; of an RNN there is h alone.
export function valueOf(pass, t, unit, name) {
  if (name === "c" || name === "h") return pass[name][t * pass.units + unit];
  return pass.gates[t * 4 * pass.units + BLOCKS[name] * pass.units + unit];
}

export function createHeat(store) {
  const controls = make("div", { class: "heat-controls" }), lanes = make("div", { class: "lanes" }), told = make("p", { class: "told", role: "status" }), units = make("div", { class: "strongest" });
  const element = make("div", { class: "heat" }, controls, told, units), made = ["forward", "reverse"].map((direction) => createLane(store, direction, (text) => setText(told, text)));
  let strip = null;

  function refresh(view) {
    const { model } = view;
    strip ??= document.getElementById("strip");
    if (lanes.parentNode !== strip) strip.append(lanes);
    element.hidden = lanes.hidden = !view.passes;
    if (!view.passes) return;
    const names = model.kind === "lstm" ? SHOWN[view.place.shown] : ["h"], shown = made.filter(({ direction }) => view.passes[direction]);
    controls.replaceChildren(...controlsOf(model, store, view));
    setText(told, words().trace.point);
    for (const lane of shown) lane.refresh(view, names);
    if (lanes.childElementCount !== shown.length) lanes.replaceChildren(...shown.map((lane) => lane.element));
    units.replaceChildren(...(view.brought ? strongestOf(model, store, view) : []));
  }

  return { element, refresh };
}

function controlsOf(model, store, { place, layer, top, brought, units }) {
  const { trace, terms, page } = words(), choices = (label, key, names, chosen, choose) => make("div", { class: "choice" }, make("span", null, label), make("div", { class: "segments", role: "group", "aria-label": label }, Object.entries(names).map(([name, text]) => button(text, () => choose(name), { "aria-pressed": String(String(chosen) === name), "data-key": `${key}-${name}` }))));
  return [
    model.kind === "lstm" ? choices(trace.shown, "shown", { gates: trace.gates, states: trace.states }, place.shown, (shown) => store.look({ shown })) : null,
    top && brought ? choices(trace.sort, "sort", { matter: trace.by_matter, number: trace.by_number }, place.sort, (sort) => store.look({ sort })) : null,
    units > FEW ? choices(trace.rows, "rows", { few: filled(trace.first_units, { count: FEW }), all: filled(trace.every_unit, { count: units }) }, place.rows, (rows) => store.look({ rows })) : null,
    model.sizes.length > 1 && model.layers ? choices(page.layer, "layer", Object.fromEntries(model.sizes.map((_, n) => [n, String(n + 1)])), layer, (name) => store.look({ layer: Number(name), unit: null })) : null,
    make("span", { class: "note" }, [model.kind === "lstm" ? "" : words().spoken.rnn_note, model.sizes.length > 1 && !model.layers ? trace.top_only : "", top ? "" : trace.below, terms.forward && model.kind === "lstm" ? trace.colors : ""].filter(Boolean).join(" ")),
  ].filter(Boolean);
}

// The units of a direction from top to bottom: those that bring most for the tag first.
export function orderOf({ brought, place, units, top }, direction) {
  const order = [...Array(units).keys()], offset = direction === "reverse" ? units : 0;
  const sorted = brought && top && place.sort === "matter" ? order.sort((a, b) => brought[offset + b] - brought[offset + a]) : order;
  return place.rows === "few" ? sorted.slice(0, FEW) : sorted;
}

// The strips of a direction. The canvas is kept, since a new one of a long sentence costs more than what is drawn on it.
function createLane(store, direction, tell) {
  const canvas = make("canvas", { class: "strips", tabindex: 0, role: "application", "data-key": `lane-${direction}` }), numbers = make("ol", { class: "unit-numbers", "aria-hidden": true }), name = make("span");
  const element = make("div", { class: "lane" }, make("div", { class: "lane-name" }, make("span", null, make("b", null, ARROWS[direction]), name), numbers), canvas);
  const pixels = make("canvas");
  let view = null, grid = null;
  const point = (at) => {
    grid.at = at;
    paint(grid);
    if (at) tell(toldOf(view, direction, grid));
  };
  const chosen = () => clamp(grid, { t: view.t, place: Math.max(0, grid.chosen), name: 0 });
  const choose = () => store.look({ t: grid.at.t, unit: grid.order[grid.at.place], direction });
  canvas.addEventListener("mousemove", (event) => point(placeOf(event, grid)));
  canvas.addEventListener("mouseleave", () => point(null));
  canvas.addEventListener("click", (event) => { grid.at = placeOf(event, grid); choose(); });
  canvas.addEventListener("focus", () => grid.at ?? point(chosen()));
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("keydown", (event) => byKey(event, grid, point, choose));

  function refresh(now, names) {
    view = now;
    const { trace, terms } = words(), order = orderOf(view, direction), row = Math.max(2, Math.min(13, Math.floor(TALL / order.length)));
    const { from, to } = columnsOf(view.result.time, view.t), width = (to - from) * COLUMN, height = HEAD + row * order.length;
    grid = { canvas, pixels, pass: view.passes[direction], order, names, from, to, row, width, height, here: view.t, chosen: view.direction === direction ? order.indexOf(view.unit) : -1, at: null };
    canvas.setAttribute("aria-label", filled(trace.lane_label, { direction: terms[direction], count: order.length }));
    setText(name, terms[direction]);
    renew(numbers, [row, order], () => (row > 10 ? order.map((unit) => make("li", null, String(unit))) : []));
    numbers.style.setProperty("--row", `${row}px`);
    point(document.activeElement === canvas ? chosen() : null);
  }

  return { direction, element, refresh };
}

// Which number the mouse is at.
function placeOf(event, grid) {
  const box = grid.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top - HEAD;
  return clamp(grid, { t: grid.from + Math.floor(x / COLUMN), place: Math.floor(y / grid.row), name: Math.floor(((x % COLUMN) - 4) / ((COLUMN - 8) / grid.names.length)) });
}

function clamp({ from, to, order, names }, { t, place, name }) {
  const within = (value, least, most) => Math.max(least, Math.min(value, most));
  return { t: within(t, from, to - 1), place: within(place, 0, order.length - 1), name: within(name, 0, names.length - 1) };
}

// ↑ ↓ a unit, ← → a strip and then the next token, Enter chooses.
function byKey(event, grid, point, choose) {
  const count = grid.names.length, at = grid.at ?? { t: grid.here, place: 0, name: 0 }, flat = at.t * count + at.name;
  const to = { ArrowUp: [flat, at.place - 1], ArrowDown: [flat, at.place + 1], ArrowLeft: [flat - 1, at.place], ArrowRight: [flat + 1, at.place] }[event.key];
  if (event.key === "Enter" || event.key === " ") choose();
  else if (to) point(clamp(grid, { t: Math.floor(to[0] / count), name: ((to[0] % count) + count) % count, place: to[1] }));
  else return;
  event.preventDefault();
}

function toldOf({ result, brought, top, units, t }, direction, { pass, order, names, at }) {
  const unit = order[at.place], value = valueOf(pass, at.t, unit, names[at.name]), { trace } = words();
  const text = filled(trace.told, { arrow: ARROWS[direction], unit, number: at.t + 1, token: result.tokens[at.t], name: names[at.name], value: decimal(value) });
  return brought && top && at.t === t ? `${text} · ${filled(trace.told_part, { value: signed(brought[(direction === "reverse" ? units : 0) + unit]) })}` : text;
}

// The colors that hold now; a signed value shows a second color below 0. To ask for them costs more than to paint with them.
let known = { of: null };
function inks() {
  const root = document.documentElement, of = `${root.dataset.theme} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
  if (known.of === of) return known;
  const style = getComputedStyle(root), text = (name) => style.getPropertyValue(`--${name}`).trim(), rgb = (name) => [1, 3, 5].map((at) => Number.parseInt(text(name).slice(at, at + 2), 16));
  known = { of, ...Object.fromEntries(["i", "f", "g", "o", "c", "h"].map((name) => [name, rgb(name)])), ground: rgb("well"), under: rgb("soft"), ink: text("ink"), accent: text("accent"), font: `600 12px ${text("font")}` };
  return known;
}

function paint(grid) {
  const { canvas, pass, order, names, from, to, row, width, height, here, chosen, at } = grid, scale = Math.min(2, devicePixelRatio || 1), ink = inks(), wide = (COLUMN - 8) / names.length;
  if (canvas.width !== width * scale || canvas.height !== height * scale) Object.assign(canvas, { width: width * scale, height: height * scale });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  const pen = canvas.getContext("2d"), pixels = pictureOf(grid, ink);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.imageSmoothingEnabled = false;
  Object.assign(pen, { font: ink.font, textAlign: "center", textBaseline: "middle" });
  for (let t = from; t < to; t += 1) names.forEach((name, n) => {
    const x = (t - from) * COLUMN + 4 + n * wide;
    pen.fillStyle = `rgb(${ink[name].join(" ")})`;
    pen.fillText(name, x + wide / 2, HEAD / 2);
    pen.drawImage(pixels, (t - from) * names.length + n, 0, 1, order.length, x, HEAD, wide - 1.5, row * order.length);
  });
  Object.assign(pen, { strokeStyle: ink.accent, lineWidth: 2 });
  pen.strokeRect((here - from) * COLUMN + 2, HEAD - 1, COLUMN - 5, row * order.length + 1);
  pen.strokeStyle = ink.ink;
  if (chosen >= 0) pen.strokeRect((here - from) * COLUMN + 1, HEAD + chosen * row - 1, COLUMN - 3, Math.max(row, 3) + 2);
  if (at) pen.strokeRect((at.t - from) * COLUMN + 3 + at.name * wide, HEAD + at.place * row - 1, wide, Math.max(row, 3) + 2);
}

// One pixel a number.
function pictureOf({ pixels, pass, order, names, from, to }, ink) {
  const width = (to - from) * names.length;
  if (pixels.width !== width || pixels.height !== order.length) Object.assign(pixels, { width, height: order.length });
  const pen = pixels.getContext("2d"), image = pen.createImageData(width, order.length);
  for (let t = from; t < to; t += 1) names.forEach((name, n) => order.forEach((unit, y) => {
    const value = Math.max(-1, Math.min(1, valueOf(pass, t, unit, name))), color = value < 0 ? ink.under : ink[name], at = 4 * (y * width + (t - from) * names.length + n);
    for (let part = 0; part < 3; part += 1) image.data[at + part] = ink.ground[part] + (color[part] - ink.ground[part]) * Math.abs(value);
    image.data[at + 3] = 255;
  }));
  pen.putImageData(image, 0, 0);
  return pixels;
}

// The units that bring most for the tag, and the one that takes most from it.
function strongestOf(model, store, { brought, units, result, t, tag, rival, passes, unit, direction }) {
  const { trace, spoken } = words(), order = [...brought.keys()].sort((a, b) => brought[b] - brought[a]), most = Math.max(...brought.map(Math.abs));
  const shown = order.length > STRONGEST ? [...order.slice(0, STRONGEST - 1), order.at(-1)] : order;
  const bars = shown.map((at) => {
    const way = at >= units ? "reverse" : "forward", number = at % units, bar = make("span", { class: `bar-level${brought[at] < 0 ? " against" : ""}` });
    bar.style.width = `${(100 * Math.abs(brought[at])) / (most || 1)}%`;
    const one = button("", () => store.look({ unit: number, direction: way }), { class: "unit-bar", "data-key": `unit-${way}-${number}`, "aria-pressed": String(way === direction && number === unit) });
    one.append(make("b", null, `${ARROWS[way]} ${number}`), make("span", { class: "well" }, bar), make("span", null, signed(brought[at])), make("small", null, `h ${decimal(passes[way].h[t * units + number])}`));
    return one;
  });
  const names = { tag: model.labels[tag], rival: rival === null ? "–" : model.labels[rival], token: result.tokens[t] };
  return [make("h3", null, filled(trace.strongest, names)), make("p", { class: "note" }, spoken.units_note_rnn + (model.residual ? spoken.residual_note : "")), make("div", { class: "unit-bars" }, bars)];
}
