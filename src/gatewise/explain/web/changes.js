// What the last change has changed, as one sentence. In: run and run before. Out: a text, empty where nothing is another.
import { directionsOf } from "gatewise/lstm.js";
import { formatNumber, same, subscript } from "gatewise/numbers.js";
import { tagName, words } from "gatewise/words.js";

const MOST = 6;

export function changesText(run, before) {
  if (!before || before.tokens.join("\n") !== run.tokens.join("\n")) return "";
  const { page, network } = words(), found = [];
  const several = directionsOf(run).length > 1;
  directionsOf(run).forEach((direction, n) => direction.steps.forEach((step, t) => {
    const old = directionsOf(before)[n].steps[t], where = several ? `${direction.layer}${direction.reverse ? "←" : "→"} ` : "";
    for (const [letter, now, was] of quantities(step, old)) {
      now.forEach((value, unit) => {
        if (!same(value, was[unit])) found.push(`${where}${letter}${subscript(step.t)}${now.length > 1 ? `[${unit + 1}]` : ""} ${formatNumber(was[unit])} → ${formatNumber(value)}`);
      });
    }
  }));
  const tags = run.tags.flatMap((tag, t) => {
    const was = before.tags[t];
    return tag && was && tag.name !== was.name ? [`${run.tokens[t]}${page.colon}${tagName(was)} → ${tagName(tag)}`] : [];
  });
  if (!found.length) return page.nothing_changed;
  const more = found.length - MOST;
  const shown = [...found.slice(0, MOST), ...(more > 0 ? [page.more.replace("{count}", more)] : [])];
  return page.changed + [...tags, ...shown].join(network.list_joint);
}

function quantities(step, old) {
  const values = (of, letter) => of.linear[letter].map((unit) => unit.value);
  if (!step.c.length) return [["h", step.h, old.h]];
  const gates = ["f", "i", "g", "o"].map((letter) => [letter, values(step, letter), values(old, letter)]);
  return [...gates, ["C", step.c, old.c], ["h", step.h, old.h]];
}
