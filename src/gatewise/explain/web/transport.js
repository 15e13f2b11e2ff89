// Step, back, play, scrub: the controls under the chain. They are made once and kept, so that a slider can be dragged.
// In: the store. Out: {element, refresh, toggle, move}. Playing goes through the stages of a cell where one is open.
import { button, filled, make } from "gatewise/dom.js";
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
    if (store.base !== played) return stop();  // another network was opened
    const { t, stage, inside } = store.place, stages = inside ? STAGES[store.document.kind] : [null];
    const next = stages[stages.indexOf(stage) + 1];
    if (inside && next !== undefined) return store.look({ stage: next });
    return t + 1 < store.document.sentence.length ? store.look({ t: t + 1, stage: inside ? stages[0] : null }) : stop();
  }

  // ↑ and ↓ go through the boxes of the open cell.
  function moveStage(by) {
    const stages = [null, ...STAGES[store.document.kind]], at = stages.indexOf(store.place.stage);
    store.look({ stage: stages[Math.min(Math.max(at + by, 0), stages.length - 1)] });
  }

  function refresh() {
    const { page } = words(), { t } = store.place, count = store.document.sentence.length;
    element.setAttribute("aria-label", page.steps);
    for (const [name, one] of Object.entries(buttons)) {
      one.setAttribute("aria-label", name === "play" && timer ? page.pause : page[name]);
      one.title = one.getAttribute("aria-label");
      one.dataset.key = `transport-${name}`;
    }
    buttons.play.textContent = timer ? "❚❚" : page.play;
    buttons.first.disabled = buttons.back.disabled = t === 0;
    buttons.last.disabled = buttons.next.disabled = t >= count - 1;
    slider.max = Math.max(count, 1);
    slider.value = t + 1;
    slider.disabled = count < 2;
    slider.setAttribute("aria-label", page.scrub);
    text.textContent = count ? filled(page.where, { t: t + 1, count, token: store.document.sentence[t] }) : words().network.empty;
    slider.setAttribute("aria-valuetext", text.textContent);
  }

  return { element, refresh, toggle, move, moveStage, stop: () => timer && stop(), playing: () => timer !== null };
}
