// Guided tours: each step of a lesson opens a network at a place, tells something, and may ask before it shows.
// In: the store, and the data: `lessons` (what is shown, which answer is right), `networks`, and the words of both languages.
// Out: {element, toggle, refresh, active}. The reader's own network is put back when the lessons are closed.
import { button, filled, make } from "gatewise/dom.js";
import { withEdits } from "gatewise/document.js";
import { words } from "gatewise/words.js";

export function createLessons(store, data, redraw) {
  const element = make("aside", { class: "lessons", hidden: true });
  const state = { open: false, at: null, answers: new Map(), done: new Set(), own: null };
  const active = () => state.open;

  function toggle() {
    state.open = !state.open;
    element.hidden = !state.open;
    document.body.classList.toggle("with-lessons", state.open);
    if (!state.open) restore();
    redraw();
    if (state.open) focusHead();
  }

  function restore() {
    state.at = null;
    if (state.own) Object.assign(store, state.own);
    state.own = null;
  }

  function go(at) {
    if (!at) restore();
    else {
      state.own ??= { base: store.base, document: store.document, past: store.past, future: store.future, last: store.last, place: store.place };
      state.at = at;
      show();
    }
    redraw();
    focusHead();
  }

  const stepAt = ({ lesson, step }) => data.lessons[lesson].steps[step];
  const answerAt = ({ lesson, step }) => state.answers.get(`${lesson}.${step}`);

  // The network and the place that the step speaks of; what a question asks for is hidden until it is answered.
  function show() {
    const { show: wanted, hides } = stepAt(state.at), base = data.networks[wanted.network], hidden = hides && answerAt(state.at) === undefined;
    store.open(withEdits(base, wanted.edits ?? []), base);
    store.look({ t: wanted.t - 1, layer: 0, reverse: Boolean(wanted.reverse), unit: (wanted.unit ?? 1) - 1, stage: hidden ? null : wanted.stage ?? null, inside: !hidden, hide: hidden ? wanted.t - 1 : null });
  }

  function answer(choice) {
    state.answers.set(`${state.at.lesson}.${state.at.step}`, choice);
    show();
    redraw();
    element.querySelector(".why")?.focus({ preventScroll: true });
    element.querySelector(".why")?.scrollIntoView({ block: "nearest" });
  }

  function next() {
    const { lesson, step } = state.at;
    if (step + 1 < data.lessons[lesson].steps.length) return go({ lesson, step: step + 1 });
    state.done.add(lesson);
    return go(lesson + 1 < data.lessons.length ? { lesson: lesson + 1, step: 0 } : null);
  }

  // On a small screen the lesson covers the lower half, so what it speaks of is brought to the upper one.
  function focusHead() {
    element.querySelector("h2")?.focus({ preventScroll: true });
    element.scrollTop = 0;
    if (state.at && matchMedia("(max-width: 64rem)").matches) document.querySelector(".pictures").scrollIntoView({ block: "start" });
  }

  function refresh() {
    if (!state.open) return;
    const { page } = words();
    element.setAttribute("aria-label", page.lessons);
    const close = button("✕", toggle, { class: "close", "aria-label": page.close_lessons, title: page.close_lessons, "data-key": "lessons-close" });
    element.replaceChildren(make("div", { class: "lessons-head" }, make("h2", { tabindex: -1, "data-key": "lessons-title" }, state.at ? words().lessons[state.at.lesson].title : page.lessons), close), ...(state.at ? lessonParts() : listParts()));
  }

  function listParts() {
    const { page, lessons } = words();
    const items = lessons.map((lesson, n) => make("li", null, button(lesson.title, () => go({ lesson: n, step: 0 }), { class: state.done.has(n) ? "done" : "", "data-key": `lesson-${n}` })));
    return [make("p", { class: "note" }, page.lessons_note), make("ol", { class: "lesson-list" }, items)];
  }

  function lessonParts() {
    const { at } = state, { page, lessons } = words(), texts = lessons[at.lesson].steps[at.step], count = lessons[at.lesson].steps.length;
    const asked = texts.ask ? question(texts, stepAt(at).answer, answerAt(at)) : [];
    const last = at.step + 1 === count, waiting = texts.ask && answerAt(at) === undefined;
    return [
      make("p", { class: "note" }, filled(page.lesson_step, { n: at.lesson + 1, step: at.step + 1, count })),
      ...texts.text.map((text) => make("p", null, text)),
      ...asked,
      make("div", { class: "lesson-tools" },
        button(page.all_lessons, () => go(null), { "data-key": "lessons-all" }),
        at.step > 0 ? button(page.lesson_back, () => go({ lesson: at.lesson, step: at.step - 1 }), { "data-key": "lesson-back" }) : null,
        button(last ? page.next_lesson : page.lesson_next, next, { class: waiting ? "" : "primary", "data-key": "lesson-next" })),
    ];
  }

  function question(texts, right, given) {
    const choices = texts.choices.map((choice, n) => {
      const mark = given === undefined ? "" : n === right ? "right" : n === given ? "wrong" : "";
      return button(`${mark === "right" ? "✓ " : mark === "wrong" ? "✗ " : ""}${choice}`, () => answer(n), { class: `answer ${mark}`, disabled: given !== undefined, "data-key": `answer-${n}` });
    });
    const why = given === undefined ? [] : [make("p", { class: "why", role: "status", tabindex: -1 }, `${given === right ? words().page.right : words().page.wrong}${texts.why}`)];
    return [make("fieldset", null, make("legend", null, texts.ask), choices), ...why];
  }

  return { element, toggle, refresh, active };
}
