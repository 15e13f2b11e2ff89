// The page of a trained model on one text: puts its parts together, and draws them anew whenever the state changes.
// In: the data that Python wrote into the page, and the address. Out: the page. A live host shows other texts on it.
import { createBar } from "gatewise/bar.js";
import { narrow } from "gatewise/cell.js";
import { filled, keepingFocus, make, renew, showIn, setText } from "gatewise/dom.js";
import { createHeat } from "gatewise/heat.js";
import { createMemory } from "gatewise/memory.js";
import { createSentence } from "gatewise/sentence.js";
import { compute, contributions, readModel, rivalOf } from "gatewise/tagging.js";
import { createTags } from "gatewise/tags.js";
import { fileAddress } from "gatewise/trace_address.js";
import { traceExports } from "gatewise/trace_exports.js";
import { percent } from "gatewise/trace_numbers.js";
import { createTraceStore, readTraceState, traceStateText } from "gatewise/trace_state.js";
import { createUnit } from "gatewise/unit.js";
import { createWhatIf } from "gatewise/what_if.js";
import * as wording from "gatewise/words.js";

const DELAY = 250;  // milliseconds: browsers mind an address that changes too often

export function start(root = document.getElementById("app"), data = JSON.parse(document.getElementById("data").textContent)) {
  wording.load(data);
  const page = createTracePage(root, createTraceStore(), { address: fileAddress });
  page.show(readModel(data.trace), new Map(), fileAddress.read());
  addEventListener("hashchange", page.readAddress);
}

// `host`: {address, above, tools, named}: where the state is kept; what stands above the text; in place of a file's tools for a
// token, those of a live host; and whether the page is called by its model, where the text is typed on it.
export function createTracePage(root, store, host) {
  const known = new WeakMap();
  const resultOf = (changes) => {
    if (!known.has(changes)) known.set(changes, compute(store.modelOf(changes), changes));
    return known.get(changes);
  };
  const parts = [(one) => createSentence(one, host.tools), createWhatIf, createHeat, createUnit, createMemory, createTags].map((create) => create(store));
  const head = { title: make("h1"), facts: make("p", { class: "facts" }), spans: make("p", { class: "description spans" }), notes: make("p", { class: "note" }) }, keys = make("p", { class: "note" });
  const stateText = () => traceStateText(store, wording.language());
  const bar = createBar(store, null, { share: () => host.address.link(stateText()), redraw: () => draw(), exports: () => (store.model?.tokens.length ? traceExports(viewOf(store, resultOf(store.document), resultOf(store.base)), store.document) : []) });
  const [sentence, whatIf, heat, unit, memory, tags] = parts.map((part) => part.element), body = make("div", null, whatIf, make("section", { class: "overview" }, sentence, heat), unit, memory, tags);
  root.replaceChildren(bar.element, make("main", { class: "trace" },
    make("header", { class: "intro" }, head.title, head.facts, host.above, head.spans, head.notes), body, make("footer", null, keys)));
  followKeys(store);
  let written = null, saving = null, at = "";
  const scrolledTo = new Map();
  body.addEventListener("contentvisibilityautostatechange", bringIntoView);
  store.listen(() => draw());

  function draw() {
    if (!store.model) return bar.refresh();
    body.hidden = !store.model.tokens.length;
    const view = body.hidden ? null : viewOf(store, resultOf(store.document), resultOf(store.base));
    keepingFocus(() => {
      headings(head, store.model, view, host.named);
      setText(keys, wording.words().trace.keys);
      if (view) parts.forEach((part) => part.refresh(view));
      bar.refresh();  // last, since what can be taken away are the pictures that are there
    });
    if (view) at = `${view.t} ${view.result.time}`;
    bringIntoView();
    clearTimeout(saving);
    saving = setTimeout(write, DELAY);
    return undefined;
  }

  // The chosen token in the middle of whatever scrolls sideways; a part that is not on screen waits until it is, and costs no layout.
  function bringIntoView() {
    if (body.hidden || !at) return;
    parts[0].bringIntoView();
    for (const box of root.querySelectorAll(".life, .arcs, .lattice")) {
      if (scrolledTo.get(box) === at || box.checkVisibility?.({ contentVisibilityAuto: true }) === false) continue;
      scrolledTo.set(box, at);
      showIn(box, ".token.here");
    }
  }

  function write() {
    const text = stateText();
    if (text === written) return;
    written = text;
    host.address.write(text);
  }

  // Another model or another text, in the state that `text` says.
  function show(model, others, text) {
    store.show(model, others);
    written = null;
    read(text);
  }

  function read(text) {
    if (text === written) return;
    written = text;
    const state = readTraceState(store, text);
    if (state?.lang) wording.choose(state.lang);
    store.open(state?.changes ?? null, state?.place ?? {});
    bar.say(state === undefined ? wording.words().page.bad_link : "");
  }

  for (const one of [matchMedia("(prefers-color-scheme: dark)"), narrow]) one.addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return { show, redraw: draw, readAddress: () => read(host.address.read()) };
}

// What all parts look at: the result, that of the file, and the token, tag, rival and unit that are chosen.
function viewOf(store, result, base) {
  const { place, document } = store, model = store.modelOf(document), origins = document.edited ? document.order.map((n) => document.edited.origins[n]) : document.order;
  const { t, layer } = place, tag = result.path ? result.path[t] : null, rival = tag === null ? null : rivalOf(result, t);
  const top = layer === model.sizes.length - 1, { units } = model.sizes[layer], passes = (result.layers ? result.layers[layer] : top ? result.top : null) ?? null;
  const brought = top && tag !== null && model.emission_weight ? contributions(model, result, t, tag, rival) : null;
  const chosen = place.unit === null ? strongest(brought, units) : { direction: place.direction, unit: place.unit };
  return { model, result, base, origins, changed: result !== base, place, t, tag, rival, layer, top, units, passes, brought, ...chosen, pass: passes?.[chosen.direction] ?? null };
}

function strongest(brought, units) {
  const at = brought ? brought.reduce((best, value, n) => (value > brought[best] ? n : best), 0) : 0;
  return { direction: at >= units ? "reverse" : "forward", unit: at % units };
}

// `model` is that of the text which the page began with, `view` null where that holds no token.
function headings(head, model, view, named) {
  const { trace, spoken } = wording.words(), shown = [...(named ? model.model : model.text.trim())];
  setText(head.title, shown.length > 120 ? `${shown.slice(0, 120).join("")}…` : shown.join(""));
  document.title = `${shown.slice(0, 40).join("")} · gatewise`;
  setText(head.facts, wording.inWords(model.line));
  if (!view) {
    head.spans.replaceChildren();
    setText(head.notes, spoken.empty);
    head.notes.classList.remove("alarm");
  } else findings(head, model, view, trace, spoken);
}

function findings(head, model, { result, base, changed }, trace, spoken) {
  const spans = changed ? [] : model.spans.slice(0, 40);
  renew(head.spans, spans, () => spans.flatMap(([text, label, chance]) => [make("span", { class: "span" }, make("b", null, text), label ? ` ${label} ` : " ", make("small", null, percent(chance))), " "]));
  const agrees = base.path && base.path.every((tag, t) => tag === model.tags[t] && Math.abs(base.marginals[t][tag] - model.chances[t]) < 1e-6);
  setText(head.notes, [model.left_out ? filled(trace[`left_out_${model.left_out}`], { most: Math.ceil(model.most / 1e6) }) : agrees ? trace.agrees : trace.differs, model.fast ? filled(spoken.differs, { fast: model.fast.join(" ") }) : "", result.path ? "" : trace.no_tags].filter(Boolean).join(" "));
  head.notes.classList.toggle("alarm", !agrees || !result.path);
}

// ← → another token, Home and End the first and the last, Ctrl+Z takes back.
function followKeys(store) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea"), { t } = store.place;
    if (!store.document) return undefined;
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
