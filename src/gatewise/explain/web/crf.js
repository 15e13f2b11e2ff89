// From emissions to tags, in float64: the best path, the n best, and the sum over all paths.
// In: emissions (time rows of num_tags), scores {start, end, transitions[from][to]}; minus infinity is forbidden.
// Out: tags and scores; `sumPaths` gives marginals, the true probabilities of the tags.

const largest = (values) => values.reduce((best, value, n) => (value > values[best] ? n : best), 0);

// The legal moves: into[to] are the tags it can come from, outOf[from] those it can go to. Of 64 tags of BIOES that is a quarter.
const moves = new WeakMap();
function movesOf(transitions) {
  if (!moves.has(transitions)) {
    const tags = [...transitions.keys()], legal = (from, to) => transitions[from][to] > -Infinity;
    moves.set(transitions, { into: tags.map((to) => tags.filter((from) => legal(from, to))), outOf: tags.map((from) => tags.filter((to) => legal(from, to))) });
  }
  return moves.get(transitions);
}

// The best scores of paths that end in each tag, step by step, and where they came from.
function bestPrefixes(emissions, { start, transitions }) {
  let best = emissions[0].map((value, tag) => start[tag] + value);
  const all = [best], from = [], { into } = movesOf(transitions);
  for (const row of emissions.slice(1)) {
    const last = best, came = into.map((tags, to) => tags[largest(tags.map((tag) => last[tag] + transitions[tag][to]))] ?? 0);
    best = row.map((value, to) => last[came[to]] + transitions[came[to]][to] + value);
    all.push(best);
    from.push(came);
  }
  return { all, from };
}

// {tags, score}; null where no path is legal.
export function bestPath(emissions, scores) {
  const { all, from } = bestPrefixes(emissions, scores), finals = all.at(-1).map((value, tag) => value + scores.end[tag]);
  const last = largest(finals), score = finals[last];
  if (score === -Infinity) return null;
  const tags = [last];
  for (const came of [...from].reverse()) tags.unshift(came[tags[0]]);
  return { tags, score };
}

// Entry [t][tag]: the score of the best whole path that has this tag there.
export function bestThrough(emissions, scores) {
  const { all } = bestPrefixes(emissions, scores);
  let ahead = [...scores.end];
  const rest = emissions.map(() => null), { outOf } = movesOf(scores.transitions);
  for (let t = emissions.length - 1; t >= 0; t -= 1) {
    rest[t] = ahead;
    const after = ahead;
    ahead = scores.transitions.map((row, from) => outOf[from].reduce((best, to) => Math.max(best, row[to] + emissions[t][to] + after[to]), -Infinity));
  }
  return all.map((row, t) => row.map((value, tag) => value + rest[t][tag]));
}

// The n best legal paths, best first: at every tag a list of the n best ways there.
export function nBest(emissions, { start, end, transitions }, n) {
  const { into: sources } = movesOf(transitions);
  let lists = emissions[0].map((value, tag) => best([{ score: start[tag] + value, tag, before: null }], n));
  for (const row of emissions.slice(1)) {
    const last = lists;
    lists = row.map((value, tag) => {
      const ways = [];
      for (const from of sources[tag]) for (const before of last[from]) insert(ways, before.score + transitions[from][tag] + value, tag, before, n);
      return ways;
    });
  }
  return best(lists.flatMap((ways) => ways.map((way) => ({ ...way, score: way.score + end[way.tag] }))), n).map(({ score, ...way }) => ({ score, tags: tagsOf(way) }));
}

const best = (ways, n) => ways.filter((way) => way.score > -Infinity).sort((a, b) => b.score - a.score).slice(0, n);

// Keeps the n best in order; of equal ones the one that came first.
function insert(ways, score, tag, before, n) {
  if (score === -Infinity || (ways.length === n && score <= ways[n - 1].score)) return;
  let at = ways.length;
  while (at > 0 && ways[at - 1].score < score) at -= 1;
  ways.splice(at, 0, { score, tag, before });
  if (ways.length > n) ways.pop();
}

function tagsOf(way) {
  const tags = [];
  for (let one = way; one; one = one.before) tags.unshift(one.tag);
  return tags;
}

// {logPartition, beta, marginals}: forward and backward in log space.
export function sumPaths(emissions, scores) {
  const { start, end, transitions } = scores, time = emissions.length;
  const alpha = [emissions[0].map((value, tag) => start[tag] + value)], beta = new Array(time);
  const { into, outOf } = movesOf(transitions);
  for (let t = 1; t < time; t += 1) alpha.push(emissions[t].map((value, to) => logSum(into[to].map((tag) => alpha[t - 1][tag] + transitions[tag][to])) + value));
  beta[time - 1] = [...end];
  for (let t = time - 2; t >= 0; t -= 1) {
    const ahead = emissions[t + 1].map((value, to) => value + beta[t + 1][to]);
    beta[t] = transitions.map((row, from) => logSum(outOf[from].map((to) => row[to] + ahead[to])));
  }
  const logPartition = logSum(alpha[time - 1].map((value, tag) => value + end[tag]));
  return { logPartition, beta, marginals: alpha.map((row, t) => row.map((value, tag) => Math.exp(value + beta[t][tag] - logPartition))) };
}

function logSum(values) {
  const peak = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return peak === -Infinity ? peak : peak + Math.log(values.reduce((sum, value) => sum + Math.exp(value - peak), 0));
}

// What probabilities are made of: all scores divided by a temperature.
export const cooled = (temperature, emissions, { start, end, transitions }) => {
  if (temperature === 1) return [emissions, { start, end, transitions }];
  const factor = 1 / temperature, row = (values) => values.map((value) => value * factor);
  return [emissions.map(row), { start: row(start), end: row(end), transitions: transitions.map(row) }];
};
