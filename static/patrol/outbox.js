/* What was done on the street waits here until the server said, for that very item: I have it. */

import { canonical, sha256, uuid7 } from "./ids.js";
import { act, ask } from "./store.js";

export const RECEIPTS_KEPT = 500;

/** The phone has no room left: nothing was saved, and the screen must say so. */
export class StorageFull extends Error {}

/**
 * Write one act with its photos in one transaction; resolves when the disk has it.
 * `item` is the envelope without id, seq and photos; `photos` are {sha256, bytes, type, …facts}.
 */
export async function save(item, photos = [], { draft = null } = {}) {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const seq = ((await act(["kept"], "readonly", ({ kept }) => ask(kept.get("seq")))) || 0) + 1;
    const facts = photos.map(({ bytes, type, ...rest }) => ({ ...rest, bytes: bytes.byteLength }));
    const whole = { ...item, id: item.id || uuid7(), seq, photos: facts };
    const record = await asRecord(whole);
    try {
      if (await write(record, photos, seq, draft)) return record;
    } catch (error) {
      if (error?.name === "QuotaExceededError") throw new StorageFull("storage full", { cause: error });
      throw error;
    }
  }
  throw new Error("the counter was always taken by another tab");
}

async function asRecord(item) {
  return {
    id: item.id, person_id: item.person_id, kind: item.kind, item,
    sha256: await sha256(canonical(item)), state: "ready",
    saved_at: Date.now(), tries: 0, next_at: 0, reason: null,
  };
}

/** False when another tab took this number in between: the caller counts anew. */
function write(record, photos, seq, draft) {
  return act(["items", "photos", "kept", "drafts"], "readwrite", async ({ items, photos: store, kept, drafts }) => {
    if (((await ask(kept.get("seq"))) || 0) + 1 !== seq) return false;
    kept.put(seq, "seq");
    items.add(record);
    for (const photo of photos) {
      store.put({ item_id: record.id, sha256: photo.sha256, type: photo.type, bytes: photo.bytes });
    }
    if (draft) drafts.delete(draft);
    return true;
  });
}

export const all = () => act(["items"], "readonly", ({ items }) => ask(items.getAll()));
export const find = (id) => act(["items"], "readonly", ({ items }) => ask(items.get(id)));
export const photosOf = (id) => act(["photos"], "readonly", ({ photos }) => ask(photos.index("item").getAll(id)));
export const receipts = () => act(["receipts"], "readonly", ({ receipts: store }) => ask(store.getAll()));

/** How many wait, since when, and how many need a person. `others`: of people not signed in now. */
export async function waiting(personId) {
  const found = await all();
  const own = found.filter((record) => record.person_id === personId);
  return {
    count: found.length, own: own.length, others: found.length - own.length,
    attention: own.filter((record) => record.state === "attention").length,
    oldest: found.reduce((least, record) => Math.min(least, record.saved_at), Infinity),
  };
}

/** What may go out now, in the order it was done. */
export async function due(personId, state, now = Date.now()) {
  const found = await all();
  return found
    .filter((record) => record.person_id === personId && record.state === state && record.next_at <= now)
    .sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** The server has the item: drop it once no photo waits, else wait for the photos alone. */
export function stored(record, answer) {
  return act(["items", "photos", "receipts"], "readwrite", async ({ items, photos, receipts: kept }) => {
    const now = await ask(items.get(record.id));
    if (!now || now.sha256 !== answer.body_sha256) return;
    const wanted = new Set(answer.missing_blobs || []);
    const left = [];
    for (const photo of await ask(photos.index("item").getAll(record.id))) {
      if (wanted.has(photo.sha256)) left.push(photo);
      else photos.delete([photo.item_id, photo.sha256]);
    }
    kept.put({ id: record.id, kind: record.kind, sha256: record.sha256, item: now.item, at: Date.now(), answer });
    await trim(kept);
    if (left.length) items.put({ ...now, state: "photos", tries: 0, next_at: 0, reason: null });
    else items.delete(record.id);
  });
}

/** The server has this photo; the item goes with its last one. */
export function photoStored(itemId, hash) {
  return act(["items", "photos"], "readwrite", async ({ items, photos }) => {
    photos.delete([itemId, hash]);
    const left = await ask(photos.index("item").getAllKeys(itemId));
    if (!left.length) items.delete(itemId);
  });
}

/** Not now: try again later, by itself. */
export function postpone(id, next_at, reason) {
  return change(id, (record) => ({ ...record, tries: record.tries + 1, next_at, reason }));
}

/** Somebody must look at it: it stays, blocks nobody, and can be repaired or exported. */
export function needsAttention(id, reason) {
  return change(id, (record) => ({ ...record, state: "attention", reason }));
}

/** A person's answer to a refused item: a new item, changed, in place of the old one. */
export function repair(id, changes) {
  return replace(id, async (old) => {
    const item = { ...old.item, ...changes, id: uuid7(), replaces: old.id };
    return asRecord(item);
  });
}

/** Try the same again now, as it is. */
export function again(id) {
  return change(id, (record) => ({
    ...record, state: record.state === "attention" ? "ready" : record.state, next_at: 0, reason: null,
  }));
}

export function againAll() {
  return act(["items"], "readwrite", async ({ items }) => {
    for (const record of await ask(items.getAll())) {
      if (record.state !== "attention") items.put({ ...record, next_at: 0 });
    }
  });
}

/** Given up by the person: kept among the receipts with the reason, never silently gone. */
export function giveUp(id, reason) {
  return act(["items", "photos", "receipts"], "readwrite", async ({ items, photos, receipts: kept }) => {
    const record = await ask(items.get(id));
    if (!record) return;
    kept.put({ id, kind: record.kind, sha256: record.sha256, item: record.item, at: Date.now(), answer: { status: "given_up", reason } });
    for (const key of await ask(photos.index("item").getAllKeys(id))) photos.delete(key);
    items.delete(id);
  });
}

/** Send a receipt's item once more, for a server that was restored from a backup. */
export function resend(id) {
  return act(["items", "receipts"], "readwrite", async ({ items, receipts: kept }) => {
    const receipt = await ask(kept.get(id));
    if (!receipt || (await ask(items.get(id)))) return;
    items.put({
      id, person_id: receipt.item.person_id, kind: receipt.kind, item: receipt.item, sha256: receipt.sha256,
      state: "ready", saved_at: Date.now(), tries: 0, next_at: 0, reason: null,
    });
  });
}

function change(id, into) {
  return act(["items"], "readwrite", async ({ items }) => {
    const record = await ask(items.get(id));
    if (record) items.put(into(record));
  });
}

async function replace(id, making) {
  const old = await find(id);
  if (!old) return null;
  const fresh = await making(old);
  return act(["items", "photos"], "readwrite", async ({ items, photos }) => {
    if (!(await ask(items.get(id)))) return null;
    items.delete(id);
    items.add(fresh);
    for (const photo of await ask(photos.index("item").getAll(id))) {
      photos.delete([id, photo.sha256]);
      photos.put({ ...photo, item_id: fresh.id });
    }
    return fresh;
  });
}

async function trim(store) {
  const found = await ask(store.getAll());
  found.sort((one, other) => other.at - one.at);
  for (const old of found.slice(RECEIPTS_KEPT)) store.delete(old.id);
}
