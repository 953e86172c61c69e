// The line under the header that says what is wrong with the page as a whole.

import { byId } from "./dom.js";

/** Show a sentence until the next one; "" hides the line. */
export function banner(text) {
  const line = byId("banner");
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
}
