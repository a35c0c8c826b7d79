/* Asking the server: one place that tells our answers from a portal's, and learns the time. */

import { learn } from "./timing.js";

export const PATIENCE_MS = 30000;

/** What came back: `kind` is ok, portal, sign_in, refused, busy or silent. */
export async function askServer(path, { method = "GET", json, bytes, type, patience = PATIENCE_MS } = {}) {
  const headers = { Accept: "application/json" };
  let body;
  if (json !== undefined) { headers["Content-Type"] = "application/json"; body = json; }
  if (bytes !== undefined) { headers["Content-Type"] = type; body = bytes; }
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
  const sent = performance.now();
  try {
    const response = await fetch(path, {
      method, headers, body, signal: stop.signal, credentials: "same-origin", cache: "no-store", redirect: "error",
    });
    const got = performance.now();
    const said = await read(response);
    if (said?.server_time) learn(said.server_time, sent, got);
    return judge(response, said);
  } catch (error) {
    return { kind: "silent", status: 0, said: null, error: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

async function read(response) {
  if (!(response.headers.get("Content-Type") || "").startsWith("application/json")) return null;
  try { return await response.json(); } catch { return null; }
}

function judge(response, said) {
  const { status } = response;
  const answer = { status, said, retry_ms: retryAfter(response) };
  if (status === 401 || status === 419) return { kind: "sign_in", ...answer };
  if (status === 408 || status === 423 || status === 425 || status === 429 || status >= 500) return { kind: "busy", ...answer };
  // A login portal in a café answers 200 with a page of its own: that is nobody's receipt.
  if (response.ok) return { kind: said && response.headers.get("X-RoadChief") === "1" ? "ok" : "portal", ...answer };
  return { kind: said && said.error ? "refused" : "portal", ...answer };
}

function retryAfter(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
