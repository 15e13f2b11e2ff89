// The equations of hand-written networks, in float64: what `gatewise.lstm` computes, for a page that recomputes by itself.
// In: a network document (see `explain/network_document.py`). Out: a run with every operand of every formula, like
// `gatewise.network.NetworkRun`: layers → directions → steps in token order. Nothing here touches the page.

export const GATES = { f: "forget", i: "input", g: "candidate", o: "output" };  // letter → its table in the file

export const ACTIVATIONS = {
  sigmoid: (z) => Math.exp(Math.min(z, 0)) / (1 + Math.exp(-Math.abs(z))),  // exp never overflows
  step: (z) => (z > 0 ? 1 : 0),  // exactly 0 counts as closed
  tanh: Math.tanh,
  identity: (z) => z,
};

export function runNetwork(document) {
  const vectors = new Map(document.vectors);
  const tokens = document.sentence;
  let x = tokens.map((token) => vectors.get(token));
  const layers = document.layers.map((layer, index) => {
    const pass = (weights, reverse) => runDirection(document, x, weights, index + 1, reverse);
    const forward = pass(layer.forward, false);
    const reverse = layer.reverse ? pass(layer.reverse, true) : null;
    x = tokens.map((_, t) => [...forward.steps[t].h, ...(reverse ? reverse.steps[t].h : [])]);
    return { forward, reverse };
  });
  return {
    kind: document.kind,
    gates: document.kind === "lstm" ? document.activations.gate : null,
    tokens,
    layers,
    outputs: x,
    tags: x.map((output) => nearestTag(output, document.tags)),
  };
}

export function directionsOf(run) {
  return run.layers.flatMap((layer) => (layer.reverse ? [layer.forward, layer.reverse] : [layer.forward]));
}

function runDirection(document, x, weights, layer, reverse) {
  const units = unitsOf(document.kind, weights), steps = new Array(x.length);
  let state = { h: weights.start?.h ?? [], c: weights.start?.c ?? [] };
  const order = reverse ? [...x.keys()].reverse() : [...x.keys()];
  for (const t of order) {
    const seen = { t: t + 1, token: document.sentence[t], x: x[t], h_prev: state.h, c_prev: state.c };
    steps[t] = document.kind === "lstm" ? lstmStep(seen, weights, document.activations) : plainStep(seen, weights, document);
    state = { h: document.kind === "neuron" ? [] : steps[t].h, c: steps[t].c };
  }
  return { layer, reverse, units, steps };
}

export const unitsOf = (kind, weights) => (kind === "lstm" ? weights.forget.x.length : weights.x.length);

function lstmStep(seen, weights, activations) {
  const linear = {};
  for (const [letter, name] of Object.entries(GATES)) {
    const activation = letter === "g" ? activations.candidate : activations.gate;
    linear[letter] = linearLayer(weights[name], seen, ACTIVATIONS[activation]);
  }
  const [f, i, g, o] = ["f", "i", "g", "o"].map((letter) => linear[letter].map((unit) => unit.value));
  const c = f.map((_, n) => f[n] * seen.c_prev[n] + i[n] * g[n]);
  const c_activated = c.map(ACTIVATIONS[activations.output]);
  const h = o.map((_, n) => o[n] * c_activated[n]);
  return { ...seen, linear, c, c_activated, h };
}

// One step of an RNN, or of neurons, whose weights have no h.
function plainStep(seen, weights, document) {
  const units = linearLayer(weights, seen, ACTIVATIONS[document.activations.output]);
  return { ...seen, linear: { h: units }, c: [], c_activated: [], h: units.map((unit) => unit.value) };
}

function linearLayer(weights, { x, h_prev }, activation) {
  return weights.x.map((row, n) => {
    const recurrent = weights.h ? weights.h[n] : [], bias = weights.bias ? weights.bias[n] : null;
    const pre = dot(row, x) + (bias ?? 0) + dot(recurrent, h_prev);
    return { weights: [...row, ...recurrent], values: weights.h ? [...x, ...h_prev] : [...x], bias, pre, value: activation(pre) };
  });
}

const dot = (a, b) => a.reduce((sum, weight, n) => sum + weight * b[n], 0);

// The tag whose output is nearest; the first of two equally near ones; null where there are none.
function nearestTag(output, tags) {
  let best = null, least = Infinity;
  for (const tag of tags) {
    const distance = output.reduce((sum, value, n) => sum + (value - tag.output[n]) ** 2, 0);
    if (best === null || distance < least) [best, least] = [tag, distance];
  }
  return best;
}

// Where a number is not finite any more: the first step that overflows, or null.
export function overflowOf(run) {
  for (const direction of directionsOf(run)) {
    const order = direction.reverse ? [...direction.steps].reverse() : direction.steps;
    for (const step of order) {
      const pres = Object.values(step.linear).flat().map((unit) => unit.pre);
      if (![...step.h, ...step.c, ...pres].every(Number.isFinite)) return { layer: direction.layer, t: step.t, token: step.token };
    }
  }
  return null;
}
