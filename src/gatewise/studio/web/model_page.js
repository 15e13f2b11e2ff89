// The page of a trained model: a text to type, and what the model makes of it. The text is in the address, so a link holds it.
// In: the data of the page, and the studio's answers. Out: {refresh}.
import { ask } from "gatewise/ask.js";
import { make } from "gatewise/dom.js";
import { createReadingPage } from "gatewise/reading_page.js";
import { words } from "gatewise/words.js";

const PAUSE = 300;  // milliseconds without a key before the model is asked

export function createModelPage(root, data) {
  const asked = new URLSearchParams(location.hash.slice(1)), model = data.chosen.model;
  const field = make("textarea", { rows: 2, "data-key": "text", autocomplete: "off", oninput: () => later() }), fieldName = make("span");
  const heads = data.models_there.find((one) => one.name === model).heads, headName = make("span");
  const head = make("select", { "data-key": "head", onchange: () => request() }), status = make("p", { class: "note", role: "status" }), said = make("p", { class: "refused", role: "alert" });
  const form = make("form", { class: "asking", onsubmit: (event) => event.preventDefault() }, make("label", { class: "text" }, fieldName, field), make("label", { hidden: !heads.length }, headName, head), status, said);
  head.append(...["", ...heads].map((name) => make("option", { value: name, selected: name === asked.get("head") }, name)));
  const page = createReadingPage(root, form);
  let waiting = null, running = false, again = false;
  field.value = asked.get("text") ?? data.text;

  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(request, PAUSE);
  }

  // One at a time: what is typed meanwhile is asked for when the answer is there.
  async function request() {
    clearTimeout(waiting);
    again = running;
    if (running) return;
    running = true;
    status.textContent = words().studio.working;
    await show({ model, text: field.value, head: head.value });
    status.textContent = "";
    running = false;
    if (again) request();
  }

  async function show(content) {
    try {
      page.show(await ask("/api/reading", content));
      said.textContent = "";
      history.replaceState(null, "", `#${new URLSearchParams({ text: content.text, ...(content.head ? { head: content.head } : {}) })}`);
    } catch (error) {
      said.textContent = error.message;
    }
  }

  function refresh() {
    const { studio } = words();
    fieldName.textContent = studio.text;
    headName.textContent = studio.head;
    head.options[0].textContent = studio.main_head;
  }

  refresh();
  request();
  return { refresh };
}
