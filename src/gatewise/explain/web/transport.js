// Step, back, play, scrub: the controls under the chain. They are made once and kept, so that a slider can be dragged.
// In: the store. Out: {element, refresh, toggle, move}. Playing goes through the stages of a cell where one is open.
import { button, filled, make, setText } from "gatewise/dom.js";
import { STAGES } from "gatewise/store.js";
import { words } from "gatewise/words.js";

const BEAT = 1100;  // milliseconds a stage

export function createTransport(store) {
  let timer = null, played = null;
  const buttons = {
    first: button("|◀", () => move(-Infinity)), back: button("◀", () => move(-1)), play: button("▶", () => toggle(), { class: "primary" }),
    next: button("▶", () => move(1), { class: "next" }), last: button("▶|", () => move(Infinity)),
  };
  const slider = make("input", { type: "range", min: 1, step: 1, class: "scrub", "data-key": "scrub", oninput: () => store.look({ t: Number(slider.value) - 1, stage: null }) });
  const text = make("output", { class: "where" });
  const element = make("div", { class: "transport", role: "group" }, make("div", { class: "buttons" }, Object.values(buttons)), slider, text);

  function move(by) {
    const { t } = store.place, end = store.document.sentence.length - 1;
    store.look({ t: Math.min(Math.max(t + by, 0), Math.max(end, 0)), stage: null });
  }

  function toggle() {
    if (timer) return stop();
    const { t } = store.place;
    timer = setInterval(beat, BEAT);
    played = store.base;
    return store.look(t >= store.document.sentence.length - 1 ? { t: 0, stage: null } : {});
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    store.look({});
  }

  function beat() {
    const place = store.base === played ? nextPlace(store) : null;  // another network may have been opened
    if (place) store.look(place);
    else stop();
  }

  // ↑ and ↓ go through the boxes of the open cell.
  function moveStage(by) {
    const stages = [null, ...STAGES[store.document.kind]], at = stages.indexOf(store.place.stage);
    store.look({ stage: stages[Math.min(Math.max(at + by, 0), stages.length - 1)] });
  }

  const refresh = () => refreshControls(store, { element, buttons, slider, text }, timer !== null);

  return { element, refresh, toggle, move, moveStage, stop: () => timer && stop(), playing: () => timer !== null };
}

// Where playing goes next: the next box of an open cell, else the next step; null at the end.
function nextPlace({ document, place: { t, stage, inside } }) {
  const stages = STAGES[document.kind], next = stages[stages.indexOf(stage) + 1];
  if (inside && next !== undefined) return { stage: next };
  return t + 1 < document.sentence.length ? { t: t + 1, stage: inside ? stages[0] : null } : null;
}

function refreshControls(store, { element, buttons, slider, text }, playing) {
  const { page, network } = words(), { t } = store.place, count = store.document.sentence.length;
  element.setAttribute("aria-label", page.steps);
  for (const [name, one] of Object.entries(buttons)) {
    one.title = name === "play" && playing ? page.pause : page[name];
    one.setAttribute("aria-label", one.title);
    one.dataset.key = `transport-${name}`;
  }
  setText(buttons.play, playing ? "❚❚" : page.play);
  buttons.first.disabled = buttons.back.disabled = t === 0;
  buttons.last.disabled = buttons.next.disabled = t >= count - 1;
  setText(text, count ? filled(page.where, { t: t + 1, count, token: store.document.sentence[t] }) : network.empty);
  Object.assign(slider, { max: Math.max(count, 1), value: t + 1, disabled: count < 2 });
  slider.setAttribute("aria-label", page.scrub);
  slider.setAttribute("aria-valuetext", text.textContent);
}
