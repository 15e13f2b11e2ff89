// The memory ledger: which tokens the chosen tag's score, its lead, or one cell still draws on, as arcs and as a matrix.
// In: the store; each refresh, the view, with the model in it. Out: {element, refresh}. The shares are signed and add up to the value.
import { button, filled, make, svg, setText } from "gatewise/dom.js";
import { ARROWS } from "gatewise/heat.js";
import { cellLedger, scoreLedger } from "gatewise/ledger.js";
import { short } from "gatewise/life.js";
import { createMatrix } from "gatewise/matrix.js";
import { columnsOf } from "gatewise/sentence.js";
import { label, picture } from "gatewise/shapes.js";
import { rivalOf, weightsOf } from "gatewise/tagging.js";
import { decimal, signed } from "gatewise/trace_numbers.js";
import { words } from "gatewise/words.js";

const LEFT = 30, STEP = 58, MOST = 60, LISTED = 6, LEAST = 0.0005;  // less than that is 0 in three decimals

export function createMemory(store) {
  const title = make("h2"), note = make("p", { class: "note" }), asks = make("div", { class: "segments", role: "group" }), sum = make("p", { class: "sum" });
  const arcs = make("div", { class: "scroll arcs", role: "region", tabindex: 0 }), gridTitle = make("h3"), gridNote = make("p", { class: "note" }), matrix = createMatrix();
  const element = make("section", { class: "memory", id: "memory" }, title, note, asks, sum, arcs, gridTitle, gridNote, matrix.element);

  function refresh(view) {
    const { trace } = words(), { model } = view;
    element.hidden = model.kind !== "lstm" || !view.pass || view.tag === null;
    if (element.hidden) return;
    const ask = askOf(model, view), ledger = ask.at(view.t), names = { ...ask.names, total: decimal(ledger.total) };
    setText(title, trace.memory);
    setText(note, trace[`memory_${ask.kind}`] + (model.residual && ask.kind !== "cell" ? ` ${trace.memory_residual}` : ""));
    asks.setAttribute("aria-label", trace.memory);
    asks.replaceChildren(...["score", "lead", "cell"].filter((kind) => kind === "cell" || view.top).map((kind) => button(filled(trace[`ask_${kind}`], askNames(model, view)), () => store.look({ asks: kind }), { "aria-pressed": String(kind === ask.kind), "data-key": `asks-${kind}` })));
    sum.replaceChildren(...sumOf(view, ledger, filled(trace[`sum_${ask.kind}`], names)));
    arcs.setAttribute("aria-label", sum.textContent);
    arcs.replaceChildren(drawArcs(view, ledger, (t) => store.look({ t, unit: ask.kind === "cell" ? view.unit : null, direction: view.direction })));
    setText(gridTitle, trace.matrix);
    setText(gridNote, trace.matrix_note);
    matrix.refresh(view, ask);
  }

  return { element, refresh };
}

const askNames = (model, { tag, rival, result, t, unit, direction }) => ({ tag: model.labels[tag], rival: rival === null ? "–" : model.labels[rival], token: result.tokens[t], number: t + 1, unit, arrow: ARROWS[direction] });

// What is asked about: {kind, names, of, at(t) → ledger}, `of` a text that is another one where the ledgers are; of a lower layer, its
// cells alone.
function askOf(model, view) {
  const { result, pass, unit, place } = view, kind = view.top ? place.asks : "cell", names = askNames(model, view);
  if (kind === "cell") return { kind, names, of: `${view.layer} ${view.direction} ${unit}`, at: (t) => cellLedger(pass, t, unit, result.time) };
  const at = (t) => {
    const { weights, bias } = weightsOf(model, result.path[t], kind === "lead" ? rivalOf(result, t) : null);
    return scoreLedger(result.top, t, weights, bias, result.time);
  };
  return { kind, names, of: kind, at };
}

// "score = 叫 +1.200 + 我 −0.310 + … + bias": the largest shares, and the rest added up.
function sumOf({ result }, { sources, other, total }, name) {
  const { trace } = words(), order = [...sources.keys()].filter((s) => sources[s] !== 0).sort((a, b) => Math.abs(sources[b]) - Math.abs(sources[a]));
  const shown = order.slice(0, LISTED).filter((s) => Math.abs(sources[s]) >= LEAST), rest = order.slice(shown.length).reduce((sum, s) => sum + sources[s], 0), term = (text, value, kind = "") => make("span", { class: `share ${value < 0 ? "against" : "for"} ${kind}` }, `${text} `, make("b", null, signed(value)));
  return [make("b", null, `${name} = ${decimal(total)}`), " = ", ...shown.map((s) => term(`${s + 1} ${short(result.tokens[s], 12)}`, sources[s])), ...(order.length > shown.length ? [term(filled(trace.other_shares, { count: order.length - shown.length }), rest, "rest")] : []), ...(other === 0 ? [] : [term(trace.no_token, other, "rest")])];
}

function drawArcs({ result, t }, { sources }, pick) {
  const { from, to } = columnsOf(result.time, t, MOST), x = (at) => LEFT + (at - from + 0.5) * STEP, most = Math.max(...sources.map(Math.abs)) || 1;
  const places = Array.from({ length: to - from }, (_, n) => from + n), strength = (s) => Math.abs(sources[s]) / most, drawn = places.filter((s) => s !== t && strength(s) > 0.004);
  const reach = Math.max(1, ...drawn.map((s) => Math.abs(s - t))), base = Math.min(170, 46 + 16 * reach), height = base + 76, width = 2 * LEFT + (to - from) * STEP;
  const arc = (s) => {
    const tall = 26 + (4 / 3) * (base - 40) * (Math.abs(s - t) / reach);
    return svg("path", { d: `M${x(s)} ${base} C${x(s)} ${base - tall} ${x(t)} ${base - tall} ${x(t)} ${base}`, class: `arc ${sources[s] < 0 ? "against" : "for"}`, "stroke-width": 1 + 9 * strength(s), opacity: 0.25 + 0.7 * strength(s) });
  };
  const own = sources[t] === 0 ? null : svg("circle", { cx: x(t), cy: base - 9, r: 3 + 6 * strength(t), class: `own ${sources[t] < 0 ? "against" : "for"}` });
  const token = (at) => svg("g", { class: "cell", onclick: () => pick(at) }, svg("rect", { x: x(at) - STEP / 2, y: base, width: STEP, height: 72, class: "hit" }), label(x(at), base + 24, short(result.tokens[at], 5), `token${at === t ? " here" : ""}`), Math.abs(sources[at]) < LEAST ? null : label(x(at), base + 52, signed(sources[at]), `share-number ${sources[at] < 0 ? "against" : "for"}`));
  return picture("arcs", width, height, words().trace.memory, { role: "img" }, svg("line", { x1: LEFT, x2: width - LEFT, y1: base, y2: base, class: "zero" }), ...drawn.map(arc), own, ...places.map(token));
}
