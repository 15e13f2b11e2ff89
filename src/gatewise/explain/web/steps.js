// One step in writing: a line for each box of the cell, with the numbers put in, term by term.
// In: document, step, the same step before the last change, the place, and actions: a line is chosen, a number is pointed at, an
// activation function is changed. Out: an ordered list.
import { CHOICES } from "gatewise/document.js";
import { button, filled, make } from "gatewise/dom.js";
import { SIGNS, generalFormula, stepLines } from "gatewise/formulas.js";
import { GATES } from "gatewise/lstm.js";
import { formatNumber, same } from "gatewise/numbers.js";
import { tagName, words } from "gatewise/words.js";

export function stepList(document, step, before, place, tag, actions) {
  const old = before ? stepLines(document, before, place.unit) : null;
  const lines = stepLines(document, step, place.unit).map((line, n) => listItem(document, step, line, old?.[n], place, actions));
  if (tag) lines.push(make("li", { class: "line tagline" }, make("span", { class: "badge" }, words().terms.tag), make("b", { class: "name" }, tagName(tag))));
  return make("ol", { class: "lines", "aria-label": words().page.formulas }, lines);
}

function listItem(document, step, line, old, place, actions) {
  const chosen = place.stage === line.letter, change = old && !same(old.value, line.value) ? old : null;
  const was = change ? make("span", { class: "changed" }, `${words().page.was} ${formatNumber(change.value)}`) : null;
  const head = make("div", { class: "head" }, title(line, chosen, actions), make("span", { class: "general" }, generalFormula(document, line.letter)), activationSwitch(document, line, actions));
  const numbers = make("p", { class: "numbers" },
    make("span", null, line.vectors ? product(document, step, line, place, actions.edit) : line.left), " ",
    line.sum ? make("span", null, `= ${line.sum}`) : null, " ", make("b", null, line.result), " ", make("span", { class: "activated" }, line.activated));
  const note = make("p", { class: "note" }, line.note, line.note && was ? " · " : "", was);
  return make("li", { class: `line${chosen ? " chosen" : ""}${change ? " changed" : ""}`, "data-letter": line.letter }, head, numbers, note);
}

function title(line, chosen, { choose }) {
  const parts = [make("span", { class: `badge ${line.letter}` }, line.symbol), make("span", { class: "name" }, nameOnly(line.name))];
  return make("button", { type: "button", class: "title", "data-key": `line-${line.letter}`, "aria-pressed": String(chosen), onclick: () => choose(chosen ? null : line.letter) }, parts);
}

// The activation function of this box, and a click for the other one.
function activationSwitch(document, line, { change }) {
  if (line.letter === "C") return null;
  const name = document.kind === "lstm" ? { g: "candidate", h: "output" }[line.letter] ?? "gate" : "output", now = document.activations[name];
  const other = CHOICES[name].find((choice) => choice !== now), { page, terms } = words();
  const label = filled(page.switch, { now: terms.activation[now], other: terms.activation[other] });
  return button(`${terms.function[now] ?? SIGNS[now]} ⇄`, () => change(["activations", name], other), { class: "switch", "aria-label": label, title: label, "data-key": `switch-${line.letter}` });
}

// "[2, −1, 1, 1]·[0, 100, 0, 10]": a number that a field has can be pointed at, to change it there (by keyboard, in the field).
function product(document, step, line, place, edit) {
  const { values, weights, bias } = line.vectors, inputs = step.x.length, { layer, unit } = place;
  const at = ["layers", layer, place.reverse ? "reverse" : "forward", ...(document.kind === "lstm" ? [GATES[line.letter]] : [])];
  const row = document.vectors.findIndex(([token]) => token === step.token);
  const number = (value, path) => (path ? make("span", { class: "operand", onclick: () => edit(path) }, formatNumber(value)) : formatNumber(value));
  const value = (entry, n) => number(entry, layer === 0 && n < inputs ? ["vectors", row, 1, n] : null);
  const weight = (entry, n) => number(entry, n < inputs ? [...at, "x", unit, n] : [...at, "h", unit, n - inputs]);
  const listed = (entries, show) => ["[", ...entries.flatMap((entry, n) => (n ? [", ", show(entry, n)] : [show(entry, n)])), "]"];
  return [...listed(values, value), "·", ...listed(weights, weight), bias];
}

// "forget gate f" without its letter, which the badge has.
const nameOnly = (name) => name.replace(/ [figohC]$/, "");
