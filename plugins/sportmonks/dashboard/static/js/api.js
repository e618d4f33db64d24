// The page's own API, and what to tell people when it does not answer.

let session = null;

export class Trouble extends Error {
  constructor(status, title, hint) {
    super(title);
    this.status = status;
    this.hint = hint;
  }
}

export async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(0, "Airflow does not answer.", "Is the api-server running? This page tries again by itself.");
  }
  let body = {};
  try { body = await answer.json(); } catch { /* no JSON: the status says enough */ }
  if (answer.ok) return body;
  const detail = typeof body.detail === "string" ? body.detail : "";
  if (answer.status === 401) throw new Trouble(401, "Your login has run out.", "Reload this page and log in again.");
  if (answer.status === 403) throw new Trouble(403, detail || "Your role may not see this.", "Ask an Airflow administrator for the permission.");
  if (answer.status === 404) throw new Trouble(404, detail || "There is nothing here.", "Go back and choose another one.");
  if (answer.status === 422) throw new Trouble(422, "A filter is not valid.", "Numbers for ids, and at most 200 characters of text.");
  throw new Trouble(answer.status, detail || "Something went wrong on the server.", body.hint || "The log of the api-server has the reason.");
}

export function query(parameters) {
  const found = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== null && item !== undefined && item !== "") found.append(key, item);
  }
  const text = found.toString();
  return text ? `?${text}` : "";
}

export const get = (path, parameters = {}, signal = undefined) => call(`api/${path}${query(parameters)}`, { signal });

export const send = (path, body) => call(`api/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export async function me() {
  session ??= await get("session");
  return session;
}

export async function acknowledge(alertId) {
  const send = async () => call(`api/alerts/${alertId}/acknowledge`, { method: "POST", headers: { "X-CSRF-Token": (await me()).csrf } });
  try {
    return await send();
  } catch (error) {
    if (error.status !== 403) throw error;
    session = null; // the token may have run out with the page left open over night
    return send();
  }
}
