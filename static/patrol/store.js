/* The phone's own database. A newer app adds steps at the end; what waits in it is carried along. */

const NAME = "roadchief-patrol";

/* One step a version, never edited once it was out on phones. */
export const STEPS = [
  (db) => {
    const items = db.createObjectStore("items", { keyPath: "id" });
    items.createIndex("person", "person_id");
    const photos = db.createObjectStore("photos", { keyPath: ["item_id", "sha256"] });
    photos.createIndex("item", "item_id");
    db.createObjectStore("receipts", { keyPath: "id" });
    db.createObjectStore("kept");
  },
  (db) => {
    // Version 2: half-done checklists survive a killed browser.
    db.createObjectStore("drafts");
  },
];

let opened = null;

export function openStore(name = NAME, steps = STEPS) {
  if (name === NAME && opened) return opened;
  const promise = new Promise((resolve, reject) => {
    const asked = indexedDB.open(name, steps.length);
    asked.onupgradeneeded = (event) => {
      for (let step = event.oldVersion; step < steps.length; step += 1) steps[step](asked.result, asked.transaction);
    };
    asked.onsuccess = () => {
      // Another tab runs a newer app and needs the database: let go, this page is old.
      asked.result.onversionchange = () => {
        asked.result.close();
        if (name === NAME) opened = null;
        globalThis.dispatchEvent?.(new Event("store-outgrown"));
      };
      asked.result.onclose = () => { if (name === NAME) opened = null; };
      resolve(asked.result);
    };
    asked.onerror = () => reject(asked.error);
    asked.onblocked = () => reject(new Error("blocked by an older page"));
  });
  if (name === NAME) {
    opened = promise;
    promise.catch(() => { opened = null; });
  }
  return promise;
}

/** Run `work(stores)` in one transaction; resolves after the commit, never before. */
export async function act(names, mode, work) {
  const db = await openStore();
  return new Promise((resolve, reject) => {
    let answer, refused = null;
    // Strict: the disk has it before we say so.
    const transaction = db.transaction(names, mode, { durability: "strict" });
    const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
    transaction.oncomplete = () => resolve(answer);
    transaction.onabort = () => reject(refused || transaction.error || new DOMException("aborted", "AbortError"));
    Promise.resolve(work(stores)).then(
      (value) => { answer = value; },
      (error) => { refused = error; try { transaction.abort(); } catch { reject(error); } },
    );
  });
}

/** An IndexedDB request as a promise, for use inside `act`. */
export function ask(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export const keep = (name, value) => act(["kept"], "readwrite", ({ kept }) => ask(kept.put(value, name)));
export const kept = (name) => act(["kept"], "readonly", ({ kept: store }) => ask(store.get(name)));
export const forget = (name) => act(["kept"], "readwrite", ({ kept: store }) => ask(store.delete(name)));

export const keepDraft = (name, value) => act(["drafts"], "readwrite", ({ drafts }) => ask(drafts.put(value, name)));
export const draft = (name) => act(["drafts"], "readonly", ({ drafts }) => ask(drafts.get(name)));
export const draftNames = () => act(["drafts"], "readonly", ({ drafts }) => ask(drafts.getAllKeys()));
export const dropDraft = (name) => act(["drafts"], "readwrite", ({ drafts }) => ask(drafts.delete(name)));
