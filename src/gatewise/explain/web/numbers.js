// Numbers as people read them, with the rules of `explain/numbers.py`: whole ones whole, at most four decimals, ≈ where
// those would tell a lie. The one difference: a minus is a minus sign.

const WHOLE_LIMIT = 1e15;
const signed = (text) => text.replace("-", "−");

export function formatNumber(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "?" : value > 0 ? "∞" : "−∞";
  if (Math.abs(value) >= WHOLE_LIMIT) return signed(value.toExponential(4));
  if (Number.isInteger(value)) return signed(String(value === 0 ? 0 : value));
  const digits = fourDecimals(value).replace(/0+$/, "");
  if (!digits.endsWith(".")) return signed(digits);
  const whole = Number(digits);
  return `≈${signed(String(whole === 0 ? 0 : whole))}`;
}

// Before a step gate the side of 0 decides, however near to it a sum is.
export function formatSum(value, activation) {
  const shown = formatNumber(value);
  return shown === "≈0" && activation === "step" ? signed(value.toExponential(1)) : shown;
}

// As Python rounds: a tie goes to the even digit. Only odd multiples of 1/32 lie exactly between two numbers of four decimals.
function fourDecimals(value) {
  if (Math.abs((value * 32) % 2) !== 1) return value.toFixed(4);
  const below = (BigInt(Math.abs(value) * 32) * 625n - 1n) / 2n, even = below + (below % 2n);  // in units of 0.0001
  return `${value < 0 ? "-" : ""}${even / 10_000n}.${String(even % 10_000n).padStart(4, "0")}`;
}

export function formatOperand(value) {
  const shown = formatNumber(value);
  return value < 0 && shown !== "≈0" ? `(${shown})` : shown;
}

export const formatVector = (values) => `[${values.map(formatNumber).join(", ")}]`;
export const equals = (shown) => (shown.startsWith("≈") ? `≈ ${shown.slice(1)}` : `= ${shown}`);

// What nobody should be told of: a saturated sigmoid is 1e-34 away from 0 or 1.
export const same = (a, b) => a === b || Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
export const subscript = (number) => [...String(number)].map((digit) => SUBSCRIPTS[digit]).join("");
