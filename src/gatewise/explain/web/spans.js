// The spans of the best path, each with its true probability, as `gatewise.runtime.decode` computes it: along a path the tags are a
// Markov chain, so a span's probability is that of its first tag times each next tag given the one before; in BIO also times the
// chance that it does not go on. In: the model and its result. Out: [{first, past, label, score}], tokens half-open.

export function spansOf(model, { path, marginals, chain, time }) {
  const { opens, inner, labels, open_ended: openEnded } = model.table, spans = [];
  const move = (t, tag) => {
    const { scores, emissions, beta } = chain, before = path[t - 1];
    return beta[t - 1][before] === -Infinity ? 0 : Math.exp(scores.transitions[before][tag] + emissions[t][tag] + beta[t][tag] - beta[t - 1][before]);
  };
  for (let first = 0; first < time; first += 1) {
    if (!opens[path[first]]) continue;
    let past = first + 1, score = marginals[first][path[first]];
    for (; past < time && model.goes_on[path[past]]; past += 1) score *= move(past, path[past]);
    const onward = inner[path[past - 1]];
    if (openEnded && past < time && onward >= 0) score *= 1 - move(past, onward);
    spans.push({ first, past, label: labels[path[first]], score: Math.min(1, Math.max(0, score)) });
  }
  return spans;
}
