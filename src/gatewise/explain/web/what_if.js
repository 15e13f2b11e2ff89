// What the reader changed, and what came of it: each change with its way back, and the tags before and after.
// In: the store; each refresh, the view, with the model in it. Out: {element, refresh}.
import { button, filled, make, setText } from "gatewise/dom.js";
import { ARROWS } from "gatewise/heat.js";
import { percent } from "gatewise/trace_numbers.js";
import { words } from "gatewise/words.js";

const MOST = 12;

export function createWhatIf(store) {
  const list = make("div", { class: "changes-list" }), said = make("p", { class: "outcome", role: "status" });
  const element = make("div", { class: "what-if" }, said, list);

  function refresh(view) {
    const { trace } = words(), { model } = view;
    element.hidden = !view.changed;
    if (!view.changed) return;
    list.replaceChildren(...changesOf(model, store, view).map(({ text, without }, n) => button(`${text} ✕`, () => store.edit(without), { "data-key": `change-${n}`, title: trace.take_back })));
    setText(said, outcome(model, view));
  }

  return { element, refresh };
}

function changesOf(model, store, { result }) {
  const { trace, terms, page } = words(), { document, base } = store, tag = (one) => ({ number: one.t + 1, token: result.tokens[one.t], tag: model.labels[one.tag] });
  const without = (key, one) => ({ ...document, [key]: document[key].filter((other) => other !== one) });
  const asBefore = document.edited === null && JSON.stringify(document.order) === JSON.stringify(base.order);
  const order = asBefore ? [] : [{ text: trace.other_tokens, without: { ...document, order: base.order, edited: null, forced: [], forbidden: [] } }];
  return [
    ...order,
    ...document.holds.map((one) => ({ text: (model.sizes.length > 1 ? `${page.layer} ${one.layer + 1} · ` : "") + filled(one.unit === null ? trace.held_all : trace.held, { arrow: ARROWS[one.direction], direction: terms[one.direction], unit: one.unit, gate: one.gate, value: one.value }), without: without("holds", one) })),
    ...document.forced.map((one) => ({ text: filled(trace.forced, tag(one)), without: without("forced", one) })),
    ...document.forbidden.map((one) => ({ text: filled(trace.forbidden, tag(one)), without: without("forbidden", one) })),
  ];
}

// "明: B-X 98% → O 61%"; where every tag is as before, the largest change of a probability.
function outcome(model, { result, base, origins }) {
  const { trace, network, page } = words();
  if (!result.path) return trace.no_tags;
  const chance = (of, t) => percent(of.marginals[t][of.path[t]]), other = [];
  let least = { by: 0, text: "" };
  origins.forEach((from, t) => {
    if (from === null) return other.push(filled(trace.new_token, { number: t + 1, token: result.tokens[t], tag: model.labels[result.path[t]], chance: chance(result, t) }));
    const was = base.path[from], now = result.path[t], before = base.marginals[from][was];
    const text = `${t + 1} ${result.tokens[t]}${page.colon}${model.labels[was]} ${chance(base, from)} → ${model.labels[now]} ${chance(result, t)}`;
    if (was !== now) other.push(text);
    const by = Math.abs(result.marginals[t][was] - before);
    if (by > least.by) least = { by, text };
    return undefined;
  });
  if (!other.length) return least.by > 1e-9 ? filled(trace.same_tags, { most: least.text }) : trace.nothing_changed;
  const more = other.length > MOST ? [filled(page.more, { count: other.length - MOST })] : [];
  return filled(trace.outcome, { count: other.length, tags: [...other.slice(0, MOST), ...more].join(network.list_joint) });
}
