// The filter line: words with values, such as `tool:echo status:error`, and free text.

const TOKEN = /(?:([A-Za-z-]+):)?(?:"((?:[^"\\]|\\.)*)"?|([^\s"]\S*))/g;
const LONGEST = 200;

/** The words that may stand before a colon, and what they choose. */
export const WORDS = {
  tool: "calls of a tool, and with type:any what it logged",
  status: "an outcome, such as error",
  since: "from a time, or an age such as 2h, on",
  until: "before a time, or an age such as 2h",
  client: "calls by a client",
  principal: "calls by an authenticated user or client id",
  "error-type": "failures with a class, such as ValueError",
  "min-ms": "calls that took this long or longer",
  level: "entries of this level or a more severe one",
  type: "tool_execution, framework, internal or any",
  method: "requests such as resources/read",
  id: "entries whose id begins or ends with ID",
  "correlation-id": "everything about one request",
  text: "like free text",
};

/** Return the parts of a line, each with its word ("" for free text), its value and its source. */
export function parts(line) {
  return [...line.matchAll(TOKEN)].map(([source, word = "", quoted, plain]) => {
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1");
    const known = word.toLowerCase();
    return Object.hasOwn(WORDS, known) ? { word: known, value, source } : { word: "", value: word ? source : value, source };
  });
}

/** Return the value of a word, or "". */
export function valueOf(line, word) {
  return parts(line).find((part) => part.word === word)?.value ?? "";
}

/** Return whether a line searches for text, which takes long. */
export function hasText(line) {
  return parts(line).some((part) => part.word === "" || part.word === "text");
}

/** Return the line with these values for words; an empty value removes its word. */
export function withValues(line, values) {
  const kept = parts(line).filter((part) => !Object.hasOwn(values, part.word)).map((part) => part.source);
  const added = Object.entries(values).filter(([, value]) => value !== "").map(([word, value]) => `${word}:${quoted(value)}`);
  return [...added, ...kept].join(" ");
}

/** Return the line with one value for a word. */
export function withValue(line, word, value) {
  return withValues(line, { [word]: value });
}

/** Return whether a value can be a word of the filter: addresses and what the list shows of a value are limited. */
export function isFilterable(value) {
  return Boolean(value) && value.length <= LONGEST;
}

function quoted(value) {
  return /^[^\s"\\]+$/.test(value) ? value : `"${value.replace(/(["\\])/g, "\\$1")}"`;
}
