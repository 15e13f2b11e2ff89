// How the numbers of a trained model are written. Out: texts.
import { formatNumber } from "gatewise/numbers.js";

// "99.8%"; what is not quite all or nothing is never shown as such.
export function percent(chance) {
  const shown = `${(100 * chance).toFixed(1)}%`;
  if (shown === "100.0%" && chance < 1) return ">99.9%";
  return shown === "0.0%" && chance > 0 ? "<0.1%" : shown;
}

// Three decimals, as the terminal has them, with a minus that is one.
export const decimal = (value) => (Number.isFinite(value) ? value.toFixed(3).replace("-", "−") : formatNumber(value));
export const signed = (value) => (value < 0 ? decimal(value) : `+${decimal(value)}`);
