// One unit: its life over the sentence, and the inside of its cell at the chosen token with the real dot products, the largest
// terms first. In: the model and the store; each refresh, the view. Out: {element, refresh}.
import { drawCell } from "gatewise/cell.js";
import { button, filled, make, setText } from "gatewise/dom.js";
import { dotProduct } from "gatewise/dot_product.js";
import { activationOf } from "gatewise/formulas.js";
import { ARROWS } from "gatewise/heat.js";
import { drawLife } from "gatewise/life.js";
import { formatNumber, formatOperand } from "gatewise/numbers.js";
import { isHeld, toggledHold } from "gatewise/trace_state.js";
import { words } from "gatewise/words.js";

const WRITTEN = { lstm: ["f", "i", "g", "o"], rnn: ["h"] };

export function createUnit(store) {
  const part = { title: make("h2"), note: make("p", { class: "note" }), life: make("div", { class: "scroll life", role: "region", tabindex: 0 }), holds: make("div", { class: "holds" }) };
  const inside = { title: make("h3"), cell: make("div", { class: "scroll", role: "region", tabindex: 0 }), lines: make("ol", { class: "lines" }) };
  const columns = make("div", { class: "columns" }, make("div", { class: "drawn" }, inside.cell), inside.lines);
  const element = make("section", { class: "inside", id: "unit" }, ...Object.values(part), inside.title, columns);

  function refresh(view) {
    const { trace, terms, page } = words(), { model } = view;
    element.hidden = !view.pass;
    if (!view.pass) return;
    const names = { arrow: ARROWS[view.direction], unit: view.unit, direction: terms[view.direction], number: view.t + 1, token: view.result.tokens[view.t] };
    setText(part.title, filled(trace.unit_title, names));
    setText(part.note, model.kind === "lstm" ? trace.unit_note : trace.unit_note_rnn);
    part.life.replaceChildren(drawLife(model, view, (t) => store.look({ t, unit: view.unit, direction: view.direction })));
    part.life.setAttribute("aria-label", part.title.textContent);
    part.holds.replaceChildren(...(model.layers ? holdsOf(model, store, view) : []));
    setText(inside.title, filled(trace.cell_title, names));
    inside.cell.setAttribute("aria-label", page.cell);
    columns.hidden = inside.title.hidden = !view.pass.pre;
    if (!view.pass.pre) return;
    const document = { kind: model.kind, activations: { gate: "sigmoid", candidate: "tanh", output: "tanh" } }, step = stepOf(model, view);
    inside.cell.replaceChildren(drawCell(document, step, null, { unit: 0, stage: null, reverse: view.direction === "reverse" }, () => {}));
    inside.cell.querySelectorAll(".choice").forEach((one) => ["role", "tabindex", "data-key", "aria-pressed"].forEach((name) => one.removeAttribute(name)));
    inside.lines.setAttribute("aria-label", page.formulas);
    inside.lines.replaceChildren(...linesOf(model, document, view, step));
  }

  return { element, refresh };
}

// This unit's step as the picture of a cell wants it.
function stepOf(model, { pass, result, t, unit, direction, layer }) {
  const before = direction === "reverse" ? t + 1 : t - 1, there = before >= 0 && before < result.time, at = t * pass.units + unit;
  const blocks = model.kind === "lstm" ? { i: 0, f: 1, g: 2, o: 3 } : { h: 0 }, count = Object.keys(blocks).length;
  const linear = Object.fromEntries(Object.entries(blocks).map(([name, block]) => {
    const place = t * count * pass.units + block * pass.units + unit;
    return [name, [{ pre: pass.pre[place], value: pass.gates[place] }]];
  }));
  const size = model.layers[layer].forward.weight_ih.shape[1], c = pass.c ? [pass.c[at]] : [], past = (values) => [there ? values[before * pass.units + unit] : 0];
  return { t: t + 1, token: result.tokens[t], x: [], shown_x: filled(words().trace.numbers, { count: size }), h_prev: past(pass.h), c_prev: pass.c ? past(pass.c) : [], linear, c, c_activated: c.map(Math.tanh), h: [pass.h[at]] };
}

function linesOf(model, document, view, step) {
  const { terms, trace } = words(), held = (gate) => view.result !== view.base && view.result.holds.some((one) => one.layer === view.layer && one.direction === view.direction && one.gate === gate && (one.unit === null || one.unit === view.unit));
  const line = (letter, name, ...numbers) => make("li", { class: "line", "data-letter": letter }, make("div", { class: "title" }, make("span", { class: `badge ${letter}` }, letter), make("span", { class: "name" }, name.replace(/ [figohC]$/, ""))), ...numbers);
  const lines = WRITTEN[model.kind].map((letter) => {
    const [{ pre, value }] = step.linear[letter], name = terms.function[activationOf(document, letter)];
    const result = make("p", { class: "numbers" }, make("b", null, `= ${formatNumber(pre)}`), ` → ${name} → `, make("b", null, formatNumber(value)), held(letter) ? ` (${trace.is_held})` : "");
    return line(letter, terms.linear[letter], dotProduct(model, view, letter), result);
  });
  if (model.kind !== "lstm") return lines;
  const [f, i, g, o] = ["f", "i", "g", "o"].map((letter) => formatOperand(step.linear[letter][0].value)), sum = (text, value) => make("p", { class: "numbers" }, text, " ", make("b", null, `= ${formatNumber(value)}`));
  lines.splice(3, 0, line("C", terms.memory, sum(`${f}·${formatOperand(step.c_prev[0])} + ${i}·${g}`, step.c[0])));
  return [...lines, line("h", terms.output, sum(`${o}·tanh(${formatNumber(step.c[0])})`, step.h[0]))];
}

// Buttons that silence the unit or hold a gate, of this unit or of all units of its direction.
function holdsOf(model, store, { layer, direction, unit }) {
  const { trace, terms } = words(), gates = WRITTEN[model.kind];
  const one = (gate, which, value, text, label) => {
    const hold = { layer, direction, unit: which, gate, value };
    return button(text, () => store.edit(toggledHold(store.document, hold), { unit, direction }), { "aria-pressed": String(isHeld(store.document, hold)), "aria-label": label, "data-key": `hold-${gate}-${which === null ? "all" : "one"}-${value}` });
  };
  const silence = one(model.kind === "lstm" ? "o" : "h", unit, 0, trace.silence, trace.silence);
  const row = (which, name) => gates.filter((gate) => gate !== "h").map((gate) => make("span", { class: "hold" }, make("span", { class: `badge ${gate}` }, gate), make("span", { class: "segments", role: "group", "aria-label": `${name}: ${terms.linear[gate]}` }, [0, 1].map((value) => one(gate, which, value, String(value), filled(trace.hold_label, { who: name, gate: terms.linear[gate], value }))))));
  const rows = model.kind === "lstm" ? [[unit, trace.this_unit], [null, filled(trace.all_units, { direction: terms[direction] })]].map(([which, name]) => make("div", { class: "hold-row" }, make("span", { class: "who" }, name), row(which, name))) : [];
  return [make("div", { class: "hold-row" }, silence, make("span", { class: "note" }, trace.silence_note)), ...rows];
}
