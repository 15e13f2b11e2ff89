// Everything that is a number, to be changed: sentence, vectors, weights, biases, start states, activations.
// In: the store. Out: {element, refresh}. Fields are kept while their table keeps its shape, so that one can type in them.
import { button, filled, make, setText } from "gatewise/dom.js";
import { CHOICES, MOST_TOKENS, WRITTEN, cutSentence, directionNames, getAt, sentenceText, setAt, withBiases, withSentence } from "gatewise/document.js";
import { laneName } from "gatewise/chain.js";
import { subscript } from "gatewise/numbers.js";
import { language, words } from "gatewise/words.js";

const LETTERS = { forget: "f", input: "i", candidate: "g", output: "o", "": "h" };
let tables = 0;  // made so far
export const MOST_UNITS = 8, MOST_VECTORS = 60;  // beyond that one unit's rows, and that many vectors, are shown

export function createFields(store) {
  const element = make("div", { class: "fields" });
  let shape = "", fields = [];

  function refresh() {
    const now = JSON.stringify([language(), shapeOf(store)]);
    if (now !== shape) {
      shape = now;
      fields = [];
      element.replaceChildren(...panels(store, fields));
    }
    for (const field of fields) field();
    element.querySelectorAll(".refused:not(:empty)").forEach((one) => setText(one, ""));
  }

  return { element, refresh };
}

// What decides which fields there are.
function shapeOf({ document, base, place }) {
  const sizes = (value) => (Array.isArray(value) ? value.map(sizes) : value !== null && typeof value === "object" ? Object.entries(value).map(([key, inner]) => [key, sizes(inner)]) : value === null);
  const layers = sizes(document.layers);
  const many = unitsAt(document, place) > MOST_UNITS;
  return [base.name, document.kind, document.vectors.map(([token]) => token), layers, place.layer, place.reverse, many ? place.unit : null];
}

const directionAt = (place) => ["layers", place.layer, place.reverse ? "reverse" : "forward"];
const unitsAt = (document, place) => {
  const weights = getAt(document, directionAt(place));
  return (weights.forget ?? weights).x.length;
};

function panels(store, fields) {
  const { page } = words();
  const group = (kind, title, note, ...content) => make("section", { class: `panel ${kind}` }, make("h3", null, title), note ? make("p", { class: "note" }, note) : null, ...content);
  const starts = store.document.kind === "neuron" ? null : group("starts", page.starts, page.starts_note, startTable(store, fields));
  return [
    make("div", { class: "stack" }, group("functions", page.activations, null, activations(store, fields)), starts),
    group("inputs", page.inputs, page.inputs_note, sentenceField(store, fields), vectorTable(store, fields)),
    group("weights", page.weights, page.weights_note, directionChoice(store), weightTable(store, fields)),
  ];
}

// A number to type; arrow keys add 1, with Shift 0.1. What is no number is marked, changes nothing, and its table says why.
function numberField(store, fields, path, label) {
  const key = path.join("."), input = make("input", { class: "number", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "data-key": `field-${key}`, "data-path": key, "aria-label": label });
  const put = (value) => store.edit(setAt(store.document, path, value), key);
  const show = () => {
    const value = getAt(store.document, path), original = getAt(store.base, path) ?? 0, edited = original !== value;
    if (document.activeElement !== input) {
      input.value = String(value ?? "");
      ["aria-invalid", "aria-describedby"].forEach((name) => input.removeAttribute(name));
    }
    input.size = Math.max(3, input.value.length);
    input.classList.toggle("edited", edited);
    input.title = edited ? filled(words().page.originally, { value: String(original) }) : label;
  };
  input.addEventListener("input", () => {
    const value = parse(input.value), said = input.closest(".numbers-table").querySelector(".refused"), wrong = value === null || !Number.isFinite(value);
    if (!wrong) put(value);
    setText(said, wrong ? refusal(input.value.trim(), value, getAt(store.document, path)) : "");
    if (wrong) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", said.id);
    } else ["aria-invalid", "aria-describedby"].forEach((name) => input.removeAttribute(name));
  });
  input.addEventListener("blur", show);
  input.addEventListener("keydown", (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const value = Number((getAt(store.document, path) + by * (event.shiftKey ? 0.1 : 1)).toFixed(10));
    input.value = String(value);
    put(value);
  });
  fields.push(show);
  return input;
}

// A number, not finite where it is too large; null where the text is none. An input method for Chinese may write full-width digits.
function parse(text) {
  const plain = text.trim().replace(/[！-～]/g, (one) => String.fromCodePoint(one.codePointAt(0) - 0xfee0)).replace(/[−–]/g, "-");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

function refusal(text, value, stays) {
  const { page } = words(), why = text === "" ? page.number_missing : value === null ? page.number_unread : page.number_large;
  return filled(why, { text: text.length > 24 ? `${text.slice(0, 23)}…` : text, value: String(stays ?? 0).replace("-", "−") });
}

// Choices as a row of buttons.
function choices(store, fields, name, title) {
  const { terms } = words(), row = make("div", { class: "segments", role: "group", "aria-label": title });
  for (const choice of CHOICES[name]) {
    const one = button(terms.activation[choice], () => store.edit(setAt(store.document, ["activations", name], choice), null), { "data-key": `activation-${name}-${choice}` });
    fields.push(() => one.setAttribute("aria-pressed", String(store.document.activations[name] === choice)));
    row.append(one);
  }
  return make("div", { class: "choice-row" }, make("span", null, title), row);
}

function activations(store, fields) {
  const { page } = words(), titles = { gate: page.gates, candidate: page.candidate, output: page.output_activation };
  return make("div", { class: "activations" }, Object.keys(store.document.activations).sort().map((name) => choices(store, fields, name, titles[name])));
}

function sentenceField(store, fields) {
  const { page } = words(), input = make("input", { class: "sentence", "data-key": "sentence", autocomplete: "off", spellcheck: "false" }), note = make("p", { class: "note", role: "status" });
  input.addEventListener("change", () => {
    if (input.value === sentenceText(store.document)) return;
    const tokens = cutSentence(store.document, input.value);
    note.textContent = tokens.length > MOST_TOKENS ? filled(page.too_long, { most: MOST_TOKENS, count: tokens.length }) : "";
    store.edit(withSentence(store.document, tokens.slice(0, MOST_TOKENS)), null);
    input.value = sentenceText(store.document);
  });
  fields.push(() => document.activeElement === input || (input.value = sentenceText(store.document)));
  return make("div", null, make("label", { class: "wide" }, make("span", null, page.sentence), input), note);
}

function table(label, heads, rows, note = null) {
  const cells = heads.map((head) => (head ? make("th", { scope: "col" }, head) : make("td")));
  const grid = make("table", null, make("thead", null, make("tr", null, cells)), make("tbody", null, rows));
  const refused = make("p", { class: "refused", role: "alert", id: `refused-${tables += 1}` });
  return make("div", { class: "numbers-table" }, make("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": label }, grid), refused, note ? make("p", { class: "note" }, note) : null);
}

const rowOf = (head, ...cells) => make("tr", null, make("th", { scope: "row" }, head), cells.map((cell) => make("td", null, cell)));

function vectorTable(store, fields) {
  const { page, terms } = words(), { vectors } = store.document, shown = vectors.slice(0, MOST_VECTORS);
  const rows = shown.map(([token, vector], row) => rowOf(token, ...vector.map((_, n) => numberField(store, fields, ["vectors", row, 1, n], `${token} x${n + 1}`))));
  const note = vectors.length > shown.length ? filled(page.only_some, { count: shown.length, all: vectors.length }) : null;
  return table(page.inputs, [terms.token, ...vectors[0][1].map((_, n) => `x${subscript(n + 1)}`)], rows, note);
}

// Which layer and direction the tables show, where there are several.
function directionChoice(store) {
  const { document, place } = store, { page } = words();
  const lanes = document.layers.flatMap((layer, n) => directionNames(layer).map((name) => ({ layer: n + 1, reverse: name === "reverse" })));
  if (lanes.length === 1) return null;
  const row = make("div", { class: "segments", role: "group", "aria-label": page.layer });
  for (const lane of lanes) {
    const here = lane.layer - 1 === place.layer && lane.reverse === place.reverse;
    row.append(button(laneName(lane), () => store.look({ layer: lane.layer - 1, reverse: lane.reverse }), { "aria-pressed": String(here), "data-key": `lane-${lane.layer}-${lane.reverse}` }));
  }
  return row;
}

function weightTable(store, fields) {
  const { document, place } = store, { page, terms } = words(), at = directionAt(place), weights = getAt(document, at);
  const units = unitsAt(document, place), many = units > MOST_UNITS, linears = document.kind === "lstm" ? WRITTEN : [""];
  const first = linears[0] ? weights[linears[0]] : weights, hasBias = linears.some((name) => (name ? weights[name] : weights).bias);
  const heads = ["", ...first.x[0].map((_, n) => `x${subscript(n + 1)}`), ...(first.h ? first.h[0].map((_, n) => (units === 1 ? "h" : `h${subscript(n + 1)}`)) : []), ...(hasBias ? [page.bias] : [])];
  const rows = linears.flatMap((name) => {
    const linear = name ? weights[name] : weights, path = name ? [...at, name] : at, letter = LETTERS[name];
    return linear.x.flatMap((row, unit) => {
      if (many && unit !== place.unit) return [];
      const title = units === 1 ? terms.linear[letter] : `${terms.linear[letter]}${subscript(unit + 1)}`;
      const number = (kind, ...rest) => numberField(store, fields, [...path, kind, ...rest], `${title}, ${kind}${typeof rest[1] === "number" ? ` ${rest[1] + 1}` : ""}`);
      const bias = hasBias ? [linear.bias ? number("bias", unit) : ""] : [];
      return [rowOf(make("span", { class: `badge long ${letter}` }, title), ...row.map((_, n) => number("x", unit, n)), ...(linear.h ? linear.h[unit].map((_, n) => number("h", unit, n)) : []), ...bias)];
    });
  });
  const note = many ? filled(page.only_unit, { unit: place.unit + 1, units }) : null;
  const add = hasBias ? null : button(page.add_bias, () => store.edit(withBiases(store.document, place.layer, place.reverse ? "reverse" : "forward"), null), { class: "plain", "data-key": "add-bias" });
  return make("div", null, table(page.weights, heads, rows, note), add);
}

function startTable(store, fields) {
  const { document, place } = store, { page } = words(), at = directionAt(place), states = document.kind === "lstm" ? ["h", "c"] : ["h"];
  const units = unitsAt(document, place), shown = units > MOST_UNITS ? [place.unit] : [...Array(units).keys()];
  const name = { h: "h₀", c: "C₀" };
  const rows = states.map((state) => rowOf(name[state], ...shown.map((unit) => numberField(store, fields, [...at, "start", state, unit], `${name[state]} ${unit + 1}`))));
  return table(page.starts, ["", ...shown.map((unit) => (units === 1 ? "" : String(unit + 1)))], rows);
}
