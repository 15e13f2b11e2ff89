// The bar on top: lessons, undo, redo, reset, share, export, language, light or dark.
// In: the store, the lessons (null where a page has none), and what the page can do: share, redraw, exports (null where nothing can be
// taken away). Out: {element, refresh, say}.
import { hasAddress } from "gatewise/address.js";
import { button, make, setText } from "gatewise/dom.js";
import { createMenu } from "gatewise/menu.js";
import { choose, language, languages, words } from "gatewise/words.js";

export const NAMES = { en: "English", zh: "中文" };
const SAID = 6000;  // milliseconds that a message stays

export function createBar(store, lessons, page) {
  const said = make("p", { class: "said", role: "status" }), menu = page.exports ? createMenu(page.exports) : null;
  const actions = { lessons: lessons?.toggle, undo: store.undo, redo: store.redo, reset: store.reset, share: () => copyLink(page.share(), say) };
  const tools = Object.fromEntries(Object.entries(actions).map(([name, act]) => [name, button("", () => act(), { "data-key": name })]));
  tools.lessons.className = "tours";
  const theme = button("◐", switchTheme, { "data-key": "theme", class: "sign" }), tongues = make("div", { class: "segments", role: "group" });
  for (const one of languages()) tongues.append(button(NAMES[one], () => { choose(one); page.redraw(); }, { lang: one, "data-key": `lang-${one}` }));
  const row = make("div", { class: "tools" }, tools.undo, tools.redo, tools.reset, tools.share, menu && menu.element);
  const element = make("nav", { class: "bar" }, make("span", { class: "brand" }, "gatewise"), lessons ? tools.lessons : null, row, tongues, theme, said);

  function refresh() {
    const text = words().page;
    for (const [name, one] of Object.entries(tools)) setText(one, text[name]);
    for (const [one, label] of [[element, text.bar], [tongues, text.language], [theme, text.theme]]) one.setAttribute("aria-label", label);
    theme.title = text.theme;
    tools.lessons.setAttribute("aria-pressed", String(Boolean(lessons?.active())));
    tools.undo.disabled = !store.past.length;
    tools.redo.disabled = !store.future.length;
    tools.reset.disabled = store.document === store.base;
    tools.share.disabled = Boolean(lessons?.active());  // a link speaks of the page's own network
    tools.share.hidden = !hasAddress();
    for (const one of tongues.children) one.setAttribute("aria-pressed", String(one.lang === language()));
    menu?.refresh();
  }

  function say(text) {
    said.textContent = text;
    clearTimeout(say.timer);
    if (text) say.timer = setTimeout(() => { said.textContent = ""; }, SAID);
  }

  return { element, refresh, say };
}

async function copyLink(link, say) {
  try {
    await navigator.clipboard.writeText(link);
    say(words().page.copied);
  } catch {
    history.replaceState(null, "", link);
    say(words().page.in_address);
  }
}

export function switchTheme() {
  const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}
