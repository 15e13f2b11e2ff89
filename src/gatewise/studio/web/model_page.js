// The page of a trained model: a text to type, and the page of what the model makes of it. Text and state are in the address, so a
// link holds them. In: the data of the page, and the studio's answers. Out: {refresh}.
import { ask } from "gatewise/ask.js";
import { make } from "gatewise/dom.js";
import { readModel, unpackAll } from "gatewise/tagging.js";
import { createTokenEdits } from "gatewise/token_edits.js";
import { createTracePage } from "gatewise/trace_app.js";
import { createTraceStore } from "gatewise/trace_state.js";
import { words } from "gatewise/words.js";

const PAUSE = 300;  // milliseconds without a key before the model is asked

export function createModelPage(root, data) {
  const name = data.chosen.model, form = createForm(data.models_there.find((one) => one.name === name).heads, () => later(), () => request());
  const pass = createPasses(name), store = createTraceStore(), shown = { text: "", head: "" };
  const link = (state) => `#${new URLSearchParams({ text: shown.text, ...(shown.head ? { head: shown.head } : {}), ...(state ? { s: state } : {}) })}`;
  const address = { read: () => "", write: (state) => history.replaceState(null, "", link(state)), link: (state) => location.href.split("#")[0] + link(state) };
  const tools = createTokenEdits(store, (text) => pass(text, shown.head), (text) => form.say(text));
  const page = createTracePage(root, store, { address, above: form.element, tools, named: true });
  let waiting = null, running = false, again = false, state = "";

  // What the address asks for: as the page opens, and when a link or the reader changes it.
  function open() {
    const asked = new URLSearchParams(location.hash.slice(1));
    form.field.value = asked.get("text") ?? data.text;
    form.head.value = form.heads.includes(asked.get("head")) ? asked.get("head") : "";
    state = asked.get("s") ?? "";
    request();
  }

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
    form.tell(words().studio.working);
    await show(form.field.value, form.head.value);
    form.tell("");
    running = false;
    if (again) request();
  }

  async function show(text, head) {
    const linked = state;
    state = "";  // what a link says holds for the text of the link alone
    try {
      const model = await pass(text, head), others = await editedIn(linked, (other) => pass(other, head));
      Object.assign(shown, { text, head });
      page.show(model, others, linked);
      address.write(linked);
      form.say("");
    } catch (error) {
      form.say(error.message);
    }
  }

  addEventListener("hashchange", open);
  open();
  return { refresh: () => { form.refresh(); page.redraw(); } };
}

function createForm(heads, typed, chosen) {
  const field = make("textarea", { rows: 2, "data-key": "text", autocomplete: "off", oninput: typed }), fieldName = make("span"), headName = make("span");
  const head = make("select", { "data-key": "head", onchange: chosen }), status = make("p", { class: "note", role: "status" }), said = make("p", { class: "refused", role: "alert" });
  const element = make("form", { class: "asking", onsubmit: (event) => event.preventDefault() }, make("label", { class: "text" }, fieldName, field), make("label", { hidden: !heads.length }, headName, head), status, said);
  head.append(...["", ...heads].map((name) => make("option", { value: name }, name)));

  function refresh() {
    const { studio } = words();
    fieldName.textContent = studio.text;
    headName.textContent = studio.head;
    head.options[0].textContent = studio.main_head;
  }

  refresh();
  return { element, field, head, heads, refresh, tell: (text) => { status.textContent = text; }, say: (text) => { said.textContent = text; } };
}

// The model's pass over a text. The weights of each head are asked for once; they are most of what there is to send.
function createPasses(model) {
  const weights = new Map();
  return async (text, head) => {
    const { trace } = await ask("/api/reading", { model, text, head });
    if (trace.layers !== undefined) return readModel(trace);
    if (!weights.has(head)) weights.set(head, unpackAll(await ask("/api/weights", { model, head })));
    return readModel(trace, weights.get(head));
  };
}

// The model's pass over the edited text in a link, by the text; what else is wrong with the link is said by what reads it.
async function editedIn(state, pass) {
  let text = null;
  try {
    text = JSON.parse(state || "null")?.changes?.edited?.text ?? null;
  } catch {
    return new Map();
  }
  return typeof text === "string" ? new Map([[text, await pass(text)]]) : new Map();
}
