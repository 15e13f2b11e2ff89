// The bar on top: undo, redo, reset, share, export, language, light or dark. In: the store, the lessons, what the page can do.
// Out: {element, refresh, say}.
import { button, make } from "gatewise/dom.js";
import { exportsOf } from "gatewise/exports.js";
import { choose, language, languages, words } from "gatewise/words.js";

const NAMES = { en: "English", zh: "中文" };

export function createBar(store, lessons, page) {
  const undo = button("", () => store.undo(), { "data-key": "undo" }), redo = button("", () => store.redo(), { "data-key": "redo" }), reset = button("", () => store.reset(), { "data-key": "reset" });
  const tours = button("", () => lessons.toggle(), { "data-key": "lessons", class: "tours" });
  const share = button("", () => copyLink(), { "data-key": "share" }), theme = button("◐", () => switchTheme(), { "data-key": "theme", class: "sign" });
  const said = make("p", { class: "said", role: "status" }), menu = make("div", { class: "menu" }), summary = make("summary", { "data-key": "export" });
  const details = make("details", { class: "export" }, summary, menu);
  const tongues = make("div", { class: "segments", role: "group" });
  for (const one of languages()) tongues.append(button(NAMES[one], () => { choose(one); page.redraw(); }, { lang: one, "data-key": `lang-${one}` }));
  const element = make("nav", { class: "bar" }, make("span", { class: "brand" }, "gatewise"), tours, make("div", { class: "tools" }, undo, redo, reset, share, details), tongues, theme, said);
  document.addEventListener("click", (event) => details.contains(event.target) || (details.open = false));

  function refresh() {
    const text = words().page;
    element.setAttribute("aria-label", text.bar);
    for (const [one, name] of [[tours, "lessons"], [undo, "undo"], [redo, "redo"], [reset, "reset"], [share, "share"], [summary, "export"]]) one.textContent = text[name];
    tours.setAttribute("aria-pressed", String(lessons.active()));
    undo.disabled = !store.past.length;
    redo.disabled = !store.future.length;
    share.disabled = lessons.active();  // a link speaks of the page's own network
    reset.disabled = store.document === store.base;
    theme.setAttribute("aria-label", text.theme);
    theme.title = text.theme;
    tongues.setAttribute("aria-label", text.language);
    for (const one of tongues.children) one.setAttribute("aria-pressed", String(one.lang === language()));
    menu.replaceChildren(...exportsOf(store, page.run()).map(([name, note, save]) => {
      const one = button(make("b", null, name), () => { details.open = false; save(); }, { "data-key": `export-${name}` });
      one.append(make("span", null, note));
      return one;
    }));
  }

  function say(text) {
    said.textContent = text;
    clearTimeout(say.timer);
    if (text) say.timer = setTimeout(() => { said.textContent = ""; }, 6000);
  }

  async function copyLink() {
    const link = page.share();
    try {
      await navigator.clipboard.writeText(link);
      say(words().page.copied);
    } catch {
      history.replaceState(null, "", link);
      say(words().page.in_address);
    }
  }

  return { element, refresh, say };
}

function switchTheme() {
  const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}
