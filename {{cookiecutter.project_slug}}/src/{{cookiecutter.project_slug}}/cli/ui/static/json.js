// JSON without rounding: a number has 53 bits, and ids in arguments and results often have more.

/** Parse JSON. An integer that would be rounded keeps its digits, unless the browser cannot hold them. */
export function parseJson(text) {
  return JSON.parse(text, keepDigits);
}

/** Return whether a parsed value is an object or an array. */
export function isContainer(value) {
  return typeof value === "object" && value !== null && !JSON.isRawJSON?.(value);
}

function keepDigits(key, value, context) {
  const isRounded = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source);
  return isRounded && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
}
