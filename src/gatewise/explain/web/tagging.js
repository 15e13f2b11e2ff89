// A trained model's pass over its sentence, computed in the page: from x to the tags, with what the reader changed.
// In: the document of `explain/trace_document.py`, and changes (see `trace_state.js`). Out: {order, tokens, layers, top,
// emissions, scores, path, chances, marginals, logPartition, …}; path is null where the changes leave no legal tags.
import { bestPath, bestThrough, cooled, nBest, sumPaths } from "gatewise/crf.js";
import { runEncoder, sideBySide } from "gatewise/encoder.js";
import { unpacked } from "gatewise/packed.js";

// Whatever holds packed arrays, with the arrays in their place.
export function unpackAll(value) {
  if (value?.base64 !== undefined) return unpacked(value);
  if (Array.isArray(value)) return value.map(unpackAll);
  return value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpackAll(one)])) : value;
}

// The document with its arrays unpacked; a live host has the weights already, unpacked, and adds them.
export function readModel(document, weights = null) {
  const { transitions, start_transitions: start, end_transitions: end, ...rest } = unpackAll(document);
  const model = { ...rest, ...weights };
  return { ...model, scores: { start: [...start.data], end: [...end.data], transitions: rowsOf(transitions.data, end.data.length) }, emissions: model.emissions && rowsOf(model.emissions.data, end.data.length) };
}

function rowsOf(data, width) {
  return Array.from({ length: width ? data.length / width : 0 }, (_, n) => [...data.subarray(n * width, (n + 1) * width)]);
}

export function compute(model, changes) {
  const { order } = changes, tokens = order.map((n) => model.tokens[n]), time = order.length;
  const { layers, top, emissions } = model.layers ? encoded(model, order, changes.holds) : { layers: null, top: storedLayer(model, time), emissions: model.emissions };
  const steered = steer(model, changes, emissions), legal = time ? bestPath(steered, model.scores) : null;
  const result = { order, holds: changes.holds, tokens, time, layers, top, emissions, steered, gaps: gapsOf(model, order), path: legal?.tags ?? null, score: legal?.score ?? -Infinity };
  if (!legal) return { ...result, marginals: null, logPartition: -Infinity };
  const [emitted, scores] = cooled(model.temperature, steered, model.scores), { beta, ...sums } = sumPaths(emitted, scores);
  return { ...result, ...sums, chain: { emissions: emitted, scores, beta } };
}

export const pathChance = (model, result, score) => Math.exp(score / model.temperature - result.logPartition);
export const runnersUp = (model, result, count) => nBest(result.steered, model.scores, count).map((one) => ({ ...one, chance: pathChance(model, result, one.score) }));
export const throughScores = (model, result) => bestThrough(result.steered, model.scores);

// All up to the emissions. A tag that is forced or forbidden changes nothing of it, so the last one is kept.
const last = new WeakMap();
function encoded(model, order, holds) {
  const of = JSON.stringify([order, holds]);
  if (last.get(model)?.of !== of) {
    const layers = runEncoder(model, order, holds), top = layers.at(-1);
    last.set(model, { of, layers, top, emissions: emissionsOf(model, top.output, order.length) });
  }
  return last.get(model);
}

export function emissionsOf(model, states, time) {
  const { shape: [tags, size], data } = model.emission_weight, bias = model.emission_bias.data;
  return Array.from({ length: time }, (_, t) => Array.from({ length: tags }, (_unused, tag) => {
    let sum = bias[tag];
    for (let n = 0; n < size; n += 1) sum += data[tag * size + n] * states[t * size + n];
    return sum;
  }));
}

// The places of the order that stand apart from the one before.
const gapsOf = (model, order) => [...order.keys()].filter((t) => t > 0 && order[t] > order[t - 1] && model.breaks.some((at) => at > order[t - 1] && at <= order[t]));

// Tags that a gap in the text, or the reader, excludes have emissions of minus infinity.
function steer(model, { order, forced, forbidden }, emissions) {
  const gaps = gapsOf(model, order);
  return emissions.map((row, t) => {
    const must = forced.find((one) => one.t === t), never = forbidden.filter((one) => one.t === t).map((one) => one.tag), apart = gaps.includes(t);
    return row.map((value, tag) => ((must && must.tag !== tag) || never.includes(tag) || (apart && model.goes_on[tag]) ? -Infinity : value));
  });
}

// The last layer as Python recorded it, where the page does not carry the weights.
function storedLayer(model, time) {
  if (!model.values) return null;
  const { forward, reverse, carried } = model.values;
  const [one, other] = [forward, reverse].map((values, n) => values && storedPass(values, n === 1, time));
  const states = sideBySide(one, other, time), past = carried?.data ?? null;
  return { forward: one, reverse: other ?? null, carried: past, output: past ? states.map((value, n) => value + past[n]) : states };
}

function storedPass(values, reverse, time) {
  const units = values.h.shape[1];
  if (!values.c) return { units, reverse, pre: null, gates: values.h.data, c: null, h: values.h.data };
  const gates = new Float64Array(time * 4 * units);
  ["i", "f", "g", "o"].forEach((gate, block) => {
    for (let t = 0; t < time; t += 1) gates.set(values[gate].data.subarray(t * units, (t + 1) * units), (4 * t + block) * units);
  });
  return { units, reverse, pre: null, gates, c: values.c.data, h: values.h.data };
}

// What each unit of the last layer brings for a tag against its rival: Float64Array over [forward, reverse].
export function contributions(model, result, t, tag, rival) {
  const { shape: [, size], data } = model.emission_weight, { output } = result.top;
  return Float64Array.from({ length: size }, (_, n) => (data[tag * size + n] - (rival === null ? 0 : data[rival * size + n])) * output[t * size + n]);
}

export function weightsOf(model, tag, rival) {
  const { shape: [, size], data } = model.emission_weight, bias = model.emission_bias.data;
  const difference = (all, at, other) => all[at] - (rival === null ? 0 : all[other]);
  return { weights: Float64Array.from({ length: size }, (_, n) => difference(data, tag * size + n, rival * size + n)), bias: difference(bias, tag, rival) };
}

// The strongest other tag at a token, null where there is only one tag; of equally probable ones, as all are beside a forced tag,
// the one with the highest emission.
export function rivalOf(result, t) {
  const row = result.marginals[t], scores = result.emissions[t], chosen = result.path[t];
  const others = [...row.keys()].filter((tag) => tag !== chosen);
  return others.length ? others.reduce((best, tag) => (row[tag] > row[best] || (row[tag] === row[best] && scores[tag] > scores[best]) ? tag : best)) : null;
}
