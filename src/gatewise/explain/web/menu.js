// The menu of what can be taken away. In: what gives its entries, [name, note, save]. Out: {element, refresh}.
import { button, make } from "gatewise/dom.js";
import { words } from "gatewise/words.js";

export function createMenu(exports) {
  // The entries are made when the menu is opened, since most of the time nobody looks at them.
  const summary = make("summary", { "data-key": "export", onclick: () => element.open || fill() }), menu = make("div", { class: "menu" });
  const element = make("details", { class: "export" }, summary, menu);
  const close = () => { element.open = false; };
  document.addEventListener("click", (event) => element.contains(event.target) || close());

  function refresh() {
    summary.textContent = words().page.export;
    if (element.open) fill();
  }

  function fill() {
    menu.replaceChildren(...exports().map(([name, note, save]) => {
      const one = button(make("b", null, name), () => { close(); save(); }, { "data-key": `export-${name}` });
      one.append(make("span", null, note));
      return one;
    }));
  }

  return { element, refresh };
}
