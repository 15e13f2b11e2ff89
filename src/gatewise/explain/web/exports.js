// What can be taken away. In: the store, and the run of its document. Out: [name, note, save] for each kind of file.
import { fileName, save } from "gatewise/download.js";
import { drawnPicture, pngOf } from "gatewise/drawing.js";
import { runLatex } from "gatewise/latex.js";
import { overflowOf } from "gatewise/lstm.js";
import { runCsv, runJson } from "gatewise/records.js";
import { formatToml } from "gatewise/toml.js";
import { words } from "gatewise/words.js";

export function exportsOf(store, run) {
  const { exports } = words().page, { document } = store, name = fileName(document.name);
  const step = `${name}-${store.place.t + 1}`;
  const texts = [
    ["TOML", `${name}.toml`, "application/toml", () => formatToml(document)],
    ...(overflowOf(run) ? [] : [
      ["JSON", `${name}.json`, "application/json", () => `${JSON.stringify(runJson(document, run))}\n`],
      ["CSV", `${name}.csv`, "text/csv", () => runCsv(run)],
      ["LaTeX", `${name}.tex`, "application/x-tex", () => runLatex(document, run)],
    ]),
  ].map(([kind, file, type, content]) => [kind, exports[kind], () => save(file, new Blob([content()], { type }))]);
  const pictures = [["chain", name], ["cell", step]].filter(([picture]) => drawnPicture(picture)).flatMap(([picture, file]) => [
    [`SVG ${exports[picture]}`, exports.SVG, () => save(`${file}-${picture}.svg`, new Blob([drawnPicture(picture)], { type: "image/svg+xml" }))],
    [`PNG ${exports[picture]}`, exports.PNG, async () => save(`${file}-${picture}.png`, await pngOf(picture))],
  ]);
  return [...texts, ...pictures];
}
