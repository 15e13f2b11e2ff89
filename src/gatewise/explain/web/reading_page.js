// The page of a traced sentence: a bar, whatever its host puts above, and the tables of its reading.
// In: `shown`, as `explain/reading_page.py` makes it. Out: the page; a host that asks for other sentences calls `show` again.
import { NAMES, switchTheme } from "gatewise/bar.js";
import { button, make } from "gatewise/dom.js";
import { readingParts } from "gatewise/reading.js";
import { choose, language, languages, load, words } from "gatewise/words.js";

export function start(root = document.getElementById("app"), data = JSON.parse(document.getElementById("data").textContent)) {
  load(data);
  createReadingPage(root).show(data.shown);
}

export function createReadingPage(root, ...above) {
  const title = make("h1"), facts = make("p", { class: "facts" }), body = make("div"), bar = make("nav", { class: "bar" }, make("span", { class: "brand" }, "gatewise"));
  const tongues = make("div", { class: "segments", role: "group" }), theme = button("◐", switchTheme, { class: "sign", "data-key": "theme" });
  for (const one of languages()) tongues.append(button(NAMES[one], () => { choose(one); refresh(); }, { lang: one, "data-key": `lang-${one}` }));
  bar.append(make("div", { class: "tools" }, tongues, theme));
  root.replaceChildren(bar, make("main", { class: "reading" }, make("header", { class: "intro" }, title, facts), above, body));
  let shown = null;

  function refresh() {
    const { page } = words();
    bar.setAttribute("aria-label", page.bar);
    tongues.setAttribute("aria-label", page.language);
    theme.setAttribute("aria-label", page.theme);
    for (const one of tongues.children) one.setAttribute("aria-pressed", String(one.lang === language()));
    if (!shown) return;
    title.textContent = shown.model;
    document.title = `${shown.model} · gatewise`;
    facts.textContent = shown.words[language()].model;
    body.replaceChildren(...readingParts(shown));
  }

  function show(answer) {
    shown = { ...answer, characters: [...answer.text] };
    refresh();
  }

  refresh();
  return { show };
}
