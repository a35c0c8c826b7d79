/* The way walked: only during a shift, only while the screen is on, and said so on the screen. */

import { day, record } from "./day.js";
import { rounded } from "./ids.js";
import { follow } from "./place.js";

const EVERY_M = 15, WITHIN_MS = 20000, FLUSH_POINTS = 40;

let points = [];
let stop = null;

export const running = () => Boolean(stop);

/** Begins and ends with the shift; called again at every change. */
export function startTrack() {
  const wanted = Boolean(day.person && day.shift && day.shift.started && !day.shift.closed);
  if (wanted && !stop) stop = follow(seen);
  if (!wanted && stop) { stop(); stop = null; }
}

export async function stopTrack() {
  if (stop) { stop(); stop = null; }
  await flush();
}

function seen({ coords, timestamp }) {
  const last = points.at(-1);
  const far = last ? Math.hypot((coords.longitude - last[2]) * 95000, (coords.latitude - last[1]) * 111000) : Infinity;
  if (last && far < EVERY_M && timestamp - last[0] < WITHIN_MS) return;
  points.push([Math.round(timestamp), rounded(coords.latitude, 6), rounded(coords.longitude, 6), rounded(coords.accuracy, 0)]);
  if (points.length >= FLUSH_POINTS) flush();
}

async function flush() {
  if (points.length < 2 || !day.shift) return;
  const sent = points;
  points = [];
  await record("track", { points: sent }).catch(() => { points = [...sent, ...points].slice(-2000); });
}

document.addEventListener("visibilitychange", () => { if (document.hidden) flush(); });
