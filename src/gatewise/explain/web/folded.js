// The network as it is written, folded: each cell hands its state to itself; the two directions of a layer stand side by side.
// In: document. Out: an SVG element.
import { svg } from "gatewise/dom.js";
import { box, label, picture, wire } from "gatewise/shapes.js";
import { words } from "gatewise/words.js";

const ROW = 132, CELL = { width: 68, height: 56 }, APART = 78;

export function drawFolded(document) {
  const both = document.layers.some((layer) => layer.reverse), width = both ? 316 : 196, middle = width / 2;
  const height = document.layers.length * ROW + 120, bottom = height - 92;
  const rows = document.layers.map((layer, n) => row(document, layer, middle, bottom - n * ROW, n === 0 ? "x" : "h"));
  return picture("folded", width, height, words().page.folded, { role: "img" },
    wire([[middle, bottom + 62], [middle, bottom + 44]], "", { class: "x" }),
    ...rows.flat(),
    wire([[middle, 74], [middle, 36]], "folded", { class: "h" }),
    label(middle, bottom + 78, "xₜ", "plain"),
    label(middle, 20, "hₜ", "plain"));
}

function row(document, layer, middle, y, reads) {
  const places = layer.reverse ? [[middle - APART, 1], [middle + APART, -1]] : [[middle, 1]];
  return places.flatMap(([x, side]) => [
    wire([[middle, y + 44], [x, y + 44], [x, y + CELL.height / 2 + 3]], "folded", { class: reads }),
    wire([[x, y - CELL.height / 2], [x, y - 88], [middle, y - 88], [middle, y - 92]], "", { class: "h" }),
    ...loops(document.kind, x, y, side),
    box(x, y, CELL.width, CELL.height, "body"),
    label(x, y, document.kind === "lstm" ? "LSTM" : "A", "plain"),
    layer.reverse ? label(x, y + 19, side === 1 ? "→" : "←", "small") : svg("g"),
  ]);
}

// What the cell hands to itself: an LSTM its memory and its output, an RNN its output, a neuron nothing.
function loops(kind, x, y, side) {
  const loop = (out, up, shift, name) => wire([[x + (side * CELL.width) / 2, y + shift], [x + side * out, y + shift], [x + side * out, y - up], [x - side * out, y - up], [x - side * out, y + shift], [x - side * (CELL.width / 2 + 3), y + shift]], "folded", { class: name });
  if (kind === "neuron") return [];
  return kind === "rnn" ? [loop(58, 62, 0, "h")] : [loop(72, 74, -13, "c"), loop(56, 52, 13, "h")];
}
