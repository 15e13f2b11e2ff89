// A trained model's pass as LaTeX: the tables of `gatewise explain TEXT --format latex`, of what the page shows now.
// In: the model, the result. Out: a text.
import { filled } from "gatewise/dom.js";
import { valueOf } from "gatewise/heat.js";
import { PREAMBLE, latexText, table } from "gatewise/latex.js";
import { cellLedger } from "gatewise/ledger.js";
import { contributions, rivalOf, weightsOf } from "gatewise/tagging.js";
import { percent } from "gatewise/trace_numbers.js";
import { inWords, words } from "gatewise/words.js";

const ARROWS = { forward: "$\\rightarrow$", reverse: "$\\leftarrow$" }, SOURCES = 3, UNITS = 3, CELL = ["i", "f", "g", "o", "c"];

export function traceLatex(model, result) {
  const { spoken } = words(), title = result.edited ?? model.text, gated = model.kind === "lstm";
  const passes = ["forward", "reverse"].filter((name) => result.top[name]).map((name) => [name, result.top[name]]);
  const head = (text) => `\\subsection*{${latexText(text)}}\n`, all = [...Array(result.time).keys()];
  return [
    `${PREAMBLE}\\section*{${latexText(title)}}\n${latexText(inWords(model.line))}\n`,
    head(spoken.overview), overview(model, result, gated ? passes : []),
    ...(gated ? [head(spoken.memory), memory(result, passes)] : []),
    head(spoken.units), ...all.map((t) => units(model, result, passes, t)),
  ].join("\n");
}

function overview(model, result, passes) {
  const { spoken, terms } = words(), gates = passes.flatMap(([name, pass]) => ["i", "f", "o"].map((gate) => [name, pass, gate]));
  const chance = /^[a-z]$/.test(spoken.chance) ? `$${spoken.chance}$` : spoken.chance;
  const heads = ["", terms.token, terms.tag, chance, spoken.rival, "", ...gates.map(([name, , gate]) => `${ARROWS[name]} $${gate}$`)];
  const rows = result.path.map((tag, t) => {
    const rival = rivalOf(result, t), row = result.marginals[t];
    const opened = gates.map(([, pass, gate]) => mean(pass.units, (unit) => valueOf(pass, t, unit, gate)).toFixed(2));
    return [String(t + 1), result.tokens[t], model.labels[tag], percent(row[tag]), ...(rival === null ? ["", ""] : [model.labels[rival], percent(row[rival])]), ...opened].map(latexText);
  });
  return table(heads, rows);
}

const mean = (count, of) => Array.from({ length: count }, (_, n) => of(n)).reduce((sum, value) => sum + value, 0) / count;

function memory(result, passes) {
  const { spoken, terms } = words(), heads = ["", terms.token, ...passes.map(([name]) => latexText(filled(spoken.holds, { direction: terms[name] })))];
  const rows = result.tokens.map((token, t) => [String(t + 1), token, ...passes.map(([, pass]) => {
    const held = shares(pass, t, result.time).map(([s, share]) => `${result.tokens[s]} ${(100 * share).toFixed(0)}%`);
    return held.join(spoken.share_joint) || spoken.nothing_held;
  })].map(latexText));
  return table(heads, rows);
}

// The tokens that most of the memory comes from, [number, part of 1]: over all units, the sizes of their shares.
function shares(pass, t, time) {
  const held = new Float64Array(time);
  for (let unit = 0; unit < pass.units; unit += 1) cellLedger(pass, t, unit, time).sources.forEach((value, s) => { held[s] += Math.abs(value); });
  const total = held.reduce((sum, value) => sum + value, 0) || 1, order = [...held.keys()].sort((a, b) => held[b] - held[a]);
  return order.slice(0, SOURCES).filter((s) => held[s] > 0).map((s) => [s, held[s] / total]);
}

function units(model, result, passes, t) {
  const { spoken, terms } = words(), tag = result.path[t], rival = rivalOf(result, t) ?? tag, lead = result.emissions[t][tag] - result.emissions[t][rival];
  const names = { number: t + 1, token: result.tokens[t], tag: model.labels[tag], rival: model.labels[rival], lead: Math.abs(lead).toFixed(3) };
  const brought = contributions(model, result, t, tag, rival), { weights } = weightsOf(model, tag, rival), { carried } = result.top;
  const order = [...brought.keys()].sort((a, b) => brought[b] - brought[a]).slice(0, UNITS), gated = model.kind === "lstm";
  const product = model.residual ? spoken.contribution_residual : spoken.contribution;
  const heads = [...(gated ? CELL : []), "h", ...(model.residual ? [spoken.carried] : []), spoken.weight, product].map((name) => `$${name.replaceAll("·", "\\cdot ")}$`);
  const rows = order.map((place) => {
    const [name, pass] = passes[Math.floor(place / passes[0][1].units)], unit = place % pass.units;
    const values = [...(gated ? CELL : []).map((one) => valueOf(pass, t, unit, one)), pass.h[t * pass.units + unit], ...(model.residual ? [carried[t * brought.length + place]] : []), weights[place], brought[place]];
    return [`${ARROWS[name]} ${unit}`, ...values.map((value) => `$${value.toFixed(3)}$`)];
  });
  const said = latexText(filled(lead >= 0 ? spoken.lead : spoken.trail, names));
  return `\\paragraph{${said}}\\mbox{}\n\n${table([terms.unit, ...heads], rows, "r".repeat(heads.length + 1))}`;
}
