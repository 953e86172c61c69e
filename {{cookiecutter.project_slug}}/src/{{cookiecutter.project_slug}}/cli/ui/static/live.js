// New entries as they are recorded. A hidden page does not listen: browsers allow only six connections to one server.

import { address, ask } from "./api.js";
import { banner } from "./banner.js";

const RETRY_MS = 2000;

/** Call `onReady` whenever listening begins, and `onRows` with rows recorded later; return what stops it. */
export function listen(q, { onRows, onReady }) {
  let source = null;
  let retry = 0;
  const whenVisible = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", whenVisible);
  whenVisible();
  return () => {
    document.removeEventListener("visibilitychange", whenVisible);
    close();
  };

  function open() {
    if (source) return;
    source = new EventSource(address("/api/stream", { q }));
    source.addEventListener("ready", () => {
      banner("");
      onReady();
    });
    source.addEventListener("entries", (event) => onRows(JSON.parse(event.data)));
    source.addEventListener("problem", (event) => banner(JSON.parse(event.data).error));
    source.addEventListener("recovered", () => banner(""));
    source.addEventListener("error", explain);
  }

  function close() {
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  /** Say why the stream ended, and try again, unless the filter is refused: then the list says what is wrong. */
  async function explain() {
    close();
    const attempt = (retry = setTimeout(open, RETRY_MS));
    try {
      await ask("/api/entries", { q, limit: 1, seconds: 1 });
    } catch (error) {
      if (retry !== attempt) return;
      if (error.isInvalid) clearTimeout(retry);
      else banner(error.message);
    }
  }
}
