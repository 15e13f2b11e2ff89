// One click that toggles the gates between step and sigmoid. In: the store. Out: {element, refresh}.
import { button, make, setText } from "gatewise/dom.js";
import { setAt } from "gatewise/document.js";
import { words } from "gatewise/words.js";

export function createGates(store) {
  const title = make("span"), row = make("div", { class: "segments", role: "group" });
  const buttons = Object.fromEntries(["step", "sigmoid"].map((name) => [name, button("", () => store.edit(setAt(store.document, ["activations", "gate"], name), null), { "data-key": `gates-${name}` })]));
  row.append(...Object.values(buttons));
  const element = make("div", { class: "gates" }, title, row);

  function refresh() {
    const { page, network } = words();
    element.hidden = store.document.kind !== "lstm";
    setText(title, page.gates);
    row.setAttribute("aria-label", page.gates);
    for (const [name, one] of Object.entries(buttons)) {
      setText(one, words().terms.activation[name]);
      one.title = network.gate_legend[name];
      one.setAttribute("aria-pressed", String(store.document.activations.gate === name));
    }
  }

  return { element, refresh };
}
