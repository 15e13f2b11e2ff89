// From states to tags: the lattice, the n best paths, and the chosen token's tags with what speaks for each; force or forbid one.
// In: the store; each refresh, the view, with the model in it. Out: {element, refresh}.
import { button, filled, make, renew, setText } from "gatewise/dom.js";
import { drawLattice, rankedTags } from "gatewise/lattice.js";
import { short } from "gatewise/life.js";
import { runnersUp, throughScores } from "gatewise/tagging.js";
import { decimal, percent } from "gatewise/trace_numbers.js";
import { toggledForbidden, toggledForced } from "gatewise/trace_state.js";
import { words } from "gatewise/words.js";

const PATHS = 5, ROWS = 6;

export function createTags(store) {
  const title = make("h2"), note = make("p", { class: "note" }), lattice = make("div", { class: "scroll lattice", role: "region", tabindex: 0 }), legend = make("p", { class: "legend paths" });
  const why = make("p", { class: "why" }), tableTitle = make("h3"), table = make("div", { class: "scroll", role: "region", tabindex: 0 }), other = make("div", { class: "other-tag" }), pathsTitle = make("h3"), paths = make("ol", { class: "paths-list" });
  const element = make("section", { class: "decisions", id: "tags" }, title, note, lattice, legend, why, make("div", { class: "two" }, make("div", null, tableTitle, table, other), make("div", null, pathsTitle, paths)));
  const found = new WeakMap();
  const searched = (model, result) => {
    if (!found.has(result)) found.set(result, { ways: runnersUp(model, result, PATHS), through: throughScores(model, result) });
    return found.get(result);
  };
  let way = 0;

  function refresh(view) {
    const { trace } = words(), { model, result, t, tag } = view, has = tag !== null;
    setText(title, trace.tags);
    setText(note, has ? trace.tags_note : trace.no_tags);
    for (const one of [lattice, legend, why, pathsTitle, paths]) one.hidden = !has;
    const names = { number: t + 1, token: result.tokens[t] };
    setText(tableTitle, filled(trace.tag_table, names));
    table.setAttribute("aria-label", tableTitle.textContent);
    const search = has ? searched(model, result) : null;
    table.replaceChildren(tagTable(model, store, view, search));
    other.replaceChildren(otherTag(model, store, view));
    if (!has) return;
    way = Math.max(0, Math.min(way, search.ways.length - 1));
    lattice.setAttribute("aria-label", trace.lattice);
    lattice.replaceChildren(drawLattice(model, view, way > 0 ? search.ways[way].tags : null, (at) => store.look({ t: at, unit: null })));
    renew(legend, trace.legend, () => ["best", "other", "forbidden"].map((kind) => make("span", { class: kind }, trace.legend[kind])));
    setText(why, reason(model, view, search));
    setText(pathsTitle, trace.paths);
    paths.replaceChildren(...search.ways.map((one, n) => pathItem(model, view, search.ways[0], one, n, n === way, () => { way = n; refresh(view); element.querySelector(`[data-key="way-${n}"]`)?.focus(); })));
  }

  return { element, refresh };
}

// The most probable tags of the chosen token; without any legal path, those with the highest emissions.
function tagTable(model, store, { result, t, tag }, search) {
  const { trace, terms } = words(), { document } = store, named = [...document.forced, ...document.forbidden].filter((one) => one.t === t).map((one) => one.tag);
  const tags = [...new Set([...rankedTags(result, t).slice(0, ROWS), ...named])];
  const rows = tags.map((one) => {
    const place = { t, tag: one }, name = model.labels[one], level = make("span", { class: "level" }), chance = result.marginals?.[t][one] ?? 0;
    level.style.width = `${100 * chance}%`;
    const act = (key, text, list, toggled) => button(text, () => store.edit(toggled(document, place)), { "aria-pressed": String(document[list].some((other) => other.t === t && other.tag === one)), "aria-label": `${text}: ${name}`, "data-key": `${key}-${one}` });
    const through = search ? search.through[t][one] - result.score : -Infinity;
    return make("tr", { class: one === tag ? "chosen" : "" }, make("th", { scope: "row" }, name), make("td", null, decimal(result.emissions[t][one])), make("td", null, through === -Infinity ? trace.none : through > -1e-9 ? trace.best_path : decimal(through)), make("td", { class: "with-level" }, make("span", { class: "chance" }, level), percent(chance)), make("td", { class: "acts" }, act("force", trace.force, "forced", toggledForced), act("forbid", trace.forbid, "forbidden", toggledForbidden)));
  });
  const heads = [terms.tag, trace.emission, trace.against_best, trace.probability].map((head) => make("th", { scope: "col" }, head));
  return make("table", { class: "tag-table" }, make("thead", null, make("tr", null, heads, make("td"))), make("tbody", null, rows));
}

function otherTag(model, store, { t }) {
  const { trace } = words(), forced = store.document.forced.find((one) => one.t === t);
  const choice = make("select", { "data-key": "force-other", onchange: () => choice.value !== "" && store.edit(toggledForced(store.document, { t, tag: Number(choice.value) })) });
  choice.append(make("option", { value: "" }, "–"), ...model.labels.map((name, tag) => make("option", { value: tag, selected: forced?.tag === tag }, name)));
  return make("label", null, make("span", null, trace.force_other), " ", choice);
}

// Why the tag is the one with the highest emission, or why it is not.
function reason(model, { result, t, tag }, { through }) {
  const { trace } = words(), row = result.emissions[t], alone = row.reduce((best, value, one) => (value > row[best] ? one : best), 0);
  const names = { token: result.tokens[t], number: t + 1, tag: model.labels[tag], alone: model.labels[alone], emission: decimal(row[tag]), other: decimal(row[alone]), gap: decimal(row[alone] - row[tag]) };
  if (alone === tag) return filled(trace.why_same, names);
  if (result.steered[t][alone] === -Infinity) return filled(trace.why_excluded, names);
  const before = t > 0 ? result.path[t - 1] : null, after = t + 1 < result.time ? result.path[t + 1] : null, { scores } = model;
  const into = before === null ? scores.start[alone] : scores.transitions[before][alone], out = after === null ? scores.end[alone] : scores.transitions[alone][after];
  const ways = { before: before === null ? trace.start : model.labels[before], after: after === null ? trace.end : model.labels[after] };
  const blocked = into === -Infinity ? filled(trace.why_blocked_before, { ...names, ...ways }) : out === -Infinity ? filled(trace.why_blocked_after, { ...names, ...ways }) : "";
  const behind = through[t][alone] === -Infinity ? trace.why_no_path : filled(trace.why_behind, { ...names, behind: decimal(result.score - through[t][alone]) });
  return [filled(trace.why_other, names), blocked, filled(behind, names)].filter(Boolean).join(" ");
}

function pathItem(model, { result }, best, one, n, chosen, choose) {
  const { trace } = words(), places = one.tags.flatMap((tag, t) => (tag === best.tags[t] ? [] : [`${t + 1} ${short(result.tokens[t], 12)} ${model.labels[tag]}`]));
  const more = places.length > 6 ? [`… ${places.length - 6}`] : [];
  const item = button("", choose, { class: "path", "aria-pressed": String(chosen), "data-key": `way-${n}` });
  item.append(make("b", null, percent(one.chance)), make("span", null, n === 0 ? trace.best_path : [...places.slice(0, 6), ...more].join(" · ")), make("small", null, decimal(one.score)));
  return make("li", null, item);
}
