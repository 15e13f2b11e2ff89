// The inside of one cell at one step, as the article draws it: yellow boxes are linear layers with their activation,
// red circles work on single numbers, the wires carry the actual numbers of one unit.
// In: document, step, the same step before the last change, the place. Out: an SVG element; boxes can be chosen.
import { filled, svg } from "gatewise/dom.js";
import { SIGNS, activationOf } from "gatewise/formulas.js";
import { formatNumber, formatSum, same, subscript } from "gatewise/numbers.js";
import { box, chip, label, operation, picture, vectorWithin, wire } from "gatewise/shapes.js";
import { STAGES } from "gatewise/store.js";
import { tallCell } from "gatewise/tall_cell.js";
import { words } from "gatewise/words.js";

const C = 92, H = 396, BOXES = 300;  // the heights of the memory's wire, of the wire of h, and of the yellow boxes
const AT = { f: 184, i: 298, g: 412, o: 548, out: 676 }, RIGHT = 750, END = 796;

// A window too narrow for the wide picture; whoever draws a cell draws it anew when this changes.
export const narrow = matchMedia("(max-width: 40rem)");

export function drawCell(document, step, before, { unit, stage, reverse }, choose) {
  const draw = { document, step, before, unit, stage, choose, previous: subscript(step.t + (reverse ? 1 : -1)) };
  if (document.kind !== "lstm") return plainCell(draw);
  return narrow.matches ? tallCell(draw, { part, value, choosable, linearBox, shortVector, shortToken }) : lstmCell(draw);
}

// A part of the picture that belongs to a stage of the computation: dim before its turn, marked at its turn.
function part(draw, stage, ...children) {
  const order = STAGES[draw.document.kind], turn = order.indexOf(stage), now = order.indexOf(draw.stage);
  const state = draw.stage === null || turn < now ? "" : turn === now ? " lit" : " later";
  return svg("g", { class: `part ${stage}${state}` }, ...children);
}

// A number of this step; changed when the step before the edit had another one.
function value(draw, x, y, kind, read, beside = false) {
  const now = read(draw.step), old = draw.before ? read(draw.before) : now;
  return chip(x, y, formatNumber(now), kind, old === undefined || same(now, old) ? null : `${words().page.was} ${formatNumber(old)}`, beside);
}

function choosable(draw, stage, name, ...children) {
  const choose = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    draw.choose(draw.stage === stage ? null : stage);
  };
  return svg("g", { class: `choice ${stage}`, role: "button", tabindex: 0, "data-key": `stage-${stage}`, "aria-pressed": String(draw.stage === stage), "aria-label": name, onclick: choose, onkeydown: choose }, ...children);
}

function linearBox(draw, letter, x, y) {
  const { pre } = draw.step.linear[letter][draw.unit], activation = activationOf(draw.document, letter);
  const shown = formatSum(pre, activation), name = words().terms.linear[letter];
  return choosable(draw, letter, `${name}: ${shown} → ${formatNumber(draw.step.linear[letter][draw.unit].value)}`,
    box(x, y, 98, 58, "linear"), label(x, y - 11, activation === "identity" ? "f(x) = x" : words().terms.function[activation] ?? SIGNS[activation], "sign"), label(x, y + 14, shown, "pre"));
}

function lstmCell(draw) {
  const { step, unit } = draw, gate = (letter) => (of) => of.linear[letter][unit]?.value;
  const t = step.t, tap = (letter) => wire([[AT[letter], H], [AT[letter], BOXES + 31]], "cell", { class: "h" });
  const name = words().terms;
  return picture("cell", 838, 536, filled(words().page.cell_label, { t, token: step.token }), { role: "group" },
    svg("rect", { x: 84, y: 34, width: RIGHT - 84, height: 416, rx: 22, class: "frame" }),
    wire([[72, C], [AT.f - 18, C]], "cell", { class: "c" }), wire([[40, H], [AT.o, H]], "", { class: "h" }),
    wire([[120, 484], [120, H]], "", { class: "x" }), svg("circle", { cx: 120, cy: H, r: 5, class: "joint" }), label(126, H - 16, "[x, h]", "small", { "text-anchor": "start" }),
    value(draw, 42, C, "c", (of) => of.c_prev[unit]), label(42, C - 30, `C${draw.previous}`, "state"),
    value(draw, 42, H, "h", (of) => of.h_prev[unit]), label(42, H - 30, `h${draw.previous}`, "state"),
    label(120, 502, step.shown_x ?? shortVector(step.x), "vector"), label(120, 525, `x${subscript(t)} · ${shortToken(step.token)}`, "state"),
    part(draw, "f", tap("f"), wire([[AT.f, BOXES - 29], [AT.f, C + 18]], "cell", { class: "f" }), linearBox(draw, "f", AT.f, BOXES), caption(AT.f, name.linear_short.f, "f"), value(draw, AT.f, 186, "f", gate("f"), true)),
    part(draw, "i", tap("i"), wire([[AT.i, BOXES - 29], [AT.i, 196], [AT.g - 18, 196]], "cell", { class: "i" }), linearBox(draw, "i", AT.i, BOXES), caption(AT.i, name.linear_short.i, "i"), value(draw, AT.i, 234, "i", gate("i"))),
    part(draw, "g", tap("g"), wire([[AT.g, BOXES - 29], [AT.g, 214]], "cell", { class: "g" }), linearBox(draw, "g", AT.g, BOXES), caption(AT.g, name.linear_short.g, "g"), value(draw, AT.g, 243, "g", gate("g"), true)),
    part(draw, "C",
      wire([[AT.f + 17, C], [AT.g - 18, C]], "cell", { class: "c" }), wire([[AT.g, 179], [AT.g, C + 18]], "cell", { class: "c" }), wire([[AT.g + 17, C], [END - 22, C]], "cell", { class: "c" }),
      operation(AT.f, C, "×"), operation(AT.g, 196, "×"),
      choosable(draw, "C", `${name.memory}: ${formatNumber(step.c[unit])}`, operation(AT.g, C, "+")),
      value(draw, AT.i, C, "c", (of) => of.linear.f[unit]?.value * of.c_prev[unit]), value(draw, AT.g, 146, "c", (of) => of.linear.i[unit]?.value * of.linear.g[unit]?.value, true),
      value(draw, END, C, "c", (of) => of.c[unit]), label(END, C - 30, `C${subscript(t)}`, "state")),
    part(draw, "o", tap("o"), wire([[AT.o, BOXES - 29], [AT.o, 234], [AT.out - 18, 234]], "cell", { class: "o" }), linearBox(draw, "o", AT.o, BOXES), caption(AT.o, name.linear_short.o, "o"), value(draw, AT.o + 62, 234, "o", gate("o"))),
    part(draw, "h",
      wire([[AT.out, C], [AT.out, 135]], "cell", { class: "c" }), wire([[AT.out, 166], [AT.out, 216]], "cell", { class: "c" }), wire([[AT.out, 251], [AT.out, H], [END - 22, H]], "cell", { class: "h" }),
      svg("g", { class: "operation" }, svg("ellipse", { cx: AT.out, cy: 151, rx: 46, ry: 17 }), label(AT.out, 151, draw.document.activations.output === "tanh" ? "tanh" : "f(x) = x")),
      value(draw, AT.out, 194, "c", (of) => of.c_activated[unit], true),
      choosable(draw, "h", `${name.output}: ${formatNumber(step.h[unit])}`, operation(AT.out, 234, "×")),
      value(draw, AT.out, 320, "h", (of) => of.h[unit], true), value(draw, END, H, "h", (of) => of.h[unit]), label(END, H - 30, `h${subscript(t)}`, "state")));
}

const caption = (x, text, letter) => label(x, BOXES + 56, text, `caption ${letter}`);
const shortVector = (values, room = 210) => vectorWithin(values, room, 15);

// Where the parts of a plain cell stand: the picture's width, where x comes in, the box, the output, the frame's left edge.
const PLAIN = { wide: { width: 640, joint: 160, box: 304, out: 592, edge: 96 }, narrow: { width: 360, joint: 112, box: 190, out: 320, edge: 66 } };

// An RNN's cell, or a neuron: one linear layer with its activation.
function plainCell(draw) {
  const { step, unit, document } = draw, t = step.t, recurrent = document.kind === "rnn", Y = 118, { width, joint, box: middle, out, edge } = PLAIN[narrow.matches ? "narrow" : "wide"];
  const before = [wire([[40, Y], [joint, Y]], "", { class: "h" }), value(draw, 42, Y, "h", (of) => of.h_prev[unit]), label(42, Y - 30, `h${draw.previous}`, "state")];
  const inside = narrow.matches ? [] : [value(draw, 450, Y, "h", (of) => of.h[unit])];
  return picture("cell", width, 286, filled(words().page.cell_label, { t, token: step.token }), { role: "group", class: narrow.matches ? "tall-cell" : "small-cell" },
    svg("rect", { x: edge, y: 30, width: out - 58 - edge, height: 176, rx: 22, class: "frame" }),
    ...(recurrent ? before : []),
    wire([[joint, 232], [joint, Y]], "", { class: "x" }), svg("circle", { cx: joint, cy: Y, r: 5, class: "joint" }), label(joint + (narrow.matches ? -6 : 6), Y - (narrow.matches ? 26 : 18), recurrent ? "[x, h]" : "x", "small", { "text-anchor": narrow.matches ? "end" : "start" }),
    label(joint, 248, step.shown_x ?? shortVector(step.x, 2 * joint - 8), "vector"), label(joint, 272, `x${subscript(t)} · ${shortToken(step.token, joint / 8)}`, "state"),
    part(draw, "h", wire([[joint, Y], [middle - 54, Y]], "cell", { class: "h" }), linearBox(draw, "h", middle, Y), wire([[middle + 50, Y], [out - 32, Y]], "cell", { class: "h" }),
      ...inside, value(draw, out, Y, "h", (of) => of.h[unit]), label(out, Y - 30, `h${subscript(t)}`, "state")));
}

const shortToken = (token, most = 16) => ([...token].length > most ? `${[...token].slice(0, most - 1).join("")}…` : token);
