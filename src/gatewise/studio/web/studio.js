// The studio: a row to choose what is looked at, above the page of a network or of a trained model.
// In: the data that the server wrote into the page. Out: the page. Every choice has an address of its own.
import { start as startNetwork } from "gatewise/app.js";
import { ask } from "gatewise/ask.js";
import { button, make } from "gatewise/dom.js";
import { createModelPage } from "gatewise/model_page.js";
import { inWords, language, load, words } from "gatewise/words.js";

export function start(root = document.getElementById("app"), data = JSON.parse(document.getElementById("data").textContent)) {
  load(data);
  const row = createRow(data);
  root.before(row.element);
  const page = data.network ? startNetwork(root, data) : createModelPage(root, data);
  new MutationObserver(() => [row, page].forEach((one) => one?.refresh())).observe(document.documentElement, { attributeFilter: ["lang"] });
  addEventListener("pageshow", row.refresh);  // after a step back the browser would show the choice that led away
  row.refresh();
}

// A place in the studio, in the language that is chosen.
const go = (chosen) => location.assign(`/?${new URLSearchParams({ ...chosen, lang: language() })}`);

function createRow(data) {
  const choice = make("select", { "data-key": "choice", autocomplete: "off", onchange: () => go(JSON.parse(choice.value)) });
  const file = make("input", { type: "file", accept: ".toml,application/toml", hidden: true, onchange: () => openFile(file, said) });
  const opener = button("", () => file.click(), { "data-key": "open" }), name = make("span"), said = make("p", { class: "refused", role: "alert" }, data.said);
  const element = make("header", { class: "studio" }, make("label", null, name, choice), opener, file, said);

  function group(label, entries) {
    const option = ([chosen, text]) => make("option", { value: JSON.stringify(chosen), selected: Object.entries(chosen).every(([key, value]) => data.chosen[key] === value) }, text);
    return make("optgroup", { label }, entries.map(option));
  }

  function refresh() {
    const { studio } = words();
    name.textContent = studio.choose;
    opener.textContent = studio.open;
    file.setAttribute("aria-label", studio.open);
    choice.replaceChildren(
      group(studio.networks, data.networks_there.map((one) => [{ network: one.name }, [one.name, inWords(one.title)].filter(Boolean).join(" · ")])),
      group(studio.models, data.models_there.map((one) => [{ model: one.name }, [one.name, one.kind].join(" · ")])));
  }

  return { element, refresh };
}

async function openFile(input, said) {
  const [chosen] = input.files;
  input.value = "";
  if (!chosen) return;
  try {
    const { name } = await ask("/api/networks", { name: chosen.name, toml: await chosen.text() });
    go({ network: name });
  } catch (error) {
    said.textContent = error.message;
  }
}
