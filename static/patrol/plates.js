/* Which shop a plate belongs to, known offline: from a list that the server signed for this shift. */

import { sha256 } from "./ids.js";
import { serverNow } from "./timing.js";

const SIGNED = { name: "ECDSA", hash: "SHA-256" };

const bytesOf = (base64url) => {
  const text = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
};

/** The list inside a signed manifest. Raises with `code` forged, unknown_key or expired. */
export async function openManifest(manifest, keys, now = serverNow()) {
  const key = keys.find((one) => one.key_id === manifest.key_id);
  if (!key) throw Object.assign(new Error("unknown key"), { code: "unknown_key" });
  const known = await crypto.subtle.importKey("raw", bytesOf(key.public), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const right = await crypto.subtle.verify(SIGNED, known, bytesOf(manifest.signature), new TextEncoder().encode(manifest.payload));
  if (!right) throw Object.assign(new Error("forged"), { code: "forged" });
  const list = JSON.parse(new TextDecoder().decode(bytesOf(manifest.payload)));
  const expires = Date.parse(list.expires);
  if (!(expires >= now)) throw Object.assign(new Error("expired"), { code: "expired" });
  return list;
}

const ANSWERS = new Set(["bound", "active", "damaged"]);
const OVER = new Set(["replaced", "retired"]);

/**
 * What a token is in this shift: {state: known|over|resting|unknown, storefront_id, digest}.
 * A plate that is not in the list is never taken for one that is.
 */
export async function recognise(token, list, stops) {
  const digest = await sha256(token);
  const row = list?.plates?.find(([hash]) => hash === digest);
  if (row) {
    const [, storefront_id, , state] = row;
    return { digest, storefront_id, state: ANSWERS.has(state) ? "known" : OVER.has(state) ? "over" : "resting" };
  }
  const stop = stops.find((one) => one.plate_digests?.includes(digest));
  return { digest, state: stop ? "known" : "unknown", storefront_id: stop?.storefront_id ?? null };
}
