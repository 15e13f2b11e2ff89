// In: the JSON above. Out: the page. Text and labels of the corpus are only ever set as textContent.
const WORDS = {
  en: {
    title: (d) => `Errors of ${d.model} on ${d.file}`,
    lead: (d, n) => `${some(n, "error")} in ${num(d.shown.length)} of ${some(d.sentences, "sentence")}. ${num(d.correct)} of ${some(d.gold, "gold span")} found exactly; ${num(d.predicted)} predicted.`,
    found: (n, of, s) => n === of ? `All errors: ${num(of)}, in ${some(s, "sentence")}` : `${num(n)} of ${some(of, "error")}, in ${some(s, "sentence")}`,
    none: "No error fits these filters.", perfect: "There are no errors: every span is right.",
    more: (n) => `Show ${num(n)} more`, label: "Label", any: "any", from: "Confidence from", to: "to", order: "Order",
    search: "Search", reset: "Reset", kinds: "Kinds of error", filters: "Filters",
    orders: { file: "as in the file", sure: "surest first", unsure: "least sure first" },
    kind: { label: "label", boundary: "boundary", both: "boundary and label", missed: "missed", spurious: "spurious" },
    help: {
      label: "right edges, another label", boundary: "the label is right, the edges are not", both: "overlaps, but edges and label are both wrong",
      missed: "nothing was predicted here", spurious: "nothing is here in gold",
    },
    gold: "gold", said: "predicted", nothing: "nothing", score: "confidence", sentence: (n) => `Sentence ${num(n)}`,
    missedScore: "missed: how sure the model was of what it said there instead", copy: "Copy", copied: "Copied",
    explain: "Explain this sentence in the terminal (its text is cut into tokens anew):", word: "word",
    back: "← All errors", opened: "Explanation →", opens: (n) => `Explanation of sentence ${num(n)}`,
    left: "The explanation of this sentence is not in this page. The command shows it:",
    packed: "This browser cannot unpack the explanation. The command shows it:",
    marked: "Rows with a bar at the left are tokens of an error.",
  },
  zh: {
    title: (d) => `${d.model} 在 ${d.file} 上的错误`,
    lead: (d, n) => `共 ${num(n)} 处错误，分布在 ${num(d.sentences)} 句中的 ${num(d.shown.length)} 句。标准答案的 ${num(d.gold)} 个片段中有 ${num(d.correct)} 个完全正确；模型共预测了 ${num(d.predicted)} 个。`,
    found: (n, of, s) => n === of ? `全部 ${num(of)} 处错误，涉及 ${num(s)} 句` : `${num(of)} 处错误中的 ${num(n)} 处，涉及 ${num(s)} 句`,
    none: "没有符合筛选条件的错误。", perfect: "没有错误：所有片段都正确。",
    more: (n) => `再显示 ${num(n)} 处`, label: "标签", any: "全部", from: "置信度从", to: "到", order: "排序",
    search: "搜索", reset: "重置", kinds: "错误类型", filters: "筛选",
    orders: { file: "按文件顺序", sure: "最有把握的在前", unsure: "最没把握的在前" },
    kind: { label: "标签错", boundary: "边界错", both: "边界和标签都错", missed: "漏标", spurious: "多标" },
    help: {
      label: "边界正确，标签不同", boundary: "标签正确，边界不同", both: "有重叠，但边界和标签都不对",
      missed: "模型在此处什么也没标", spurious: "标准答案在此处没有片段",
    },
    gold: "标准答案", said: "模型预测", nothing: "无", score: "置信度", sentence: (n) => `第 ${num(n)} 句`,
    missedScore: "漏标：模型对自己在此处所标内容的把握", copy: "复制", copied: "已复制",
    explain: "在终端中解释这句话（会重新切分其文本）：", word: "词",
    back: "← 返回全部错误", opened: "解释 →", opens: (n) => `第 ${num(n)} 句的解释`,
    left: "本页没有收入这句话的解释，可用命令查看：",
    packed: "此浏览器无法解压这段解释，可用命令查看：",
    marked: "左侧有竖线的行是出错处的词元。",
  },
};
const KINDS = ["boundary", "label", "both", "missed", "spurious"];
const PAGE = 100, AROUND = 14;
const $ = (id) => document.getElementById(id);
const num = (n) => n.toLocaleString("en");
const some = (n, what) => `${num(n)} ${what}${n === 1 ? "" : "s"}`;
const data = JSON.parse($("data").textContent);
let lang = data.lang, shown = PAGE;
let opener = null, openedAt = 0;  // the link that led to an explanation, and where the list stood
const off = new Set();
const rows = [];
for (const sentence of data.shown) {
  sentence.characters = Array.from(sentence.text);  // offsets count code points, not UTF-16 units
  sentence.lower = sentence.text.toLowerCase();
  for (const [kind, gold, said, score] of sentence.errors) {
    rows.push({ sentence, kind, gold, said, score, a: gold === null ? null : sentence.gold[gold], b: said === null ? null : sentence.predicted[said] });
  }
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
const slice = (sentence, start, end) => sentence.characters.slice(start, end).join("");
const nameOf = (label) => label === "" ? WORDS[lang].word : label;
const mistaken = (sentence, at) => new Set(sentence.errors.map((error) => error[at]).filter((index) => index !== null));

function percent(score) {  // what is not quite all or nothing is never shown as such
  const text = `${(100 * score).toFixed(1)}%`;
  if (text === "100.0%" && score < 1) return ">99.9%";
  return text === "0.0%" && score > 0 ? "<0.1%" : text;
}

function chip(sentence, span, side, extra) {
  const short = span[1] - span[0] <= 8 ? " short" : "";
  const element = make("span", `span ${side}${short}${extra || ""}`, slice(sentence, span[0], span[1]));
  element.append(make("small", "", nameOf(span[2]) + (span.length > 3 ? ` ${percent(span[3])}` : "")));
  return element;
}

function side(sentence, spans, name, wrong, chosen) {
  const text = make("dd", "text");
  text.style.margin = 0;
  let at = 0;
  [...spans.keys()].sort((i, j) => spans[i][0] - spans[j][0]).forEach((index) => {
    const span = spans[index];
    text.append(slice(sentence, at, span[0]));
    text.append(chip(sentence, span, name, (wrong.has(index) ? " wrong" : "") + (index === chosen ? " chosen" : "")));
    at = span[1];
  });
  text.append(slice(sentence, at));
  const row = make("dl", "side");
  row.style.margin = 0;
  row.append(make("dt", "", WORDS[lang][name]), text);
  return row;
}

function commandOf(sentence) {
  const command = make("div", "command"), code = make("code", "", sentence.command), copy = make("button", "plain", WORDS[lang].copy);
  copy.type = "button";
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(sentence.command);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    copy.textContent = WORDS[lang].copied;
  });
  command.append(code, copy);
  return command;
}

function sides(sentence, row) {
  return [
    side(sentence, sentence.gold, "gold", mistaken(sentence, 1), row && row.gold),
    side(sentence, sentence.predicted, "said", mistaken(sentence, 2), row && row.said),
  ];
}

function fold(row) {
  const { sentence } = row, words = WORDS[lang], box = make("div", "fold"), explain = make("div");
  const caption = words.sentence(sentence.number) + " · " + (row.kind === "missed" ? words.missedScore : words.help[row.kind]);
  explain.append(make("div", "caption", words.explain), commandOf(sentence));
  box.append(make("div", "caption", caption), ...sides(sentence, row), explain);
  return box;
}

function line(row) {
  const { sentence, a, b } = row, words = WORDS[lang];
  const start = Math.min(...[a, b].filter(Boolean).map((span) => span[0])), end = Math.max(...[a, b].filter(Boolean).map((span) => span[1]));
  const item = make("li"), details = make("details"), summary = make("summary");
  item.style.setProperty("--kind", `var(--${row.kind})`);
  const kind = make("span", "kind", words.kind[row.kind]);
  kind.title = words.help[row.kind];
  const context = make("span", "context");
  context.append((start > AROUND ? "…" : "") + slice(sentence, Math.max(0, start - AROUND), start), make("b", "", slice(sentence, start, end)),
    slice(sentence, end, end + AROUND) + (end + AROUND < sentence.characters.length ? "…" : ""));
  const pair = make("span", "pair");
  const nothing = () => make("span", "nothing", words.nothing);
  pair.append(a ? chip(sentence, a, "gold") : nothing(), make("span", "nothing", "→"), b ? chip(sentence, b.slice(0, 3), "said") : nothing());
  const score = make("span", "score", percent(row.score)), bar = make("span", "bar"), filled = make("i");
  score.title = row.kind === "missed" ? words.missedScore : words.score;
  filled.style.width = `${100 * row.score}%`;
  bar.append(filled);
  score.append(bar);
  summary.append(kind, context, pair, score);
  details.append(summary);
  details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(fold(row)); });
  const link = make("a", "", words.opened);
  link.href = `#sentence-${sentence.number}`;
  link.setAttribute("aria-label", words.opens(sentence.number));
  link.addEventListener("click", () => { opener = link; openedAt = scrollY; });
  item.append(details, link);
  return item;
}

function fitting(skipKinds) {
  const label = $("label").value, low = Number($("low").value), high = Number($("high").value), wanted = $("search").value.trim().toLowerCase();
  return rows.filter((row) => (skipKinds || !off.has(row.kind))
    && (label === "" || [row.a, row.b].some((span) => span && "=" + span[2] === label))
    && row.score >= low && row.score <= high && (wanted === "" || row.sentence.lower.includes(wanted)));
}

function draw() {
  const words = WORDS[lang], found = fitting(false), counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  for (const row of fitting(true)) counts[row.kind] += 1;
  for (const button of $("kinds").children) {
    button.setAttribute("aria-pressed", String(!off.has(button.dataset.kind)));
    button.querySelector("span").textContent = num(counts[button.dataset.kind]);
  }
  const order = $("order").value;
  if (order !== "file") found.sort((x, y) => order === "sure" ? y.score - x.score : x.score - y.score);
  $("low-shown").textContent = Number($("low").value).toFixed(2);
  $("high-shown").textContent = Number($("high").value).toFixed(2);
  const sentences = new Set(found.map((row) => row.sentence.number)).size;
  $("found").textContent = !rows.length ? words.perfect : found.length ? words.found(found.length, rows.length, sentences) : words.none;
  $("list").replaceChildren(...found.slice(0, shown).map(line));
  const left = found.length - shown;
  $("more").hidden = left <= 0;
  $("more").textContent = words.more(Math.min(PAGE, left));
}

function options(select, entries) {
  const value = select.value;
  select.replaceChildren(...entries.map(([key, text]) => { const option = make("option", "", text); option.value = key; return option; }));
  if (entries.some(([key]) => key === value)) select.value = value;
}

function speak(chosen) {
  lang = chosen;
  const words = WORDS[lang];
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  for (const button of document.querySelectorAll(".languages button")) button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  $("title").textContent = words.title(data);
  document.title = words.title(data);
  $("lead").textContent = words.lead(data, rows.length);
  $("filters").setAttribute("aria-label", words.filters);
  $("kinds").setAttribute("aria-label", words.kinds);
  $("kinds").replaceChildren(...KINDS.map((kind) => {
    const button = make("button", "", words.kind[kind]);
    button.type = "button";
    button.dataset.kind = kind;
    button.title = words.help[kind];
    button.style.setProperty("--kind", `var(--${kind})`);
    button.append(make("span"));
    button.addEventListener("click", () => { off.has(kind) ? off.delete(kind) : off.add(kind); restart(); });
    return button;
  }));
  const labels = new Map();
  for (const row of rows) for (const label of new Set([row.a, row.b].filter(Boolean).map((span) => span[2]))) labels.set(label, (labels.get(label) || 0) + 1);
  options($("label"), [["", words.any], ...[...labels].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).map(([label, n]) => ["=" + label, `${nameOf(label)} (${num(n)})`])]);
  options($("order"), Object.entries(words.orders));
  draw();
  route(false);
}
const restart = () => { shown = PAGE; draw(); };
for (const id of ["label", "low", "high", "order", "search"]) $(id).addEventListener("input", restart);
$("more").addEventListener("click", () => { shown += PAGE; draw(); });
$("reset").addEventListener("click", () => { off.clear(); $("label").value = ""; $("low").value = 0; $("high").value = 1; $("order").value = "file"; $("search").value = ""; restart(); });
for (const button of document.querySelectorAll(".languages button")) button.addEventListener("click", () => speak(button.dataset.lang));
history.scrollRestoration = "manual";
addEventListener("hashchange", () => route(true));
speak(lang);
