// Where the page of a trained model keeps its state: in the part of the address after #. In a frame there is no address, and the
// state is not kept. In: the state as a text. Out: {read, write, link}.
import { hasAddress } from "gatewise/address.js";

const link = (text) => location.href.split("#")[0] + (text ? `#s=${encodeURIComponent(text)}` : "");

function read() {
  const found = location.hash.startsWith("#s=") ? location.hash.slice(3) : "";
  try {
    return decodeURIComponent(found);
  } catch {
    return found;  // no link of ours: what reads it says so
  }
}

const write = (text) => hasAddress() && history.replaceState(null, "", link(text));

export const fileAddress = { read, write, link };
