// The keyboard, for the whole page: ← → a step, ↑ ↓ a box of the cell, space plays, Enter goes inside, Esc leaves.
// Fields, lists and the slider keep their own keys.

export function followKeys(store, transport) {
  document.addEventListener("keydown", (event) => {
    const { target } = event, typing = target.closest("input, select, textarea");
    if (event.key === "Escape") return leave(store, transport);
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing) {
      event.preventDefault();
      return event.shiftKey ? store.redo() : store.undo();
    }
    if (typing || event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return undefined;
    const action = actions(store, transport)[event.key];
    if (!action || (event.key === " " && target.closest("button, summary, [role=button]"))) return undefined;
    if (event.key.startsWith("Arrow") && target.closest(".scroll:not(.chain)") && target.matches(".scroll")) return undefined;
    event.preventDefault();
    action();
    return undefined;
  });
}

const actions = (store, transport) => ({
  ArrowLeft: () => transport.move(-1),
  ArrowRight: () => transport.move(1),
  Home: () => transport.move(-Infinity),
  End: () => transport.move(Infinity),
  ArrowUp: store.place.inside ? () => transport.moveStage(-1) : undefined,
  ArrowDown: store.place.inside ? () => transport.moveStage(1) : undefined,
  " ": transport.toggle,
});

// Esc: first the playing stops, then the marked box is let go, then the cell is left.
function leave(store, transport) {
  const open = document.querySelector("details[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  } else if (transport.playing()) transport.stop();
  else if (store.place.stage) store.look({ stage: null });
  else if (store.place.inside) {
    store.look({ inside: false });
    document.querySelector(".cell[tabindex='0']")?.focus();
  }
}
