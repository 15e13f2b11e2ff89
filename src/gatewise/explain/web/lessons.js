// Guided tours: each step of a lesson opens a network at a place, tells something, and may ask before it shows.
// In: the store, and the data: `lessons` (what is shown, which answer is right), `networks`, and the words of both languages.
// Out: {element, toggle, refresh, active}. The reader's own network is put back when the lessons are closed.
import { make } from "gatewise/dom.js";
import { withEdits } from "gatewise/document.js";
import { panelParts } from "gatewise/lesson_view.js";
import { words } from "gatewise/words.js";

const OWN = ["base", "document", "past", "future", "last", "place"];  // of the store: what belongs to the reader's network

export function createLessons(store, data, redraw) {
  const element = make("aside", { class: "lessons", hidden: true });
  const state = { open: false, at: null, answers: {}, done: new Set(), own: null };
  const nameOf = ({ lesson, step }) => `${lesson}.${step}`;

  function toggle() {
    state.open = !state.open;
    element.hidden = !state.open;
    document.body.classList.toggle("with-lessons", state.open);
    go(null);
  }

  // To a step of a lesson, or with null to the list of all.
  function go(at) {
    if (at) state.own ??= Object.fromEntries(OWN.map((key) => [key, store[key]]));
    else if (state.own) Object.assign(store, state.own);
    if (!at) state.own = null;
    state.at = at;
    if (at) openStep(store, data, at, state.answers[nameOf(at)] !== undefined);
    redraw();
    if (state.open) focusHead(element, at);
  }

  function answer(choice) {
    state.answers[nameOf(state.at)] = choice;
    openStep(store, data, state.at, true);
    redraw();
    element.querySelector(".why").focus({ preventScroll: true });
    element.querySelector(".why").scrollIntoView({ block: "nearest" });
  }

  function next() {
    const { lesson, step } = state.at;
    if (step + 1 < data.lessons[lesson].steps.length) return go({ lesson, step: step + 1 });
    state.done.add(lesson);
    return go(lesson + 1 < data.lessons.length ? { lesson: lesson + 1, step: 0 } : null);
  }

  function refresh() {
    if (!state.open) return;
    element.setAttribute("aria-label", words().page.lessons);
    element.replaceChildren(...panelParts({ ...state, given: state.at ? state.answers[nameOf(state.at)] : undefined }, data, { toggle, go, answer, next }));
  }

  return { element, toggle, refresh, active: () => state.open };
}

// The network and the place that a step speaks of; what a question asks for is hidden until it is answered.
function openStep(store, data, { lesson, step }, answered) {
  const { show, hides } = data.lessons[lesson].steps[step], base = data.networks[show.network], hidden = hides && !answered;
  store.open(withEdits(base, show.edits ?? []), base);
  store.look({ t: show.t - 1, layer: 0, reverse: Boolean(show.reverse), unit: (show.unit ?? 1) - 1, stage: hidden ? null : show.stage ?? null, inside: !hidden, hide: hidden ? show.t - 1 : null });
}

// On a small screen the lesson covers the lower half, so what it speaks of is brought to the upper one.
function focusHead(element, at) {
  element.querySelector("h2").focus({ preventScroll: true });
  element.scrollTop = 0;
  if (at && matchMedia("(max-width: 64rem)").matches) document.querySelector(".pictures").scrollIntoView({ block: "start" });
}
