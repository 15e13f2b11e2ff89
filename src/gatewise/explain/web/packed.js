// Arrays that Python put into the page (see `explain/packed.py`) as float64. In: {stored, shape, base64, step}.
// Out: {shape, data: Float64Array}; every float16 and float32 is exact in float64. Whole numbers count the step of their row, and
// are the float32 numbers that Python makes of them.

const READ = {
  int8: [1, (view, at) => view.getInt8(at)],
  float16: [2, (view, at) => half(view.getUint16(at, true))],
  float32: [4, (view, at) => view.getFloat32(at, true)],
  float64: [8, (view, at) => view.getFloat64(at, true)],
};

export function unpacked({ stored, shape, base64, step }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)), view = new DataView(bytes.buffer);
  const [size, read] = READ[stored], data = new Float64Array(bytes.length / size);
  for (let n = 0; n < data.length; n += 1) data[n] = read(view, n * size);
  if (step) inSteps(data, unpacked(step).data);
  return { shape, data };
}

function inSteps(data, steps) {
  const width = data.length / steps.length;
  for (let n = 0; n < data.length; n += 1) data[n] = Math.fround(data[n] * steps[Math.floor(n / width)]);
}

// IEEE 754 half precision: a sign, 5 bits of exponent, 10 of fraction.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
