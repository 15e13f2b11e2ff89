// The explanation of one sentence: what `gatewise explain` says of it, as tables. In: the packed readings (see
// `explain/trace_reading.py`), and #sentence-N in the address. Texts are only ever set as textContent.
const ARROWS = { forward: "→", reverse: "←" }, GATES = ["i", "f", "o"], CELL = ["i", "f", "g", "o", "c"];
let asked = 0;  // counts the sentences asked for: one that is unpacked too late is not shown

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => name in values ? values[name] : whole);

async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const unpacking = new DecompressionStream("gzip"), writer = unpacking.writable.getWriter();
  for (const step of [writer.write(bytes), writer.close()]) step.catch(() => {});  // what is wrong is told by the reading side
  return new Response(unpacking.readable).json();
}

async function route(moves) {
  const match = /^#sentence-(\d+)$/.exec(location.hash);
  const sentence = match && data.shown.find((entry) => entry.number === Number(match[1]));
  const mine = asked += 1, words = WORDS[lang];
  $("explanation").hidden = !sentence;
  $("errors").hidden = $("filters").hidden = Boolean(sentence);
  document.title = sentence ? `${words.opens(sentence.number)} · ${words.title(data)}` : words.title(data);
  if (!sentence) {
    if (moves) leave();
    return;
  }
  $("explained").textContent = words.sentence(sentence.number);
  $("sides").replaceChildren(...sides(sentence, null));
  $("tables").replaceChildren();
  if (moves) {
    scrollTo(0, 0);
    $("explained").focus({ preventScroll: true });
  }
  const parts = await explanationOf(sentence);
  if (mine === asked) $("tables").replaceChildren(...parts);
}

function leave() {
  if (opener && !opener.isConnected) opener = $("list").querySelector(`a[href="${opener.getAttribute("href")}"]`);
  scrollTo(0, openedAt);
  if (opener) opener.focus({ preventScroll: true });
}

async function explanationOf(sentence) {
  if (!sentence.explanation) return [make("p", "", WORDS[lang].left), commandOf(sentence)];
  let reading;
  try {
    reading = await unpack(sentence.explanation);
  } catch {
    return [make("p", "", WORDS[lang].packed), commandOf(sentence)];
  }
  return tablesOf(sentence, reading);
}

function tablesOf(sentence, reading) {
  const words = data.words[lang], agrees = reading.fast === null;
  const parts = [make("p", "note", words.model), make("p", "", words.probability)];
  parts.push(make("p", agrees ? "" : "differs", agrees ? words.agrees : filled(words.differs, { fast: (reading.fast || []).join(" ") })));
  parts.push(make("h3", "", words.overview), make("p", "note", reading.gated ? words.overview_note : words.rnn_note));
  parts.push(make("p", "note", WORDS[lang].marked), overview(sentence, reading));
  if (reading.gated) parts.push(make("h3", "", words.memory), make("p", "note", words.memory_note), memory(sentence, reading));
  parts.push(make("h3", "", words.units), make("p", "note", reading.gated ? words.units_note : words.units_note_rnn), units(sentence, reading));
  return parts;
}

function cell(row, text, number, head, scope) {
  const element = make(head ? "th" : "td", number ? "number" : "", text);
  if (scope) element.scope = scope;
  row.append(element);
  return element;
}

// A table that scrolls by itself, also by keyboard; heads are [text, whether its column holds numbers].
function table(name, heads, body) {
  const box = make("div", "table"), grid = make("table"), head = make("thead"), row = make("tr");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", name);
  for (const [text, number] of heads) cell(row, text, number, true, "col");
  head.append(row);
  grid.append(head, body);
  box.append(grid);
  return box;
}

// One row for each token, with its number and its text; `fill` adds the rest.
function tokenRows(sentence, reading, fill) {
  const body = make("tbody");
  const wrong = [...mistaken(sentence, 1)].map((index) => sentence.gold[index]).concat([...mistaken(sentence, 2)].map((index) => sentence.predicted[index]));
  reading.tokens.forEach((token, index) => {
    const row = make("tr", wrong.some((span) => span[0] < token[1] && token[0] < span[1]) ? "wrong" : "");
    cell(row, String(index + 1), true);
    cell(row, slice(sentence, token[0], token[1]), false, true, "row");
    fill(row, token);
    body.append(row);
  });
  return body;
}

function overview(sentence, reading) {
  const words = data.words[lang], directions = reading.gated ? reading.directions : [];
  const heads = [["", true], [words.token], [words.tag], [words.chance, true], [words.rival], [words.chance, true]];
  for (const direction of directions) for (const gate of GATES) heads.push([ARROWS[direction] + gate, true]);
  return table(words.overview, heads, tokenRows(sentence, reading, (row, [, , tag, chance, rival, rivalChance, , gates]) => {
    cell(row, tag);
    cell(row, chance, true);
    cell(row, rival === tag ? "" : rival);
    cell(row, rival === tag ? "" : rivalChance, true);
    for (const gate of gates) cell(row, gate.toFixed(2), true);
  }));
}

function memory(sentence, reading) {
  const words = data.words[lang];
  const heads = [["", true], [words.token], ...reading.directions.map((name) => [`${ARROWS[name]} ${filled(words.holds, { direction: words[name] })}`])];
  const held = ([token, share]) => `${slice(sentence, reading.tokens[token][0], reading.tokens[token][1])} ${(100 * share).toFixed(0)}%`;
  return table(words.memory, heads, tokenRows(sentence, reading, (row, token) => {
    for (const shares of token[8]) cell(row, shares.map(held).join("  ") || words.nothing_held);
  }));
}

function units(sentence, reading) {
  const words = data.words[lang], body = make("tbody");
  const names = [...(reading.gated ? CELL : []), "h", words.weight, words.contribution];
  reading.tokens.forEach(([start, end, tag, , rival, , lead, , , strongest], index) => {
    const head = make("tr", "whose");
    const values = { number: index + 1, token: slice(sentence, start, end), tag, rival, lead: Math.abs(lead).toFixed(3) };
    cell(head, filled(lead >= 0 ? words.lead : words.trail, values), false, true, "rowgroup").colSpan = names.length + 1;
    body.append(head);
    for (const [direction, unit, ...numbers] of strongest) {
      const row = make("tr");
      cell(row, `${ARROWS[direction]} ${unit}`, true);
      for (const number of numbers) cell(row, number.toFixed(3), true);
      body.append(row);
    }
  });
  return table(words.units, [[words.unit, true], ...names.map((name) => [name, true])], body);
}
