// The inside of a cell for a narrow window, from top to bottom: the memory on the left, the boxes in the middle, on the right what
// they read. In: what `cell.js` draws with. Out: an SVG element; its parts, boxes and numbers are those of the wide picture.
import { filled, svg } from "gatewise/dom.js";
import { formatNumber, subscript } from "gatewise/numbers.js";
import { label, operation, picture, wire } from "gatewise/shapes.js";
import { words } from "gatewise/words.js";

const WIDTH = 360, C = 44, MID = 140, OUT = 110, BOX = 236, BUS = 318, FIRST = 52, LAST = 660;
const ROWS = { f: 160, i: 262, product: 318, g: 374, tanh: 418, o: 510 }, EDGE = { left: BOX - 49, right: BOX + 51 };

export function tallCell(draw, { part, value, choosable, linearBox, shortVector, shortToken }) {
  const { step, unit } = draw, { t } = step, name = words().terms, gate = (letter) => (of) => of.linear[letter][unit]?.value;
  const row = (letter, ...more) => part(draw, letter, wire([[BUS, ROWS[letter]], [EDGE.right, ROWS[letter]]], "cell", { class: "h" }), ...more, linearBox(draw, letter, BOX, ROWS[letter]), label(BOX, ROWS[letter] - 42, name.linear_short[letter], `caption ${letter}`));
  const state = (x, y, text) => label(x, y, text, "state");
  return picture("cell", WIDTH, LAST + 52, filled(words().page.cell_label, { t, token: step.token }), { role: "group", class: "tall-cell" },
    svg("rect", { x: 8, y: 78, width: WIDTH - 16, height: LAST - 116, rx: 22, class: "frame" }),
    state(C, 22, `C${draw.previous}`), state(BUS, 22, `h${draw.previous}`), state(176, 22, `x${subscript(t)} · ${shortToken(step.token, 8)}`), label(176, 46, step.shown_x ?? shortVector(step.x, 150), "vector"),
    wire([[C, FIRST + 14], [C, ROWS.f - 18]], "cell", { class: "c" }), wire([[BUS, FIRST + 14], [BUS, ROWS.o]], "", { class: "h" }),
    wire([[176, 60], [176, 92], [BUS, 92]], "", { class: "x" }), svg("circle", { cx: BUS, cy: 92, r: 5, class: "joint" }), label(244, 80, "[x, h]", "small"),
    value(draw, C, FIRST, "c", (of) => of.c_prev[unit]), value(draw, BUS, FIRST, "h", (of) => of.h_prev[unit]),
    row("f", wire([[EDGE.left, ROWS.f], [C + 18, ROWS.f]], "cell", { class: "f" }), value(draw, 124, ROWS.f, "f", gate("f"))),
    row("i", wire([[EDGE.left, ROWS.i], [MID, ROWS.i], [MID, ROWS.product - 18]], "cell", { class: "i" }), value(draw, MID, ROWS.i, "i", gate("i"))),
    row("g", wire([[EDGE.left, ROWS.g], [MID, ROWS.g], [MID, ROWS.product + 18]], "cell", { class: "g" }), value(draw, MID, ROWS.g, "g", gate("g"))),
    part(draw, "C",
      wire([[C, ROWS.f + 17], [C, ROWS.product - 18]], "cell", { class: "c" }), wire([[MID - 17, ROWS.product], [C + 18, ROWS.product]], "cell", { class: "c" }), wire([[C, ROWS.product + 17], [C, LAST - 14]], "cell", { class: "c" }),
      operation(C, ROWS.f, "×"), operation(MID, ROWS.product, "×"), choosable(draw, "C", `${name.memory}: ${formatNumber(step.c[unit])}`, operation(C, ROWS.product, "+")),
      value(draw, C, 206, "c", (of) => of.linear.f[unit]?.value * of.c_prev[unit]), value(draw, 92, 289, "c", (of) => of.linear.i[unit]?.value * of.linear.g[unit]?.value),
      value(draw, C, LAST, "c", (of) => of.c[unit]), state(C, LAST + 32, `C${subscript(t)}`)),
    row("o", wire([[EDGE.left, ROWS.o], [OUT + 18, ROWS.o]], "cell", { class: "o" }), value(draw, 152, 482, "o", gate("o"))),
    part(draw, "h",
      wire([[C, ROWS.tanh], [OUT - 48, ROWS.tanh]], "cell", { class: "c" }), wire([[OUT, ROWS.tanh + 17], [OUT, ROWS.o - 18]], "cell", { class: "c" }), wire([[OUT, ROWS.o + 17], [OUT, 582], [BUS, 582], [BUS, LAST - 14]], "cell", { class: "h" }),
      svg("g", { class: "operation" }, svg("ellipse", { cx: OUT, cy: ROWS.tanh, rx: 46, ry: 17 }), label(OUT, ROWS.tanh, draw.document.activations.output === "tanh" ? "tanh" : "f(x) = x")),
      value(draw, OUT, 455, "c", (of) => of.c_activated[unit]), choosable(draw, "h", `${name.output}: ${formatNumber(step.h[unit])}`, operation(OUT, ROWS.o, "×")),
      value(draw, BUS, LAST, "h", (of) => of.h[unit]), state(BUS, LAST + 32, `h${subscript(t)}`)));
}
