// Asks the studio. In: an address, and what to send. Out: its answer; an Error with its sentence where it refuses.
import { words } from "gatewise/words.js";

export async function ask(address, content) {
  let response, answer;
  try {
    response = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });
    answer = await response.json();
  } catch (error) {
    throw new Error(words().studio.failed, { cause: error });
  }
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
