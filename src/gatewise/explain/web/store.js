// The one state of the page: a document with its past and future, and the place one looks at.
// In: the network's own document. Out: `state`, changed by the functions here alone; listeners are told after each change.
import { editsBetween, withEdits } from "gatewise/document.js";

// `hide` is the first step whose numbers are not told yet: a lesson asks for them.
export const STAGES = { lstm: ["f", "i", "g", "C", "o", "h"], rnn: ["h"], neuron: ["h"] };
const PLACE = { t: 0, layer: 0, reverse: false, unit: 0, stage: null, inside: true, hide: null };

export function createStore(base, listen) {
  const store = { base, document: base, past: [], future: [], last: null, place: { ...PLACE } };

  const changed = (document, tag) => {
    Object.assign(store, { document, last: tag, place: placeWithin(document, store.place) });
    listen();
  };

  return Object.assign(store, {
    // `tag` names what is edited: edits of one thing in a row are undone together.
    edit(document, tag) {
      if (!editsBetween(store.document, document).length) return;
      if (tag === null || tag !== store.last) store.past = [...store.past, store.document];
      store.future = [];
      changed(document, tag);
    },
    undo() {
      if (!store.past.length) return;
      store.future = [store.document, ...store.future];
      const document = store.past.at(-1);
      store.past = store.past.slice(0, -1);
      changed(document, null);
    },
    redo() {
      if (!store.future.length) return;
      const [document, ...future] = store.future;
      Object.assign(store, { past: [...store.past, store.document], future });
      changed(document, null);
    },
    reset() {
      store.edit(store.base, null);
    },
    // Another network altogether, as lessons need it; its past begins here.
    open(document, base = document) {
      Object.assign(store, { base, past: document === base ? [] : [base], future: [] });
      changed(document, null);
    },
    look(place) {
      store.place = placeWithin(store.document, { ...store.place, ...place });
      listen();
    },
    // The document before the last change, to compare with; null where nothing was changed.
    before: () => store.past.at(-1) ?? null,
  });
}

function placeWithin(document, place) {
  const within = (value, count) => (Number.isInteger(value) ? Math.min(Math.max(value, 0), Math.max(count - 1, 0)) : 0);
  const layer = within(place.layer, document.layers.length);
  const reverse = Boolean(place.reverse && document.layers[layer].reverse);
  const weights = document.layers[layer][reverse ? "reverse" : "forward"];
  const units = (document.kind === "lstm" ? weights.forget : weights).x.length;
  const stage = STAGES[document.kind].includes(place.stage) ? place.stage : null;
  return { t: within(place.t, document.sentence.length), layer, reverse, unit: within(place.unit, units), stage, inside: place.inside !== false, hide: Number.isInteger(place.hide) ? place.hide : null };
}

// The state as the part of an address after #; empty where nothing differs from the file.
export function stateText(store, lang) {
  const edits = editsBetween(store.base, store.document);
  const place = Object.fromEntries(Object.entries(store.place).filter(([key, value]) => value !== PLACE[key]));
  if (!edits.length && !Object.keys(place).length) return "";
  const bytes = new TextEncoder().encode(JSON.stringify({ edits, place, lang }));
  return `#s=${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

// What a hash says: {document, place, lang}, null where there is none, or undefined where it does not fit the network.
export function readStateText(base, hash) {
  if (!hash.startsWith("#s=")) return null;
  try {
    const bytes = Uint8Array.from(atob(hash.slice(3).replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
    const { edits, place, lang } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const document = withEdits(base, edits);
    return document ? { document, place: Object(place), lang } : undefined;
  } catch {
    return undefined;
  }
}
