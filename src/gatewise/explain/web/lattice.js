// The lattice of tags: for each token its most probable tags from top to bottom, the best path, another path, and what may not
// follow what around the chosen token. In: the model, the view, another path, what to do when a token is chosen. Out: an SVG element.
import { svg } from "gatewise/dom.js";
import { short } from "gatewise/life.js";
import { columnsOf } from "gatewise/sentence.js";
import { label, picture } from "gatewise/shapes.js";
import { percent } from "gatewise/trace_numbers.js";
import { words } from "gatewise/words.js";

const STEP = 124, ROW = 52, TOP = 54, WIDE = 84, TALL = 38, MOST_ROWS = 5, LEAST = 0.0005, MOST = 40;

// The tags of a token, the most probable first; where nothing is legal, by emission.
export function rankedTags(result, t) {
  const row = result.marginals ? result.marginals[t] : result.emissions[t];
  return [...row.keys()].sort((a, b) => row[b] - row[a] || result.emissions[t][b] - result.emissions[t][a]);
}

export function drawLattice(model, view, other, pick) {
  const { result, t } = view, { from, to } = columnsOf(result.time, t, MOST), columns = new Map();
  for (let at = from; at < to; at += 1) columns.set(at, nodesOf(result, at, other, at === t));
  const rows = Math.max(...[...columns.values()].map((tags) => tags.length)), width = (to - from) * STEP + 20, height = TOP + rows * ROW + 10;
  const x = (at) => 10 + (at - from + 0.5) * STEP, y = (at, tag) => TOP + (columns.get(at).indexOf(tag) + 0.5) * ROW, view2 = { model, result, columns, x, y, t };
  const spans = [...columns.keys()].slice(1), here = svg("rect", { x: x(t) - STEP / 2 + 3, y: 2, width: STEP - 6, height: height - 4, rx: 10, class: "column-here" });
  const around = spans.filter((at) => at === t || at === t + 1).flatMap((at) => movesInto(view2, at));
  const path = (tags, kind) => spans.map((at) => edge(view2, at, tags[at - 1], tags[at], kind));
  const nodes = [...columns].flatMap(([at, tags]) => [label(x(at), 26, short(result.tokens[at], 10), `token${at === t ? " here" : ""}`), ...tags.map((tag) => node(view2, at, tag, other))]);
  const hits = [...columns.keys()].map((at) => svg("rect", { x: x(at) - STEP / 2, y: 0, width: STEP, height, class: "hit cell", onclick: () => pick(at) }));
  return picture("lattice", width, height, words().trace.lattice, { role: "img" }, here, ...around, ...(other ? path(other, "second") : []), ...path(result.path, "best"), ...nodes, ...hits);
}

function nodesOf(result, at, other, here) {
  const ranked = rankedTags(result, at).filter((tag, n) => n < MOST_ROWS && (here || n < 2 || result.marginals[at][tag] > LEAST));
  return [...new Set([result.path[at], ...ranked, ...(other ? [other[at]] : [])])];
}

function node({ model, result, x, y }, at, tag, other) {
  const chance = result.marginals[at][tag], best = result.path[at] === tag, kind = best ? "best" : other?.[at] === tag ? "second" : "";
  return svg("g", { class: `node ${kind}` }, svg("rect", { x: x(at) - WIDE / 2, y: y(at, tag) - TALL / 2, width: WIDE, height: TALL, rx: 9, class: "ground" }), svg("rect", { x: x(at) - WIDE / 2, y: y(at, tag) - TALL / 2, width: WIDE, height: TALL, rx: 9, class: "fill", opacity: best ? 1 : 0.1 + 0.6 * chance }), label(x(at), y(at, tag) - 7, short(model.labels[tag], 10), "tag-name", {}, model.labels[tag]), label(x(at), y(at, tag) + 10, percent(chance), "small"));
}

function edge({ x, y }, at, before, after, kind) {
  return svg("line", { x1: x(at - 1) + WIDE / 2, y1: y(at - 1, before), x2: x(at) - WIDE / 2, y2: y(at, after), class: `move ${kind}` });
}

// The moves between the best path and the tags of the chosen token; those the scheme forbids are dashed.
function movesInto(view, at) {
  const { path } = view.result, ends = at === view.t ? [[path[at - 1]], view.columns.get(at)] : [view.columns.get(at - 1), [path[at]]];
  return ends[0].flatMap((before) => ends[1].map((after) => edge(view, at, before, after, view.model.scores.transitions[before][after] === -Infinity ? "forbidden" : "legal")));
}
