// The words of the page in the language that is chosen: `page` and `terms` tables that Python puts into the data.
// Languages are switched with `choose`; texts of a network, {en, zh}, fall back to the other language.

let tables = {}, lang = "en";

export const languages = () => Object.keys(tables);
export const language = () => lang;
export const words = () => tables[lang];
export const inWords = (wording) => wording[lang] || wording.en || wording.zh || "";
export const tagName = (tag) => (tag ? inWords(tag) || tag.name : "");

export function load(data) {
  tables = data.words;
  choose(data.lang);
}

export function choose(wanted) {
  if (!Object.hasOwn(tables, wanted)) return;
  lang = wanted;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : lang;
}

// The singular or the plural form with its count.
export const counted = (forms, count) => forms[count === 1 ? 0 : 1].replace("{count}", String(count));
