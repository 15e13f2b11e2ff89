// The one state of the page of a trained model: what the reader changed, with its past and future, and the place one looks at.
// Changes: {order, edited, holds, forced, forbidden}: `order` are the numbers of the tokens that are read, as they come; `edited` is
// another text that a live host read, {text, origins}, with the number that each of its tokens had before, null for a new one;
// `holds` are gates held at a value; `forced` and `forbidden` are tags at places of the order. What comes from a link is checked.

export const MOST_TOKENS = 2000;
const PLACE = { t: 0, layer: null, direction: "forward", unit: null, shown: "gates", sort: "matter", rows: "few", asks: "score" };

export const wholeOrder = (model) => model.tokens.map((_, n) => n);

export function createTraceStore() {
  let listen = () => {};
  const store = { model: null, base: null, document: null, past: [], future: [], place: { ...PLACE } }, known = new Map();
  const changed = (changes) => {
    Object.assign(store, changes, { place: within(store.model, { ...store.place, ...changes.place }, (changes.document ?? store.document).order.length) });
    listen();
  };
  return Object.assign(store, {
    // Another text, or another model: all that was changed is forgotten. `others` are models of edited texts, by the text.
    show(model, others = new Map()) {
      known.clear();
      for (const [text, one] of others) known.set(text, one);
      const base = { order: wholeOrder(model), edited: null, holds: [], forced: [], forbidden: [] };
      Object.assign(store, { model, base, document: base, past: [], future: [], place: { ...PLACE } });
    },
    listen: (one) => { listen = one; },
    know: (text, model) => known.set(text, model),
    modelOf: (document) => (document.edited ? known.get(document.edited.text) : store.model),
    edit(document, place = {}) {
      const text = JSON.stringify(document);
      if (text === JSON.stringify(store.document)) return;
      changed({ document: text === JSON.stringify(store.base) ? store.base : document, place, past: [...store.past, store.document], future: [] });
    },
    undo() {
      if (store.past.length) changed({ document: store.past.at(-1), past: store.past.slice(0, -1), future: [store.document, ...store.future] });
    },
    redo() {
      if (store.future.length) changed({ document: store.future[0], past: [...store.past, store.document], future: store.future.slice(1) });
    },
    reset: () => store.edit(store.base),
    look: (place) => changed({ place }),
    open: (document, place) => changed({ document: document ?? store.base, past: document ? [store.base] : [], future: [], place: { ...PLACE, ...place } }),
  });
}

function within(model, place, time) {
  const most = (value, count) => (Number.isInteger(value) ? Math.min(Math.max(value, 0), Math.max(count - 1, 0)) : null);
  const layer = most(place.layer ?? model.sizes.length - 1, model.sizes.length), { units, both } = model.sizes[layer];
  const one = (value, choices) => (choices.includes(value) ? value : choices[0]);
  return { t: most(place.t, time) ?? 0, layer, direction: both && place.direction === "reverse" ? "reverse" : "forward", unit: most(place.unit, units), shown: one(place.shown, ["gates", "states"]), sort: one(place.sort, ["matter", "number"]), rows: one(place.rows, ["few", "all"]), asks: one(place.asks, ["score", "lead", "cell"]) };
}

// A change of tokens moves what was said of places after it.
export function withoutToken(changes, t) {
  const moved = (list) => list.filter((one) => one.t !== t).map((one) => (one.t > t ? { ...one, t: one.t - 1 } : one));
  return { ...changes, order: changes.order.filter((_, n) => n !== t), forced: moved(changes.forced), forbidden: moved(changes.forbidden) };
}

export function withTokenTwice(changes, t) {
  const moved = (list) => list.map((one) => (one.t > t ? { ...one, t: one.t + 1 } : one)), { order } = changes;
  return { ...changes, order: [...order.slice(0, t + 1), ...order.slice(t)], forced: moved(changes.forced), forbidden: moved(changes.forbidden) };
}

const there = (list, one) => list.some((other) => JSON.stringify(other) === JSON.stringify(one));
const without = (list, one) => list.filter((other) => JSON.stringify(other) !== JSON.stringify(one));
export const toggledHold = (changes, hold) => {
  const others = changes.holds.filter((one) => !(one.layer === hold.layer && one.direction === hold.direction && one.unit === hold.unit && one.gate === hold.gate));
  return { ...changes, holds: there(changes.holds, hold) ? others : [...others, hold] };
};
export const isHeld = (changes, hold) => there(changes.holds, hold);
export const toggledForced = (changes, one) => ({ ...changes, forced: there(changes.forced, one) ? without(changes.forced, one) : [...changes.forced.filter((other) => other.t !== one.t), one], forbidden: without(changes.forbidden, one) });
export const toggledForbidden = (changes, one) => ({ ...changes, forbidden: there(changes.forbidden, one) ? without(changes.forbidden, one) : [...changes.forbidden, one], forced: without(changes.forced, one) });

// The state as a text for an address; empty where nothing differs from what the page began with.
export function traceStateText(store, lang) {
  const changes = store.document === store.base ? null : store.document;
  const begins = { ...PLACE, layer: store.model.sizes.length - 1 };
  const place = Object.fromEntries(Object.entries(store.place).filter(([key, value]) => value !== begins[key]));
  if (!changes && !Object.keys(place).length) return "";
  return JSON.stringify({ changes, place, lang });
}

// What such a text says: {changes, place, lang}, null where it is empty, undefined where it does not fit this page.
export function readTraceState(store, text) {
  if (!text) return null;
  try {
    const { changes, place, lang } = JSON.parse(text);
    return changes === null || fits(store, { edited: null, ...changes }) ? { changes: changes && { edited: null, ...changes }, place: Object(place), lang } : undefined;
  } catch {
    return undefined;
  }
}

function fits(store, changes) {
  const { order, edited, holds, forced, forbidden } = changes, model = store.modelOf(changes);
  const below = (value, count) => Number.isInteger(value) && value >= 0 && value < count;
  const tag = (one) => below(one.t, order.length) && below(one.tag, model.labels.length);
  const gates = model.kind === "lstm" ? ["i", "f", "g", "o"] : ["h"];
  const hold = ({ layer, direction, unit, gate, value }) => below(layer, model.sizes.length) && (direction === "forward" || (direction === "reverse" && model.sizes[layer].both)) && (unit === null || below(unit, model.sizes[layer].units)) && gates.includes(gate) && [0, 1].includes(value);
  const origins = edited === null || (edited.origins.length === model.tokens.length && edited.origins.every((n) => n === null || below(n, store.model.tokens.length)));
  const computed = Boolean(model.layers) || (holds.length === 0 && order.length === model.tokens.length && order.every((n, t) => n === t));
  return computed && origins && order.length > 0 && order.length <= MOST_TOKENS && order.every((n) => below(n, model.tokens.length)) && holds.every(hold) && forced.every(tag) && forbidden.every(tag);
}
