/* Emptying the outbox: item by item answered, photo by photo, gently when the net is bad. */

import { canonical } from "./ids.js";
import * as outbox from "./outbox.js";
import { askServer } from "./server.js";

const BATCH_ITEMS = 50;
const BATCH_BYTES = 512 * 1024; // a track may be larger and then travels alone
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 15 * 60 * 1000;
const LOCK = "roadchief-outbox";

let batchSize = BATCH_ITEMS;
let running = null;
let asked = false;

/** Full jitter: phones that lost the net together do not come back together. */
export function pause(tries, random = Math.random) {
  return FIRST_WAIT_MS + random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 12));
}

/**
 * Send what may be sent, once; resolves with how it went. One sender a phone: tabs share a lock.
 * The server's unique key is what really guards; the lock only saves the work.
 */
export function drain(personId) {
  if (!personId) return Promise.resolve({ state: "sign_in" });
  asked = true;
  running ||= alone(() => untilQuiet(personId)).finally(() => { running = null; });
  return running;
}

/** What was saved while we were sending is sent too. */
async function untilQuiet(personId) {
  let answer = { state: "ok" };
  while (asked && answer.state === "ok") {
    asked = false;
    answer = await empty(personId);
  }
  return answer;
}

function alone(work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : { state: "other_tab" }));
}

async function empty(personId) {
  for (let round = 0; round < 400; round += 1) {
    const items = fit(await outbox.due(personId, "ready"));
    if (!items.length) break;
    const answer = await sendItems(items);
    if (answer.state !== "ok") return answer;
  }
  return sendPhotos(personId);
}

function fit(records) {
  const chosen = [];
  let bytes = 0;
  for (const record of records) {
    bytes += canonical(record.item).length * 3;
    if (chosen.length && (chosen.length >= batchSize || bytes > BATCH_BYTES)) break;
    chosen.push(record);
  }
  return chosen;
}

async function sendItems(records) {
  const body = `{"items":[${records.map((record) => canonical(record.item)).join(",")}]}`;
  const answer = await askServer("/api/v1/sync", { method: "POST", json: body });
  const answers = answer.said?.answers;
  if (answer.kind === "ok" && Array.isArray(answers)) {
    batchSize = Math.min(BATCH_ITEMS, batchSize * 2);
    const byId = new Map(answers.filter(Boolean).map((one) => [one.id, one]));
    for (const record of records) await settle(record, byId.get(record.id));
    return { state: "ok" };
  }
  return whole(answer, records);
}

/** The request as a whole failed: nobody was answered, so everybody stays. */
async function whole(answer, records) {
  if (answer.kind === "sign_in") return { state: "sign_in" };
  if (answer.kind === "refused" && records.length === 1) {
    await outbox.needsAttention(records[0].id, { code: answer.said.error, zh: answer.said.message, en: answer.said.message });
    return { state: "ok" };
  }
  const sized = answer.status >= 400 && answer.kind !== "silent" && records.length > 1;
  if (sized) batchSize = Math.max(1, Math.floor(records.length / 2)); // one bad item must not hold up the rest
  if (sized && (answer.kind === "refused" || answer.status === 500)) return { state: "ok" };
  const state = { portal: "portal", silent: "offline" }[answer.kind] || "busy";
  const wait = Math.max(answer.retry_ms || 0, pause(Math.max(...records.map((record) => record.tries))));
  for (const record of records) await outbox.postpone(record.id, Date.now() + wait, { code: state });
  return { state, retry_at: Date.now() + wait };
}

/** One item and its own answer. Without one, or with another hash, it stays. */
export async function settle(record, answer) {
  const mine = answer && answer.id === record.id;
  if (mine && ["stored", "already_stored"].includes(answer.status) && answer.body_sha256 === record.sha256) {
    return outbox.stored(record, answer);
  }
  if (mine && answer.status === "gone") return outbox.giveUp(record.id, answer.reason || { code: "gone" });
  if (mine && ["conflict", "refused"].includes(answer.status)) return outbox.needsAttention(record.id, answer.reason || { code: answer.status });
  if (mine && ["stored", "already_stored"].includes(answer.status)) {
    return outbox.needsAttention(record.id, { code: "hash", zh: "服务器收到的内容与手机上的不一致", en: "The server holds something else than this phone" });
  }
  return outbox.postpone(record.id, Date.now() + pause(record.tries), answer?.reason || { code: answer?.status || "no_answer" });
}

async function sendPhotos(personId) {
  let state = "ok";
  for (const record of await outbox.due(personId, "photos")) {
    for (const photo of await outbox.photosOf(record.id)) {
      const answer = await askServer(`/api/v1/blobs/${photo.sha256}`, { method: "PUT", bytes: photo.bytes, type: photo.type || "image/jpeg" });
      if (answer.kind === "ok" && answer.said.sha256 === photo.sha256) {
        await outbox.photoStored(record.id, photo.sha256);
      } else if (answer.kind === "sign_in") {
        return { state: "sign_in" };
      } else if (answer.kind === "refused" && answer.said.error !== "HashMismatch") {
        await outbox.needsAttention(record.id, { code: answer.said.error, zh: answer.said.message, en: answer.said.message });
        break;
      } else {
        const wait = Math.max(answer.retry_ms || 0, pause(record.tries));
        state = { portal: "portal", silent: "offline" }[answer.kind] || "busy";
        await outbox.postpone(record.id, Date.now() + wait, { code: state });
        break;
      }
    }
    if (state === "offline") break;
  }
  return { state };
}
