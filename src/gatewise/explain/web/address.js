// The address of the page holds its state: what follows # is written after each change, and read when it changes.
// In: the store, the page's own network, the lessons, and what tells the reader something. Out: {link, read, save}.
import { readStateText, stateText } from "gatewise/store.js";
import { choose, language, words } from "gatewise/words.js";

const DELAY = 250;  // milliseconds: browsers mind an address that changes too often

// In a frame of a notebook the page has no address that a link could hold.
export const hasAddress = () => location.protocol !== "about:";

export function createAddress(store, network, lessons, say) {
  let written = null, saving = null;
  const page = () => location.href.split("#")[0];

  function write() {
    const hash = stateText(store, language());
    if (hash === written || lessons.active() || !hasAddress()) return;
    written = hash;
    history.replaceState(null, "", hash || page());
  }

  function read() {
    const hash = location.hash === "#" ? "" : location.hash;
    if (hash === written) return;
    written = hash;
    if (lessons.active()) lessons.toggle();
    const state = readStateText(network, hash);
    if (state?.lang) choose(state.lang);
    store.open(state?.document ?? network, network);
    store.look({ t: 0, layer: 0, reverse: false, unit: 0, stage: null, inside: true, ...state?.place, hide: null });
    say(state === undefined ? words().page.bad_link : "");
  }

  function save() {
    clearTimeout(saving);
    saving = setTimeout(write, DELAY);
  }

  return { link: () => page() + stateText(store, language()), read, save };
}
