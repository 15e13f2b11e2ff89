// The network as it is written, folded: one cell that hands its state to itself. Out: an SVG element.
import { svg } from "gatewise/dom.js";
import { box, label, picture, wire } from "gatewise/shapes.js";
import { words } from "gatewise/words.js";

export function drawFolded(document) {
  const recurrent = document.kind !== "neuron", name = { lstm: "LSTM", rnn: "A", neuron: "A" }[document.kind];
  const loop = [[118, 150], [154, 150], [154, 84], [14, 84], [14, 150], [47, 150]];
  return picture("folded", 168, 262, words().page.folded, { role: "img" },
    wire([[84, 232], [84, 183]], "folded", { class: "x" }),
    wire([[84, 118], [84, 40]], "folded", { class: "h" }),
    recurrent ? wire(loop, "folded", { class: document.kind === "lstm" ? "c" : "h" }) : svg("g"),
    box(84, 150, 68, 64, "body"),
    label(84, 150, name, "plain"),
    label(84, 250, "xₜ", "plain"),
    label(84, 22, "hₜ", "plain"));
}
