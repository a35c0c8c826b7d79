/* Ids and hashes made on the phone: UUIDv7, SHA-256, and the one way to write an item as bytes. */

let last = { ms: 0, count: 0 };

/** A UUIDv7. Within one millisecond the counter rises, so ids sort in the order they were made. */
export function uuid7(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  if (now <= last.ms) last.count += 1;
  else last = { ms: now, count: bytes[6] & 0x07 };
  if (last.count > 0xfff) last = { ms: last.ms + 1, count: 0 };
  let ms = last.ms;
  for (let place = 5; place >= 0; place -= 1) {
    bytes[place] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  bytes[6] = 0x70 | (last.count >> 8);
  bytes[7] = last.count & 0xff;
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const text = hex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

export function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** SHA-256 in hex of a text (as UTF-8) or of bytes. */
export async function sha256(what) {
  const bytes = typeof what === "string" ? new TextEncoder().encode(what) : what;
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

/** JSON with sorted keys and no blanks: phone and server hash the same bytes. */
export function canonical(value) {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined).sort(byCodePoint);
    return "{" + keys.map((key) => JSON.stringify(key) + ":" + canonical(value[key])).join(",") + "}";
  }
  return JSON.stringify(value === undefined ? null : value);
}

/** Sorting by code points as Python does; JavaScript alone would sort by UTF-16 units. */
function byCodePoint(one, other) {
  const a = Array.from(one), b = Array.from(other);
  for (let place = 0; place < Math.min(a.length, b.length); place += 1) {
    if (a[place] !== b[place]) return a[place].codePointAt(0) - b[place].codePointAt(0);
  }
  return a.length - b.length;
}

/** A number that prints alike in JavaScript and Python: few decimals, never so small as 1e-5. */
export function rounded(number, decimals) {
  if (number === null || number === undefined || !Number.isFinite(number)) return null;
  const factor = 10 ** decimals;
  const kept = Math.round(number * factor) / factor;
  return Math.abs(kept) < 1e-4 || Object.is(kept, -0) ? 0 : kept;
}
