// The ledger of every token as a matrix: row t, column s is what the value at token t draws on token s. Every row is shaded against
// its own largest share. In: each refresh, the view and what is asked about (see `memory.js`). Out: {element, refresh}.
// Another token of the same values only moves a frame; squares of one shade are one path, since each element costs a layout.
import { make, svg, setText } from "gatewise/dom.js";
import { short } from "gatewise/life.js";
import { columnsOf } from "gatewise/sentence.js";
import { label, picture } from "gatewise/shapes.js";
import { signed } from "gatewise/trace_numbers.js";
import { language, words } from "gatewise/words.js";

const LEFT = 74, TOP = 66, SQUARE = 26, MOST = 60, SHADES = 24;

export function createMatrix() {
  const grid = make("div", { class: "scroll", role: "region", tabindex: 0 }), told = make("p", { class: "told" }), element = make("div", null, grid, told);
  let shown = null;

  function refresh(view, ask) {
    const { result, t } = view, { from, to } = columnsOf(result.time, t, MOST), of = `${ask.of} ${from} ${language()}`;
    if (shown?.result !== result || shown.of !== of) {
      shown = { result, of, ...drawMatrix(result, from, to, ask) };
      grid.replaceChildren(shown.drawn);
      grid.setAttribute("aria-label", words().trace.matrix);
      shown.drawn.addEventListener("mousemove", (event) => setText(told, pointed(event, shown, from)));
      shown.drawn.addEventListener("mouseleave", () => setText(told, words().trace.point_matrix));
    }
    setText(told, words().trace.point_matrix);
    shown.here.setAttribute("y", TOP + (t - from) * SQUARE - 1);
    shown.names.forEach((pair, n) => pair.forEach((name) => name.classList.toggle("here", from + n === t)));
  }

  return { element, refresh };
}

function drawMatrix(result, from, to, ask) {
  const count = to - from, places = Array.from({ length: count }, (_, n) => from + n), rows = places.map((at) => ask.at(at).sources), shades = new Map();
  rows.forEach((sources, row) => {
    const most = Math.max(...sources.map(Math.abs)) || 1;
    places.forEach((s, column) => {
      if (sources[s] === 0) return;
      const shade = `${sources[s] < 0 ? "against" : "for"} ${Math.ceil((SHADES * Math.abs(sources[s])) / most)}`;
      shades.set(shade, `${shades.get(shade) ?? ""}M${LEFT + column * SQUARE} ${TOP + row * SQUARE}h25v25h-25z`);
    });
  });
  const squares = [...shades].map(([shade, d]) => svg("path", { d, class: `share-cell ${shade.split(" ")[0]}`, opacity: 0.06 + (0.94 * Number(shade.split(" ")[1])) / SHADES }));
  const names = places.map((at, n) => [label(LEFT - 8, TOP + (n + 0.5) * SQUARE, short(result.tokens[at], 5), "axis", { "text-anchor": "end" }), label(0, 0, short(result.tokens[at], 5), "axis", { "text-anchor": "start", transform: `translate(${LEFT + (n + 0.5) * SQUARE} ${TOP - 8}) rotate(-60)` })]);
  const here = svg("rect", { x: LEFT - 1, width: count * SQUARE + 1, height: SQUARE + 1, rx: 4, class: "row-here" });
  return { rows, names, here, drawn: picture("matrix", LEFT + count * SQUARE + 40, TOP + count * SQUARE + 10, words().trace.matrix, { role: "img" }, ...squares, here, ...names.flat()) };
}

// "6 京 ← 5 北: +0.312", of the square that the mouse is at.
function pointed(event, { drawn, rows, result }, from) {
  const box = drawn.getBoundingClientRect(), scale = drawn.viewBox.baseVal.width / box.width, at = (pixels, start) => Math.floor((pixels * scale - start) / SQUARE);
  const row = at(event.clientY - box.top, TOP), column = at(event.clientX - box.left, LEFT);
  if (!(row in rows) || column < 0 || column >= rows.length) return words().trace.point_matrix;
  const [t, s] = [from + row, from + column];
  return `${t + 1} ${result.tokens[t]} ← ${s + 1} ${result.tokens[s]}${words().page.colon}${signed(rows[row][s])}`;
}
