// Elements of HTML, SVG and MathML. Texts become text nodes, always: nothing here parses markup.

const SPACES = { svg: "http://www.w3.org/2000/svg", math: "http://www.w3.org/1998/Math/MathML" };

// make("p", { class: "note", onclick: f }, "text", element, …); a property of null or false is left out.
export const make = (name, properties, ...children) => fill(document.createElement(name), properties, children);
export const svg = (name, properties, ...children) => fill(document.createElementNS(SPACES.svg, name), properties, children);
export const math = (name, ...children) => fill(document.createElementNS(SPACES.math, name), null, children);

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// A button with a text, or with a sign and a label that is read aloud.
export function button(text, onclick, properties = {}) {
  return make("button", { type: "button", onclick, ...properties }, text);
}

// A text where it is another one than before: a new text node costs a layout, also where it says the same.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Content that is made anew only where `key` is another one than before.
const keys = new WeakMap();
export function renew(element, key, content) {
  const now = JSON.stringify(key);
  if (keys.get(element) === now && element.hasChildNodes()) return;
  keys.set(element, now);
  element.replaceChildren(...[content()].flat());
}

// Rebuilds parts of the page and puts the focus back on what has the same data-key.
export function keepingFocus(rebuild) {
  const key = document.activeElement?.dataset?.key;
  rebuild();
  const inChain = key?.startsWith("cell-");  // where the focus goes with the chosen cell
  if (!key || (document.activeElement?.dataset?.key === key && !inChain)) return;
  const place = inChain ? ".cell[tabindex='0']" : `[data-key="${CSS.escape(key)}"]`;
  document.querySelector(place)?.focus({ preventScroll: true });
}

// "{gate} is {value}" with its names filled in.
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

// Brings a part of a picture into view in its box; the page itself does not move.
export function showIn(box, selector) {
  const part = box.querySelector(selector);
  if (!part) return;
  const place = part.getBoundingClientRect(), frame = box.getBoundingClientRect();
  if (place.left < frame.left + 60 || place.right > frame.right - 60) box.scrollLeft += place.left - frame.left - (frame.width - place.width) / 2;
}
