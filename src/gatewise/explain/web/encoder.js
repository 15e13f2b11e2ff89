// The layers of a trained model, in float64: the equations of `lstm.js` over arrays, since a record of every operand, as a
// hand-written network has it, would be millions of numbers here.
// In: x (time, input_size), weights, and values that are held. Out: one layer a layer, {forward, reverse, carried, output},
// with passes {units, reverse, pre, gates, c, h}; arrays are flat, time first, gates in blocks i|f|g|o.
import { ACTIVATIONS } from "gatewise/lstm.js";

export const BLOCKS = { i: 0, f: 1, g: 2, o: 3 };

// `holds`: [{layer, direction, unit, gate, value}], unit null for all units; the gate of an RNN is h.
export function runEncoder(model, x, time, holds) {
  let below = x, size = time ? x.length / time : 0;
  return model.layers.map((weights, index) => {
    const held = (direction) => holds.filter((one) => one.layer === index && one.direction === direction);
    const forward = runPass(model.kind, weights.forward, below, size, time, false, held("forward"));
    const reverse = weights.reverse ? runPass(model.kind, weights.reverse, below, size, time, true, held("reverse")) : null;
    const states = sideBySide(forward, reverse, time), carried = model.residual && index ? below : null;
    const output = carried ? states.map((value, n) => value + carried[n]) : states;
    [below, size] = [output, forward.units * (reverse ? 2 : 1)];
    return { forward, reverse, carried, output };
  });
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

function runPass(kind, weights, x, size, time, reverse, holds) {
  const units = weights.weight_hh.shape[1], blocks = kind === "lstm" ? 4 : 1, rows = blocks * units;
  const pass = { units, reverse, pre: new Float64Array(time * rows), gates: new Float64Array(time * rows), c: kind === "lstm" ? new Float64Array(time * units) : null, h: new Float64Array(time * units) };
  const nothing = new Float64Array(units), row = (array, t, width) => array.subarray(t * width, (t + 1) * width);
  const { data: ih } = weights.weight_ih, { data: hh } = weights.weight_hh, biasIh = weights.bias_ih.data, biasHh = weights.bias_hh.data;
  for (let step = 0; step < time; step += 1) {
    const t = reverse ? time - 1 - step : step, before = reverse ? t + 1 : t - 1;
    const read = row(x, t, size), h = step ? row(pass.h, before, units) : nothing, c = step && pass.c ? row(pass.c, before, units) : nothing;
    const pre = row(pass.pre, t, rows);
    for (let n = 0; n < rows; n += 1) pre[n] = biasIh[n] + biasHh[n] + product(ih, n, read) + product(hh, n, h);
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

// One row of a matrix times a vector.
function product(matrix, row, vector) {
  const size = vector.length, start = row * size;
  let sum = 0;
  for (let n = 0; n < size; n += 1) sum += matrix[start + n] * vector[n];
  return sum;
}
