// A picture of the page as a file of its own. In: a picture's name. Out: SVG text with colors and fonts inside, or PNG.

const MARGIN = 16, SCALE = 2;  // pixels of a PNG for each unit of the picture

export function drawnPicture(name) {
  const shown = document.querySelector(`svg[data-picture="${name}"]`);
  if (!shown) return "";
  const copy = shown.cloneNode(true), { width, height } = shown.viewBox.baseVal, full = { width: width + 2 * MARGIN, height: height + 2 * MARGIN };
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${full.width} ${full.height}`);
  for (const [key, value] of Object.entries(full)) copy.setAttribute(key, value);
  for (const element of [copy, ...copy.querySelectorAll("*")]) for (const attribute of ["role", "tabindex", "aria-label", "aria-current", "aria-pressed", "data-key", "data-t", "style"]) element.removeAttribute(attribute);
  const ground = document.createElementNS(copy.namespaceURI, "rect");
  Object.entries({ x: -MARGIN, y: -MARGIN, ...full, fill: "var(--card)" }).forEach(([key, value]) => ground.setAttribute(key, value));
  const style = document.createElementNS(copy.namespaceURI, "style");
  style.textContent = `svg { ${colors()} }\n${pictureRules()}`;
  copy.prepend(style, ground);
  return new XMLSerializer().serializeToString(copy);
}

// The colors that hold now, light or dark, as the picture's own.
function colors() {
  const now = getComputedStyle(document.documentElement);
  const names = new Set([...document.getElementById("style").textContent.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  return [...names].map((name) => `${name}: ${now.getPropertyValue(name)};`).join(" ");
}

// The rules of picture.css: those whose selector begins with svg.
const pictureRules = () => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule.selectorText?.startsWith("svg")).map((rule) => rule.cssText).join("\n");

export async function pngOf(name) {
  const image = new Image(), text = drawnPicture(name);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.naturalWidth * SCALE, height: image.naturalHeight * SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
