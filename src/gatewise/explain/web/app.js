// The page of a network: puts its parts together, and draws them anew whenever the state changes.
// In: the data that Python wrote into the page, and the address's hash. Out: the page.
import { createAddress } from "gatewise/address.js";
import { createBar } from "gatewise/bar.js";
import { drawCell, narrow } from "gatewise/cell.js";
import { MOST_COLUMNS, laneName, showChain } from "gatewise/chain.js";
import { changesText } from "gatewise/changes.js";
import { countParameters, setAt } from "gatewise/document.js";
import { button, filled, keepingFocus, make, renew, setText, showIn } from "gatewise/dom.js";
import { exportsOf } from "gatewise/exports.js";
import { createFields } from "gatewise/fields.js";
import { drawFolded } from "gatewise/folded.js";
import { createGates } from "gatewise/gates.js";
import { createLessons } from "gatewise/lessons.js";
import { followKeys } from "gatewise/keys.js";
import { overflowOf, runNetwork } from "gatewise/lstm.js";
import { createStore } from "gatewise/store.js";
import { stepList } from "gatewise/steps.js";
import { createTransport } from "gatewise/transport.js";
import * as wording from "gatewise/words.js";

export function start(root = document.getElementById("app"), data = JSON.parse(document.getElementById("data").textContent)) {
  wording.load(data);
  const address = createPage(root, data);
  address.read();
  addEventListener("hashchange", address.read);
}

// A document is computed once, however often it is looked at.
const runs = new WeakMap();
function runOf(network) {
  if (!runs.has(network)) runs.set(network, runNetwork(network));
  return runs.get(network);
}

function createPage(root, data) {
  const store = createStore(data.network, () => draw());
  const parts = skeleton(), transport = createTransport(store), fields = createFields(store), gates = createGates(store);
  const lessons = createLessons(store, data, () => draw());
  const bar = createBar(store, lessons, { share: () => address.link(), redraw: () => draw(), exports: () => exportsOf(store, runOf(store.document)) });
  const address = createAddress(store, data.network, lessons, bar.say);
  root.replaceChildren(bar.element, make("div", { class: "room" }, parts.main, lessons.element));
  parts.controls.append(transport.element, gates.element);
  parts.fields.append(fields.element);
  followKeys(store, transport);
  narrow.addEventListener("change", () => draw());
  let shown = "";

  function draw() {
    const run = runOf(store.document), before = store.before() ? runOf(store.before()) : null, { t, stage } = store.place;
    keepingFocus(() => {
      texts(parts, store, run, before);
      pictures(parts, store, run, before);
      for (const part of [bar, lessons, transport, gates, fields]) part.refresh();
    });
    const place = `${t} ${stage} ${run.tokens.length}`;
    if (place !== shown) {
      showIn(parts.chain, ".column.here");
      showIn(parts.cell, ".part.lit .choice");
    }
    shown = place;
    address.save();
  }

  return address;
}

function skeleton() {
  const part = {
    title: make("h1"), facts: make("p", { class: "facts" }), description: make("p", { class: "description" }),
    chainTitle: make("h2"), chainNote: make("p", { class: "note" }), folded: make("div", { class: "folded" }), chain: make("div", { class: "scroll chain", tabindex: -1 }),
    controls: make("div", { class: "controls" }), changes: make("p", { class: "changes", role: "status" }),
    cellTitle: make("h2"), cellNote: make("div", { class: "cell-note" }), cell: make("div", { class: "scroll", role: "region", tabindex: 0 }), legend: make("p", { class: "legend" }), lines: make("div", { class: "written" }),
    fieldsTitle: make("h2"), fieldsNote: make("p", { class: "note" }), fields: make("div"), keys: make("p", { class: "note" }),
  };
  part.cellSection = make("section", { class: "inside" }, make("div", { class: "section-head" }, part.cellTitle, part.cellNote), make("div", { class: "columns" }, make("div", { class: "drawn" }, part.cell, part.legend), part.lines));
  part.main = make("main", null,
    make("header", { class: "intro" }, part.title, part.facts, part.description),
    make("section", { class: "overview" }, part.chainTitle, part.chainNote, make("div", { class: "pictures" }, part.folded, part.chain), part.controls, part.changes),
    part.cellSection,
    make("section", { class: "editing" }, part.fieldsTitle, part.fieldsNote, part.fields),
    make("footer", null, part.keys));
  return part;
}

function texts(parts, store, run, before) {
  const { page, network } = wording.words(), { document: shown, place } = store, tokens = run.tokens.length;
  const layers = shown.layers.length;
  setText(parts.title, wording.inWords(shown.title) || shown.name);
  document.title = `${parts.title.textContent} · gatewise`;
  const count = countParameters(shown);
  setText(parts.facts, [network.kind[shown.kind], wording.counted(network.layer_count, layers), wording.counted(network.feature_count, shown.vectors[0][1].length), filled(page.parameters, { count: count.all })].join(" · "));
  setText(parts.description, wording.inWords(shown.description));
  setText(parts.chainTitle, page.chain_title);
  setText(parts.chainNote, tokens > MOST_COLUMNS ? filled(page.window, { count: MOST_COLUMNS, all: tokens }) : page.chain_note);
  const overflow = overflowOf(run);
  setText(parts.changes, place.hide !== null ? "" : overflow ? filled(page.overflow, overflow) : before ? changesText(run, before) : "");
  parts.changes.classList.toggle("alarm", Boolean(overflow));
  setText(parts.fieldsTitle, page.fields_title);
  setText(parts.fieldsNote, page.fields_note);
  setText(parts.keys, page.keys);
  parts.cell.setAttribute("aria-label", page.cell);
  const legend = shown.kind === "lstm" ? ["linear", "pointwise", "wires", "hidden-state"] : ["linear", "hidden-state"];
  renew(parts.legend, legend.map((kind) => page.legend[kind]), () => legend.map((kind) => make("span", { class: kind }, page.legend[kind])));
  parts.cellSection.hidden = !place.inside || tokens === 0 || (place.hide !== null && place.t >= place.hide);
}

function pictures(parts, store, run, before) {
  const { document: shown, place } = store, { page } = wording.words();
  renew(parts.folded, [shown.kind, shown.layers.map((layer) => Boolean(layer.reverse)), wording.language()], () => drawFolded(shown));
  const open = (target) => {
    store.look({ ...target, stage: null });
    const { top } = parts.cellSection.getBoundingClientRect();
    if (top > innerHeight * 0.8) parts.cellSection.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  if (!run.tokens.length) return parts.chain.replaceChildren(make("p", null, wording.words().network.empty));
  showChain(parts.chain, shown, run, before, place, open);
  const name = place.reverse ? "reverse" : "forward", lane = run.layers[place.layer][name], step = lane.steps[place.t];
  const old = before?.tokens[place.t] === step.token ? before.layers[place.layer]?.[name]?.steps[place.t] ?? null : null;
  const choose = (stage) => store.look({ stage });
  setText(parts.cellTitle, filled(page.cell_title, { t: step.t, token: step.token }));
  parts.cellNote.replaceChildren(...cellNote(store, run, lane));
  parts.cell.replaceChildren(drawCell(shown, step, old, place, choose));
  const simple = run.layers.length === 1 && !run.layers[0].reverse;
  return parts.lines.replaceChildren(stepList(shown, step, old, place, simple ? run.tags[place.t] : null, { choose, edit: focusField, change: (path, value) => store.edit(setAt(store.document, path, value), null) }));
}

// Layer and direction where there are several, the unit to choose, and the way out.
function cellNote(store, run, lane) {
  const { page } = wording.words(), { place } = store, parts = [];
  if (run.layers.length > 1 || run.layers[0].reverse) parts.push(make("span", null, laneName(lane)));
  if (lane.units > 1) {
    const choice = make("select", { "data-key": "unit", onchange: () => store.look({ unit: Number(choice.value) }) });
    for (let unit = 0; unit < lane.units; unit += 1) choice.append(make("option", { value: unit, selected: unit === place.unit }, filled(page.unit, { unit: unit + 1, units: lane.units })));
    parts.push(make("label", null, make("span", { class: "hidden" }, page.unit_choice), choice));
  }
  return [...parts, button(page.leave, () => store.look({ inside: false, stage: null }), { class: "plain", "data-key": "leave" })];
}

// The field where a number of a formula is changed.
function focusField(path) {
  const field = document.querySelector(`[data-path="${CSS.escape(path.join("."))}"]`);
  field?.scrollIntoView({ block: "center" });
  field?.focus({ preventScroll: true });
  field?.select();
}
