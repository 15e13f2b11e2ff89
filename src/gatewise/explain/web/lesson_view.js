// The panel of the lessons: the list of all of them, or one step of one. In: what `lessons.js` knows, and its actions.
// Out: elements. Texts come from the words of the chosen language, and which answer is right from the data.
import { button, filled, make } from "gatewise/dom.js";
import { words } from "gatewise/words.js";

export function panelParts(state, data, actions) {
  const { page, lessons } = words(), title = state.at ? lessons[state.at.lesson].title : page.lessons;
  const close = button("✕", actions.toggle, { class: "close", "aria-label": page.close_lessons, title: page.close_lessons, "data-key": "lessons-close" });
  const head = make("div", { class: "lessons-head" }, make("h2", { tabindex: -1, "data-key": "lessons-title" }, title), close);
  return [head, ...(state.at ? stepParts(state, data, actions) : listParts(state, actions))];
}

function listParts(state, { go }) {
  const { page, lessons } = words();
  const items = lessons.map((lesson, n) => make("li", null, button(lesson.title, () => go({ lesson: n, step: 0 }), { class: state.done.has(n) ? "done" : "", "data-key": `lesson-${n}` })));
  return [make("p", { class: "note" }, page.lessons_note), make("ol", { class: "lesson-list" }, items)];
}

function stepParts(state, data, { go, next, answer }) {
  const { at, given } = state, { page, lessons } = words(), { steps } = lessons[at.lesson], texts = steps[at.step];
  const last = at.step + 1 === steps.length, waiting = texts.ask && given === undefined;
  return [
    make("p", { class: "note" }, filled(page.lesson_step, { n: at.lesson + 1, step: at.step + 1, count: steps.length })),
    ...texts.text.map((text) => make("p", null, text)),
    ...(texts.ask ? question(texts, data.lessons[at.lesson].steps[at.step].answer, given, answer) : []),
    make("div", { class: "lesson-tools" },
      button(page.all_lessons, () => go(null), { "data-key": "lessons-all" }),
      at.step > 0 ? button(page.lesson_back, () => go({ lesson: at.lesson, step: at.step - 1 }), { "data-key": "lesson-back" }) : null,
      button(last ? page.next_lesson : page.lesson_next, next, { class: waiting ? "" : "primary", "data-key": "lesson-next" })),
  ];
}

function question(texts, right, given, answer) {
  const { page } = words();
  const choices = texts.choices.map((choice, n) => {
    const mark = given === undefined ? "" : n === right ? "right" : n === given ? "wrong" : "";
    return button(`${{ right: "✓ ", wrong: "✗ " }[mark] ?? ""}${choice}`, () => answer(n), { class: `answer ${mark}`, disabled: given !== undefined, "data-key": `answer-${n}` });
  });
  const asked = make("fieldset", null, make("legend", null, texts.ask), choices);
  if (given === undefined) return [asked];
  return [asked, make("p", { class: "why", role: "status", tabindex: -1 }, `${given === right ? page.right : page.wrong}${texts.why}`)];
}
