// The layers of a trained model, in float64: the equations of `lstm.js` over arrays, since a record of every operand, as a
// hand-written network has it, would be millions of numbers here.
// In: a model with the x of its tokens, the numbers of the tokens that are read, and values that are held. Out: one layer a layer, {forward, reverse, carried, output},
// with passes {units, reverse, pre, gates, c, h}; arrays are flat, time first, gates in blocks i|f|g|o.
import { ACTIVATIONS } from "gatewise/lstm.js";

export const BLOCKS = { i: 0, f: 1, g: 2, o: 3 };

// `holds`: [{layer, direction, unit, gate, value}], unit null for all units; the gate of an RNN is h.
export function runEncoder(model, order, holds) {
  const time = order.length;
  let below = null;
  return model.layers.map((weights, index) => {
    const held = (direction) => holds.filter((one) => one.layer === index && one.direction === direction);
    const read = (one) => (below ? inputSums(one, below, time) : pick(sumsOfTokens(model, one), order));
    const forward = runPass(model.kind, weights.forward, read(weights.forward), time, false, held("forward"));
    const reverse = weights.reverse ? runPass(model.kind, weights.reverse, read(weights.reverse), time, true, held("reverse")) : null;
    const states = sideBySide(forward, reverse, time), carried = model.residual && index ? below : null;
    below = carried ? states.map((value, n) => value + carried[n]) : states;
    return { forward, reverse, carried, output: below };
  });
}

// What the first layer sees of each token of the text is the same whatever the reader changes.
const known = new WeakMap();
function sumsOfTokens(model, weights) {
  if (!known.has(model)) known.set(model, new Map());
  const sums = known.get(model);
  if (!sums.has(weights)) sums.set(weights, inputSums(weights, model.x.data, model.x.shape[0]));
  return sums.get(weights);
}

// bias_ih + bias_hh + weight_ih·x, a row a token.
function inputSums({ weight_ih: { shape: [rows, size], data }, bias_ih: biasIh, bias_hh: biasHh }, x, time) {
  const sums = Float64Array.from({ length: time * rows }, (_, n) => biasIh.data[n % rows] + biasHh.data[n % rows]);
  for (let t = 0; t < time; t += 1) addProducts(data, x.subarray(t * size, (t + 1) * size), sums.subarray(t * rows, (t + 1) * rows));
  return { rows, data: sums };
}

function pick({ rows, data }, order) {
  const picked = new Float64Array(order.length * rows);
  order.forEach((from, to) => picked.set(data.subarray(from * rows, (from + 1) * rows), to * rows));
  return { rows, data: picked };
}

export function sideBySide(forward, reverse, time) {
  if (!reverse) return forward.h;
  const { units } = forward, both = new Float64Array(2 * units * time);
  for (let t = 0; t < time; t += 1) {
    both.set(forward.h.subarray(t * units, (t + 1) * units), 2 * t * units);
    both.set(reverse.h.subarray(t * units, (t + 1) * units), (2 * t + 1) * units);
  }
  return both;
}

function runPass(kind, weights, { rows, data: pres }, time, reverse, holds) {
  const { shape: [, units], data: hh } = weights.weight_hh, pass = { units, reverse, pre: pres, gates: new Float64Array(time * rows), c: kind === "lstm" ? new Float64Array(time * units) : null, h: new Float64Array(time * units) };
  const nothing = new Float64Array(units), row = (array, t, width) => array.subarray(t * width, (t + 1) * width);
  for (let step = 0; step < time; step += 1) {
    const t = reverse ? time - 1 - step : step, before = reverse ? t + 1 : t - 1;
    const h = step ? row(pass.h, before, units) : nothing, c = step && pass.c ? row(pass.c, before, units) : nothing;
    const pre = row(pres, t, rows);
    addProducts(hh, h, pre);
    const now = { pre, gates: row(pass.gates, t, rows), h: row(pass.h, t, units), c_prev: c, c: pass.c && row(pass.c, t, units) };
    (kind === "lstm" ? lstmStep : rnnStep)(now, units, holds);
  }
  return pass;
}

// i = σ(…), f = σ(…), g = tanh(…), o = σ(…); c = f·c + i·g; h = o·tanh(c)
function lstmStep({ pre, gates, h, c_prev, c }, units, holds) {
  for (let n = 0; n < 4 * units; n += 1) gates[n] = n >= 2 * units && n < 3 * units ? Math.tanh(pre[n]) : ACTIVATIONS.sigmoid(pre[n]);
  for (const { unit, gate, value } of holds) hold(gates, BLOCKS[gate] * units, units, unit, value);
  for (let n = 0; n < units; n += 1) {
    c[n] = gates[units + n] * c_prev[n] + gates[n] * gates[2 * units + n];
    h[n] = gates[3 * units + n] * Math.tanh(c[n]);
  }
}

function rnnStep({ pre, gates, h }, units, holds) {
  for (let n = 0; n < units; n += 1) gates[n] = Math.tanh(pre[n]);
  for (const { unit, value } of holds) hold(gates, 0, units, unit, value);
  h.set(gates);
}

function hold(gates, start, units, unit, value) {
  if (unit === null) gates.fill(value, start, start + units);
  else gates[start + unit] = value;
}

// Adds a matrix times a vector, row by row.
function addProducts(matrix, vector, sums) {
  const size = vector.length;
  for (let row = 0, at = 0; row < sums.length; row += 1) {
    let sum = 0;
    for (let n = 0; n < size; n += 1, at += 1) sum += matrix[at] * vector[n];
    sums[row] += sum;
  }
}
