// Which tokens a memory cell, or a tag's score, still draws on: exact sums over the tokens read so far.
// In: passes of `encoder.js`. Out: {sources, other, total}: a share for each token, and what no token brought.
// The cell: c = Σ (Π f)·i·g, as `gatewise.lstm.ledger` has it. The score: each w·h = w·o·tanh(c) is shared out in the
// proportion of c's own shares, so the shares add up to the score, and the bias is what no token brought.

// The shares of all units, added up with a weight for each unit; `time` numbers.
function weighted(pass, t, time, weightOf, sources) {
  const { units, gates, reverse } = pass, way = reverse ? 1 : -1, rows = 4 * units;
  for (let unit = 0; unit < units; unit += 1) {
    let kept = weightOf(unit);
    for (let s = t; kept !== 0 && s >= 0 && s < time; s += way) {
      const at = s * rows + unit;
      sources[s] += kept * gates[at] * gates[at + 2 * units];
      kept *= gates[at + units];
    }
  }
  return sources;
}

export function cellLedger(pass, t, unit, time) {
  const sources = weighted(pass, t, time, (one) => (one === unit ? 1 : 0), new Float64Array(time));
  return { sources, other: 0, total: pass.c[t * pass.units + unit] };
}

// `weights` (states): the emission weights of the tag, or of the tag minus those of its rival; `bias` likewise.
export function scoreLedger(layer, t, weights, bias, time) {
  const sources = new Float64Array(time);
  let total = bias, offset = 0;
  for (const pass of [layer.forward, layer.reverse].filter(Boolean)) {
    const { units, gates, c, h } = pass, from = offset;
    weighted(pass, t, time, (unit) => {
      const cell = c[t * units + unit], squashed = cell === 0 ? 1 : Math.tanh(cell) / cell;
      return weights[from + unit] * gates[t * 4 * units + 3 * units + unit] * squashed;
    }, sources);
    for (let unit = 0; unit < units; unit += 1) total += weights[from + unit] * h[t * units + unit];
    offset += units;
  }
  const carried = layer.carried ? weights.reduce((sum, weight, n) => sum + weight * layer.carried[t * weights.length + n], 0) : 0;
  return { sources, other: bias + carried, total: total + carried };
}
