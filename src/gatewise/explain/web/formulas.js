// The formulas of one step with the numbers put in, term by term; each evaluates to the result that it shows.
// In: steps of a run. Out: {letter, name, left, sum, result, activated, value, note} of plain texts, in the order of computation;
// `vectors` are the two whose product a linear layer's `left` is.
import { equals, formatNumber, formatOperand, formatSum, formatVector, subscript } from "gatewise/numbers.js";
import { filled, math } from "gatewise/dom.js";
import { words } from "gatewise/words.js";

const MOST_TERMS = 24, LARGEST = 8;  // a sum of more terms than these shows the largest alone
export const SIGNS = { sigmoid: "σ", step: "step", tanh: "tanh", identity: "f(x) = x" };

export function activationOf(document, letter) {
  if (letter === "g") return document.activations.candidate;
  return letter === "h" || document.kind !== "lstm" ? document.activations.output : document.activations.gate;
}

export const symbol = (letter, unit, units) => (units === 1 ? letter : letter + subscript(unit + 1));

// All lines of one unit of one step.
export function stepLines(document, step, unit) {
  const units = step.h.length;
  const lines = Object.keys(step.linear).map((letter) => linearLine(document, step, letter, unit, units));
  if (document.kind !== "lstm") return lines;
  const [f, i, g, o] = lines;
  return [f, i, g, memoryLine(step, unit, units), o, outputLine(document, step, unit, units)];
}

function linearLine(document, step, letter, unit, units) {
  const { weights, values, bias, pre, value } = step.linear[letter][unit], activation = activationOf(document, letter);
  const products = weights.map((weight, n) => weight * values[n]);
  const shown = formatSum(pre, activation), large = products.length > MOST_TERMS;
  return {
    letter, value,
    name: words().terms.linear[letter],
    symbol: symbol(letter, unit, units),
    left: large ? largestTerms(weights, values, products, bias) : "",
    vectors: large ? null : { values, weights, bias: bias === null ? "" : signedTerm(bias) },
    sum: large ? "" : signedSum([...products, ...(bias === null ? [] : [bias])]),
    result: equals(shown),
    activated: activation === "identity" ? "" : `→ ${words().terms.function[activation]} → ${formatNumber(value)}`,
    note: "fio".includes(letter) ? openness(value) : "",
  };
}

// Of a sum that is too long to write, the largest terms, and what the others come to.
function largestTerms(weights, values, products, bias) {
  const order = [...products.keys()].sort((a, b) => Math.abs(products[b]) - Math.abs(products[a]));
  const shown = order.slice(0, LARGEST).map((n) => `${formatOperand(weights[n])}·${formatOperand(values[n])}`);
  const rest = order.slice(LARGEST).reduce((sum, n) => sum + products[n], 0);
  return `${shown.join(" + ")}${signedTerm(rest)} (${filled(words().page.more_terms, { count: order.length - LARGEST })})${bias === null ? "" : signedTerm(bias)}`;
}

function memoryLine(step, unit, units) {
  const [f, i, g] = ["f", "i", "g"].map((letter) => step.linear[letter][unit].value), before = step.c_prev[unit];
  const { kept, taken_in: taken, note_joint: joint } = words().network;
  return {
    letter: "C", value: step.c[unit],
    name: words().terms.memory,
    symbol: symbol("C", unit, units),
    left: `${formatOperand(f)}·${formatOperand(before)} + ${formatOperand(i)}·${formatOperand(g)}`,
    sum: signedSum([f * before, i * g]),
    result: equals(formatNumber(step.c[unit])),
    activated: "",
    note: kept[degree(f)] + joint + taken[degree(i)],
  };
}

function outputLine(document, step, unit, units) {
  const o = step.linear.o[unit].value, c = step.c[unit], tanh = document.activations.output === "tanh";
  return {
    letter: "h", value: step.h[unit],
    name: words().terms.output,
    symbol: symbol("h", unit, units),
    left: `${formatOperand(o)}·${tanh ? `tanh(${formatNumber(c)})` : formatOperand(c)}`,
    sum: tanh ? `${formatOperand(o)}·${formatOperand(step.c_activated[unit])}` : "",
    result: equals(formatNumber(step.h[unit])),
    activated: "",
    note: words().network.put_out[degree(o)],
  };
}

// "0 − 100 + 0 + 10"
export function signedSum(terms) {
  return terms.map((term, n) => (n === 0 ? formatNumber(term) : signedTerm(term).trimStart())).join(" ");
}

function signedTerm(term) {
  const shown = formatNumber(term);
  if (shown.startsWith("−")) return ` − ${shown.slice(1)}`;
  return shown.startsWith("≈−") ? ` − ≈${shown.slice(2)}` : ` + ${shown}`;
}

const shownPart = (value) => formatNumber(value).replace("≈", "");
const degree = (value) => ({ 0: 0, 1: 2 })[shownPart(value)] ?? 1;

export function openness(value) {
  const { closed, open, half_open: half, partly_open: partly } = words().terms;
  return { 0: closed, 1: open, 0.5: half }[shownPart(value)] ?? partly.replace("{percent}", (100 * value).toFixed(0));
}

// The general formula of a line, without numbers, as MathML.
export function generalFormula(document, letter) {
  const name = (text) => math("mi", text), sign = (text) => math("mo", text);
  const at = (text, index) => math("msub", name(text), index);
  const now = () => name("t"), before = () => math("mrow", name("t"), sign("−"), math("mn", "1"));
  const row = (...parts) => math("math", math("mrow", ...parts));
  if (letter === "C") return row(at("C", now()), sign("="), at("f", now()), sign("⋅"), at("C", before()), sign("+"), at("i", now()), sign("⋅"), at("g", now()));
  if (letter === "h" && document.kind === "lstm") {
    const cell = document.activations.output === "tanh" ? [name("tanh"), sign("("), at("C", now()), sign(")")] : [at("C", now())];
    return row(at("h", now()), sign("="), at("o", now()), sign("⋅"), ...cell);
  }
  const activation = activationOf(document, letter), which = () => (document.kind === "lstm" ? name(letter) : name("A"));
  const read = document.kind === "neuron" ? [at("x", now())] : [sign("["), at("x", now()), sign(","), at("h", before()), sign("]")];
  const sum = [math("msub", name("W"), which()), sign("⋅"), ...read, sign("+"), math("msub", name("b"), which())];
  const called = activation === "identity" ? sum : [name(words().terms.function[activation]), sign("("), ...sum, sign(")")];
  return row(at(letter, now()), sign("="), ...called);
}
