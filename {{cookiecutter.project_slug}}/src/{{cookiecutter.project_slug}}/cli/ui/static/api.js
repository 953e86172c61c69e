// Ask the server. Every failure becomes an Error with one sentence.

import { parseJson } from "./json.js";

export const AWAY = "The page's server does not answer. If it has ended, start it again and open the address that it prints.";

/** Return the URL of a question; empty parameters are left out. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) query.set(name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** Return the JSON answer to a question. */
export async function ask(path, parameters = {}, signal = undefined) {
  let response;
  try {
    response = await fetch(address(path, parameters), { signal });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Error(AWAY);
  }
  const answer = await response.text().then(parseJson).catch((error) => {
    if (isAbort(error)) throw error;
    return {};
  });
  if (response.ok) return answer;
  const error = new Error(answer.error ?? `The server answered with status ${response.status}.`);
  error.isInvalid = response.status === 400;
  throw error;
}

/** Return whether the request was aborted. */
export function isAbort(error) {
  return error.name === "AbortError";
}
