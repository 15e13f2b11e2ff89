// A run as LaTeX: the same text as `gatewise explain --format latex`. In: document and run. Out: a text.
import { activationOf } from "gatewise/formulas.js";
import { filled } from "gatewise/dom.js";
import { directionsOf } from "gatewise/lstm.js";
import * as numbers from "gatewise/numbers.js";
import { inWords, tagName, words } from "gatewise/words.js";

export const PREAMBLE = "% needs \\usepackage{amsmath,booktabs}; Chinese: xelatex or lualatex with \\usepackage{ctex}\n";
const SPECIAL = { "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "&": "\\&", "%": "\\%", $: "\\$", "#": "\\#", _: "\\_", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}" };
const FUNCTIONS = { sigmoid: "\\sigma", step: "\\operatorname{step}", tanh: "\\tanh" };

// Numbers with a hyphen for the minus, as LaTeX wants them.
const plain = (text) => text.replaceAll("−", "-");
const number = (value) => plain(numbers.formatNumber(value));
const sum = (value, activation) => plain(numbers.formatSum(value, activation));
const operand = (value) => plain(numbers.formatOperand(value));
const equals = (shown) => (shown.startsWith("≈") ? `\\approx ${shown.slice(1)}` : `= ${shown}`);

export const latexText = (text) => [...text].map((character) => (character < " " || character === "\u007f" ? " " : SPECIAL[character] ?? character)).join("");
const mathText = (formula) => formula.replaceAll("·", " \\cdot ").replaceAll("≈", "{\\approx}").replace(/(\d)e([+-]?)0*(\d+)/g, (_, digit, sign, power) => `${digit} \\cdot 10^{${sign.replace("+", "")}${power}}`);

export function runLatex(document, run) {
  const simple = run.layers.length === 1 && !run.layers[0].reverse, title = inWords(document.title) || document.name;
  const parts = [`${PREAMBLE}\\section*{${latexText(title)}}\n`];
  for (const direction of directionsOf(run)) {
    if (!simple) parts.push(`\\subsection*{${latexText(directionName(direction))}}\n`);
    parts.push(overview(document, run, direction, simple));
    const order = direction.reverse ? [...direction.steps].reverse() : direction.steps;
    for (const step of order) parts.push(stepText(document, step));
  }
  if (!simple) parts.push(outputs(run));
  return parts.join("\n");
}

function directionName(direction) {
  const { network, terms } = words();
  return filled(network.direction, { layer: direction.layer, direction: direction.reverse ? terms.reverse : terms.forward });
}

export function table(heads, rows, columns = "l".repeat(heads.length)) {
  const line = (cells) => `${cells.join(" & ")} \\\\`;
  return [`\\begin{tabular}{${columns}}`, "\\toprule", line(heads), "\\midrule", ...rows.map(line), "\\bottomrule", "\\end{tabular}"].join("\n") + "\n";
}

function overview(document, run, direction, simple) {
  const { terms } = words(), several = direction.units > 1, memory = run.kind === "lstm", tagged = simple && document.tags.length > 0;
  const letters = memory ? ["f", "i", "g", "o"] : ["h"];
  const heads = [terms.step, terms.token, run.kind === "neuron" ? "$x$" : "$[x, h]$", ...(several ? [terms.unit] : []), ...letters.map((letter) => `$${letter}$`), ...(memory ? ["$C$", "$h$"] : []), ...(tagged ? [terms.tag] : [])];
  const rows = direction.steps.flatMap((step) => step.h.map((_, n) => [
    ...(n === 0 ? [String(step.t), latexText(step.token), `$${mathText([...step.x, ...step.h_prev].map(number).join(", "))}$`] : ["", "", ""]),
    ...(several ? [String(n + 1)] : []),
    ...letters.map((letter) => cell(document, step, letter, n)),
    ...(memory ? [step.c, step.h] : []).map((value) => `$${mathText(number(value[n]))}$`),
    ...(tagged ? [n === 0 ? latexText(tagName(run.tags[step.t - 1])) : ""] : []),
  ]));
  return table(heads, rows);
}

function cell(document, step, letter, n) {
  const { pre, value } = step.linear[letter][n], activation = activationOf(document, letter);
  return `$${mathText(activation === "identity" ? number(value) : `${sum(pre, activation)} \\to ${number(value)}`)}$`;
}

function stepText(document, step) {
  const lines = step.h.flatMap((_, n) => unitLines(document, step, n));
  return `\\paragraph{${latexText(filled(words().network.step, { t: step.t, token: step.token }))}}\n\\begin{align*}\n${lines.join(" \\\\\n")}\n\\end{align*}\n`;
}

function unitLines(document, step, n) {
  const name = (letter) => (step.h.length === 1 ? letter : `${letter}_{${n + 1}}`);
  const lines = Object.entries(step.linear).map(([letter, units]) => {
    const { weights, values, bias, pre, value } = units[n], activation = activationOf(document, letter), shown = sum(pre, activation);
    const terms = [...weights.map((weight, k) => `${operand(weight)}·${operand(values[k])}`), ...(bias === null ? [] : [operand(bias)])];
    const activated = activation === "identity" ? "" : ` && ${FUNCTIONS[activation]}(${mathText(shown)}) ${mathText(equals(number(value)))}`;
    return `${name(letter)} &= ${mathText(`${terms.join(" + ")} ${equals(shown)}`)}${activated}`;
  });
  if (!step.c.length) return lines;
  const [f, i, g, o] = ["f", "i", "g", "o"].map((letter) => operand(step.linear[letter][n].value));
  const c = number(step.c[n]), output = document.activations.output === "tanh" ? `\\tanh(${c})` : operand(step.c[n]);
  return [...lines, `${name("C")} &= ${mathText(`${f}·${operand(step.c_prev[n])} + ${i}·${g} ${equals(c)}`)}`, `${name("h")} &= ${mathText(`${o}·${output} ${equals(number(step.h[n]))}`)}`];
}

function outputs(run) {
  const { network, terms } = words(), tagged = run.tags.some(Boolean);
  const rows = run.tokens.map((token, t) => [String(t + 1), latexText(token), `$${mathText(`[${run.outputs[t].map(number).join(", ")}]`)}$`, ...(tagged ? [latexText(tagName(run.tags[t]))] : [])]);
  return table([terms.step, terms.token, network.outputs, ...(tagged ? [terms.tag] : [])], rows);
}
