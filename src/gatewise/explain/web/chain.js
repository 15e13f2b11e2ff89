// The network unrolled over the sentence: one column a token, one lane a direction of a layer, the states on the wires.
// In: document, run, the run before the last change, the place. Out: an SVG element whose cells can be clicked.
import { filled, svg } from "gatewise/dom.js";
import { box, chip, label, picture, textWidth, vectorWithin, wire } from "gatewise/shapes.js";
import { formatNumber, same } from "gatewise/numbers.js";
import { directionsOf } from "gatewise/lstm.js";
import { openness } from "gatewise/formulas.js";
import { tagName, words } from "gatewise/words.js";

const GAP = 80, LANE = 158, TOP = 104, BOTTOM = 108, CELL = 92, SIDE = 14;  // SIDE: how far beside a cell a wire passes it
export const MOST_COLUMNS = 60, MOST_UNITS_SHOWN = 4;

// The picture in its box. Where one only looks at another step, the marks move and nothing is drawn anew.
const drawn = new WeakMap();
export function showChain(box, document, run, before, place, pick) {
  const of = [run, before, firstColumn(run.tokens.length, place.t), place.hide, words()], last = drawn.get(box);
  if (last && last.chain === box.firstElementChild && of.every((one, n) => one === last.of[n])) return markPlace(last.chain, place);
  const chain = drawChain(document, run, before, place, pick), { width } = chain.viewBox.baseVal;
  chain.style.width = `max(${0.66 * width}px, min(100%, ${width}px))`;  // a little smaller rather than cut off
  drawn.set(box, { chain, of });
  return box.replaceChildren(chain);
}

function markPlace(chain, place) {
  const first = Number(chain.querySelector(".column").dataset.t), key = cellKey({ layer: place.layer + 1, reverse: place.reverse, t: place.t + 1 });
  chain.querySelectorAll(".column").forEach((column, n) => [column, column.querySelector(".token")].forEach((one) => one.classList.toggle("here", first + n === place.t)));
  for (const cell of chain.querySelectorAll(".cell")) markCell(cell, cell.dataset.key === key);
}

function markCell(cell, here) {
  cell.classList.toggle("here", here);
  cell.setAttribute("tabindex", here ? 0 : -1);
  if (here) cell.setAttribute("aria-current", "step");
  else cell.removeAttribute("aria-current");
}

const cellKey = ({ layer, reverse, t }) => `cell-${layer}-${reverse}-${t}`;

function drawChain(document, run, before, place, pick) {
  const first = firstColumn(run.tokens.length, place.t), last = Math.min(run.tokens.length, first + MOST_COLUMNS);
  const lanes = directionsOf(run);  // from the bottom up
  const gap = gapFor(run, lanes, first, last), column = CELL + gap, left = gap + 16;
  const width = left * 2 + (last - first) * column - gap, height = TOP + lanes.length * LANE - (LANE - CELL) + BOTTOM;
  const view = { document, run, before, place, pick, first, last, lanes, gap, column, left };
  const parts = [];
  for (let t = first; t < last; t += 1) parts.push(columnParts(view, t));
  lanes.forEach((lane, n) => parts.push(...laneParts(view, lane, n)));
  return picture("chain", width, height, words().page.chain, { role: "group" }, ...parts);
}

// Only so many columns are drawn, those around the step one looks at.
export function firstColumn(tokens, t) {
  return Math.max(0, Math.min(t - MOST_COLUMNS / 2, tokens - MOST_COLUMNS));
}

// Room between two cells for the widest state, and for the wires that pass beside them.
function gapFor(run, lanes, first, last) {
  const states = lanes.flatMap((lane) => lane.steps.slice(first, last).flatMap((step) => [step.c, step.c_prev, step.h, step.h_prev]));
  const widest = Math.max(0, ...states.map((values) => (values.length ? textWidth(shownStates(values), 15) + 14 : 0)));
  const outputs = Math.max(0, ...run.outputs.slice(first, last).map((values) => textWidth(shownStates(values), 15) + 30));
  return Math.max(GAP, widest + (run.layers.some((layer) => layer.reverse) ? 2 * SIDE + 24 : 42), outputs - CELL);
}

// A lesson asks for the numbers of this step, so they are not told yet.
const isHidden = (view, t) => view.place.hide !== null && t >= view.place.hide;

const columnX = (view, t) => view.left + CELL / 2 + (t - view.first) * view.column;
const laneY = (view, n) => TOP + CELL / 2 + (view.lanes.length - 1 - n) * LANE;

// Token and vector below, output and tag on top, and the wires to and from the lanes.
function columnParts(view, t) {
  const { run, place, document } = view, x = columnX(view, t), bottom = laneY(view, 0) + CELL / 2, vector = new Map(document.vectors).get(run.tokens[t]);
  const top = laneY(view, view.lanes.length - 1) - CELL / 2, here = t === place.t;
  const hidden = isHidden(view, t), output = hidden ? "?" : shownStates(run.outputs[t]), old = changedVector(run.outputs[t], beforeAt(view, t)?.outputs[t]);
  const tag = tagName(run.tags[t]), oldTag = beforeAt(view, t) ? tagName(view.before.tags[t]) : tag;
  const parts = [
    wire([[x, bottom + 44], [x, bottom + 3]], "chain", { class: "x" }),
    label(x, bottom + 60, vectorWithin(vector, view.column - 12, 13), "small"),
    tokenLabel(x, bottom + 88, run.tokens[t], view.column - 12, here),
    wire([[x, top], [x, top - 26]], "chain", { class: "h" }),
    chip(x, top - 42, output, "h", null),
  ];
  if (old !== null && !hidden) parts[4].classList.add("changed");
  if (tag && !hidden) parts.push(tagLabel(x, top - 78, tag, oldTag));
  return svg("g", { class: here ? "column here" : "column", "data-t": t }, ...parts);
}

// A token, cut where it is wider than its column; the whole of it is told when one points at it.
function tokenLabel(x, y, token, room, here) {
  let shown = [...token];
  while (shown.length > 1 && textWidth(shown.join(""), 22) > room) shown = shown.slice(0, -1);
  const whole = shown.length === [...token].length;
  return label(x, y, whole ? token : `${shown.slice(0, -1).join("")}…`, here ? "token here" : "token", {}, token);
}

function tagLabel(x, y, tag, old) {
  const shown = old && old !== tag ? `${old} → ${tag}` : tag, width = textWidth(shown, 15) + 22;
  return svg("g", { class: old !== tag ? "tag changed" : "tag" }, svg("rect", { x: x - width / 2, y: y - 14, width, height: 28, rx: 6 }), label(x, y, shown));
}

function laneParts(view, lane, n) {
  const y = laneY(view, n), parts = [], shown = lane.steps.slice(view.first, view.last), recurrent = view.run.kind !== "neuron";
  shown.forEach((step) => {
    const x = columnX(view, step.t - 1), side = lane.reverse ? 1 : -1;
    parts.push(...betweenLanes(view, lane, n, x, y));
    if (recurrent) parts.push(...stateWires(view, step, lane, x, y, side));
    parts.push(cell(view, lane, step, x, y));
  });
  if (recurrent && shown.length) parts.push(...lastWires(view, lane, y));
  if (view.lanes.length > 1) parts.push(label(6, y - CELL / 2 - 22, laneName(lane), "small lane", { "text-anchor": "start" }));
  return parts;
}

// How a cell reads the layer below; the two directions of a layer stand side by side: each reads it, both are put out.
function betweenLanes(view, lane, n, x, y) {
  if (lane.reverse) {
    const forward = laneY(view, n - 1), source = forward + CELL / 2 + 22, kind = { class: lane.layer === 1 ? "x" : "h" };
    return [
      wire([[x, source], [x - CELL / 2 - SIDE, source], [x - CELL / 2 - SIDE, y + CELL / 2 + 18], [x, y + CELL / 2 + 18], [x, y + CELL / 2 + 3]], "chain", kind),
      wire([[x, forward - CELL / 2], [x, forward - CELL / 2 - 18], [x + CELL / 2 + SIDE, forward - CELL / 2 - 18], [x + CELL / 2 + SIDE, y - CELL / 2 - 14], [x, y - CELL / 2 - 14]], "", { class: "h" }),
    ];
  }
  return n > 0 ? [wire([[x, laneY(view, n - 1) - CELL / 2], [x, y + CELL / 2 + 3]], "chain", { class: "h" })] : [];
}

// What the step saw: c on the upper wire, h on the lower one; the numbers stand between the cells.
function stateWires(view, step, lane, x, y, side) {
  const { gap } = view, isFirst = lane.reverse ? step.t === lane.steps.length : step.t === 1;
  const from = x + side * (CELL / 2 + (isFirst ? gap - 8 : gap)), to = x + side * (CELL / 2 + 3), middle = x + (side * (CELL + gap - (isFirst ? 4 : 0))) / 2;
  const old = beforeStep(view, lane, step), parts = [];
  const hidden = isHidden(view, lane.reverse ? step.t : step.t - 2);
  const add = (kind, shift, values, oldValues) => {
    parts.push(wire([[from, y + shift], [to, y + shift]], "chain", { class: kind }));
    parts.push(hidden ? chip(middle, y + shift, "?", kind) : stateChip(middle, y + shift, values, oldValues, kind));
  };
  if (step.c_prev.length) add("c", -22, step.c_prev, old?.c_prev);
  add("h", step.c_prev.length ? 24 : 4, step.h_prev, old?.h_prev);
  return parts;
}

function lastWires(view, lane, y) {
  const step = lane.reverse ? lane.steps[view.first] : lane.steps[view.last - 1], side = lane.reverse ? -1 : 1, x = columnX(view, step.t - 1);
  const old = beforeStep(view, lane, step), memory = step.c.length > 0, middle = x + (side * (CELL + view.gap - 4)) / 2;
  const line = (kind, shift) => wire([[x + (side * CELL) / 2, y + shift], [x + side * (CELL / 2 + view.gap), y + shift]], "chain", { class: kind });
  const mark = (shift, values, oldValues, kind) => (isHidden(view, step.t - 1) ? chip(middle, y + shift, "?", kind) : stateChip(middle, y + shift, values, oldValues, kind));
  return [
    ...(memory ? [line("c", -22), mark(-22, step.c, old?.c, "c")] : []),
    line("h", memory ? 24 : 4), mark(memory ? 24 : 4, step.h, old?.h, "h"),
  ];
}

const stateChip = (x, y, values, old, kind) => {
  const mark = chip(x, y, shownStates(values), kind);
  if (changedVector(values, old) !== null) mark.classList.add("changed");
  return mark;
};

// One cell: a gauge for each gate, the mean over its units; a click goes inside.
function cell(view, lane, step, x, y) {
  const { place, document, pick } = view;
  const here = step.t - 1 === place.t && lane.layer - 1 === place.layer && lane.reverse === place.reverse;
  const target = { t: step.t - 1, layer: lane.layer - 1, reverse: lane.reverse, inside: true };
  const open = (event) => {
    if (event.type === "keydown" && event.key !== "Enter") return;
    event.preventDefault();
    pick(target);
  };
  const hidden = isHidden(view, step.t - 1);
  const inside = hidden ? [label(x, y, "?", "plain")] : document.kind === "lstm"
    ? ["f", "i", "o"].map((gate, n) => gauge(x - 26 + 26 * n, y, gate, mean(step.linear[gate].map((unit) => unit.value))))
    : [label(x, y - 8, words().terms.function[document.activations.output] ?? "f(x)=x", "plain"), label(x, y + 16, document.kind === "rnn" ? "[x, h]" : "x", "small")];
  const key = cellKey({ layer: lane.layer, reverse: lane.reverse, t: step.t });
  const whole = svg("g", { class: "cell", role: "button", "data-key": key, "aria-label": cellLabel(view, step, lane), onclick: open, onkeydown: open }, box(x, y, CELL, CELL, "body"), ...inside);
  markCell(whole, here);
  return whole;
}

function gauge(x, y, gate, value) {
  const height = 46, shown = Math.min(Math.max(value, 0), 1) * height;
  return svg("g", { class: `gauge ${gate}` },
    svg("rect", { x: x - 8, y: y - 34, width: 16, height, rx: 3, class: "well" }),
    svg("rect", { x: x - 8, y: y - 34 + height - shown, width: 16, height: shown, rx: 3, class: "level" }),
    label(x, y + 28, gate, "letter"));
}

function cellLabel(view, step, lane) {
  const { page, terms } = words(), parts = [filled(page.step_label, { t: step.t, token: step.token })];
  if (view.lanes.length > 1) parts.push(laneName(lane));
  if (isHidden(view, step.t - 1)) return parts.join(", ");
  if (view.document.kind === "lstm") for (const gate of ["f", "i", "o"]) parts.push(`${terms.linear[gate]} ${openness(mean(step.linear[gate].map((unit) => unit.value)))}`);
  return [...parts, `h ${shownStates(step.h)}`].join(", ");
}

export function laneName(lane) {
  const { network, terms } = words();
  return filled(network.direction, { layer: lane.layer, direction: lane.reverse ? terms.reverse : terms.forward });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const shownStates = (values) => {
  if (values.length === 1) return formatNumber(values[0]);
  if (values.length > MOST_UNITS_SHOWN) return `[${formatShort(values[0])}, …]`;
  return `[${values.map(formatShort).join(", ")}]`;
};
const formatShort = (value) => formatNumber(Number.isInteger(value) || Math.abs(value) > 1e6 ? value : Number(value.toFixed(1)));

const beforeAt = (view, t) => (view.before && view.before.tokens[t] === view.run.tokens[t] ? view.before : null);
function beforeStep(view, lane, step) {
  const layer = beforeAt(view, step.t - 1)?.layers[lane.layer - 1];
  return layer?.[lane.reverse ? "reverse" : "forward"]?.steps[step.t - 1];
}

// The vector before, as text, where it is another one; else null.
export const changedVector = (now, old) => (old && old.length === now.length && !now.every((value, n) => same(value, old[n])) ? shownStates(old) : null);
