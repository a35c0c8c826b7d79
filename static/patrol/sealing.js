/* An export of what waits: sealed with a passphrase, so that a lost file tells nobody anything. */

const ROUNDS = 600000; // PBKDF2 with SHA-256, as OWASP advises
const FORMAT = "roadchief-outbox-1";

async function keyFor(passphrase, salt, rounds) {
  const raw = await crypto.subtle.importKey("raw", new TextEncoder().encode(passphrase.normalize("NFKC")), "PBKDF2", false, ["deriveKey"]);
  return crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations: rounds }, raw, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

const toText = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
};
const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** Records and their photos as one sealed file. */
export async function seal(records, photos, passphrase) {
  const inside = {
    items: records.map(({ item, sha256, saved_at, state, reason }) => ({ item, sha256, saved_at, state, reason })),
    photos: photos.map((photo) => ({ ...photo, bytes: toText(new Uint8Array(photo.bytes)) })),
  };
  const salt = crypto.getRandomValues(new Uint8Array(16)), iv = crypto.getRandomValues(new Uint8Array(12));
  const key = await keyFor(passphrase, salt, ROUNDS);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(JSON.stringify(inside)));
  const file = { format: FORMAT, kdf: "PBKDF2-SHA-256", rounds: ROUNDS, salt: toText(salt), iv: toText(iv), sealed: toText(new Uint8Array(sealed)) };
  return new Blob([JSON.stringify(file)], { type: "application/json" });
}

/** What is in a sealed file; raises when the passphrase is wrong or the file was touched. */
export async function unseal(text, passphrase) {
  const file = JSON.parse(text);
  if (file.format !== FORMAT) throw new Error("another format");
  const key = await keyFor(passphrase, toBytes(file.salt), Math.min(file.rounds, 5000000));
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: toBytes(file.iv) }, key, toBytes(file.sealed));
  const inside = JSON.parse(new TextDecoder().decode(plain));
  return { ...inside, photos: inside.photos.map((photo) => ({ ...photo, bytes: toBytes(photo.bytes).buffer })) };
}
