// The page of a trained model on one text: puts its parts together, and draws them anew whenever the state changes.
// In: the data that Python wrote into the page, and the address's hash. Out: the page.
import { createBar } from "gatewise/bar.js";
import { filled, keepingFocus, make, showIn } from "gatewise/dom.js";
import { createHeat } from "gatewise/heat.js";
import { createMemory } from "gatewise/memory.js";
import { createSentence } from "gatewise/sentence.js";
import { compute, contributions, readModel, rivalOf } from "gatewise/tagging.js";
import { createTags } from "gatewise/tags.js";
import { percent } from "gatewise/trace_numbers.js";
import { createTraceStore, readTraceState, traceStateText } from "gatewise/trace_state.js";
import { createUnit } from "gatewise/unit.js";
import { createWhatIf } from "gatewise/what_if.js";
import * as wording from "gatewise/words.js";

export function start(root = document.getElementById("app"), data = JSON.parse(document.getElementById("data").textContent)) {
  wording.load(data);
  const model = readModel(data.trace);
  if (!model.tokens.length) return root.replaceChildren(make("main", null, make("p", { class: "intro" }, wording.words().spoken.empty)));
  const page = createPage(root, model);
  page.readHash();
  addEventListener("hashchange", page.readHash);
  return page;
}

function createPage(root, model) {
  const store = createTraceStore(model, () => draw()), known = new WeakMap();
  const resultOf = (changes) => {
    if (!known.has(changes)) known.set(changes, compute(model, changes));
    return known.get(changes);
  };
  const parts = [createSentence, createWhatIf, createHeat, createUnit, createMemory, createTags].map((create) => create(model, store));
  const head = { title: make("h1"), facts: make("p", { class: "facts" }), spans: make("p", { class: "description spans" }), notes: make("p", { class: "note" }) }, keys = make("p", { class: "note" });
  const bar = createBar(store, null, { share: () => location.href.split("#")[0] + traceStateText(store, wording.language()), redraw: () => draw(), exports: null });
  const [sentence, whatIf, heat, unit, memory, tags] = parts.map((part) => part.element);
  root.replaceChildren(bar.element, make("main", { class: "trace" },
    make("header", { class: "intro" }, ...Object.values(head)),
    whatIf, make("section", { class: "overview" }, sentence, heat), unit, memory, tags, make("footer", null, keys)));
  followKeys(store);
  let written = null, saving = null, scrolledTo = "";

  function draw() {
    const view = viewOf(model, store, resultOf(store.document), resultOf(store.base));
    keepingFocus(() => {
      headings(head, model, view);
      keys.textContent = wording.words().trace.keys;
      bar.refresh();
      parts.forEach((part) => part.refresh(view));
    });
    const at = `${view.t} ${view.result.time}`;
    if (at !== scrolledTo) for (const box of root.querySelectorAll(".life, .arcs, .lattice")) showIn(box, ".token.here");
    scrolledTo = at;
    clearTimeout(saving);
    saving = setTimeout(writeHash, 250);
  }

  function writeHash() {
    const hash = traceStateText(store, wording.language());
    if (hash === written) return;
    written = hash;
    history.replaceState(null, "", hash || location.href.split("#")[0]);
  }

  function readHash() {
    const hash = location.hash === "#" ? "" : location.hash;
    if (hash === written) return;
    written = hash;
    const state = readTraceState(model, hash);
    if (state?.lang) wording.choose(state.lang);
    store.open(state?.changes ?? null, state?.place ?? {});
    bar.say(state === undefined ? wording.words().page.bad_link : "");
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return { readHash };
}

// What all parts look at: the result, that of the file, and the token, tag, rival and unit that are chosen.
function viewOf(model, store, result, base) {
  const { place } = store, { t, layer } = place, tag = result.path ? result.path[t] : null, rival = tag === null ? null : rivalOf(result, t);
  const top = layer === model.sizes.length - 1, { units } = model.sizes[layer], passes = (result.layers ? result.layers[layer] : top ? result.top : null) ?? null;
  const brought = top && tag !== null && model.emission_weight ? contributions(model, result, t, tag, rival) : null;
  const chosen = place.unit === null ? strongest(brought, units) : { direction: place.direction, unit: place.unit };
  return { result, base, changed: result !== base, place, t, tag, rival, layer, top, units, passes, brought, ...chosen, pass: passes?.[chosen.direction] ?? null };
}

function strongest(brought, units) {
  const at = brought ? brought.reduce((best, value, n) => (value > brought[best] ? n : best), 0) : 0;
  return { direction: at >= units ? "reverse" : "forward", unit: at % units };
}

function headings(head, model, { result, base, changed }) {
  const { trace, spoken, model: line } = wording.words(), shown = [...model.text.trim()];
  head.title.textContent = shown.length > 120 ? `${shown.slice(0, 120).join("")}…` : shown.join("");
  document.title = `${shown.slice(0, 40).join("")} · gatewise`;
  head.facts.textContent = line;
  head.spans.replaceChildren(...(changed ? [] : model.spans.slice(0, 40).flatMap(([text, label, chance]) => [make("span", { class: "span" }, make("b", null, text), label ? ` ${label} ` : " ", make("small", null, percent(chance))), " "])));
  const agrees = base.path && base.path.every((tag, t) => tag === model.tags[t] && Math.abs(base.marginals[t][tag] - model.chances[t]) < 1e-6);
  head.notes.textContent = [model.left_out ? filled(trace[`left_out_${model.left_out}`], {}) : agrees ? trace.agrees : trace.differs, model.fast ? filled(spoken.differs, { fast: model.fast.join(" ") }) : "", result.path ? "" : trace.no_tags].filter(Boolean).join(" ");
  head.notes.classList.toggle("alarm", !agrees || !result.path);
}

// ← → another token, Home and End the first and the last, Ctrl+Z takes back.
function followKeys(store) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea"), { t } = store.place;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing) {
      event.preventDefault();
      return event.shiftKey ? store.redo() : store.undo();
    }
    if (typing || event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || event.target.matches(".scroll:not(.strip)")) return undefined;
    const to = { ArrowLeft: t - 1, ArrowRight: t + 1, Home: 0, End: store.document.order.length - 1, Escape: t }[event.key];
    if (to === undefined) return undefined;
    event.preventDefault();
    return store.look({ t: to, unit: event.key === "Escape" ? null : store.place.unit });
  });
}
