// Another token in the place of the chosen one, one more, or one less: the model reads the changed text, and answers at once.
// In: the store, and `read`, which gives the model's pass over a text. Out: {element, refresh}, the tools of the chosen token.
import { button, filled, make } from "gatewise/dom.js";
import { wholeOrder } from "gatewise/trace_state.js";
import { words } from "gatewise/words.js";

export function createTokenEdits(store, read, say) {
  const name = make("b"), fieldName = make("span", { class: "hidden" }), note = make("span", { class: "note" });
  const field = make("input", { type: "text", size: 8, autocomplete: "off", "data-key": "other-token", oninput: () => able() });
  const replace = button("", () => edit((at) => [at.start, at.end, field.value]), { type: "submit", "data-key": "replace" });
  const insert = button("", () => edit((at, gap) => [at.end, at.end, gap + field.value]), { "data-key": "insert" });
  const leave = button("", () => edit((at, gap, before) => [before, at.end, ""]), { "data-key": "leave-out" });
  const element = make("form", { class: "token-edits", onsubmit: (event) => event.preventDefault() }, name, make("label", null, fieldName, field), replace, insert, leave, note);
  let last = 0;

  function able() {
    replace.disabled = insert.disabled = !field.value.trim();
    leave.disabled = store.document.order.length < 2;
  }

  // Of several edits in a row the last one is shown.
  async function edit(change) {
    const before = store.document, model = store.modelOf(before), { t } = store.place, text = changedText(model, t, change), mine = (last += 1);
    try {
      const other = await read(text);
      if (mine !== last || before !== store.document) return;
      if (!other.tokens.length) return say(words().spoken.empty);
      say("");
      store.know(text, other);
      store.edit(moved(store, before, model, other), { t: text.length > model.text.length ? t + 1 : t, unit: null });
    } catch (error) {
      say(error.message);
    }
    return undefined;
  }

  function refresh({ result, t }) {
    const { trace, studio } = words();
    name.textContent = filled(studio.edit_title, { number: t + 1, token: result.tokens[t] });
    fieldName.textContent = studio.edit_field;
    replace.textContent = studio.replace;
    insert.textContent = studio.insert;
    leave.textContent = trace.leave_out;
    note.textContent = studio.edit_note;
    able();
  }

  return { element, refresh };
}

// `change` says which characters go and what comes: (where the token stands, the gap between tokens, where its gap begins).
function changedText(model, t, change) {
  const characters = [...model.text], [start, end] = model.places[t], before = t > 0 ? model.places[t - 1][1] : 0;
  const [from, to, text] = change({ start, end }, model.apart ? " " : "", before);
  return [...characters.slice(0, from), text, ...characters.slice(to)].join("");
}

// What was said of tokens goes with those that stand on both sides of the edit; the others are new.
function moved(store, document, model, other) {
  const longer = [...other.text].length - [...model.text].length, common = commonStart([...model.text], [...other.text]), old = new Map();
  model.places.forEach(([start, end], t) => {
    if (end <= common) old.set(`${start} ${end}`, t);
    else old.set(`${start + longer} ${end + longer}`, t);
  });
  const same = other.places.map(([start, end], t) => old.get(`${start} ${end}`) ?? null).map((from, t) => (from !== null && model.tokens[from] === other.tokens[t] ? from : null));
  const origin = (from) => (from === null ? null : document.edited ? document.edited.origins[from] : from);
  const carried = (list) => list.flatMap((one) => (same.includes(one.t) ? [{ ...one, t: same.indexOf(one.t) }] : []));
  const back = other.text === store.model.text;
  return { ...document, order: wholeOrder(other), edited: back ? null : { text: other.text, origins: same.map(origin) }, forced: carried(document.forced), forbidden: carried(document.forbidden) };
}

function commonStart(one, other) {
  const differs = one.findIndex((character, n) => character !== other[n]);
  return differs < 0 ? one.length : differs;
}
