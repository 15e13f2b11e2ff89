// The life of one unit over the sentence: a small line for each of i, f, g, o, c, h. In: the model, the view, what to do when a
// token is chosen. Out: an SVG element. The chosen token is marked, with its numbers.
import { filled, svg } from "gatewise/dom.js";
import { valueOf } from "gatewise/heat.js";
import { columnsOf } from "gatewise/sentence.js";
import { label, picture, textWidth } from "gatewise/shapes.js";
import { decimal } from "gatewise/trace_numbers.js";
import { words } from "gatewise/words.js";

const LEFT = 60, STEP = 64, ROW = 58, MOST = 60, BOTTOM = 34;

export function drawLife(model, view, pick) {
  const { from, to } = columnsOf(view.result.time, view.t, MOST), names = model.kind === "lstm" ? ["i", "f", "g", "o", "c", "h"] : ["h"];
  const width = LEFT + (to - from) * STEP + 20, height = names.length * ROW + BOTTOM, x = (t) => LEFT + (t - from + 0.5) * STEP;
  const here = svg("rect", { x: x(view.t) - STEP / 2, y: 0, width: STEP, height, rx: 8, class: "column-here" });
  const tokens = Array.from({ length: to - from }, (_, n) => svg("g", { class: "cell", onclick: () => pick(from + n) }, svg("rect", { x: x(from + n) - STEP / 2, y: 0, width: STEP, height, class: "hit" }), label(x(from + n), height - 14, short(view.result.tokens[from + n]), `token${from + n === view.t ? " here" : ""}`)));
  return picture("life", width, height, filled(words().trace.life, { unit: view.unit }), { role: "img" }, here, ...names.map((name, row) => line(view, name, row, from, to, x)), ...tokens);
}

// Gates run from 0 to 1, g and h from −1 to 1; c has the scale of its largest number, at least 1.
function line(view, name, row, from, to, x) {
  const values = Array.from({ length: to - from }, (_, n) => valueOf(view.pass, from + n, view.unit, name)), gate = "ifo".includes(name);
  const most = gate ? 1 : Math.max(1, ...values.map(Math.abs)), least = gate ? 0 : -most, top = row * ROW + 14, tall = ROW - 24;
  const y = (value) => top + tall * (1 - (value - least) / (most - least)), points = values.map((value, n) => `${x(from + n)} ${y(value)}`);
  const now = valueOf(view.pass, view.t, view.unit, name), above = y(now) > top + 12;
  return svg("g", { class: `life-line ${name}` },
    svg("line", { x1: LEFT, x2: x(to - 1) + STEP / 2, y1: y(0), y2: y(0), class: "zero" }),
    label(18, top + tall / 2, name, "state"), label(LEFT - 8, y(most), scale(most), "small", { "text-anchor": "end" }), label(LEFT - 8, y(least), scale(least), "small", { "text-anchor": "end" }),
    svg("polyline", { points: points.join(", ") }), values.map((value, n) => svg("circle", { cx: x(from + n), cy: y(value), r: from + n === view.t ? 4.5 : 2.5 })),
    label(x(view.t), above ? y(now) - 11 : y(now) + 13, decimal(now), "now"));
}

const scale = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1)).replace("-", "−");

// As much of a token as takes the room of so many Latin letters; a Chinese character takes that of one and two thirds.
export function short(token, most = 6) {
  const room = most * textWidth("x") + 1e-6;
  if (textWidth(token) <= room) return token;
  const shown = [...token];
  const dots = () => (shown.at(-1) > "\u2e7f" ? "中" : "x");  // they are as wide as a letter of the font
  while (shown.length > 1 && textWidth(shown.join("") + dots()) > room) shown.pop();
  return `${shown.join("")}…`;
}
