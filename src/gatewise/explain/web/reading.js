// The reading of a traced sentence as tables: tags and gates, what the memory holds, the units that matter most.
// In: what `explain/reading_page.py` made of a trace. Out: elements, in the language that is chosen. Numbers come as they are shown.
import { filled, make } from "gatewise/dom.js";
import { language } from "gatewise/words.js";

const ARROWS = { forward: "→", reverse: "←" }, GATES = ["i", "f", "o"], CELL = ["i", "f", "g", "o", "c"];

export function readingParts(shown) {
  const words = shown.words[language()], { reading } = shown, parts = [tagged(shown)];
  parts.push(make("p", { class: "note" }, words.probability));
  parts.push(make("p", { class: reading.fast ? "differs" : "note" }, reading.fast ? filled(words.differs, { fast: reading.fast.join(" ") }) : words.agrees));
  if (!reading.tokens.length) return [make("p", null, words.empty)];
  parts.push(section(words.overview, reading.gated ? words.overview_note : words.rnn_note, overview(shown, words)));
  if (reading.gated) parts.push(section(words.memory, words.memory_note, memory(shown, words)));
  parts.push(section(words.units, reading.gated ? words.units_note : words.units_note_rnn, units(shown, words)));
  return parts;
}

// Offsets count code points.
const tokenText = (shown, [start, end]) => shown.characters.slice(start, end).join("");

const section = (title, note, table) => make("section", { class: "overview" }, make("h2", null, title), make("p", { class: "note" }, note), table);

// The sentence, with the tag under each token.
function tagged(shown) {
  const tokens = shown.reading.tokens.map((token) => make("li", null, make("b", null, tokenText(shown, token)), make("span", null, token[2]), make("small", null, token[3])));
  return make("ol", { class: "tagged" }, tokens);
}

// A table that scrolls by itself, also by keyboard; heads are texts, those in a list head columns of numbers.
function table(name, heads, body) {
  const row = make("tr", null, heads.map((head) => make("th", { scope: "col", class: Array.isArray(head) ? "amount" : null }, String(head))));
  return make("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": name }, make("table", null, make("thead", null, row), body));
}

const text = (value) => make("td", null, value);
const amount = (value) => make("td", { class: "amount" }, value);

function tokenRows(shown, cells) {
  const row = (token, n) => make("tr", null, amount(String(n + 1)), make("th", { scope: "row" }, tokenText(shown, token)), cells(token));
  return make("tbody", null, shown.reading.tokens.map(row));
}

function overview(shown, words) {
  const { directions, gated } = shown.reading, columns = gated ? directions.flatMap((name) => GATES.map((gate) => [ARROWS[name] + gate])) : [];
  return table(words.overview, [[""], words.token, words.tag, [words.chance], words.rival, [words.chance], ...columns], tokenRows(shown, ([, , tag, chance, rival, rivalChance, , gates]) => {
    const alone = rival === tag;
    return [text(tag), amount(chance), text(alone ? "" : rival), amount(alone ? "" : rivalChance), ...gates.map((gate) => amount(gate.toFixed(2)))];
  }));
}

function memory(shown, words) {
  const { directions, tokens } = shown.reading, held = ([token, share]) => `${tokenText(shown, tokens[token])} ${(100 * share).toFixed(0)}%`;
  const heads = directions.map((name) => `${ARROWS[name]} ${filled(words.holds, { direction: words[name] })}`);
  return table(words.memory, [[""], words.token, ...heads], tokenRows(shown, (token) => token[8].map((shares) => text(shares.map(held).join("  ") || words.nothing_held))));
}

function units(shown, words) {
  const names = [...(shown.reading.gated ? CELL : []), "h", words.weight, words.contribution], body = make("tbody");
  shown.reading.tokens.forEach((token, n) => {
    const [, , tag, , rival, , lead, , , strongest] = token;
    const said = filled(lead >= 0 ? words.lead : words.trail, { number: n + 1, token: tokenText(shown, token), tag, rival, lead: Math.abs(lead).toFixed(3) });
    body.append(make("tr", { class: "whose" }, make("th", { scope: "rowgroup", colspan: names.length + 1 }, said)));
    for (const [direction, unit, ...numbers] of strongest) body.append(make("tr", null, amount(`${ARROWS[direction]} ${unit}`), numbers.map((number) => amount(number.toFixed(3)))));
  });
  return table(words.units, [[words.unit], ...names.map((name) => [name])], body);
}
