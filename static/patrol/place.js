/* Where the phone is: watched for a few seconds, the best reading kept, the spread told. */

import { rounded } from "./ids.js";

export const WATCH_MS = 8000;
const GOOD_ENOUGH_M = 15;

/** The best fix of up to 8 seconds, or null with the reason. `seen(fix)` is called on the way. */
export function sample({ watchMs = WATCH_MS, seen = () => {} } = {}) {
  if (!navigator.geolocation) return Promise.resolve({ fix: null, why: "unsupported" });
  return new Promise((resolve) => {
    const readings = [];
    let why = "timeout";
    const done = () => resolve({ fix: best(readings), why: readings.length ? null : why });
    const finish = () => {
      clearTimeout(timer);
      navigator.geolocation.clearWatch(watch);
      if (readings.length || why === "denied") return done();
      // Nothing fresh came: one that is some seconds old tells more than none; it carries its age.
      return navigator.geolocation.getCurrentPosition((old) => { readings.push(old); done(); }, done, { maximumAge: 20000, timeout: 1000 });
    };
    const timer = setTimeout(finish, watchMs);
    const take = (reading) => {
      readings.push(reading);
      seen(best(readings));
      // Three readings that agree, or one that could hardly be better after a moment.
      if (readings.length >= 3 && reading.coords.accuracy <= GOOD_ENOUGH_M) finish();
    };
    const options = { enableHighAccuracy: true, maximumAge: 0, timeout: watchMs };
    const watch = navigator.geolocation.watchPosition(
      take,
      (error) => {
        why = { 1: "denied", 2: "unavailable", 3: "timeout" }[error.code] || "unavailable";
        if (error.code === 1) finish();
      },
      options,
    );
    // Some phones answer a single question sooner than a watch.
    navigator.geolocation.getCurrentPosition(take, () => {}, options);
  });
}

function best(readings) {
  if (!readings.length) return null;
  const chosen = readings.reduce((one, other) => (other.coords.accuracy < one.coords.accuracy ? other : one));
  const { latitude, longitude, accuracy, altitude, speed } = chosen.coords;
  return {
    lat: rounded(latitude, 7), lon: rounded(longitude, 7), accuracy_m: rounded(accuracy, 1),
    at: new Date(chosen.timestamp).toISOString(), spread_m: rounded(spread(readings), 1), samples: readings.length,
    altitude: rounded(altitude, 1), speed: rounded(speed, 2), datum: "wgs84",
  };
}

/** The widest gap between readings: a real phone never stands perfectly still. */
function spread(readings) {
  let widest = 0;
  const { latitude } = readings[0].coords, across = 111320 * Math.cos((latitude * Math.PI) / 180);
  for (const one of readings) {
    for (const other of readings) {
      widest = Math.max(widest, Math.hypot(
        (one.coords.longitude - other.coords.longitude) * across, (one.coords.latitude - other.coords.latitude) * 110950));
    }
  }
  return widest;
}

/** The track of a running shift: only while the screen is on, and said so on the screen. */
export function follow(seen) {
  if (!navigator.geolocation) return () => {};
  const watch = navigator.geolocation.watchPosition(seen, () => {}, { enableHighAccuracy: true, maximumAge: 5000, timeout: 60000 });
  return () => navigator.geolocation.clearWatch(watch);
}
