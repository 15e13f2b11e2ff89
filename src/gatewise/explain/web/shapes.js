// What pictures are drawn with: wires with arrowheads, chips that carry a number, boxes, circles.
// Colors and fonts are classes; their rules are in picture.css, which goes into exported pictures too.
import { svg } from "gatewise/dom.js";
import { formatNumber } from "gatewise/numbers.js";

export const textWidth = (text, size = 14) => [...text].reduce((width, character) => width + (character > "\u2e7f" ? 1 : 0.6) * size, 0);

// "[2, −1, …]": as many of the numbers as there is room for, all of them where they fit.
export function vectorWithin(values, room, size = 14) {
  const shown = values.map(formatNumber), text = (count) => `[${shown.slice(0, count).join(", ")}${count < shown.length ? ", …" : ""}]`;
  let count = shown.length;
  while (count > 1 && textWidth(text(count), size) > room) count -= 1;
  return text(count);
}

// A picture of this size in its own units, with an arrowhead for its wires.
export function picture(name, width, height, label, properties, ...parts) {
  const head = svg("path", { d: "M0 0 L8 4 L0 8 z", class: "arrowhead" });
  const marker = svg("marker", { id: `arrow-${name}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, head);
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "data-picture": name, "aria-label": label, ...properties }, svg("defs", null, marker), ...parts);
}

// A line along points, with round corners, and an arrow at its end where `arrow` is the picture's name.
export function wire(points, arrow = "", properties = {}) {
  return svg("path", { ...properties, class: `wire ${properties.class ?? ""}`, d: rounded(points), "marker-end": arrow ? `url(#arrow-${arrow})` : null });
}

function rounded(points, radius = 9) {
  const parts = [`M${points[0].join(" ")}`];
  for (let n = 1; n < points.length - 1; n += 1) {
    const [from, corner, to] = [points[n - 1], points[n], points[n + 1]];
    parts.push(`L${towards(corner, from, radius).join(" ")} Q${corner.join(" ")} ${towards(corner, to, radius).join(" ")}`);
  }
  return `${parts.join(" ")} L${points.at(-1).join(" ")}`;
}

function towards([x, y], [otherX, otherY], most) {
  const length = Math.hypot(otherX - x, otherY - y), part = length ? Math.min(most, length / 2) / length : 0;
  return [x + (otherX - x) * part, y + (otherY - y) * part];
}

// A number on a wire; where it has just changed, the number before stands below it, or beside it.
export function chip(x, y, text, kind, before = null, beside = false) {
  const width = Math.max(28, textWidth(text, 15) + 14), group = svg("g", { class: `chip ${kind}${before === null ? "" : " changed"}` });
  group.append(svg("rect", { x: x - width / 2, y: y - 12, width, height: 24, rx: 12 }), label(x, y, text));
  if (before !== null) group.append(beside ? label(x + width / 2 + 5, y, before, "was", { "text-anchor": "start" }) : label(x, y + 25, before, "was"));
  return group;
}

export function label(x, y, text, kind = "", properties = {}, title = text) {
  return svg("text", { x, y, dy: "0.35em", "text-anchor": "middle", class: kind, ...properties }, title === text ? null : svg("title", null, title), text);
}

export const box = (x, y, width, height, kind) => svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 8, class: kind });

// A pointwise operation.
export const operation = (x, y, sign) => svg("g", { class: "operation" }, svg("circle", { cx: x, cy: y, r: 17 }), label(x, y, sign));
