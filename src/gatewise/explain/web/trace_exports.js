// What can be taken away from the page of a trained model. In: the model, the changes, the result.
// Out: [name, note, save] for each kind of file.
import { fileName, save } from "gatewise/download.js";
import { drawnPicture, pngOf } from "gatewise/drawing.js";
import { traceLatex } from "gatewise/trace_latex.js";
import { traceCsv, traceJson } from "gatewise/trace_records.js";
import { words } from "gatewise/words.js";

const PICTURES = ["lattice", "arcs", "matrix", "life", "cell"];

export function traceExports({ model, result, t }, changes) {
  const { page: { exports }, trace } = words(), pictures = trace.pictures, name = fileName([...model.text].slice(0, 20).join("")), file = (kind) => `${name}-${t + 1}-${kind}`;
  const texts = (result.layers && result.path ? [
    ["JSON", "json", "application/json", () => `${JSON.stringify(traceJson(model, changes, result))}\n`],
    ["CSV", "csv", "text/csv", () => traceCsv(model, changes, result)],
    ["LaTeX", "tex", "application/x-tex", () => traceLatex(model, result)],
  ] : []).map(([kind, end, type, content]) => [kind, kind === "LaTeX" ? pictures.latex : exports[kind], () => save(`${name}.${end}`, new Blob([content()], { type }))]);
  const drawn = PICTURES.filter((one) => document.querySelector(`svg[data-picture="${one}"]`)?.checkVisibility()).flatMap((one) => [
    [`SVG ${pictures[one]}`, exports.SVG, () => save(`${file(one)}.svg`, new Blob([drawnPicture(one)], { type: "image/svg+xml" }))],
    [`PNG ${pictures[one]}`, exports.PNG, async () => save(`${file(one)}.png`, await pngOf(one))],
  ]);
  const strips = [...document.querySelectorAll("canvas.strips")].map((canvas) => [canvas, canvas.dataset.key.replace("lane-", "")]);
  return [...texts, ...drawn, ...strips.map(([canvas, direction]) => [`PNG ${pictures[direction]}`, exports.PNG, () => canvas.toBlob((blob) => save(`${file(direction)}.png`, blob))])];
}
