// The tokens of the text with their tags and probabilities, and what can be done with the chosen one.
// In: the store, and tools of a live host in place of a file's; each refresh, the view, with the model in it. Out: {element, refresh}; `columnsOf` says where tokens stand, for all
// that is drawn under them.
import { button, filled, make, setText } from "gatewise/dom.js";
import { MOST_TOKENS, withTokenTwice, withoutToken } from "gatewise/trace_state.js";
import { percent } from "gatewise/trace_numbers.js";
import { words } from "gatewise/words.js";

export const COLUMN = 76, GUTTER = 92, MOST_COLUMNS = 120;

// The tokens that are drawn: those around the chosen one where there are many.
export function columnsOf(time, t, most = MOST_COLUMNS) {
  const from = Math.max(0, Math.min(t - Math.floor(most / 2), time - most));
  return { from, to: Math.min(time, from + most) };
}

export function createSentence(store, live = null) {
  const title = make("h2"), note = make("p", { class: "note" }), row = make("div", { class: "tokens", role: "group" }), tools = make("div", { class: "token-tools" }, live?.element);
  const strip = make("div", { class: "scroll strip", id: "strip" }, row), element = make("div", null, title, note, strip, tools);
  let seen = "", place = null;

  function refresh(view) {
    const { trace, page } = words(), { model, result, t } = view, { from, to } = columnsOf(result.time, t);
    setText(title, trace.sentence);
    setText(note, to - from < result.time ? filled(page.window, { count: to - from, all: result.time }) : trace.sentence_note);
    row.setAttribute("aria-label", trace.sentence);
    row.style.setProperty("--gutter", `${GUTTER}px`);
    row.replaceChildren(...Array.from({ length: to - from }, (_, n) => card(model, store, view, from + n)));
    if (!live) tools.replaceChildren(...toolsOf(model, store, view));
    else live.refresh(view);
    place = { at: `${t} ${result.time}`, left: (t - from) * COLUMN + GUTTER };
  }

  // The chosen token on screen; asked for once all is drawn, since it has to know where things are.
  function bringIntoView() {
    if (seen !== place.at) inView(strip, place.left);
    seen = place.at;
  }

  return { element, refresh, bringIntoView };
}

function inView(strip, left) {
  if (left < strip.scrollLeft + GUTTER || left + COLUMN > strip.scrollLeft + strip.clientWidth) strip.scrollLeft = left - strip.clientWidth / 2;
}

function card(model, store, { result, base, changed, origins, t }, at) {
  const tag = result.path ? result.path[at] : null, chance = tag === null ? 0 : result.marginals[at][tag], from = origins[at];
  const was = changed && base.path && from !== null ? base.path[from] : tag, name = tag === null ? "–" : model.labels[tag], before = was !== tag && was !== null;
  const level = make("span", { class: "level" });
  level.style.width = `${100 * chance}%`;
  const one = button("", () => store.look({ t: at, unit: null }), { class: `token-card${at === t ? " here" : ""}${before ? " changed" : ""}${from === null ? " new" : ""}`, "data-key": `token-${at}`, "aria-pressed": String(at === t), "aria-label": filled(words().trace.token_label, { number: at + 1, token: result.tokens[at], tag: name, chance: percent(chance) }) });
  one.append(make("span", { class: "tag", title: name }, name), before ? make("s", { title: model.labels[was] }, model.labels[was]) : "", make("span", { class: "form", title: result.tokens[at] }, result.tokens[at]), make("span", { class: "chance" }, level), make("small", null, percent(chance)));
  return one;
}

function toolsOf(model, store, { result, t }) {
  const { trace } = words(), name = make("b", null, filled(trace.what_if, { number: t + 1, token: result.tokens[t] }));
  const leave = button(trace.leave_out, () => store.edit(withoutToken(store.document, t)), { "data-key": "leave-out", disabled: result.time < 2 || !model.layers });
  const twice = button(trace.twice, () => store.edit(withTokenTwice(store.document, t), { t: t + 1 }), { "data-key": "twice", disabled: result.time >= MOST_TOKENS || !model.layers });
  return [name, leave, twice, make("span", { class: "note" }, model.layers ? `${trace.token_note} ${trace.what_if_note}` : trace.what_if_tags)];
}
