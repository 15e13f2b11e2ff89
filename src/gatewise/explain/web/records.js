// A run as JSON and as CSV: the contracts of `gatewise explain --format json` and `--format csv`.
// In: document and run. Out: an object, or a text.
import { directionsOf } from "gatewise/lstm.js";

const isSimple = (run) => run.layers.length === 1 && !run.layers[0].reverse;

export function runJson(document, run) {
  const tags = run.tags.map((tag) => tag?.name ?? null);
  const content = { network: document.name, gates: run.gates };
  if (isSimple(run)) {
    content.steps = run.layers[0].forward.steps.map((step, t) => ({ ...stepJson(step), tag: tags[t] }));
  } else {
    content.steps = run.tokens.map((token, t) => ({ t: t + 1, token, output: run.outputs[t], tag: tags[t] }));
    content.layers = run.layers.map(({ forward, reverse }) => ({ forward: forward.steps.map(stepJson), ...(reverse ? { reverse: reverse.steps.map(stepJson) } : {}) }));
  }
  return { ...content, outputs: run.outputs, tags };
}

function stepJson(step) {
  const content = { t: step.t, token: step.token, x: step.x }, pre = (units) => units.map((unit) => unit.pre);
  if (step.h_prev.length) content.h_prev = step.h_prev;
  if (!step.c.length) return { ...content, pre: pre(step.linear.h), h: step.h };
  content.c_prev = step.c_prev;
  for (const [letter, units] of Object.entries(step.linear)) content[letter] = { pre: pre(units), value: units.map((unit) => unit.value) };
  return { ...content, c: step.c, h: step.h };
}

export function runCsv(run) {
  const rows = [];
  const add = (place, quantity, values) => values.forEach((value, unit) => rows.push([...place, quantity, unit + 1, value]));
  for (const direction of directionsOf(run)) for (const step of direction.steps) stepRows(add, [direction.layer, direction.reverse ? "reverse" : "forward", step.t, step.token], step);
  run.tokens.forEach((token, t) => {
    add(["", "", t + 1, token], "output", run.outputs[t]);
    if (run.tags[t]) rows.push(["", "", t + 1, token, "tag", "", run.tags[t].name]);
  });
  return csvText(rows);
}

// Rows of [layer, direction, t, token, quantity, unit, value] under their heads.
export function csvText(rows) {
  const heads = ["layer", "direction", "t", "token", "quantity", "unit", "value"];
  return [heads, ...rows].map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

function stepRows(add, place, step) {
  for (const quantity of ["x", "h_prev", "c_prev"]) add(place, quantity, step[quantity]);
  for (const [letter, units] of Object.entries(step.linear)) {
    add(place, step.c.length ? `${letter}_pre` : "pre", units.map((unit) => unit.pre));
    if (step.c.length) add(place, letter, units.map((unit) => unit.value));
  }
  add(place, "c", step.c);
  add(place, "h", step.h);
}

const csvCell = (value) => (typeof value === "string" && /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : String(value));
