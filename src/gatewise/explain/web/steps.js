// One step in writing: a line for each box of the cell, with the numbers put in, term by term.
// In: document, step, the same step before the last change, the place. Out: an ordered list; a line can be chosen.
import { make } from "gatewise/dom.js";
import { generalFormula, stepLines } from "gatewise/formulas.js";
import { formatNumber, same } from "gatewise/numbers.js";
import { tagName, words } from "gatewise/words.js";

export function stepList(document, step, before, place, tag, choose) {
  const old = before ? stepLines(document, before, place.unit) : null;
  const lines = stepLines(document, step, place.unit).map((line, n) => listItem(document, line, old?.[n], place, choose));
  if (tag) lines.push(make("li", { class: "line tagline" }, make("span", { class: "badge" }, words().terms.tag), make("b", { class: "name" }, tagName(tag))));
  return make("ol", { class: "lines", "aria-label": words().page.formulas }, lines);
}

function listItem(document, line, old, place, choose) {
  const chosen = place.stage === line.letter, change = old && !same(old.value, line.value) ? old : null;
  const title = make("button", { type: "button", class: "title", "data-key": `line-${line.letter}`, "aria-pressed": String(chosen), onclick: () => choose(chosen ? null : line.letter) },
    make("span", { class: `badge ${line.letter}` }, line.symbol), make("span", { class: "name" }, nameOnly(line.name)), make("span", { class: "general" }, generalFormula(document, line.letter)));
  const numbers = make("p", { class: "numbers" }, make("span", null, line.left), " ", line.sum ? make("span", null, `= ${line.sum}`) : null, " ", make("b", null, line.result), " ", make("span", { class: "activated" }, line.activated));
  const was = change ? make("span", { class: "changed" }, `${words().page.was} ${formatNumber(change.value)}`) : null;
  return make("li", { class: `line${chosen ? " chosen" : ""}${change ? " changed" : ""}`, "data-letter": line.letter }, title, numbers, make("p", { class: "note" }, line.note, line.note && was ? " · " : "", was));
}

// "forget gate f" without its letter, which the badge has.
const nameOnly = (name) => name.replace(/ [figohC]$/, "");
