// Buttons that copy a text, and say that they did.

import { el } from "./dom.js";

const SHOWN_MS = 1500;

/** Return a button that copies what `text()` returns. */
export function copyButton(label, text, title = null) {
  const button = el("button", { type: "button", class: "copy", title, "aria-live": "polite" }, label);
  button.addEventListener("click", async () => {
    button.textContent = (await copied(text())) ? "Copied" : "Not allowed to copy";
    setTimeout(() => (button.textContent = label), SHOWN_MS);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
