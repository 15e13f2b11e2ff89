// A trained model's pass as JSON and as CSV: the contracts of `gatewise explain TEXT --format json` and `--format csv`, of what the
// page shows now. In: the model, the changes, the result. Out: an object, or a text. Where the reader changed something, `changes` says
// what, and there are no tags of the runtime's graph beside.
import { BLOCKS } from "gatewise/encoder.js";
import { csvText } from "gatewise/records.js";
import { spansOf } from "gatewise/spans.js";
import { wholeOrder } from "gatewise/trace_state.js";

const GATES = ["i", "f", "g", "o"];

export function traceJson(model, changes, result) {
  const { order, path, marginals } = result, whole = JSON.stringify(order) === JSON.stringify(wholeOrder(model));
  const untouched = whole && ![changes.holds, changes.forced, changes.forbidden].some((list) => list.length);
  const { text, places } = whole ? model : joined(model, order), cut = [...text], tags = path.map((tag) => model.labels[tag]);
  const finite = (value) => (Number.isFinite(value) ? value : null), size = model.x.shape[1];
  return {
    model: model.model, head: model.head, text,
    tokens: order.map((n, t) => ({ text: model.tokens[n], start: places[t][0], end: places[t][1] })),
    labels: model.labels, scheme: model.scheme,
    x: order.map((n) => [...model.x.data.subarray(n * size, (n + 1) * size)]),
    input_parts: model.parts.map(({ keys, known, ...part }) => ({ ...part, keys: order.map((n) => keys[n]), known: order.map((n) => known[n]) })),
    layers: result.layers.map((layer) => layerJson(layer, result.time)),
    emissions: result.emissions,
    transitions: model.scores.transitions.map((row) => row.map(finite)), start_transitions: model.scores.start.map(finite), end_transitions: model.scores.end.map(finite),
    tags, breaks: result.gaps, fast_tags: untouched ? model.fast ?? tags : [],
    scores: path.map((tag, t) => marginals[t][tag]), marginals,
    spans: spansOf(model, result).map(({ first, past, label, score }) => ({ start: places[first][0], end: places[past - 1][1], label, text: cut.slice(places[first][0], places[past - 1][1]).join(""), score })),
    ...(untouched ? {} : { changes: { order, holds: changes.holds, forced: named(model, changes.forced), forbidden: named(model, changes.forbidden) } }),
  };
}

const named = (model, list) => list.map(({ t, tag }) => ({ t, tag: model.labels[tag] }));

// Tokens that were left out or read twice make a text of their own.
function joined(model, order) {
  const gap = model.apart ? " " : "", tokens = order.map((n) => model.tokens[n]), places = [];
  let at = 0;
  for (const token of tokens) {
    places.push([at, at + [...token].length]);
    at += [...token].length + gap.length;
  }
  return { text: tokens.join(gap), places };
}

function layerJson({ forward, reverse, carried }, time) {
  const rows = (data) => Array.from({ length: time }, (_, t) => [...data.subarray((t * data.length) / time, ((t + 1) * data.length) / time)]);
  const block = (pass, data, gate) => rows(data).map((row) => row.slice(BLOCKS[gate] * pass.units, (BLOCKS[gate] + 1) * pass.units));
  const all = (pass, data) => Object.fromEntries(GATES.map((gate) => [gate, block(pass, data, gate)]));
  const direction = (pass) => (pass.c ? { ...all(pass, pass.gates), c: rows(pass.c), h: rows(pass.h), pre: all(pass, pass.pre) } : { pre: rows(pass.pre), h: rows(pass.h) });
  return { forward: direction(forward), ...(reverse ? { reverse: direction(reverse) } : {}), ...(carried ? { residual: rows(carried) } : {}) };
}

export function traceCsv(model, changes, result) {
  const found = traceJson(model, changes, result), rows = [], { tokens, labels } = found;
  const units = (place, quantity, values) => values.forEach((value, n) => rows.push([...place, quantity, n + 1, value]));
  const at = (t, layer = "", direction = "") => [layer, direction, t + 1, tokens[t].text];
  found.x.forEach((x, t) => units(at(t), "x", x));
  found.layers.forEach((layer, n) => {
    for (const name of ["forward", "reverse"].filter((one) => layer[one])) tokens.forEach((_, t) => passRows(units, at(t, n + 1, name), layer[name], t));
    layer.residual?.forEach((values, t) => units(at(t, n + 1), "residual", values));
  });
  tokens.forEach((_, t) => {
    for (const [quantity, values] of [["emission", found.emissions], ["probability", found.marginals]]) labels.forEach((name, tag) => rows.push([...at(t), quantity, name, values[t][tag]]));
    rows.push([...at(t), "tag", "", found.tags[t]], [...at(t), "score", "", found.scores[t]]);
  });
  for (const span of found.spans) rows.push(["", "", tokens.findIndex(({ start }) => start === span.start) + 1, span.text, "span", span.label ?? "", span.score]);
  return csvText([...rows, ...transitionRows(model, labels)]);
}

function passRows(units, place, pass, t) {
  if (!pass.c) units(place, "pre", pass.pre[t]);
  for (const gate of pass.c ? GATES : []) {
    units(place, `${gate}_pre`, pass.pre[gate][t]);
    units(place, gate, pass[gate][t]);
  }
  if (pass.c) units(place, "c", pass.c[t]);
  units(place, "h", pass.h[t]);
}

function transitionRows({ scores: { start, end, transitions } }, labels) {
  const number = (value) => (value === -Infinity ? "-inf" : value), row = (quantity, unit, value) => ["", "", "", "", quantity, unit, number(value)];
  const edges = labels.flatMap((name, tag) => [row("start_transition", name, start[tag]), row("end_transition", name, end[tag])]);
  return [...edges, ...labels.flatMap((before, from) => labels.map((after, to) => row("transition", `${before}→${after}`, transitions[from][to])))];
}
