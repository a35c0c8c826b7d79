/* The patroller's day on this phone: who, which shift, what is done, what is next. */

import { sample } from "./place.js";
import { openManifest } from "./plates.js";
import { metres } from "./reach.js";
import { askServer } from "./server.js";
import { act, draftNames, keep, kept } from "./store.js";
import { times } from "./timing.js";
import * as outbox from "./outbox.js";

export const EDITION = document.documentElement.dataset.edition || "";

/** Everything the screens show; filled from the phone first, from the server when it answers. */
export const day = {
  person: null, signedIn: null, phone: "", shifts: [], shift: null, plates: null, keys: [], done: new Map(), half: new Set(),
  fix: null, line: "unknown", retryAt: 0, host: globalThis.location?.host || "",
};

const own = (name) => `${name}:${day.person?.id}`;

/** From the phone alone: works without any network. */
export async function recall() {
  day.person = (await kept("person")) || null;
  day.phone = (await kept("office_phone")) || "";
  if (!day.person) return;
  day.shifts = (await kept(own("shifts"))) || [];
  day.shift = (await kept(own("shift"))) || null;
  day.keys = (await kept("keys")) || [];
  await openPlates(await kept(own("plates")));
  await recount();
}

/** Ask who is signed in. Another person's items stay theirs; this person sees the own day. */
export async function meet() {
  const answer = await askServer("/api/v1/me", { patience: 10000 });
  day.line = { ok: "online", portal: "portal" }[answer.kind] || "offline";
  if (answer.kind !== "ok") return answer.kind;
  const { person } = answer.said;
  day.signedIn = person;
  day.phone = answer.said.office_phone;
  await keep("office_phone", day.phone);
  if (person && person.id !== day.person?.id) {
    await keep("person", person);
    await recall();
  } else if (person) {
    day.person = person;
    await keep("person", person);
  }
  return "ok";
}

export async function fetchShifts() {
  const answer = await askServer("/api/v1/patrol/shifts", { patience: 15000 });
  if (answer.kind !== "ok") return answer.kind;
  day.shifts = answer.said.shifts;
  await keep(own("shifts"), day.shifts);
  return "ok";
}

/** The whole shift onto the phone: stops, map, checklist, plates. Nothing changes on failure. */
export async function fetchShift(id) {
  const answer = await askServer(`/api/v1/patrol/shifts/${id}`, { patience: 60000 });
  if (answer.kind !== "ok") return answer;
  const shift = answer.said;
  await act(["kept"], "readwrite", async ({ kept: store }) => {
    store.put(shift, own("shift"));
    if (shift.plates) store.put(shift.plates, own("plates"));
    if (shift.keys) store.put(shift.keys, "keys");
  });
  day.shift = shift;
  day.keys = shift.keys || day.keys;
  await openPlates(shift.plates);
  await recount();
  return answer;
}

async function openPlates(manifest) {
  day.plates = null;
  if (!manifest) return;
  try { day.plates = await openManifest(manifest, day.keys); } catch (error) { day.plates = { trouble: error.code || "forged" }; }
}

export async function leaveShift() {
  day.shift = null;
  await keep(own("shift"), null);
}

/** What this shift has done so far, read from what waits and what was sent: nothing to get out of step. */
export async function recount() {
  const done = new Map(), half = new Set(); // swapped in whole: a screen drawn meanwhile sees the old count
  const { shift } = day, shiftId = shift?.shift.id;
  if (!shiftId) { Object.assign(day, { done, half }); return; }
  const begun = `visit:${day.person.id}:${shiftId}:`; // begun at the door and not saved yet
  for (const name of await draftNames()) if (name.startsWith(begun)) half.add(name.slice(begun.length));
  // What another phone had sent when this one fetched the shift.
  for (const { storefront_id: place, kind, id, at, outcome, because } of shift.taken || []) {
    done.set(place, { kind, id, at: Date.parse(at), outcome, because });
  }
  const sent = (await outbox.receipts()).map((one) => ({ item: one.item, answer: one.answer, at: one.at }));
  const waits = (await outbox.all()).map((one) => ({ item: one.item, answer: null, at: one.saved_at }));
  for (const { item, answer } of [...sent, ...waits].sort((one, other) => (one.item.id < other.item.id ? -1 : 1))) {
    if (item.shift_id !== shiftId) continue;
    if (item.kind === "shift_start") shift.started = true;
    if (item.kind === "shift_close") shift.closed = true;
    const place = item.body?.storefront_id;
    if (place && ["check_in", "missed"].includes(item.kind)) {
      done.set(place, {
        kind: item.kind, id: item.id, at: Date.parse(item.times.wall),
        outcome: answer?.outcome?.verdict || item.body.verdict_shown?.outcome || null, because: item.body.because,
      });
    }
  }
  if (day.shift === shift) Object.assign(day, { done, half });
}

export const stops = () => day.shift?.stops || [];
export const stopById = (id) => stops().find((stop) => stop.storefront_id === id);

export function stateOf(stop) {
  const seen = day.done.get(stop.storefront_id);
  if (seen?.kind === "missed") return "unknown";
  return seen ? "done" : stop.due || "unknown";
}

/** Metres from where we last were, or null. */
export function away(stop) {
  if (!day.fix) return null;
  const line = stop.frontage?.length ? stop.frontage : stop.door ? [stop.door] : null;
  return line ? metres(day.fix, line) : null;
}

/** What is still to do, in walking order; what is done goes to the end. */
export function inOrder() {
  const open = [], closed = [];
  for (const stop of stops()) (day.done.has(stop.storefront_id) ? closed : open).push(stop);
  const byOrder = (one, other) => one.order - other.order;
  return [...open.sort(byOrder), ...closed.sort(byOrder)];
}

/** The five nearest, for a plate that is damaged or gone. */
export function nearest(most = 5) {
  const known = stops().map((stop) => ({ stop, metres: away(stop) }));
  if (!day.fix) return known.slice(0, most);
  return known.filter((one) => one.metres !== null).sort((one, other) => one.metres - other.metres).slice(0, most);
}

export async function locate(options) {
  const found = await sample(options);
  if (found.fix) day.fix = found.fix;
  return found;
}

/** The envelope of every act: who, on which phone, when by three clocks, in which shift. */
export async function envelope(kind, body) {
  let device = await kept("device");
  if (!device) {
    device = crypto.randomUUID();
    await keep("device", device);
  }
  return {
    kind, person_id: day.person.id, device_id: device, shift_id: day.shift?.shift.id ?? null,
    nonce: day.shift?.shift.nonce ?? null, times: times(), app_version: EDITION || "dev", body,
  };
}

/** Write an act down; after this line it is on the phone's disk. */
export async function record(kind, body, photos = [], options = {}) {
  const saved = await outbox.save(await envelope(kind, body), photos, options);
  await recount();
  globalThis.dispatchEvent(new Event("outbox-changed"));
  return saved;
}

