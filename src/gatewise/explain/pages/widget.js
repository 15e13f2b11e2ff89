// The widget of a notebook, by anywidget's contract: render({ model, el }) shows, and returns what takes it away again.
// In: GIVEN, which Python writes above (see explain/notebook.py), and the model's `data`. Out: the page in a frame in `el`.
const ESCAPED = /[<>&\u2028\u2029]/g;

// JSON that can stand inside a script element.
const scriptJson = (value) => JSON.stringify(value).replace(ESCAPED, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

// Every frame has a nonce of its own, so no text in the data can know it.
function pageOf(data) {
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return GIVEN.page.replaceAll(GIVEN.nonce, nonce).replace(GIVEN.data, () => scriptJson(data));
}

function render({ model, el }) {
  const box = document.createElement("div"), frame = document.createElement("iframe");
  const draw = () => {
    frame.title = model.get("label");
    frame.srcdoc = pageOf(model.get("data"));
  };
  box.style.cssText = GIVEN.box;
  frame.style.cssText = GIVEN.frame;
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  draw();
  box.append(frame);
  el.append(box);
  model.on("change:data", draw);
  return () => {
    model.off("change:data", draw);
    box.remove();
  };
}

export default { render };
