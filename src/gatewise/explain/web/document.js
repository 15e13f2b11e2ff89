// A network document and what can be done to it: every change makes a new document and leaves the old one as it is.
// In: documents as `explain/network_document.py` makes them; paths such as ["layers", 0, "forward", "forget", "x", 0, 1].

export const CHOICES = { gate: ["sigmoid", "step"], candidate: ["tanh", "identity"], output: ["tanh", "identity"] };
export const WRITTEN = ["forget", "input", "candidate", "output"];
export const MOST_TOKENS = 2000;

export const getAt = (value, path) => path.reduce((inner, key) => inner?.[key], value);

export function setAt(value, [key, ...rest], leaf) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = rest.length ? setAt(value[key], rest, leaf) : leaf;
  return copy;
}

// The linear layers of a direction: [name of the table or "", its content].
export const linearLayers = (document, weights) =>
  document.kind === "lstm" ? WRITTEN.map((name) => [name, weights[name]]) : [["", weights]];

export const directionNames = (layer) => (layer.reverse ? ["forward", "reverse"] : ["forward"]);

// How many numbers are learned, by what they are.
export function countParameters(document) {
  const count = { x: 0, h: 0, bias: 0 };
  for (const layer of document.layers)
    for (const name of directionNames(layer))
      for (const [, linear] of linearLayers(document, layer[name]))
        for (const kind of Object.keys(count)) count[kind] += linear[kind] ? linear[kind].flat().length : 0;
  return { ...count, all: count.x + count.h + count.bias };
}

// A bias of 0 everywhere in one direction, so that there is something to change.
export function withBiases(document, layer, name) {
  let changed = document;
  for (const [gate, linear] of linearLayers(document, document.layers[layer][name])) {
    const path = ["layers", layer, name, ...(gate ? [gate] : []), "bias"];
    if (!linear.bias) changed = setAt(changed, path, linear.x.map(() => 0));
  }
  return changed;
}

// A text as tokens: cut at white space, or into characters where there is none.
export function cutSentence(document, text) {
  const trimmed = text.trim(), isToken = document.vectors.some(([token]) => token === trimmed);
  return (/\s/.test(trimmed) ? trimmed.split(/\s+/) : isToken ? [trimmed] : [...trimmed]).filter(Boolean);
}

// Another sentence; tokens without a vector get one of zeros.
export function withSentence(document, sentence) {
  const known = new Set(document.vectors.map(([token]) => token)), zeros = document.vectors[0][1].map(() => 0);
  const fresh = [...new Set(sentence)].filter((token) => !known.has(token)).map((token) => [token, zeros]);
  return { ...document, sentence, vectors: [...document.vectors, ...fresh] };
}

export const sentenceText = (document) => document.sentence.join(document.sentence.every((token) => [...token].length === 1) ? "" : " ");

// What turns one document into another: [[path, value], …]; lists of another length are given whole.
export function editsBetween(a, b, path = []) {
  if (Object.is(a, b)) return [];
  const bothLists = Array.isArray(a) && Array.isArray(b);
  const open = a !== null && b !== null && typeof a === "object" && typeof b === "object" && Array.isArray(a) === Array.isArray(b);
  if (!open || (bothLists && a.length !== b.length)) return [[path, b]];
  return Object.keys(b).flatMap((key) => editsBetween(a[key], b[key], [...path, bothLists ? Number(key) : key]));
}

// The document with edits that came from outside, or null where they do not fit it.
export function withEdits(base, edits) {
  try {
    const changed = edits.reduce((document, [path, value]) => {
      if (!path.every((key, n) => Object.hasOwn(Object(getAt(document, path.slice(0, n))), key))) throw new TypeError("path");
      return setAt(document, path, value);
    }, base);
    return fits(base, changed) ? changed : null;
  } catch {
    return null;
  }
}

function fits(base, { sentence, vectors, activations, layers, ...rest }) {
  const isText = (value) => typeof value === "string" && value !== "";
  if (editsBetween(base, { ...base, ...rest }).length) return false;
  if (!Array.isArray(sentence) || sentence.length > MOST_TOKENS || !sentence.every(isText)) return false;
  if (!Array.isArray(vectors) || vectors.length > MOST_TOKENS + base.vectors.length) return false;
  const model = base.vectors[0][1], known = new Set(vectors.map((entry) => entry?.[0]));
  if (known.size !== vectors.length || !sentence.every((token) => known.has(token))) return false;
  if (!vectors.every((entry) => Array.isArray(entry) && entry.length === 2 && isText(entry[0]) && likeNumbers(model, entry[1]))) return false;
  const names = Object.keys(base.activations);
  if (Object.keys(activations).length !== names.length || !names.every((name) => CHOICES[name].includes(activations[name]))) return false;
  return likeNumbers(base.layers, layers);
}

// The same keys and lengths all the way down, finite numbers at the end; a bias may be there or not.
function likeNumbers(model, value, units = 0) {
  if (typeof model === "number") return Number.isFinite(value);
  if (model === null) return value === null || (Array.isArray(value) && value.length === units && value.every(Number.isFinite));
  if (value === null || typeof value !== "object" || Array.isArray(model) !== Array.isArray(value)) return false;
  const keys = Object.keys(model);
  if (Object.keys(value).length !== keys.length) return false;
  return keys.every((key) => {
    if (!Object.hasOwn(value, key)) return false;
    return (key === "bias" && value[key] === null) || likeNumbers(model[key], value[key], model.x?.length);
  });
}
