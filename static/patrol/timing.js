/* Three clocks: the phone's wall clock, its steady clock, and how far it is from the server's. */

import { keep, kept } from "./store.js";

export const SESSION = crypto.randomUUID?.() || String(Math.random()).slice(2);
let best = null; // {offset_ms, uncertainty_ms, at_mono}: server minus phone

/** Learn from one exchange: what was sent when, what came back when, what time the server said. */
export function learn(serverTime, sentMono, gotMono, gotWall = Date.now()) {
  const server = Date.parse(serverTime);
  if (!Number.isFinite(server)) return;
  const roundTrip = gotMono - sentMono;
  const offset = server + roundTrip / 2 - gotWall;
  // A changed wall clock makes older samples worthless, however good they were.
  const jumped = best && Math.abs(offset - best.offset_ms) > roundTrip / 2 + best.uncertainty_ms + 2000;
  if (!best || jumped || roundTrip / 2 <= best.uncertainty_ms) {
    best = { offset_ms: Math.round(offset), uncertainty_ms: Math.ceil(roundTrip / 2), at_mono: gotMono };
    keep("clock", { ...best, wall: gotWall }).catch(() => {});
  }
}

/** The offset of an earlier start of the app, until a better one is measured. */
export async function recall() {
  if (best) return;
  const old = await kept("clock");
  if (old && !best) {
    best = { ...old, at_mono: performance.now() - Math.max(0, Date.now() - old.wall) };
  }
}

/** What every item says about its time. */
export function times() {
  return {
    wall: new Date().toISOString(),
    mono_ms: Math.round(performance.now()),
    session: SESSION,
    offset_ms: best ? best.offset_ms : null,
    uncertainty_ms: best ? best.uncertainty_ms : null,
    offset_age_ms: best ? Math.max(0, Math.round(performance.now() - best.at_mono)) : null,
  };
}

/** The server's time as well as we know it. */
export function serverNow() {
  return Date.now() + (best ? best.offset_ms : 0);
}

export function offset() {
  return best;
}
