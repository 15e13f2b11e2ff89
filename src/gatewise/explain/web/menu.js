// The menu of what can be taken away. In: the store, and what gives the run of its document. Out: {element, refresh}.
import { button, make } from "gatewise/dom.js";
import { exportsOf } from "gatewise/exports.js";
import { words } from "gatewise/words.js";

export function createMenu(store, run) {
  const summary = make("summary", { "data-key": "export" }), menu = make("div", { class: "menu" });
  const element = make("details", { class: "export" }, summary, menu);
  const close = () => { element.open = false; };
  document.addEventListener("click", (event) => element.contains(event.target) || close());

  function refresh() {
    summary.textContent = words().page.export;
    menu.replaceChildren(...exportsOf(store, run()).map(([name, note, save]) => {
      const one = button(make("b", null, name), () => { close(); save(); }, { "data-key": `export-${name}` });
      one.append(make("span", null, note));
      return one;
    }));
  }

  return { element, refresh };
}
