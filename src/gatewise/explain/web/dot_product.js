// The real dot product in front of one gate of one unit at one token, its largest terms first. Out: an element.
// In: the model, the view, and the gate. A term is a weight times what it reads: a number of x, of the layer below, or of the
// h of the step before; what is not listed is added up, so that the line is the whole sum.
import { filled, make } from "gatewise/dom.js";
import { ARROWS } from "gatewise/heat.js";
import { formatNumber, formatOperand, subscript } from "gatewise/numbers.js";
import { words } from "gatewise/words.js";

const MOST = 5, BLOCKS = { i: 0, f: 1, g: 2, o: 3, h: 0 };

export function dotProduct(model, view, letter) {
  const terms = termsOf(model, view, letter), { trace } = words(), sorted = [...terms.products].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const rest = sorted.slice(MOST).reduce((sum, { product }) => sum + product, 0), few = sorted.slice(0, MOST);
  const items = few.map(({ weight, value, product, name }) => make("li", null, make("span", { class: "term" }, name()), make("span", null, `${formatOperand(weight)}·${formatOperand(value)}`), make("b", null, formatNumber(product))));
  if (sorted.length > MOST) items.push(make("li", null, make("span", { class: "term" }, filled(trace.other_terms, { count: sorted.length - MOST })), make("span"), make("b", null, formatNumber(rest))));
  items.push(make("li", null, make("span", { class: "term" }, words().page.bias), make("span"), make("b", null, formatNumber(terms.bias))));
  return make("ul", { class: "terms" }, items);
}

// {products: [{weight, value, product, name}], bias} of a row; their sum is what the gate sees.
export function termsOf(model, { result, pass, layer, direction, t, unit }, letter) {
  const { weight_ih: ih, weight_hh: hh, bias_ih: biasIh, bias_hh: biasHh } = model.layers[layer][direction], row = BLOCKS[letter] * pass.units + unit;
  const before = direction === "reverse" ? t + 1 : t - 1, there = before >= 0 && before < result.time, [size, units] = [ih.shape[1], hh.shape[1]];
  const products = [];
  const add = (weight, value, name) => products.push({ weight, value, product: weight * value, name });
  for (let n = 0; n < size; n += 1) add(ih.data[row * size + n], inputAt(model, result, layer, t, n, size), () => inputName(model, result, layer, t, n));
  for (let n = 0; n < units; n += 1) add(hh.data[row * units + n], there ? pass.h[before * units + n] : 0, () => `h${subscript(n)}`);
  return { products, bias: biasIh.data[row] + biasHh.data[row] };
}

const inputAt = (model, result, layer, t, n, size) => (layer ? result.layers[layer - 1].output[t * size + n] : model.x.data[result.order[t] * size + n]);

// "token 明 x₁₂": the feature, what it was looked up by, and which of its numbers; above the first layer, the unit below.
function inputName(model, result, layer, t, n) {
  if (layer) {
    const { units } = model.sizes[layer - 1];
    return `${ARROWS[n >= units ? "reverse" : "forward"]} ${n % units}`;
  }
  const part = model.parts.find(({ start, stop }) => n >= start && n < stop), key = part?.keys[result.order[t]] ?? "";
  return part ? `${words().spoken.part_names[part.name] ?? part.name} ${key} x${subscript(n - part.start)}` : `x${subscript(n)}`;
}
