// A network document as the TOML file that `gatewise explain --network` and `gatewise.read_network` read.
import { WRITTEN, directionNames } from "gatewise/document.js";

export function formatToml(document) {
  const lines = ["# Written by a gatewise page. What each key means: docs/networks.md", `name = ${text(document.name)}`, `kind = ${text(document.kind)}`];
  for (const key of ["title", "description"]) if (document[key].en || document[key].zh) lines.push(`${key} = ${wording(document[key])}`);
  lines.push(`sentence = [${document.sentence.map(text).join(", ")}]`, "", "[vectors]");
  for (const [token, vector] of document.vectors) lines.push(`${text(token)} = ${numbers(vector)}`);
  lines.push("", "[activations]", ...Object.entries(document.activations).map(([name, value]) => `${name} = ${text(value)}`));
  for (const layer of document.layers) {
    lines.push("", "[[layers]]");
    for (const name of directionNames(layer)) lines.push(`[layers.${name}]`, ...direction(document.kind, layer[name]));
  }
  for (const tag of document.tags) lines.push("", "[[tags]]", `output = ${numbers(tag.output)}`, ...["name", "en", "zh"].map((key) => `${key} = ${text(tag[key])}`));
  return `${lines.join("\n")}\n`;
}

function direction(kind, weights) {
  const lines = kind === "lstm" ? WRITTEN.map((name) => `${name.padEnd(9)} = { ${linear(weights[name]).join(", ")} }`) : linear(weights);
  const start = Object.entries(weights.start ?? {}).map(([state, values]) => `${state} = ${numbers(values)}`);
  return start.length ? [...lines, `${kind === "lstm" ? "start    " : "start"} = { ${start.join(", ")} }`] : lines;
}

const linear = ({ x, h, bias }) => [`x = ${matrix(x)}`, ...(h ? [`h = ${matrix(h)}`] : []), ...(bias ? [`bias = ${numbers(bias)}`] : [])];
const matrix = (rows) => `[${rows.map(numbers).join(", ")}]`;
const numbers = (values) => `[${values.map(number).join(", ")}]`;
const wording = (texts) => `{ ${Object.entries(texts).filter(([, value]) => value).map(([lang, value]) => `${lang} = ${text(value)}`).join(", ")} }`;

// JSON's strings are TOML's, but for the one control character that JSON leaves as it is.
const text = (value) => JSON.stringify(value.toWellFormed()).replaceAll("\u007f", "\\u007f");

// Whole numbers beyond 2^53 are written as floats: TOML's whole numbers have 64 bits.
const number = (value) => (Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(Object.is(value, -0) ? 0 : value));
