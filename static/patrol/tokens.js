/* The secret of a plate as scanned or typed: the same forgiveness and check as the server's. */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LEAST = 18, MOST = 27, LONGEST_TYPED = 200;

/** The token behind what was typed, or null where it cannot be one. */
export function normalise(typed) {
  if (typed.length > LONGEST_TYPED) return null;
  const token = typed.replace(/[\s\-‐-―−_.·]+/gu, "").toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
  const right = token.length >= LEAST && token.length <= MOST && token[0] === "0"
    && [...token].every((letter) => ALPHABET.includes(letter)) && check(token.slice(0, -1)) === token.at(-1);
  return right ? token : null;
}

function check(body) {
  let total = 0;
  [...body].reverse().forEach((letter, place) => {
    const value = ALPHABET.indexOf(letter) * (place % 2 === 0 ? 2 : 1);
    total += Math.floor(value / 32) + (value % 32);
  });
  return ALPHABET[(32 - (total % 32)) % 32];
}

/** The token in a scanned address of one of our hosts; foreign addresses are null. */
export function tokenIn(scanned, hosts) {
  const text = scanned.trim();
  if (!text.includes("://")) return normalise(text);
  let address;
  try { address = new URL(text); } catch { return null; }
  const own = hosts.map((host) => host.toLowerCase());
  if (!["http:", "https:"].includes(address.protocol) || !own.includes(address.host.toLowerCase())) return null;
  const path = decodeURI(address.pathname).toUpperCase();
  return path.startsWith("/C/") ? normalise(path.slice(3)) : null;
}
